package ldap

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-ldap/ldap/v3"

	"github.com/muniment/muniment/internal/directory"
)

// group is an entry with members.
type group struct {
	dn, id, name string
	addresses    []string
	members      []string // keys of DNs
	logins       []string // posixGroup names its members by uid
}

// members finds the people in groups, however nested.
type members struct {
	s      *session
	people map[string]string // key of DN to id
	logins map[string]string // user name to id
	groups map[string]*group // key of DN; empty for Active Directory, which walks itself
	keys   []string          // of groups, in the order they came
	looped map[string]bool   // groups whose loop is noted already
}

func groupFilter(set directory.LDAP) string {
	if set.Flavour == directory.FlavourAD {
		return "(objectClass=group)"
	}
	return "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup)(objectClass=groupOfMembers))"
}

func groupBase(set directory.LDAP) string {
	if set.GroupDN != "" {
		return set.GroupDN
	}
	return set.BaseDN
}

// load reads all groups. Active Directory finds members by itself; of it only those
// with an address are read.
func (m *members) load() error {
	set := m.s.set
	want := append([]string{idAttribute(set), attrNsID, "cn", "displayName"}, addressAttributes(set)...)
	filter := groupFilter(set)
	if set.Flavour == directory.FlavourAD {
		filter = both(filter, "(|(mail=*)(proxyAddresses=*))")
	} else {
		want = append(want, "member", "uniqueMember", "memberUid")
	}
	return m.s.search(query{base: groupBase(set), filter: filter, want: want, most: maxGroups}, func(e *ldap.Entry) error {
		g := &group{dn: e.DN, id: idOf(set, e), name: first(e, "cn"), addresses: addressesOf(set, e), logins: e.GetEqualFoldAttributeValues("memberUid")}
		for _, attribute := range []string{"member", "uniqueMember"} {
			for _, dn := range e.GetEqualFoldAttributeValues(attribute) {
				g.members = append(g.members, dnKey(dn))
			}
		}
		if len(g.members)+len(g.logins) > maxMembers {
			return directory.Fail(directory.CodeTooLarge, fmt.Errorf("group %s has more than %d members", g.name, maxMembers))
		}
		key := dnKey(e.DN)
		m.groups[key], m.keys = g, append(m.keys, key)
		return nil
	})
}

// of returns the ids of the people in the group of a DN.
func (m *members) of(dn string) (map[string]bool, error) {
	if m.s.set.Flavour == directory.FlavourAD {
		return m.chain(dn)
	}
	key := dnKey(dn)
	if m.groups[key] == nil {
		return nil, directory.Fail(directory.CodeGroup, fmt.Errorf("there is no group %s below %s", directory.Clean(dn, "", nil), groupBase(m.s.set)))
	}
	in := map[string]bool{}
	m.walk(key, in, map[string]bool{}, nil)
	return in, nil
}

// walk adds the people of a group and of the groups in it. done are groups that were
// walked, path those that are being walked: a group on it contains itself.
func (m *members) walk(key string, in, done map[string]bool, path []string) {
	g := m.groups[key]
	if g == nil {
		return
	}
	if slices.Contains(path, key) {
		if !m.looped[key] {
			m.looped[key] = true
			m.s.notes.Note(directory.NoteLoop, g.dn)
		}
		return
	}
	if done[key] {
		return
	}
	if len(path) >= maxDepth {
		m.s.notes.Note(directory.NoteDeep, g.dn)
		return
	}
	done[key] = true
	for _, login := range g.logins {
		if id, ok := m.logins[login]; ok {
			in[id] = true
		}
	}
	path = append(path, key)
	for _, member := range g.members {
		if id, ok := m.people[member]; ok {
			in[id] = true
		}
		m.walk(member, in, done, path)
	}
}

// chain has Active Directory look through nested groups.
func (m *members) chain(dn string) (map[string]bool, error) {
	set := m.s.set
	err := m.s.search(query{base: dn, single: true, filter: "(objectClass=*)", want: []string{"cn"}, most: 1}, func(*ldap.Entry) error { return nil })
	var known *directory.Error
	if errors.As(err, &known) && known.Code == directory.CodeBase {
		return nil, directory.Fail(directory.CodeGroup, fmt.Errorf("there is no group %s: %w", directory.Clean(dn, "", nil), err))
	}
	if err != nil {
		return nil, err
	}
	in := map[string]bool{}
	err = m.s.search(query{base: set.BaseDN, filter: both(personFilter(set), equals("memberOf:"+inChain+":", dn)), want: []string{attrGUID}, most: maxPeople},
		func(e *ldap.Entry) error {
			if id := idOf(set, e); id != "" {
				in[id] = true
			}
			return nil
		})
	return in, err
}
