package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/retention"
	"github.com/muniment/muniment/internal/uid"
)

const why = "Letter of the tax office of 4 May"

// holdsOn are the names of the holds that a reader of a message sees on it.
func (o *office) holdsOn(login, mail string) string {
	o.t.Helper()
	v := must(o.as(login).Message(o.t.Context(), o.mails[mail]))(o.t)
	if v.Retention.Holds == nil {
		return "hidden"
	}
	var names []string
	for _, h := range v.Retention.Holds {
		names = append(names, h.Name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// readable makes the auditor read every mail, under the dpo's approval.
func (o *office) readable() *archive.Handle {
	o.t.Helper()
	n := o.wants("anna@acme.example", "bernd@acme.example", "carla@acme.example", "auditor@acme.example")
	return must(o.InGrant(o.t.Context(), o.actors["auditor"], o.approved(n).ID))(o.t)
}

func TestHolds(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	all := must(o.as("dpo").PlaceHold(ctx, archive.NewHold{Name: "all", Reason: why, All: true}))(t)
	past := must(o.as("dpo").PlaceHold(ctx, archive.NewHold{Name: "past", Reason: why, All: true, To: "2026-05-03"}))(t)
	carla := must(o.as("admin").PlaceHold(ctx, archive.NewHold{Name: "carla", Reason: why, Addresses: []string{"Carla@acme.example"}, From: "2026-05-04"}))(t)
	list := must(o.as("auditor").PlaceHold(ctx, archive.NewHold{Name: "list", Reason: why, Messages: []uid.ID{o.mails["old"], o.mails["offer"], o.mails["old"]}}))(t)
	if all.PlacedByName != "dpo" || len(list.Scope.Messages) != 2 || past.Scope.To.IsZero() || carla.Request != (uid.ID{}) {
		t.Errorf("placed: %+v, %+v, %+v", all, list, past)
	}
	reader := o.readable()
	for mail, want := range map[string]string{"offer": "all carla list", "old": "all list", "lunch": "all carla", "own": "all"} { // the blind copy is held as well
		v := must(reader.Message(ctx, o.mails[mail]))(t)
		var names []string
		for _, h := range v.Retention.Holds {
			names = append(names, h.Name)
		}
		if slices.Sort(names); strings.Join(names, " ") != want {
			t.Errorf("%s: held by %v, want %s", mail, names, want)
		}
	}
	if got := o.holdsOn("carla", "lunch"); got != "hidden" {
		t.Errorf("a user learns of the holds %q", got)
	}
	// What arrives later is held as well.
	s := must(o.Catalog.Sources(ctx, o.tenant.ID))(t)[0]
	r := must(o.Ingest(ctx, archive.Submission{Tenant: o.tenant.ID, Source: s.ID,
		Raw: bytes.NewReader([]byte("From: carla@acme.example\r\nTo: auditor@acme.example\r\nSubject: Spaeter\r\n\r\nText\r\n"))}))(t)
	o.mails["later"] = r.AOID
	if got := o.holdsOn("auditor", "later"); got != "all carla" {
		t.Errorf("what comes later is held by %q", got)
	}
	sound(t, o.Env)
}

func TestHoldsAreChecked(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	good := archive.NewHold{Name: "x", Reason: why, All: true}
	for _, x := range []struct {
		field  string
		change func(*archive.NewHold)
	}{
		{"name", func(n *archive.NewHold) { n.Name = " " }}, {"name", func(n *archive.NewHold) { n.Name = "a\nb" }},
		{"name", func(n *archive.NewHold) { n.Name = strings.Repeat("x", 201) }}, {"reason", func(n *archive.NewHold) { n.Reason = "short" }},
		{"scope", func(n *archive.NewHold) { n.All = false }}, {"scope", func(n *archive.NewHold) { n.Addresses = []string{"anna@acme.example"} }},
		{"addresses", func(n *archive.NewHold) { n.All, n.Addresses = false, []string{"no address"} }},
		{"addresses", func(n *archive.NewHold) {
			n.All = false
			for i := range 101 {
				n.Addresses = append(n.Addresses, fmt.Sprintf("a%d@acme.example", i))
			}
		}},
		{"from", func(n *archive.NewHold) { n.From = "yesterday" }}, {"from", func(n *archive.NewHold) { n.From, n.To = "2026-05-04", "2026-05-03" }},
		{"from", func(n *archive.NewHold) { n.All, n.Messages, n.From = false, []uid.ID{o.mails["old"]}, "2026-05-04" }},
		{"messages", func(n *archive.NewHold) { n.All, n.Messages = false, []uid.ID{uid.New(time.Now())} }},
		{"messages", func(n *archive.NewHold) {
			n.All = false
			for i := range 1001 {
				n.Messages = append(n.Messages, uid.ID{byte(i), byte(i >> 8), 1})
			}
		}},
	} {
		n := good
		x.change(&n)
		field(t, fmt.Sprintf("%+.60v", n), second(o.as("dpo").PlaceHold(ctx, n)), x.field)
	}
	other := must(o.CreateTenant(ctx, archive.NewTenant{Slug: "other"}))(t)
	theirs := o.User(t, other, "dpo", access.RoleDPO)
	field(t, "another tenant's message", second(o.As(theirs).PlaceHold(ctx, archive.NewHold{Name: "x", Reason: why, Messages: []uid.ID{o.mails["old"]}})), "messages")
	x := must(o.as("dpo").PlaceHold(ctx, good))(t)
	for name, err := range map[string]error{
		"sees another tenant's":  second(o.As(theirs).Hold(ctx, x.ID)),
		"lifts another tenant's": second(o.As(theirs).RequestLift(ctx, x.ID, why, o.now.time().Add(time.Hour))),
	} {
		if !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, login := range []string{"anna"} {
		h := o.as(login)
		for name, err := range map[string]error{"places": second(h.PlaceHold(ctx, good)), "lists": second(h.Holds(ctx)), "sees": second(h.Hold(ctx, x.ID)),
			"lifts": second(h.RequestLift(ctx, x.ID, why, o.now.time().Add(time.Hour))), "retention": second(h.Retention(ctx)), "lengthens": second(h.SetRetention(ctx, archive.NewRetention{Years: 20})),
			"shortens": second(h.RequestShorter(ctx, archive.NewRetention{Years: 2, Reason: why}, o.now.time().Add(time.Hour)))} {
			if !errors.Is(err, access.ErrForbidden) {
				t.Errorf("a user %s: %v", name, err)
			}
		}
	}
	if err := second(o.as("auditor").SetRetention(ctx, archive.NewRetention{Years: 20})); !errors.Is(err, access.ErrForbidden) {
		t.Errorf("an auditor lengthens: %v", err)
	}
	if err := second(o.AsOperator().PlaceHold(ctx, good)); !errors.Is(err, access.ErrForbidden) {
		t.Errorf("an operator places a hold: %v", err)
	}
	if got := must(o.as("dpo").Holds(ctx))(t); len(got) != 1 {
		t.Errorf("%d holds", len(got))
	}
}

// Lifting needs a second person with another role, and happens with the approval.
func TestLiftingAHold(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	x := must(o.as("dpo").PlaceHold(ctx, archive.NewHold{Name: "audit", Reason: why, All: true}))(t)
	until := o.now.time().Add(24 * time.Hour)
	field(t, "no reason", second(o.as("auditor").RequestLift(ctx, x.ID, "over", until)), "reason")
	field(t, "no end", second(o.as("auditor").RequestLift(ctx, x.ID, why, o.now.time())), "until")
	r := must(o.as("auditor").RequestLift(ctx, x.ID, "The audit is over", until))(t)
	if r.Lift == nil || r.Lift.Name != "audit" || !r.Lift.Scope.All || r.MayDecide || r.MayRead {
		t.Errorf("the request: %+v of %+v", r, r.Lift)
	}
	if got := must(o.as("dpo").Hold(ctx, x.ID))(t); got.Request != r.ID || !got.InForce() {
		t.Errorf("while it waits: %+v", got)
	}
	for _, login := range []string{"auditor", "auditor2", "anna"} {
		if err := second(o.as(login).DecideAccess(ctx, r.ID, true, "")); !errors.Is(err, access.ErrForbidden) {
			t.Errorf("%s approves: %v", login, err)
		}
	}
	if err := second(o.InGrant(ctx, o.actors["auditor"], r.ID)); !errors.Is(err, access.ErrForbidden) {
		t.Errorf("reads under it: %v", err)
	}
	done := must(o.as("admin").DecideAccess(ctx, r.ID, true, "agreed"))(t)
	if done.State != catalog.AccessDone || done.MayEnd || done.MayRead {
		t.Errorf("decided: %+v", done)
	}
	got := must(o.as("dpo").Hold(ctx, x.ID))(t)
	if got.InForce() || got.LiftedByName != "auditor" || got.ApprovedByName != "admin" || got.LiftReason != "The audit is over" {
		t.Errorf("lifted: %+v", got)
	}
	if names := o.holdsOn("auditor", "own"); names != "" {
		t.Errorf("still held by %q", names)
	}
	for name, err := range map[string]error{"decided again": second(o.as("dpo").DecideAccess(ctx, r.ID, true, "")), "lifted again": second(o.as("dpo").RequestLift(ctx, x.ID, why, until)),
		"ended": second(o.as("auditor").EndAccess(ctx, r.ID))} {
		if !errors.Is(err, archive.ErrAccessOver) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if acts := o.acts("hold.", "access."); !slices.Equal(acts, []string{"hold.placed", "access.requested", "access.approved", "hold.lifted"}) {
		t.Errorf("events: %v", acts)
	}
	o.refusedAndExpired()
	sound(t, o.Env)
}

// refusedAndExpired leaves holds in force whose lifting was refused, or approved too late.
func (o *office) refusedAndExpired() {
	t, ctx := o.t, o.t.Context()
	until := o.now.time().Add(24 * time.Hour)
	x := must(o.as("admin").PlaceHold(ctx, archive.NewHold{Name: "second", Reason: why, All: true}))(t)
	r := must(o.as("admin").RequestLift(ctx, x.ID, why, until))(t)
	if v := must(o.as("auditor").DecideAccess(ctx, r.ID, false, "no"))(t); v.State != catalog.AccessRefused { // an auditor decides on what others ask for
		t.Errorf("refused: %+v", v)
	}
	r = must(o.as("admin").RequestLift(ctx, x.ID, why, until))(t)
	o.now.pass(25 * time.Hour)
	if err := second(o.as("dpo").DecideAccess(ctx, r.ID, true, "")); !errors.Is(err, archive.ErrAccessOver) {
		t.Errorf("approved too late: %v", err)
	}
	if got := must(o.as("dpo").Hold(ctx, x.ID))(t); !got.InForce() || !got.Request.IsZero() {
		t.Errorf("after that: %+v", got)
	}
}

// acts are the actions of the tenant's log that begin with one of the prefixes.
func (o *office) acts(prefixes ...string) (list []string) {
	o.t.Helper()
	for _, e := range must(o.Catalog.Events(o.t.Context(), o.tenant.ID, 0, 1000))(o.t) {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(e.Action, p) }) {
			list = append(list, e.Action)
		}
	}
	return list
}

// due is the year in which a mail of the auditor's own is due.
func (o *office) due(mail string) int {
	o.t.Helper()
	v := must(o.as("auditor").Message(o.t.Context(), o.mails[mail]))(o.t)
	return v.Retention.Due.In(time.FixedZone("", 2*3600)).Year()
}

func (o *office) arrives(name string) {
	o.t.Helper()
	s := must(o.Catalog.Sources(o.t.Context(), o.tenant.ID))(o.t)[0]
	o.mails[name] = must(o.Ingest(o.t.Context(), archive.Submission{Tenant: o.tenant.ID, Source: s.ID,
		Raw: bytes.NewReader([]byte("From: x@else.example\r\nTo: auditor@acme.example\r\nDate: Fri, 1 Jan 1999 10:00:00 +0100\r\nSubject: " + name + "\r\n\r\nText\r\n"))}))(o.t).AOID
}

func TestRetention(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	until := o.now.time().Add(24 * time.Hour)
	v := must(o.as("dpo").Retention(ctx))(t)
	if !v.Default || v.Current.Years != retention.DefaultYears || len(v.Classes) == 0 {
		t.Errorf("at first: %+v", v)
	}
	o.arrives("first") // RET-4: it claims to be of 1999
	if got := o.due("first"); got != 2037 {
		t.Errorf("due %d", got)
	}
	o.now.pass(time.Hour)
	if err := second(o.as("dpo").SetRetention(ctx, archive.NewRetention{Years: 6, Reason: why})); !errors.Is(err, archive.ErrShortens) {
		t.Errorf("shortened alone: %v", err)
	}
	field(t, "no years", second(o.as("dpo").SetRetention(ctx, archive.NewRetention{Years: -1})), "years")
	field(t, "longer by request", second(o.as("dpo").RequestShorter(ctx, archive.NewRetention{Years: 12, Reason: why}, until)), "years")
	field(t, "no reason", second(o.as("dpo").RequestShorter(ctx, archive.NewRetention{Years: 6}, until)), "reason")
	r := must(o.as("dpo").RequestShorter(ctx, archive.NewRetention{Years: 6, Reason: "Only letters arrive here"}, until))(t)
	if r.Shorten == nil || r.Shorten.Before.Years != 10 || r.Shorten.After.Years != 6 || must(o.as("admin").Retention(ctx))(t).Request != r.ID {
		t.Errorf("request: %+v", r)
	}
	if err := second(o.as("dpo").DecideAccess(ctx, r.ID, true, "")); !errors.Is(err, access.ErrForbidden) {
		t.Errorf("approved by who asked: %v", err)
	}
	must(o.as("auditor").DecideAccess(ctx, r.ID, true, ""))(t)
	o.now.pass(time.Hour)
	o.arrives("second")
	if a, b := o.due("first"), o.due("second"); a != 2037 || b != 2033 {
		t.Errorf("after it was shortened: due %d and %d", a, b)
	}
	o.now.pass(time.Hour)
	v = must(o.as("admin").SetRetention(ctx, archive.NewRetention{Years: 8}))(t)
	if a, b := o.due("first"), o.due("second"); v.Current.Years != 8 || v.Default || len(v.Set) != 2 || a != 2037 || b != 2035 {
		t.Errorf("after it was lengthened: %+v, due %d and %d", v, a, b)
	}
	if set := v.Set[1]; set.SetByName != "dpo" || set.ApprovedByName != "auditor" || set.Reason != "Only letters arrive here" {
		t.Errorf("who shortened: %+v", set)
	}
	if acts := o.acts("retention.", "access."); !slices.Equal(acts, []string{"access.requested", "access.approved", "retention.shortened", "retention.lengthened"}) {
		t.Errorf("events: %v", acts)
	}
	sound(t, o.Env)
}

// A new time zone of the tenant makes nothing due earlier.
func TestRetentionAndTimeZone(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	o.now.pass(time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC).Sub(o.now.time()))
	o.arrives("eve") // of the next year, in Berlin
	before := must(o.as("auditor").Message(ctx, o.mails["eve"]))(t).Retention
	for _, zone := range []string{"America/New_York", "Asia/Tokyo"} {
		o.now.pass(time.Minute)
		if err := o.AsOperator().ChangeTenant(ctx, o.tenant.ID, archive.TenantChange{Zone: &zone}); err != nil {
			t.Fatal(err)
		}
		if now := must(o.as("auditor").Message(ctx, o.mails["eve"]))(t).Retention; now.Due.Before(before.Due) {
			t.Errorf("%s: due %s, and before %s", zone, now.Due, before.Due)
		}
	}
	if v := must(o.as("dpo").Retention(ctx))(t); v.Current.Zone != "Asia/Tokyo" || v.Current.Years != 10 || len(v.Set) != 3 {
		t.Errorf("after that: %+v", v)
	}
	sound(t, o.Env)
}

// While a hold is in force, the customer cannot be deleted; nor while nobody can tell.
func TestHeldTenantStays(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	x := must(o.as("dpo").PlaceHold(ctx, archive.NewHold{Name: "secret name", Reason: why, Addresses: []string{"anna@acme.example"}}))(t)
	if err := o.AsOperator().SetTenantState(ctx, o.tenant.ID, catalog.TenantEnded); err != nil {
		t.Fatal(err)
	}
	o.now.pass(archive.DefaultDeleteAfter + time.Hour)
	err := second(o.AsOperator().DeleteTenant(ctx, o.tenant.ID, o.tenant.Name))
	if !errors.Is(err, archive.ErrNotDeletable) || strings.Contains(err.Error(), "secret") {
		t.Fatalf("deleted while it is held: %v", err)
	}
	r := must(o.as("admin").RequestLift(ctx, x.ID, why, o.now.time().Add(time.Hour)))(t)
	must(o.as("dpo").DecideAccess(ctx, r.ID, true, ""))(t)
	must(o.AsOperator().DeleteTenant(ctx, o.tenant.ID, o.tenant.Name))(t)
}
