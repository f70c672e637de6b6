package archive_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/remote"
)

// openOrder is an order whose administrator has no password.
func openOrder(reference, name string) archive.Order {
	o := order(reference, name)
	o.Admin.Password = ""
	o.Admin.Addresses = []string{"ada@" + strings.ToLower(name) + ".example"}
	return o
}

// queuedMails counts the mails of a kind that wait.
func queuedMails(t *testing.T, e *archivetest.Env) (n int) {
	t.Helper()
	for {
		_, _, err := e.ClaimMail(t.Context(), 1000*time.Hour)
		if errors.Is(err, catalog.ErrNotFound) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
}

// An order that comes ten times at once has one link, which one mail tells of. It works
// once; whoever has used it finds the mail that has come meanwhile.
func TestOrderLink(t *testing.T) {
	both(t, func(t *testing.T, o archivetest.Options) {
		r := newResale(t, o)
		ctx := t.Context()
		if err := r.SetSmarthost(ctx, archive.SmarthostDraft{Smarthost: remote.Smarthost{Host: "mail.example", TLS: "starttls", From: "archiv@nord.example"}}); err != nil {
			t.Fatal(err)
		}
		answers := make([]*archive.Provisioned, 10)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() {
				var err error
				if answers[i], err = r.nord.Provision(ctx, openOrder("shop-1", "Muster")); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, a := range answers {
			if a.LogInLink == "" || a.LogInLink != answers[0].LogInLink {
				t.Fatalf("links %q and %q", a.LogInLink, answers[0].LogInLink)
			}
		}
		if n := queuedMails(t, r.Env); n != 1 {
			t.Errorf("%d mails", n)
		}
		a := answers[0]
		ingest(t, r.Env, must(r.JournalSource(ctx, a.JournalAddress))(t), mail("x@far.example", "ada@muster.example", "Angebot", "Text"))

		const chosen = "Kaffee Tanne Zebra 71"
		_, token, _ := strings.Cut(a.LogInLink, "#")
		if v := must(r.Link(ctx, token))(t); v.Purpose != catalog.LinkWelcome || v.User.Login != "admin" {
			t.Errorf("link of %+v", v)
		}
		must(r.UseLink(ctx, token, chosen, "192.0.2.9"))(t)
		if _, err := r.UseLink(ctx, token, chosen, "192.0.2.9"); !errors.Is(err, archive.ErrLink) {
			t.Errorf("used twice: %v", err)
		}
		if again := must(r.nord.Provision(ctx, openOrder("shop-1", "Muster")))(t); again.LogInLink != "" || again.Tenant != a.Tenant {
			t.Errorf("after its use: %+v", again)
		}
		_, acc, err := r.LogIn(ctx, archive.LogIn{Login: "admin", Tenant: a.Slug, Password: chosen})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.AwaitIndex(ctx, a.Tenant); err != nil {
			t.Fatal(err)
		}
		if got := find(t, r.As(acc.Actor), "angebot"); len(got) != 1 {
			t.Errorf("finds %d mails", len(got))
		}
		if n := queuedMails(t, r.Env); n != 0 {
			t.Errorf("%d more mails", n)
		}
		sound(t, r.Env)
	})
}

// Who gets no link: nobody but an administrator, nobody who has a password or has
// logged in by a directory, and nobody who may not log in. One that has expired is made
// anew.
func TestNoOrderLink(t *testing.T) {
	t.Parallel()
	r := newResale(t, archivetest.Options{})
	ctx := t.Context()
	noAdmin := order("1", "Eins")
	noAdmin.Admin = nil
	if p := must(r.nord.Provision(ctx, noAdmin))(t); p.LogInLink != "" {
		t.Error("a link for a user who is no administrator")
	}
	if p := must(r.nord.Provision(ctx, order("2", "Zwei")))(t); p.LogInLink != "" {
		t.Error("a link for an administrator with a password")
	}
	again := func() *archive.Provisioned { return must(r.nord.Provision(ctx, openOrder("3", "Drei")))(t) }
	p := again()
	r.clock.set(r.clock.now().Add(8 * 24 * time.Hour))
	_, token, _ := strings.Cut(p.LogInLink, "#")
	if _, err := r.Link(ctx, token); !errors.Is(err, archive.ErrLink) {
		t.Errorf("expired: %v", err)
	}
	if q := again(); q.LogInLink == "" {
		t.Error("no link in place of one that has expired")
	} else if _, token, _ := strings.Cut(q.LogInLink, "#"); second(r.Link(ctx, token)) != nil {
		t.Error("the new link does not work")
	}
	admin := must(r.Catalog.User(ctx, p.Tenant, p.Users[0].ID))(t)
	admin.Disabled = true
	if err := r.ChangeUser(ctx, admin); err != nil {
		t.Fatal(err)
	}
	if q := again(); q.LogInLink != "" {
		t.Error("a link for somebody disabled")
	}
	admin.Disabled = false
	if err := r.ChangeUser(ctx, admin); err != nil {
		t.Fatal(err)
	}
	s := &catalog.Session{TokenHash: [32]byte{1}, User: admin.ID, Tenant: p.Tenant, CreatedAt: r.clock.now(), ExpiresAt: r.clock.now().Add(time.Hour), Method: "provider"}
	if err := r.Catalog.CreateSession(ctx, s); err != nil {
		t.Fatal(err)
	}
	if q := again(); q.LogInLink != "" {
		t.Error("a link for somebody who has logged in by a directory")
	}
	if v := must(r.As(access.Actor{Tenant: p.Tenant, User: admin.ID, Role: access.RoleTenantAdmin}).User(ctx, admin.ID))(t); v.LoggedInAt.IsZero() {
		t.Error("the log-in is not known")
	}
}
