package archive_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/alarm"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// kindsOf are the kinds of the alarms of a dashboard.
func kindsOf(d *archive.Dashboard) []alarm.Kind {
	list := []alarm.Kind{}
	for _, x := range d.Alarms {
		list = append(list, x.Kind)
	}
	return list
}

// TestDashboard shows each what he looks after and nothing else, before and after the
// days are counted.
func TestDashboard(t *testing.T) {
	both(t, func(t *testing.T, o archivetest.Options) {
		r := newResale(t, o)
		ctx := t.Context()
		begin := r.clock.now() // 10 November
		sent := 0
		fill := func(h *archive.Handle, slug string, n int) uid.ID {
			t.Helper()
			p := must(h.Provision(ctx, order("order-"+slug, slug)))(t)
			s := must(r.JournalSource(ctx, p.JournalAddress))(t)
			for range n {
				sent++
				ingest(t, r.Env, s, mail("x@far.example", "anna@"+slug+".example", fmt.Sprintf("Mail %d", sent), "Text"), func(s *archive.Submission) { s.ReceivedAt = r.clock.now() })
			}
			return p.Tenant
		}
		north, south := fill(r.nord, "north", 2), fill(r.sued, "south", 3)
		r.clock.set(begin.AddDate(0, 0, 1))
		s := must(r.Catalog.Sources(ctx, north))(t)
		ingest(t, r.Env, s[0], mail("x@far.example", "anna@north.example", "The day after", "Text"), func(s *archive.Submission) { s.ReceivedAt = r.clock.now() })
		for _, counted := range []string{"", "2026-11-10"} {
			if got := must(r.Catalog.GrowthCounted(ctx, north))(t); got != counted {
				t.Errorf("counted until %q, want %q", got, counted)
			}
			for name, c := range map[string]struct {
				h                     *archive.Handle
				all, today, yesterday int64
				largest               []uid.ID
			}{
				"operator": {r.operator, 6, 1, 5, []uid.ID{north, south}},
				"nord":     {r.nord, 3, 1, 2, []uid.ID{north}},
				"sued":     {r.sued, 3, 0, 3, []uid.ID{south}},
				"tenant":   {r.As(access.Actor{Tenant: north, User: uid.ID{1}, Role: access.RoleTenantAdmin}), 3, 1, 2, nil},
			} {
				d := must(c.h.Dashboard(ctx, catalog.ByDay))(t)
				n := len(d.Growth)
				if d.Totals.Messages != c.all || d.Today.Messages != c.today || n != 31 || d.Growth[n-1].From != "2026-11-11" || d.Growth[n-1].Messages != c.today || d.Growth[n-2].Messages != c.yesterday {
					t.Errorf("%s: %d messages, %d today, growth %+v", name, d.Totals.Messages, d.Today.Messages, d.Growth[max(0, n-2):])
				}
				var largest []uid.ID
				for _, x := range d.Largest {
					largest = append(largest, x.Tenant)
				}
				slices.SortFunc(largest, uid.ID.Compare)
				slices.SortFunc(c.largest, uid.ID.Compare)
				if diff := cmp.Diff(c.largest, largest); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
				if d.Vault.Stored == 0 || d.Vault.Unpacked == 0 || d.Growth[n-1].Stored != d.Vault.Stored || d.Seal.Waiting != c.all || d.Log.Events == 0 {
					t.Errorf("%s: vault %+v, seal %+v, log %+v", name, d.Vault, d.Seal, d.Log)
				}
				if month := must(c.h.Dashboard(ctx, catalog.ByMonth))(t).Growth; month[len(month)-1].Messages != c.all || month[len(month)-1].From != "2026-11-01" {
					t.Errorf("%s: by month %+v", name, month[len(month)-1])
				}
				if d.Disk != nil || d.Backup != nil {
					t.Errorf("%s: disk %v, backup %v", name, d.Disk, d.Backup)
				}
			}
			if err := r.CountGrowth(ctx); err != nil {
				t.Fatal(err)
			}
		}
		for _, role := range []access.Role{access.RoleUser, access.RoleAuditor, access.RoleDPO} {
			_, err := r.As(access.Actor{Tenant: north, User: uid.ID{1}, Role: role}).Dashboard(ctx, catalog.ByDay)
			if !errors.Is(err, access.ErrForbidden) {
				t.Errorf("%s: %v", role, err)
			}
		}
	})
}

