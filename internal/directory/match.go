package directory

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// Match is a user who is there already and may be the same as somebody in the
// directory. Nobody is taken for somebody else unless a person decides it.
type Match struct {
	User User `json:"user"` // as it is now
	// Login and Addresses say what both have in common.
	Login     bool     `json:"login,omitempty"`
	Addresses []string `json:"addresses,omitempty"`
	// After is what the user becomes if it is adopted.
	After User `json:"after"`
	// Password says that the user has a password here, which ends.
	Password bool `json:"password,omitempty"`
	// Higher says that the user has another role than the usual: whoever has the entry
	// in the directory gets these rights.
	Higher bool `json:"higher,omitempty"`
	// Last says that the user is the only administrator with a password here, and so
	// cannot be adopted: with the directory down nobody could administer.
	Last bool `json:"last,omitempty"`

	admin bool // counts among Plan.admins
	keep  bool // no group gives another role: Origin.KeepRole
}

// Decision says who somebody in the directory is, of whom a plan has a Match.
type Decision struct {
	Person string // Person.ID
	// User is the id of the user who is the same; empty: it is somebody else, who
	// shares the address.
	User string
	// Role has to be that of the user if it is Higher: nobody takes over an account of
	// a higher role without having seen it.
	Role string
}

// DecisionError says why a decision cannot be carried out.
type DecisionError struct {
	Index int    // in the list of decisions
	Who   string // user name in the directory; empty: nobody there
	Code  string // one of the Decision constants
}

// Codes of decisions that cannot be carried out.
const (
	DecisionNobody = "nobody"     // nothing is to be decided about the person, or was already
	DecisionUser   = "user"       // the user is none of the matches, or was chosen already
	DecisionRole   = "role"       // the user has a higher role, which was not named
	DecisionLast   = "last-admin" // Match.Last
)

// Error implements error.
func (e *DecisionError) Error() string {
	text := "there is nothing to decide about this person; look at the preview again"
	switch e.Code {
	case DecisionUser:
		text = "is not one of the users that the preview shows, or was chosen already"
	case DecisionRole:
		text = "the user here has a higher role; name it to confirm that whoever has the entry in the directory gets it"
	case DecisionLast:
		text = "the user here is the only administrator with a password, who is needed when the directory is down; make another one first"
	}
	if e.Who != "" {
		return e.Who + ": " + text
	}
	return text
}

// known notes users by what they may be recognised by: those who do not come from a
// directory of users already.
func (p *planner) known(k Known) {
	if p.isAdmin(k) {
		p.plan.admins++
	}
	if k.Origin != nil || k.Elsewhere {
		return
	}
	p.byLogin[k.Login] = k
	for _, a := range k.Addresses {
		main := p.meant(a)
		if list := p.byAddress[main]; len(list) == 0 || list[len(list)-1].ID != k.ID { // one with both addresses is one
			p.byAddress[main] = append(list, k)
		}
	}
}

// meant is an address without its alias domain.
func (p *planner) meant(address string) string {
	if p.Main == nil {
		return address
	}
	return p.Main(address)
}

// isAdmin reports whether a user can administer the tenant with nothing but what is
// kept here.
func (p *planner) isAdmin(k Known) bool {
	return p.Admin != "" && k.Role == p.Admin && k.Password && !k.Disabled && !k.Expires
}

// matches returns the users who may be a person: of the same name, or with an address
// that several do not share. Disabled ones are among them, and stay disabled.
func (p *planner) matches(person Person, given []string) []Match {
	var out []Match
	add := func(k Known, address string) {
		i := slices.IndexFunc(out, func(m Match) bool { return m.User.ID == k.ID })
		if i < 0 {
			if p.free(loginOf(person), k.ID) != "" {
				return // it would be a conflict
			}
			i = len(out)
			out = append(out, Match{User: k.User, Login: k.Login == loginOf(person), After: p.adopted(k, person, given), Password: k.Password,
				Higher: k.Role != p.Usual, Last: p.isAdmin(k) && p.plan.admins == 1, admin: p.isAdmin(k), keep: person.Role == ""})
		}
		if address != "" {
			out[i].Addresses = append(out[i].Addresses, address)
		}
	}
	if k, ok := p.byLogin[loginOf(person)]; ok {
		add(k, "")
	}
	for _, a := range person.Addresses {
		if owners := p.byAddress[p.meant(a)]; len(owners) == 1 && slices.Contains(given, a) {
			add(owners[0], a)
		}
	}
	return out
}

// adopted is what a user becomes if it is the same as a person. Id, addresses, and
// whether people have disabled it, stay; so does the role, until a group gives another.
func (p *planner) adopted(k Known, person Person, given []string) User {
	next := k.User
	next.Login, next.Role = loginOf(person), cmp.Or(person.Role, k.Role)
	named(&next, person)
	next.Addresses = slices.Clone(given)
	for _, a := range k.Addresses {
		if !slices.Contains(next.Addresses, a) {
			next.Addresses = append(next.Addresses, a)
		}
	}
	return next
}

// Decide carries out what somebody has decided about matches: their changes become
// those of adopted and new users. The digest stays, as it is of what was looked at. If
// anything is wrong, all of it is returned as *DecisionErrors joined, and the plan is
// not to be used.
func (p *Plan) Decide(list []Decision) error {
	var errs []error
	chosen := map[string]bool{}
	for i, d := range list {
		at := slices.IndexFunc(p.Changes, func(c Change) bool { return c.Kind == Matched && c.Origin.External == d.Person })
		if at < 0 {
			errs = append(errs, &DecisionError{Index: i, Code: DecisionNobody})
			continue
		}
		c := &p.Changes[at]
		code := p.decide(c, d)
		if code == "" && d.User != "" && chosen[d.User] {
			code = DecisionUser
		}
		if code != "" {
			errs = append(errs, &DecisionError{Index: i, Who: c.Who, Code: code})
			continue
		}
		chosen[d.User] = true
		if p.Counts[Matched]--; p.Counts[Matched] == 0 {
			delete(p.Counts, Matched)
		}
		p.Counts[c.Kind]++
	}
	return errors.Join(errs...)
}

// decide turns a change into what was decided, or returns the code of what is wrong.
func (p *Plan) decide(c *Change, d Decision) string {
	if d.User == "" {
		if c.After == nil {
			return DecisionUser // both have the same name
		}
		c.Kind, c.Matches = New, nil
		return ""
	}
	i := slices.IndexFunc(c.Matches, func(m Match) bool { return m.User.ID == d.User })
	if i < 0 {
		return DecisionUser
	}
	m := c.Matches[i]
	switch {
	case m.admin && p.admins == 1:
		return DecisionLast
	case m.Higher && !strings.EqualFold(d.Role, m.User.Role):
		return DecisionRole
	case m.admin:
		p.admins--
	}
	c.Kind, c.Before, c.After = Adopted, &m.User, &m.After
	c.Origin.KeepRole = m.keep
	return ""
}
