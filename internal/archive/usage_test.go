package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
)

func TestTenantStates(t *testing.T) {
	t.Parallel()
	r := newResale(t, archivetest.Options{})
	ctx := t.Context()
	p := must(r.nord.Provision(ctx, order("1", "Muster")))(t)
	s := must(r.JournalSource(ctx, p.JournalAddress))(t)
	logIn := func() error {
		_, _, err := r.LogIn(ctx, archive.LogIn{Login: "admin", Tenant: "muster", Password: archivetest.Password})
		return err
	}
	token, _, err := r.LogIn(ctx, archive.LogIn{Login: "admin", Tenant: "muster", Password: archivetest.Password})
	if err != nil {
		t.Fatal(err)
	}
	set := func(state catalog.TenantState) {
		t.Helper()
		if err := r.nord.SetTenantState(ctx, p.Tenant, state); err != nil {
			t.Fatal(err)
		}
	}
	set(catalog.TenantSuspended)
	if err := second(r.Session(ctx, token, "")); !errors.Is(err, archive.ErrNoSession) {
		t.Errorf("session of a suspended tenant: %v", err)
	}
	if err := logIn(); !errors.Is(err, archive.ErrLogIn) {
		t.Errorf("log-in to a suspended tenant: %v", err)
	}
	ingest(t, r.Env, s, mail("x@far.example", "anna@muster.example", "While suspended", "Text"))
	set(catalog.TenantEnded)
	set(catalog.TenantEnded) // again
	if err := logIn(); err != nil {
		t.Errorf("log-in to an ended tenant: %v", err)
	}
	if _, err := r.JournalSource(ctx, p.JournalAddress); !errors.Is(err, archive.ErrTenantEnded) {
		t.Errorf("journal address of an ended tenant: %v", err)
	}
	raw := mail("x@far.example", "anna@muster.example", "Late", "Text")
	if _, err := r.Ingest(ctx, archive.Submission{Tenant: p.Tenant, Source: s.ID, Raw: bytes.NewReader(raw)}); !errors.Is(err, archive.ErrTenantEnded) {
		t.Errorf("mail for an ended tenant: %v", err)
	}
	if st := must(r.Figures(ctx, p.Tenant))(t); st.Messages != 1 {
		t.Errorf("%d messages", st.Messages)
	}
	set(catalog.TenantActive)
	ingest(t, r.Env, s, raw)
	field(t, "no state", r.nord.SetTenantState(ctx, p.Tenant, "asleep"), "state")
	n := 0
	for _, e := range must(r.Catalog.Events(ctx, p.Tenant, 0, 1000))(t) {
		if strings.HasPrefix(e.Action, "tenant.") && e.Details["after.state"] != "" {
			n++
		}
	}
	if n != 3 {
		t.Errorf("%d events of states, want 3", n)
	}
	sound(t, r.Env)
}

func TestUsage(t *testing.T) {
	both(t, func(t *testing.T, o archivetest.Options) {
		r := newResale(t, o)
		ctx := t.Context()
		p := must(r.nord.Provision(ctx, order("1", "Muster")))(t)
		s := must(r.JournalSource(ctx, p.JournalAddress))(t)
		dated := func(to, subject string, date time.Time) {
			t.Helper()
			raw := fmt.Sprintf("From: x@far.example\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%s@far.example>\r\n\r\nText\r\n", to, subject, date.Format(time.RFC1123Z), subject)
			ingest(t, r.Env, s, []byte(raw), func(s *archive.Submission) { s.ReceivedAt = r.clock.now() })
		}
		november := r.clock.now()
		dated("anna@muster.example", "one", november)
		dated("anna@alias-muster.example, bernd@muster.example", "two", november)
		dated("info@muster.example", "shared by two users", november)
		dated("far@far.example, carla@muster.example", "three", november)
		dated("dora@muster.example", "history", november.AddDate(-1, 0, 0))
		count := func() *catalog.Usage {
			t.Helper()
			if err := r.CountUsage(ctx); err != nil {
				t.Fatal(err)
			}
			list := must(r.nord.Usage(ctx, r.clock.now().Format("2006-01")))(t)
			return &list[0].Usage
		}
		if u := count(); u.Mailboxes != 3 || u.Shared != 1 || u.Messages != 5 || u.StoredBytes == 0 {
			t.Errorf("november: %+v", u)
		}
		if u := count(); u.Mailboxes != 3 || u.Messages != 5 { // counted once
			t.Errorf("november again: %+v", u)
		}
		if v := must(r.nord.Tenants(ctx))(t)[0]; v.Limits[0].Level != archive.Free || v.Limits[0].Limit != 5 {
			t.Errorf("limits: %+v", v.Limits)
		}
		if err := r.nord.ChangeTenant(ctx, p.Tenant, archive.TenantChange{Shared: []string{"Carla@muster.example"}}); err != nil {
			t.Fatal(err)
		}
		if u := count(); u.Mailboxes != 2 || u.Shared != 2 {
			t.Errorf("with a shared address: %+v", u)
		}
		r.clock.set(november.AddDate(0, 1, 0))
		for i := range 5 {
			dated(fmt.Sprintf("user%d@muster.example", i), fmt.Sprintf("december %d", i), r.clock.now())
		}
		if u := count(); u.Mailboxes != 5 || u.Month != "2026-12" {
			t.Errorf("december: %+v", u)
		}
		if list := must(r.nord.Usage(ctx, "2026-11"))(t); list[0].Mailboxes != 2 {
			t.Errorf("november afterwards: %+v", list[0])
		}
		// The limit is reached: it is told once, and mail is archived all the same.
		count()
		n := 0
		for _, e := range must(r.Catalog.Events(ctx, p.Tenant, 0, 1000))(t) {
			if e.Action == "limit.reached" {
				n++
			}
		}
		if v := must(r.nord.Tenants(ctx))(t)[0]; n != 1 || v.Limits[0].Level != archive.Reached {
			t.Errorf("%d events, %+v", n, v.Limits)
		}
		dated("user9@muster.example", "above the limit", r.clock.now())
		_, err := r.nord.Usage(ctx, "2026-13")
		field(t, "month", err, "month")
		sound(t, r.Env)
	})
}
