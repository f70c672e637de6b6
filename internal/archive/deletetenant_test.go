package archive_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

func TestDeleteTenant(t *testing.T) {
	both(t, func(t *testing.T, o archivetest.Options) {
		r := newResale(t, o)
		ctx := t.Context()
		p := must(r.nord.Provision(ctx, order("1", "Muster")))(t)
		stays := must(r.nord.Provision(ctx, order("2", "Nachbar")))(t)
		for _, x := range []*archive.Provisioned{p, stays} {
			s := must(r.JournalSource(ctx, x.JournalAddress))(t)
			for i := range 20 {
				ingest(t, r.Env, s, mail("x@far.example", "anna@muster.example", fmt.Sprint("Geheim ", i), strings.Repeat("Text ", 200)))
			}
		}
		if err := r.CountUsage(ctx); err != nil {
			t.Fatal(err)
		}
		must(r.As(access.Actor{Tenant: p.Tenant, User: p.Users[0].ID, Role: access.RoleTenantAdmin}).Tokens(ctx))(t)
		r.furnish(t, p)
		if b, _, err := r.PrepareSeal(ctx); err != nil || b.Trees != 2 {
			t.Fatalf("batch %+v, %v", b, err)
		}
		refused := func(what string) {
			t.Helper()
			if _, err := r.nord.DeleteTenant(ctx, p.Tenant, "Muster"); !errors.Is(err, archive.ErrNotDeletable) {
				t.Errorf("%s: %v", what, err)
			}
		}
		refused("active")
		if err := r.nord.SetTenantState(ctx, p.Tenant, catalog.TenantEnded); err != nil {
			t.Fatal(err)
		}
		refused("ended just now")
		r.clock.set(r.clock.now().Add(archive.DefaultDeleteAfter))
		_, err := r.nord.DeleteTenant(ctx, p.Tenant, "muster")
		field(t, "other name", err, "name")
		c := must(r.nord.DeleteTenant(ctx, p.Tenant, "Muster"))(t)
		if c.Messages != 20 || c.Users != 5 || c.Objects == 0 || c.Done.IsZero() || c.KeyDestroyed.IsZero() || c.LogRoot == "" || c.Reseller != "Systemhaus nord" {
			t.Errorf("certificate %+v", c)
		}
		if text := c.Text("de"); !strings.Contains(text, "Löschbescheinigung") || !strings.Contains(text, c.LogRoot) || !strings.Contains(text, "Muster") {
			t.Errorf("text: %s", text)
		}
		if err := second(r.nord.Tenant(ctx, p.Tenant)); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("deleted tenant: %v", err)
		}
		if _, err := r.JournalSource(ctx, p.JournalAddress); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("its journal address: %v", err)
		}
		if _, err := os.Stat(r.Dir + "/index/" + p.Tenant.String()); !os.IsNotExist(err) {
			t.Errorf("its index: %v", err)
		}
		if list := must(r.nord.Certificates(ctx))(t); len(list) != 1 || list[0].Tenant != p.Tenant {
			t.Errorf("certificates: %+v", list)
		}
		if list := must(r.sued.Certificates(ctx))(t); len(list) != 0 {
			t.Errorf("certificates of another reseller: %+v", list)
		}
		if _, _, err := r.LogIn(ctx, archive.LogIn{Login: "admin", Tenant: "muster", Password: archivetest.Password}); !errors.Is(err, archive.ErrLogIn) {
			t.Errorf("log-in of a deleted administrator: %v", err)
		}
		if st := must(r.Figures(ctx, stays.Tenant))(t); st.Messages != 20 {
			t.Errorf("the neighbour has %d messages", st.Messages)
		}
		if err := r.Tidy(ctx); err != nil {
			t.Errorf("housekeeping: %v", err)
		}
		sound(t, r.Env)
		out := must(r.Rebuild(ctx, nil))(t)
		if len(out.Damaged) > 0 || len(must(r.Tenants(ctx))(t)) != 1 {
			t.Errorf("a rebuild brings it back: %+v", out)
		}
		// The domain, the reference and the name are free again.
		if again := must(r.sued.Provision(ctx, order("1", "Muster")))(t); !again.Made {
			t.Errorf("ordered again: %+v", again)
		}
	})
}

