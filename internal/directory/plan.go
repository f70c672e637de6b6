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
}

// Known is a user who is there.
type Known struct {
	User
	// Origin is set for those of the directory that is being synchronised.
	Origin *Origin
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
	// Before is missing for a new user, After for a conflict about the whole user.
	Before  *User    `json:"before,omitempty"`
	After   *User    `json:"after,omitempty"`
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
}

// Rules of a plan.
type Rules struct {
	Roles bool // groups give roles; otherwise roles are left as they are
	Guard int  // percent, as LDAP.Guard
	// Ours reports whether the tenant may have an address, which is normalised.
	Ours func(address string) bool
	// Login reports whether a user name has the right form.
	Login func(login string) bool
	// Usual is the role of whom no group gives one.
	Usual string
}

// planner makes a plan.
type planner struct {
	Rules
	logins map[string]string // to the id of who has it, or "new"
	shared map[string][]string
	plan   Plan
}

// Make compares the users who are there with what a directory holds. It changes
// nothing, and depends on nothing but its arguments.
func Make(known []Known, snap *Snapshot, rules Rules) *Plan {
	p := &planner{Rules: rules, logins: map[string]string{}, shared: map[string][]string{}, plan: Plan{Counts: map[string]int{}, Notes: snap.Notes}}
	byExternal := map[string]Known{}
	for _, k := range known {
		p.logins[k.Login] = k.ID
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

func (p *planner) role(person Person, now string) string {
	switch {
	case person.Role != "":
		return person.Role
	case p.Roles || now == "":
		return p.Usual
	}
	return now
}

func loginOf(person Person) string { return strings.ToLower(strings.TrimSpace(person.Login)) }

func nameOf(person Person) string { return cmp.Or(person.Name, loginOf(person)) }

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
	c := Change{Kind: Conflict, Who: login, Refused: refused, Origin: Origin{External: person.ID, Given: given}}
	switch c.Reason = p.free(login, ""); {
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
		c.After = &User{Login: login, Name: nameOf(person), Role: p.role(person, ""), Addresses: given}
	}
	p.add(c)
}

// existing is a user of the directory who is still there.
func (p *planner) existing(k Known, person Person) {
	given, refused := p.addresses(person)
	next := k.User
	next.Name, next.Role = nameOf(person), p.role(person, k.Role)
	next.Addresses = slices.Clone(given)
	for _, a := range k.Addresses { // those that people have added stay
		if !slices.Contains(k.Origin.Given, a) && !slices.Contains(next.Addresses, a) {
			next.Addresses = append(next.Addresses, a)
		}
	}
	origin := Origin{External: person.ID, Given: given, Disabled: k.Origin.Disabled}
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
	case kind == "" && (next.Name != k.Name || next.Role != k.Role || !slices.Equal(next.Addresses, k.Addresses)):
		kind = Changed
	}
	if kind == "" && slices.Equal(origin.Given, k.Origin.Given) && origin.Disabled == k.Origin.Disabled && !k.Origin.Gone {
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