// TestOneRuleForSources: dashboard, alarms and event log judge a source alike, and one
// attempt that fails is not told of.
func TestOneRuleForSources(t *testing.T) {
	t.Parallel()
	r := newResale(t, archivetest.Options{})
	ctx := t.Context()
	p := must(r.nord.Provision(ctx, order("1", "Muster")))(t)
	admin := r.As(access.Actor{Tenant: p.Tenant, User: uid.ID{1}, Role: access.RoleTenantAdmin})
	box := must(r.CreateMailbox(ctx, p.Tenant, archive.SourceDraft{Name: "anna@muster.example", Settings: []byte(`{}`)}))(t)
	judged := func(failing int) {
		t.Helper()
		d := must(admin.Dashboard(ctx, catalog.ByDay))(t)
		if err := r.WatchTroubles(ctx); err != nil {
			t.Fatal(err)
		}
		sources := 0
		for _, x := range must(r.Catalog.Troubles(ctx))(t) {
			if x.Kind == "source" {
				sources++
			}
		}
		if d.Sources.Failing != failing || d.Sources.Working != 2-failing || len(d.Alarms) != failing || sources != failing {
			t.Errorf("want %d: %+v, %v, %d troubles", failing, d.Sources, d.Alarms, sources)
		}
	}
	if err := r.SetSourceState(ctx, p.Tenant, box.ID, []byte(`{"problem":{"code":"auth"}}`)); err != nil {
		t.Fatal(err)
	}
	r.clock.set(r.clock.now().Add(14 * time.Minute))
	judged(0)
	r.clock.set(r.clock.now().Add(time.Minute))
	judged(1)
}

