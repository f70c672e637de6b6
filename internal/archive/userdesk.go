package archive

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
)

// maxAddresses bounds the addresses of one user: each is part of every query.
const maxAddresses = 100

// userDesk is where the users of one tenant are changed, by somebody who may.
type userDesk struct {
	a      *Archive
	tenant uid.ID
	act    describeAct
	// keepAdmin refuses what leaves the tenant without an administrator. The operator
	// of the installation may do that; administrators would lock themselves out.
	keepAdmin bool
	// by is who acts, if it is one of the tenant's users.
	by uid.ID
}

// userDesk is the desk of the operator on the command line.
func (a *Archive) userDesk(tenant uid.ID) *userDesk {
	return &userDesk{a: a, tenant: tenant, act: a.cliEvent}
}

func (h *Handle) userDesk() (*userDesk, error) {
	if err := h.actor.Check(access.ManageUsers); err != nil {
		return nil, err
	}
	return &userDesk{a: h.a, tenant: h.actor.Tenant, act: h.event, keepAdmin: true, by: h.actor.User}, nil
}

// stillMay reports whether who acts is among the users and may still manage them: what
// takes long may end after somebody was disabled.
func (d *userDesk) stillMay(users []*catalog.User) error {
	if d.by.IsZero() {
		return nil
	}
	for _, u := range users {
		if u.ID == d.by && mayLogIn(u, d.a.now()) && (access.Actor{Tenant: d.tenant, User: u.ID, Role: access.Role(u.Role)}).Check(access.ManageUsers) == nil {
			return nil
		}
	}
	return fmt.Errorf("whoever began may not manage users any more: %w", access.ErrForbidden)
}

// edit changes users in one transaction. What change refuses comes back as it is.
func (d *userDesk) edit(ctx context.Context, change func([]*catalog.User) (*catalog.UserEdit, error)) error {
	var refused error
	err := d.a.catalog.EditUsers(ctx, d.tenant, func(users []*catalog.User) (*catalog.UserEdit, error) {
		refused = nil
		e, err := change(users)
		if err == nil {
			err = d.keepsAdmin(users, e)
		}
		refused = err
		return e, err
	})
	if err != nil && refused != nil {
		return refused
	}
	return err
}

// keepsAdmin refuses an edit after which nobody could administer the tenant.
func (d *userDesk) keepsAdmin(users []*catalog.User, e *catalog.UserEdit) error {
	if !d.keepAdmin || admins(users) == 0 {
		return nil
	}
	changed := make(map[uid.ID]*catalog.User, len(e.Update))
	for _, u := range e.Update {
		changed[u.ID] = u
	}
	after := slices.Clone(e.Create)
	for _, u := range users {
		if x := changed[u.ID]; x != nil {
			u = x
		}
		after = append(after, u)
	}
	if admins(after) > 0 {
		return nil
	}
	return &UserError{Field: "role", Code: CodeLastAdmin,
		Text: "this is the last administrator who can log in for ever; make somebody else one first, or nobody could manage this customer any more"}
}

// admins counts the administrators who can log in for ever.
func admins(users []*catalog.User) int {
	n := 0
	for _, u := range users {
		if u.Role == string(access.RoleTenantAdmin) && !u.Disabled && u.ExpiresAt.IsZero() {
			n++
		}
	}
	return n
}

// userRules are what users of a tenant are checked against.
type userRules struct {
	*routing
	tenant *catalog.Tenant
	zone   *time.Location
	// elsewhere are users who come from a directory; of importRules only.
	elsewhere map[uid.ID]bool
}

// importRules are userRules that know as well who comes from a directory.
func (a *Archive) importRules(ctx context.Context, tenant uid.ID) (*userRules, error) {
	r, err := a.userRules(ctx, tenant)
	if err != nil {
		return nil, err
	}
	origins, err := a.catalog.Origins(ctx, tenant)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	}
	r.elsewhere = make(map[uid.ID]bool, len(origins))
	for _, o := range origins {
		r.elsewhere[o.User] = true
	}
	return r, nil
}

func (a *Archive) userRules(ctx context.Context, tenant uid.ID) (*userRules, error) {
	t, err := a.catalog.Tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	r, err := a.routing(ctx, tenant)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(t.Zone)
	if err != nil {
		zone = time.UTC
	}
	return &userRules{routing: r, tenant: t, zone: zone}, nil
}

