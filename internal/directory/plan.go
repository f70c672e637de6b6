package directory

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
)

// User is a user of the tenant as it is now, or as it is to be.
type User struct {
	ID        string   `json:"id,omitempty"` // empty: is to be made
	Login     string   `json:"login"`
	Name      string   `json:"name"`
	First     string   `json:"first,omitempty"`
	Last      string   `json:"last,omitempty"`
	Role      string   `json:"role"`
	Addresses []string `json:"addresses"`
	Disabled  bool     `json:"disabled,omitempty"`
}

// Origin says which person of a directory a user is, and what came from there.
type Origin struct {
	External string   `json:"external"` // Person.ID
	Given    []string `json:"given"`    // addresses that came from the directory
	// Disabled: the directory has disabled the user, and may let it in again. Whom
	// people have disabled stays so.
	Disabled bool `json:"disabled,omitempty"`
	Gone     bool `json:"gone,omitempty"` // the directory does not have the person any more
	// KeepRole: the user was here before, with a role that people gave it. It stays
	// until a group gives one.
	KeepRole bool `json:"keep_role,omitempty"`
}

// Known is a user who is there.
type Known struct {
	User
	// Origin is set for those of the directory that is being synchronised.
	Origin *Origin
	// Elsewhere: another directory whose users are read has the user.
	Elsewhere bool
	Password  bool // has one here
	Expires   bool // has a last day
}

// Kinds of changes.
const (
	New      = "new"
	Changed  = "changed"  // name, addresses or role
	Renamed  = "renamed"  // another user name
	Disabled = "disabled" // the directory lets it in no more
	Enabled  = "enabled"  // and now does again
	Gone     = "gone"     // is not in the directory any more: is disabled, never deleted
	Conflict = "conflict" // cannot be done; Reason tells why
	Matched  = "match"    // may be a user who is here already: Matches; nothing is done until somebody decides
	Adopted  = "adopted"  // somebody has decided: the user belongs to the directory from now on
)

// Reasons of conflicts.
const (
	ReasonLogin     = "login-taken" // somebody else has the user name
	ReasonForm      = "login-form"  // the user name has characters that are not allowed
	ReasonDomain    = "domain"      // an address is not in the tenant's domains
	ReasonNoAddress = "no-address"  // none is, so that the user would find nothing
	ReasonTwice     = "twice"       // two in the directory have the user name
)

// Change is what a synchronisation would do with one user.
type Change struct {
	Kind   string `json:"kind"`
	Reason string `json:"reason,omitempty"`
	// Before is missing for a new user, After for a conflict about the whole user. Of
	// Matched, After is the user that can be made beside those who match; nil: none can.
	Before  *User    `json:"before,omitempty"`
	After   *User    `json:"after,omitempty"`
	Matches []Match  `json:"matches,omitempty"`
	Refused []string `json:"refused,omitempty"` // addresses that are left out
	Origin  Origin   `json:"origin"`            // as it will be
	Who     string   `json:"who"`               // user name in the directory
}

// Plan is what a synchronisation would change.
type Plan struct {
	Changes []Change       // by user name
	Counts  map[string]int // by kind
	Same    int            // users that stay as they are
	Active  int            // users of the directory that may log in now
	Guard   bool           // so many would be disabled that somebody has to look first
	Digest  string         // of the changes: who confirms, confirms these
	Notes   []Note

	admins int // who can administer the tenant with a password here
}

// Rules of a plan.
type Rules struct {
	Roles bool // groups give roles; otherwise roles are left as they are
	Guard int  // percent, as LDAP.Guard
	// Ours reports whether the tenant may have an address, which is normalised.
	Ours func(address string) bool
	// Main is the address that another means because of an alias domain; nil: itself.
	Main func(address string) string
	// Login reports whether a user name has the right form.
	Login func(login string) bool
	// Usual is the role of whom no group gives one.
	Usual string
	// Admin is the role of those who administer the tenant.
	Admin string
}