// furnish gives a tenant what hangs on its users: log-ins, links, a second factor that
// has to be, a directory, a request for access, a receipt.
func (r *resale) furnish(t *testing.T, p *archive.Provisioned) {
	t.Helper()
	ctx := t.Context()
	token, acc, err := r.LogIn(ctx, archive.LogIn{Login: "admin", Tenant: p.Slug, Password: archivetest.Password})
	if err != nil {
		t.Fatal(err)
	}
	must(r.Invite(ctx, must(r.Catalog.User(ctx, p.Tenant, p.Users[1].ID))(t)))(t)
	withDirectory(t, r.Env, p.Tenant)
	must(r.MakeReceipt(ctx, &archive.LogOwner{Tenant: p.Tenant, Zone: "UTC", ReceiptSettings: archive.ReceiptSettings{At: "00:05"}}))(t)
	auditor := r.User(t, &acc.Tenant, "auditor", access.RoleAuditor)
	must(r.As(auditor).RequestAccess(ctx, archive.NewAccess{Kind: access.ReadMailbox, Addresses: []string{"anna@muster.example"}, Reason: "Verdacht auf Betrug", Until: r.clock.now().Add(time.Hour)}))(t)
	must(r.Self(acc).BeginTOTP(ctx))(t)
	if _, err := r.Session(ctx, token, ""); err != nil {
		t.Fatal(err)
	}
}

// A deletion that was interrupted goes on, wherever it was.
func TestInterruptedDeletion(t *testing.T) {
	t.Parallel()
	r := newResale(t, archivetest.Options{})
	ctx := t.Context()
	p := must(r.nord.Provision(ctx, order("1", "Muster")))(t)
	s := must(r.JournalSource(ctx, p.JournalAddress))(t)
	ingest(t, r.Env, s, mail("x@far.example", "anna@muster.example", "Geheim", "Text"))
	document := must(json.Marshal(archive.Certificate{Tenant: p.Tenant, Name: "Muster", By: "cli"}))(t)
	if err := r.Catalog.BeginDeletion(ctx, &catalog.Deletion{Tenant: p.Tenant, Reseller: r.nordID, State: catalog.Deleting, Document: document, CreatedAt: r.clock.now()}); err != nil {
		t.Fatal(err)
	}
	field(t, "resume", r.nord.SetTenantState(ctx, p.Tenant, catalog.TenantActive), "state")
	if err := r.Vault.DestroyTenant(ctx, p.Tenant); err != nil {
		t.Fatal(err)
	}
	busy, asked := errors.New("an upload is at work"), 0
	r.AlsoDelete(func(_ context.Context, tenant uid.ID) error {
		if asked++; tenant != p.Tenant {
			t.Errorf("asked to remove %s", tenant)
		}
		if asked == 1 {
			return busy
		}
		return nil
	})
	if err := r.FinishDeletions(ctx); !errors.Is(err, busy) {
		t.Errorf("something of it is left, and nobody says so: %v", err)
	}
	if list := must(r.operator.Certificates(ctx))(t); len(list) != 1 || !list[0].Done.IsZero() {
		t.Errorf("done, while something is left: %+v", list[0])
	}
	for range 2 {
		if err := r.FinishDeletions(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
	if list := must(r.operator.Certificates(ctx))(t); len(list) != 1 || list[0].Done.IsZero() || list[0].Objects == 0 {
		t.Errorf("certificates: %+v", list[0])
	}
	sound(t, r.Env)
}

// What the vault remembers of state, limits and reseller comes back.
func TestHierarchyIsRebuilt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := newResale(t, archivetest.Options{Dir: dir})
	ctx := t.Context()
	p := must(r.nord.Provision(ctx, order("1", "Muster")))(t)
	if err := r.nord.SetTenantState(ctx, p.Tenant, catalog.TenantSuspended); err != nil {
		t.Fatal(err)
	}
	r.Close()
	for _, f := range []string{"catalog.db", "catalog.db-wal", "catalog.db-shm"} {
		if err := os.Remove(dir + "/" + f); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	e := archivetest.New(t, archivetest.Options{Dir: dir})
	must(e.Rebuild(ctx, nil))(t)
	v := must(e.AsOperator().Tenant(ctx, p.Tenant))(t)
	if v.State != catalog.TenantSuspended || v.Reseller == nil || v.Reseller.Slug != "nord" || v.Care.Limits.Mailboxes != 5 || len(v.Domains) != 2 {
		t.Errorf("rebuilt: %+v", v)
	}
	sound(t, e)
}
