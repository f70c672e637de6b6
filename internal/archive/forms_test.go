package archive_test

import (
	"testing"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
)

// TestAddressForms: an accent written in one character or in two is the same address, also
// of users whom an earlier release has stored with two.
func TestAddressForms(t *testing.T) {
	t.Parallel()
	c, ctx := newCompany(t), t.Context()
	const one, two = "j\u00fcrgen@firma.example", "ju\u0308rgen@firma.example"
	u := must(c.CreateUser(ctx, archive.NewUser{Tenant: c.tenant, Login: "j", Role: access.RoleUser, Password: localPassword, Addresses: []string{two}}))(t)
	if u.Addresses[0] != one {
		t.Errorf("stored as %q", u.Addresses[0])
	}
	if _, err := c.CreateUser(ctx, archive.NewUser{Tenant: c.tenant, Login: "k", Role: access.RoleUser, Addresses: []string{two}}); len(archive.UserErrors(err)) != 1 {
		t.Errorf("the same address twice: %v", err)
	}
	if err := c.Catalog.EditUsers(ctx, c.tenant, func(users []*catalog.User) (*catalog.UserEdit, error) {
		for _, x := range users {
			if x.ID == u.ID {
				x.Addresses = []string{two}
				return &catalog.UserEdit{Update: []*catalog.User{x}}, nil
			}
		}
		return nil, catalog.ErrNotFound
	}); err != nil {
		t.Fatal(err)
	}
	for _, login := range []string{one, two} {
		if _, err := c.logIn(t, login, localPassword); err != nil {
			t.Errorf("log-in as %q: %v", login, err)
		}
	}
}