// planner makes a plan.
type planner struct {
	Rules
	logins map[string]string // to the id of who has it, or "new"
	shared map[string][]string
	// byLogin and byAddress are users who may be recognised in the directory.
	byLogin   map[string]Known
	byAddress map[string][]Known
	plan      Plan
}

// Make compares the users who are there with what a directory holds. It changes
// nothing, and depends on nothing but its arguments.
func Make(known []Known, snap *Snapshot, rules Rules) *Plan {
	p := &planner{Rules: rules, logins: map[string]string{}, shared: map[string][]string{},
		byLogin: map[string]Known{}, byAddress: map[string][]Known{}, plan: Plan{Counts: map[string]int{}, Notes: snap.Notes}}
	byExternal := map[string]Known{}
	for _, k := range known {
		p.logins[k.Login] = k.ID
		p.known(k)
		if k.Origin != nil {
			byExternal[k.Origin.External] = k
			if !k.Disabled {
				p.plan.Active++
			}
		}
	}
	for _, s := range snap.Shared {
		for _, m := range s.Members {
			p.shared[m] = append(p.shared[m], s.Addresses...)
		}
	}
	here := map[string]bool{}
	for _, person := range snap.People {
		here[person.ID] = true
		if k, ok := byExternal[person.ID]; ok {
			p.existing(k, person)
		} else {
			p.fresh(person)
		}
	}
	for _, k := range known {
		if k.Origin != nil && !here[k.Origin.External] {
			p.gone(k)
		}
	}
	return p.finish()
}

func (p *planner) add(c Change) {
	p.plan.Changes = append(p.plan.Changes, c)
	p.plan.Counts[c.Kind]++
}

// addresses returns those that a person gets from the directory, and those that the
// tenant cannot have.
func (p *planner) addresses(person Person) (given, refused []string) {
	for _, a := range append(slices.Clone(person.Addresses), p.shared[person.ID]...) {
		switch {
		case slices.Contains(given, a) || slices.Contains(refused, a):
		case p.Ours(a):
			given = append(given, a)
		default:
			refused = append(refused, a)
		}
	}
	return given, refused
}

func (p *planner) role(person Person, now string, keep bool) string {
	switch {
	case person.Role != "":
		return person.Role
	case p.Roles && !keep || now == "":
		return p.Usual
	}
	return now
}

func loginOf(person Person) string { return strings.ToLower(strings.TrimSpace(person.Login)) }

// named gives a user the names of a person. First and last name stay if the directory
// has neither.
func named(u *User, person Person) {
	if person.First != "" || person.Last != "" {
		u.First, u.Last = person.First, person.Last
	}
	u.Name = cmp.Or(person.Name, strings.TrimSpace(person.First+" "+person.Last), loginOf(person))
}

// free reports why a user cannot have a name; empty if it can.
func (p *planner) free(login, id string) string {
	owner, taken := p.logins[login]
	switch {
	case !p.Login(login):
		return ReasonForm
	case taken && owner == "new":
		return ReasonTwice
	case taken && owner != id:
		return ReasonLogin
	}
	return ""
}

// fresh is somebody who is not a user yet.
func (p *planner) fresh(person Person) {
	if person.Disabled {
		p.plan.Same++
		return
	}
	login := loginOf(person)
	given, refused := p.addresses(person)
	c := Change{Kind: Conflict, Who: login, Refused: refused, Origin: Origin{External: person.ID, Given: given}, Matches: p.matches(person, given)}
	switch c.Reason = p.free(login, ""); {
	case len(c.Matches) > 0:
		c.Kind = Matched
		if c.Reason == "" && len(given) > 0 {
			c.After = p.made(person, given)
		}
		c.Reason = ""
		if len(refused) > 0 {
			c.Reason = ReasonDomain
		}
		p.logins[login] = cmp.Or(p.logins[login], "new")
	case c.Reason != "":
	case len(given) == 0 && len(refused) > 0:
		c.Reason = ReasonDomain
	case len(given) == 0:
		c.Reason = ReasonNoAddress
	default:
		p.logins[login] = "new"
		c.Kind = New
		if len(refused) > 0 {
			c.Reason = ReasonDomain
		}
		c.After = p.made(person, given)
	}
	p.add(c)
}