// TestAlarms has alarms come and go, and shows them to those whom they concern.
func TestAlarms(t *testing.T) {
	t.Parallel()
	r := newResale(t, archivetest.Options{})
	ctx := t.Context()
	p := must(r.nord.Provision(ctx, order("1", "Muster")))(t)
	admin := r.As(access.Actor{Tenant: p.Tenant, User: uid.ID{1}, Role: access.RoleTenantAdmin})
	find := func(h *archive.Handle) []alarm.Kind {
		t.Helper()
		return kindsOf(must(h.Dashboard(ctx, catalog.ByDay))(t))
	}
	want := func(what string, operator, nord, sued, tenant []alarm.Kind) {
		t.Helper()
		got := [][]alarm.Kind{find(r.operator), find(r.nord), find(r.sued), find(admin)}
		if diff := cmp.Diff([][]alarm.Kind{operator, nord, sued, tenant}, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	none := []alarm.Kind{}
	want("at first", []alarm.Kind{alarm.BackupNever, alarm.NoAuthority}, none, none, none)

	box := must(r.CreateMailbox(ctx, p.Tenant, archive.SourceDraft{Name: "anna@muster.example", Settings: []byte(`{}`)}))(t)
	r.clock.set(r.clock.now().Add(time.Hour))
	if err := r.SetSourceState(ctx, p.Tenant, box.ID, []byte(`{"problem":{"code":"auth"},"last_ok_at":"2026-11-10T09:10:00Z"}`)); err != nil {
		t.Fatal(err)
	}
	failing := []alarm.Kind{alarm.SourceFailing}
	want("failing", []alarm.Kind{alarm.SourceFailing, alarm.BackupNever, alarm.NoAuthority}, failing, none, failing)
	list := must(r.Alarms(ctx))(t)
	if x := list[0]; x.Source != box.ID || x.Tenant != p.Tenant || x.Code != "auth" || !x.Since.Equal(time.Date(2026, time.November, 10, 9, 10, 0, 0, time.UTC)) {
		t.Errorf("alarm: %+v", x)
	}
	if d := must(r.operator.Dashboard(ctx, catalog.ByDay))(t); d.Names[box.ID] != "" || d.Names[p.Tenant] == "" {
		t.Errorf("an operator reads the names %v", d.Names)
	}
	if err := r.SetSourceState(ctx, p.Tenant, box.ID, []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	must(r.ReportBackup(ctx, false, "to the other site"))(t)
	want("mended", []alarm.Kind{alarm.NoAuthority}, none, none, none)
	r.clock.set(r.clock.now().Add(50 * time.Hour))
	want("late", []alarm.Kind{alarm.BackupOverdue, alarm.NoAuthority}, none, none, none)
	must(r.ReportBackup(ctx, true, ""))(t)
	b := must(r.Backup(ctx))(t)
	if !b.Failed || b.OKAt.IsZero() || !b.At.After(b.OKAt) || b.Note != "" {
		t.Errorf("backup: %+v", *b)
	}
	want("failed", []alarm.Kind{alarm.BackupFailed, alarm.NoAuthority}, none, none, none)
	events := must(r.InstanceEvents(ctx, 0, 1000))(t)
	if last := events[len(events)-1]; last.Action != "backup.reported" || last.Actor != "cli" || last.Details["failed"] != "true" {
		t.Errorf("event: %+v", *last)
	}
	if _, err := r.ReportBackup(ctx, false, "two\nlines"); !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("a note of two lines: %v", err)
	}
	r.DescribeTenants(ctx) // of the mailbox
	sound(t, r.Env)
}

// TestLimitAlarms tells since when a limit is reached, however often it is counted.
func TestLimitAlarms(t *testing.T) {
	t.Parallel()
	r := newResale(t, archivetest.Options{})
	ctx := t.Context()
	p := must(r.nord.Provision(ctx, order("1", "Muster")))(t)
	s := must(r.JournalSource(ctx, p.JournalAddress))(t)
	if err := r.nord.ChangeTenant(ctx, p.Tenant, archive.TenantChange{Limits: &catalog.Limits{Storage: 1}}); err != nil {
		t.Fatal(err)
	}
	ingest(t, r.Env, s, mail("x@far.example", "anna@muster.example", "One", "Text"))
	since := r.clock.now()
	for range 3 {
		if err := r.CountUsage(ctx); err != nil {
			t.Fatal(err)
		}
		d := must(r.nord.Dashboard(ctx, catalog.ByDay))(t)
		if len(d.Alarms) != 1 || d.Alarms[0].Kind != alarm.LimitReached || d.Alarms[0].Code != "storage" || !d.Alarms[0].Since.Equal(since) || d.Alarms[0].Tenant != p.Tenant {
			t.Errorf("alarms: %+v, want one since %s", d.Alarms, since)
		}
		r.clock.set(r.clock.now().Add(time.Hour))
	}
	if err := r.nord.ChangeTenant(ctx, p.Tenant, archive.TenantChange{Limits: &catalog.Limits{}}); err != nil {
		t.Fatal(err)
	}
	if d := must(r.nord.Dashboard(ctx, catalog.ByDay))(t); len(d.Alarms) != 0 {
		t.Errorf("without a limit: %+v", d.Alarms)
	}
}

// TestOlderHash makes the hash of a password anew at log-in; the password stays.
func TestOlderHash(t *testing.T) {
	both(t, func(t *testing.T, o archivetest.Options) {
		const older = "$argon2id$v=19$m=65536,t=3,p=4$b2xkZXIgcmVsZWFzZSAwMQ$uzBRLFeb3IN1MUZ1Pjyvo2S3gXLzVcNlLQQRu735myU"
		e := archivetest.New(t, o)
		tenant, _ := e.Tenant(t, "acme")
		e.User(t, tenant, "anna", access.RoleUser, "anna@acme.example")
		u := must(e.Archive.User(t.Context(), tenant.ID, "anna"))(t)
		swapped := must(e.Catalog.SwapPasswordHash(t.Context(), tenant.ID, u.ID, u.PasswordHash, older))(t)
		hashes := map[string]bool{}
		for range 2 {
			if _, _, err := e.LogIn(t.Context(), archive.LogIn{Login: "anna", Tenant: "acme", Password: "wrong"}); !errors.Is(err, archive.ErrLogIn) {
				t.Errorf("a wrong password: %v", err)
			}
			if _, _, err := e.LogIn(t.Context(), archive.LogIn{Login: "anna", Tenant: "acme", Password: "muniment"}); err != nil {
				t.Errorf("log-in: %v", err)
			}
			hashes[must(e.Archive.User(t.Context(), tenant.ID, "anna"))(t).PasswordHash] = true
		}
		if !swapped || hashes[older] || len(hashes) != 1 {
			t.Errorf("hashes %v, want one that is new", hashes)
		}
	})
}
