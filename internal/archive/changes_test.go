package archive_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// TestLanguageChangesNothingElse: who changes the own language all the time cannot
// undo by it that an administrator disables the account or takes an address away.
func TestLanguageChangesNothingElse(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	anna := r.user("anna")
	own := r.As(access.Actor{Tenant: r.tenant.ID, User: anna.ID, Role: access.RoleUser})
	admin := r.As(r.admin)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := own.SetLanguage(t.Context(), []string{"de", "en"}[(n+i)%2]); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	yes, no := true, false
	for n := range 30 {
		address := fmt.Sprintf("new%d@firma.example", n)
		for _, c := range []archive.UserChange{{Disabled: &yes, Add: []string{address}}, {Disabled: &no, Remove: []string{address}}} {
			if _, err := admin.ChangeUser(t.Context(), anna.ID, c); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				time.Sleep(time.Millisecond) // the others get their turn; nothing depends on it
				u := r.user("anna")
				if u.Disabled != *c.Disabled || slices.Contains(u.Addresses, address) != *c.Disabled {
					t.Fatalf("round %d: disabled %v, addresses %v after %+v", n, u.Disabled, u.Addresses, c)
				}
			}
		}
	}
	close(stop)
	wg.Wait()
	if err := own.SetLanguage(t.Context(), "fr"); err == nil {
		t.Error("a language that is not there")
	}
}

// lastEvent returns the youngest event of a tenant, without where it came from.
func lastEvent(t *testing.T, e *archivetest.Env, tenant uid.ID) (int64, *catalog.Event) {
	t.Helper()
	head, err := e.Catalog.EventHead(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	list, err := e.Catalog.Events(t.Context(), tenant, head.Size-1, 2)
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	last := list[len(list)-1]
	last.Details = maps.Clone(last.Details)
	delete(last.Details, "peer")
	return head.Size, last
}

// TestManyOfOneName: whom a log-in without a customer cannot try any more is told to name
// it; and who has the domain of an address goes before others who write it down.
func TestManyOfOneName(t *testing.T) {
	t.Parallel()
	e := archivetest.New(t, archivetest.Options{})
	var last *catalog.Tenant
	for i := range 6 {
		last, _ = e.Tenant(t, fmt.Sprintf("t%d", i))
		login := "lea"
		if i == 5 {
			login = "andré"
		}
		e.User(t, last, login, access.RoleUser, "lea@firma.example")
	}
	if _, err := e.AddDomain(t.Context(), last.ID, "firma.example", ""); err != nil {
		t.Fatal(err)
	}
	u, err := e.Archive.User(t.Context(), last.ID, "andré")
	if err != nil {
		t.Fatal(err)
	}
	const other = "Birke-Kanne-17-Otter"
	if err := e.SetPassword(t.Context(), u, other); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		in   archive.LogIn
		want error
	}{
		{"one who is not tried", archive.LogIn{Login: "lea", Password: "wrong"}, archive.ErrTenantNeeded},
		{"which is a guess as well", archive.LogIn{Login: "lea", Password: "wrong"}, archive.ErrLogIn},
		{"by the customer", archive.LogIn{Login: "lea", Tenant: "t4", Password: right}, nil},
		{"wrong, with the customer", archive.LogIn{Login: "lea", Tenant: "t4", Password: "wrong"}, archive.ErrLogIn},
		{"by the address, last of six", archive.LogIn{Login: "Lea@firma.example", Password: other}, nil},
		{"accent in two characters", archive.LogIn{Login: "ANDRE\u0301", Password: other}, nil},
		{"wide letters", archive.LogIn{Login: "ａndré", Password: other}, nil},
	} {
		if _, _, err := e.LogIn(t.Context(), c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// TestEveryChangeIsAnEvent: each is exactly one event, with what was before and after.
func TestEveryChangeIsAnEvent(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	admin := r.As(r.admin)
	anna := r.user("anna")
	token, _, err := r.LogIn(t.Context(), archive.LogIn{Login: "anna", Password: right})
	if err != nil {
		t.Fatal(err)
	}
	var box *catalog.Source
	for _, step := range []struct {
		name, action string
		do           func() error
		details      map[string]string
	}{
		{"language", "user.changed", func() error {
			return r.As(access.Actor{Tenant: r.tenant.ID, User: anna.ID, Role: access.RoleUser}).SetLanguage(t.Context(), "de")
		}, map[string]string{"login": "anna", "after.language": "de"}},
		{"domain added", "domain.added", func() error { _, err := admin.AddDomain(t.Context(), "Firma.example", ""); return err }, map[string]string{"domain": "firma.example"}},
		{"alias added", "domain.added", func() error {
			_, err := r.AddDomain(t.Context(), r.tenant.ID, "alt.example", "firma.example")
			return err
		},
			map[string]string{"domain": "alt.example", "alias_of": "firma.example"}},
		{"domain removed", "domain.removed", func() error { return admin.RemoveDomain(t.Context(), "ALT.example") }, map[string]string{"domain": "alt.example"}},
		{"source created", "source.created", func() (err error) {
			box, err = admin.CreateSource(t.Context(), archive.SourceDraft{Kind: archive.KindMailbox, Name: "Box", Settings: []byte(`{"host":"mail.example","port":993}`), Secret: []byte("geheim")})
			return err
		}, map[string]string{"after.kind": "mailbox", "after.name": "Box", "after.settings.host": "mail.example", "after.settings.port": "993", "secret": "set"}},
		{"source changed", "source.changed", func() error {
			return admin.ChangeSource(t.Context(), box.ID, archive.SourceDraft{Name: "Kasten", Disabled: true, Settings: []byte(`{"host":"other.example"}`)})
		}, map[string]string{"before.name": "Box", "after.name": "Kasten", "after.disabled": "yes", "before.settings.host": "mail.example", "after.settings.host": "other.example",
			"before.settings.port": "993", "after.settings.port": ""}},
		{"secret removed", "source.changed", func() error {
			return admin.ChangeSource(t.Context(), box.ID, archive.SourceDraft{Name: "Kasten", Disabled: true, Settings: []byte(`{"host":"other.example"}`), Secret: []byte{}})
		}, map[string]string{"secret": "removed"}},
		{"journal", "source.created", func() error {
			_, err := r.CreateJournal(t.Context(), r.tenant.ID, "Zweites", "")
			return err
		}, nil},
		{"log-out", "session.ended", func() error { return r.LogOut(t.Context(), token, "192.0.2.1") }, nil},
	} {
		before, _ := lastEvent(t, r.Env, r.tenant.ID)
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		after, e := lastEvent(t, r.Env, r.tenant.ID)
		if after != before+1 || e.Action != step.action {
			t.Errorf("%s: %d events, the last one %s", step.name, after-before, e.Action)
		}
		if step.details != nil && !maps.Equal(e.Details, step.details) {
			t.Errorf("%s: details %v, want %v", step.name, e.Details, step.details)
		}
	}
	before, _ := lastEvent(t, r.Env, r.tenant.ID)
	if err := r.LogOut(t.Context(), token, ""); err != nil {
		t.Errorf("ending a session that has ended: %v", err)
	}
	if after, _ := lastEvent(t, r.Env, r.tenant.ID); after != before {
		t.Error("that nothing ended is an event")
	}
}