// made is the user that is made of a person.
func (p *planner) made(person Person, given []string) *User {
	u := &User{Login: loginOf(person), Role: p.role(person, "", false), Addresses: given}
	named(u, person)
	return u
}

// existing is a user of the directory who is still there.
func (p *planner) existing(k Known, person Person) {
	given, refused := p.addresses(person)
	next := k.User
	named(&next, person)
	next.Role = p.role(person, k.Role, k.Origin.KeepRole)
	next.Addresses = slices.Clone(given)
	for _, a := range k.Addresses { // those that people have added stay
		if !slices.Contains(k.Origin.Given, a) && !slices.Contains(next.Addresses, a) {
			next.Addresses = append(next.Addresses, a)
		}
	}
	origin := Origin{External: person.ID, Given: given, Disabled: k.Origin.Disabled, KeepRole: k.Origin.KeepRole && person.Role == ""}
	kind := ""
	if login := loginOf(person); login != k.Login {
		if reason := p.free(login, k.ID); reason != "" {
			p.add(Change{Kind: Conflict, Reason: reason, Who: login, Before: &k.User, Origin: *k.Origin})
		} else {
			delete(p.logins, k.Login)
			p.logins[login] = k.ID
			next.Login, kind = login, Renamed
		}
	}
	switch {
	case person.Disabled && !k.Disabled:
		next.Disabled, origin.Disabled, kind = true, true, Disabled
	case !person.Disabled && k.Disabled && k.Origin.Disabled:
		next.Disabled, origin.Disabled, kind = false, false, Enabled
	case kind == "" && (next.Name != k.Name || next.First != k.First || next.Last != k.Last || next.Role != k.Role || !slices.Equal(next.Addresses, k.Addresses)):
		kind = Changed
	}
	if kind == "" && slices.Equal(origin.Given, k.Origin.Given) && origin.Disabled == k.Origin.Disabled && origin.KeepRole == k.Origin.KeepRole && !k.Origin.Gone {
		p.plan.Same++
		return
	}
	c := Change{Kind: cmp.Or(kind, Changed), Who: loginOf(person), Before: &k.User, After: &next, Refused: refused, Origin: origin}
	if len(refused) > 0 {
		c.Reason = ReasonDomain
	}
	p.add(c)
}

// gone is a user whom the directory does not have any more.
func (p *planner) gone(k Known) {
	if k.Origin.Gone {
		p.plan.Same++
		return
	}
	next, origin := k.User, *k.Origin
	origin.Gone = true
	if !k.Disabled {
		next.Disabled, origin.Disabled = true, true
	}
	p.add(Change{Kind: Gone, Who: k.Login, Before: &k.User, After: &next, Origin: origin})
}

// finish sorts, looks whether too many would be disabled, and computes the digest.
func (p *planner) finish() *Plan {
	slices.SortStableFunc(p.plan.Changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Who, b.Who), cmp.Compare(a.Origin.External, b.Origin.External))
	})
	lost := 0
	for _, c := range p.plan.Changes {
		if c.Before != nil && c.After != nil && !c.Before.Disabled && c.After.Disabled {
			lost++
		}
	}
	limit := p.Guard
	if limit == 0 {
		limit = DefaultGuard
	}
	p.plan.Guard = lost*100 > limit*p.plan.Active && (lost > 1 || p.plan.Active == 1)
	b, err := json.Marshal(p.plan.Changes)
	if err != nil { // they are strings and flags
		b = nil
	}
	sum := sha256.Sum256(b)
	p.plan.Digest = hex.EncodeToString(sum[:16])
	return &p.plan
}