// expiry is the moment at which the day after the last one begins; zero for none.
func (r *userRules) expiry(day string) (time.Time, error) {
	if day == "" {
		return time.Time{}, nil
	}
	d, err := time.ParseInLocation(time.DateOnly, day, r.zone)
	if err != nil || d.Year() < 1970 || d.Year() > 9998 {
		return time.Time{}, &UserError{Field: "expires_on", Code: CodeExpiry, Text: fmt.Sprintf("%.20q: want a day such as 2027-03-31", day)}
	}
	return time.Date(d.Year(), d.Month(), d.Day()+1, 0, 0, 0, 0, r.zone).UTC(), nil
}

// lastDay is the last day before an expiry; empty for none.
func (r *userRules) lastDay(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(r.zone).Add(-time.Millisecond).Format(time.DateOnly)
}

// addresses normalises new addresses and refuses what is none, and what is in none of
// the tenant's domains, if it has any.
func (r *userRules) addresses(list []string) ([]string, error) {
	var out []string
	var errs []error
	for _, s := range list {
		a, err := r.address(s)
		if err != nil {
			errs = append(errs, err)
		} else if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out, errors.Join(append(errs, manyAddresses(out))...)
}

func manyAddresses(list []string) error {
	if len(list) > maxAddresses {
		return &UserError{Field: "addresses", Code: CodeAddressMany, Args: map[string]string{"limit": fmt.Sprint(maxAddresses)},
			Text: fmt.Sprintf("are %d, at most %d are allowed", len(list), maxAddresses)}
	}
	return nil
}

func (r *userRules) address(s string) (string, error) {
	list, err := Addresses([]string{s})
	if err != nil {
		return "", &UserError{Field: "addresses", Code: CodeAddress, Args: map[string]string{"value": clip(s, 80)}, Text: fmt.Sprintf("%.80q is no mail address such as anna@example.com", s)}
	}
	if len(r.domains) > 0 && !r.ours(list[0]) {
		domain := message.DomainOf(list[0])
		return "", &UserError{Field: "addresses", Code: CodeAddressDomain, Args: map[string]string{"value": clip(list[0], 80), "domain": domain},
			Text: fmt.Sprintf("%s: %s is none of the customer's domains; add the domain first", list[0], domain)}
	}
	return list[0], nil
}

// unshared refuses addresses that belong to another user than u, also by an alias
// domain.
func (r *userRules) unshared(users []*catalog.User, u *catalog.User, addresses []string) error {
	var errs []error
	for _, s := range addresses {
		if other := r.owner(users, u, s); other != nil {
			errs = append(errs, &UserError{Field: "addresses", Code: CodeAddressTaken, Args: map[string]string{"value": s, "user": other.Login},
				Text: fmt.Sprintf("%s belongs to user %s; say that it is shared if both are to see its mail", s, other.Login)})
		}
	}
	return errors.Join(errs...)
}

func (r *userRules) owner(users []*catalog.User, u *catalog.User, address string) *catalog.User {
	main := r.mainAddress(address)
	for _, other := range users {
		if other.ID != u.ID && slices.ContainsFunc(other.Addresses, func(s string) bool { return r.mainAddress(s) == main }) {
			return other
		}
	}
	return nil
}

// maxAddressBytes bounds an address: 64 of the local part, @, 255 of the domain
// (RFC 5321 §4.5.3.1).
const maxAddressBytes = 320

// hidden reports whether a character is one that nobody sees: in an address it can only
// be a mistake, or meant to deceive. A space is seen.
func hidden(r rune) bool { return !unicode.IsPrint(r) }

// Addresses normalises mail addresses and refuses what is none.
func Addresses(list []string) ([]string, error) {
	var out []string
	for _, s := range list {
		n := message.NormalizeAddress(s)
		if p, err := mail.ParseAddress(n); err != nil || p.Name != "" || !strings.Contains(n, "@") || strings.HasSuffix(n, ")") || len(n) > maxAddressBytes || strings.ContainsFunc(n, hidden) {
			return nil, invalid("address %q: is no mail address such as anna@example.com", s)
		}
		out = append(out, n)
	}
	return out, nil
}
