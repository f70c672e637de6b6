package archive

import (
	"context"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/uid"
)

// maxUsers bounds the users on a page.
const maxUsers = 500

// UserQuery asks for users of a tenant, by login.
type UserQuery struct {
	// Text finds those in whose login, names or addresses each of its words is,
	// whatever the case.
	Text  string
	After string // login of the last one on the page before
	Limit int    // 1 to 500
}

// UserPage is a page of users.
type UserPage struct {
	Users []UserView
	Next  string // UserQuery.After of the next page; empty: there is none
	Found int    // how many fit the query
	All   int    // how many the tenant has
	// AnyDomain says that the tenant has no domains, so that addresses of all
	// domains are taken.
	AnyDomain bool
	Damaged   int // rows that cannot be read; the log tells which
}

// UserView is a user as administrators see it.
type UserView struct {
	catalog.User
	ExpiresOn string // last day of log-ins, in the tenant's zone; empty: for ever
	Expired   bool
	// HasPassword says that the user can log in with a password; the hash is not here.
	HasPassword bool
	// Sees is how many archived messages the user finds now. nil in lists, and if it
	// cannot be counted.
	Sees *Count
}

// Count is how many there are of something.
type Count struct {
	N     int
	Exact bool // false: there are more
}

// Users returns a page of the users of the actor's tenant.
func (h *Handle) Users(ctx context.Context, q UserQuery) (*UserPage, error) {
	d, err := h.userDesk()
	if err != nil {
		return nil, err
	}
	return d.list(ctx, q)
}

// Users lists all users of a tenant, for the operator on the command line.
func (a *Archive) Users(ctx context.Context, tenant uid.ID) ([]*catalog.User, error) {
	return a.catalog.Users(ctx, tenant)
}

func (d *userDesk) list(ctx context.Context, q UserQuery) (*UserPage, error) {
	r, err := d.a.userRules(ctx, d.tenant)
	if err != nil {
		return nil, err
	}
	users, err := d.a.catalog.Users(ctx, d.tenant)
	bad := rowErrors(err)
	if err != nil && len(bad) == 0 {
		return nil, err
	}
	if len(bad) > 0 {
		d.a.log.Error("rows of users are damaged; muniment fsck tells more", "tenant", d.tenant, "error", err)
	}
	page := &UserPage{All: len(users), AnyDomain: len(r.domains) == 0, Damaged: len(bad)}
	words := strings.Fields(fold(q.Text))
	limit := min(max(q.Limit, 1), maxUsers)
	for _, u := range users {
		if !fits(u, words) {
			continue
		}
		page.Found++
		switch {
		case u.Login <= q.After && q.After != "":
		case len(page.Users) < limit:
			page.Users = append(page.Users, d.plainView(r, u))
		default:
			page.Next = page.Users[limit-1].Login
		}
	}
	return page, nil
}

// fits reports whether each word is somewhere in what is known of u.
func fits(u *catalog.User, words []string) bool {
	if len(words) == 0 {
		return true
	}
	text := fold(strings.Join(append([]string{u.Login, u.Name, u.FirstName, u.LastName}, u.Addresses...), "\n"))
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}

func (d *userDesk) plainView(r *userRules, u *catalog.User) UserView {
	v := UserView{User: *u, ExpiresOn: r.lastDay(u.ExpiresAt)}
	v.Expired = !u.ExpiresAt.IsZero() && !d.a.now().Before(u.ExpiresAt)
	v.HasPassword, v.PasswordHash = u.PasswordHash != "", "" // the hash is nothing for people
	return v
}

// User returns a user of the actor's tenant. catalog.ErrNotFound.
func (h *Handle) User(ctx context.Context, id uid.ID) (*UserView, error) {
	d, err := h.userDesk()
	if err != nil {
		return nil, err
	}
	u, err := h.a.catalog.User(ctx, d.tenant, id)
	if err != nil {
		return nil, err
	}
	return d.view(ctx, u)
}

// view describes a user together with how much it sees.
func (d *userDesk) view(ctx context.Context, u *catalog.User) (*UserView, error) {
	r, err := d.a.userRules(ctx, d.tenant)
	if err != nil {
		return nil, err
	}
	v := d.plainView(r, u)
	n, err := d.a.sees(ctx, d.tenant, r.mailboxAddresses(u.Addresses))
	if err != nil { // the index is derived: that it fails prevents nothing
		d.a.log.Error("what a user sees cannot be counted", "user", u.ID, "error", err)
		return &v, nil
	}
	v.Sees = n
	return &v, nil
}

// sees counts the messages that somebody with addresses finds.
func (a *Archive) sees(ctx context.Context, tenant uid.ID, addresses []string) (*Count, error) {
	if len(addresses) == 0 {
		return &Count{Exact: true}, nil
	}
	q, err := query.Parse("", query.Env{Now: a.now()})
	if err != nil {
		return nil, err
	}
	found, err := a.index.Search(ctx, tenant, index.Request{Query: q, Scope: index.Scope{Addresses: addresses}, Limit: 1, CountUpTo: countUpTo})
	if err != nil {
		return nil, err
	}
	return &Count{N: found.Total, Exact: found.Exact}, nil
}
