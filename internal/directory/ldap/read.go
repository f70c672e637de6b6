package ldap

import (
	"context"
	"maps"
	"slices"

	"github.com/go-ldap/ldap/v3"

	"github.com/muniment/muniment/internal/directory"
)

// Read reads users and, as far as the settings need them, groups. Errors have a code
// (directory.Code).
func (c *Client) Read(ctx context.Context, set directory.Settings, secret []byte) (*directory.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timings.read)
	defer cancel()
	s, err := c.open(ctx, *set.LDAP, secret, nil)
	if err != nil {
		return nil, err
	}
	defer s.close()
	return s.read(set)
}

// read reads everything.
func (s *session) read(set directory.Settings) (*directory.Snapshot, error) {
	if err := s.base(); err != nil {
		return nil, err
	}
	m := &members{s: s, people: map[string]string{}, logins: map[string]string{}, groups: map[string]*group{}, looped: map[string]bool{}}
	people, err := s.people(m)
	if err != nil {
		return nil, err
	}
	if len(people) == 0 {
		return nil, directory.Fail(directory.CodeEmpty, errNobody)
	}
	s.step("people", count(len(people)))
	if len(set.Roles) > 0 || s.set.Member != "" || s.set.Shared || s.set.Public != "" {
		if err := m.load(); err != nil {
			return nil, err
		}
		s.step("groups", count(len(m.groups)))
	}
	if people, err = m.restrict(people); err != nil {
		return nil, err
	}
	if err := m.roles(people, set.Roles); err != nil {
		return nil, err
	}
	shared, err := m.shared()
	if err != nil {
		return nil, err
	}
	return &directory.Snapshot{People: people, Shared: shared, Notes: s.notes.Notes}, nil
}

// base looks whether there is anything at the base DN.
func (s *session) base() error {
	found := false
	err := s.search(query{base: s.set.BaseDN, single: true, filter: "(objectClass=*)", want: []string{"objectClass"}, most: 1},
		func(*ldap.Entry) error { found = true; return nil })
	if err == nil && !found {
		err = directory.Fail(directory.CodeBase, errNoBase)
	}
	if err == nil {
		s.step("base", s.set.BaseDN)
	}
	return err
}

// people reads those who may be users, and tells m their names.
func (s *session) people(m *members) ([]directory.Person, error) {
	var list []directory.Person
	seen := map[string]bool{}
	err := s.search(query{base: s.set.BaseDN, filter: personFilter(s.set), want: personAttributes(s.set), most: maxPeople}, func(e *ldap.Entry) error {
		p := person(s.set, e)
		switch {
		case p.ID == "":
			s.notes.Note(directory.NoteNoID, e.DN)
			return nil
		case p.Login == "":
			s.notes.Note(directory.NoteNoLogin, e.DN)
			return nil
		case seen[p.ID]: // pages of a directory that changes meanwhile
			return nil
		case len(p.Addresses) == 0:
			s.notes.Note(directory.NoteNoAddress, e.DN)
		}
		seen[p.ID] = true
		m.people[dnKey(e.DN)] = p.ID
		if uid := first(e, "uid"); uid != "" {
			m.logins[uid] = p.ID
		}
		list = append(list, p)
		return nil
	})
	return list, err
}

// restrict leaves those who are in the group that the settings name.
func (m *members) restrict(people []directory.Person) ([]directory.Person, error) {
	if m.s.set.Member == "" {
		return people, nil
	}
	in, err := m.of(m.s.set.Member)
	if err != nil {
		return nil, err
	}
	people = slices.DeleteFunc(people, func(p directory.Person) bool { return !in[p.ID] })
	if len(people) == 0 {
		return nil, directory.Fail(directory.CodeEmpty, errNobody)
	}
	return people, nil
}

// roles gives everybody the role of the first rule that fits.
func (m *members) roles(people []directory.Person, rules []directory.RoleRule) error {
	for _, r := range rules {
		in, err := m.of(r.Group)
		if err != nil {
			return err
		}
		for i := range people {
			if people[i].Role == "" && in[people[i].ID] {
				people[i].Role = r.Role
			}
		}
	}
	return nil
}

// shared returns groups with an address, and public folders.
func (m *members) shared() ([]directory.Shared, error) {
	var out []directory.Shared
	for _, key := range m.keys {
		g := m.groups[key]
		if !m.s.set.Shared || len(g.addresses) == 0 {
			continue
		}
		in, err := m.of(g.dn)
		if err != nil {
			return nil, err
		}
		out = append(out, directory.Shared{ID: g.id, Name: g.name, Addresses: g.addresses, Members: slices.Sorted(maps.Keys(in))})
	}
	if m.s.set.Public == "" {
		return out, nil
	}
	in, err := m.of(m.s.set.Public)
	if err != nil {
		return nil, err
	}
	set := m.s.set
	err = m.s.search(query{base: groupBase(set), filter: "(objectClass=publicFolder)", want: append([]string{idAttribute(set), attrNsID, "cn"}, addressAttributes(set)...), most: maxGroups},
		func(e *ldap.Entry) error {
			if a := addressesOf(set, e); len(a) > 0 {
				out = append(out, directory.Shared{ID: idOf(set, e), Name: first(e, "cn"), Addresses: a, Members: slices.Sorted(maps.Keys(in))})
			}
			return nil
		})
	return out, err
}
