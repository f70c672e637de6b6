package archive_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/uid"
)

// office is a tenant with a person of every role, and mail of anna's and bernd's.
type office struct {
	*archivetest.Env
	t      *testing.T
	tenant *catalog.Tenant
	actors map[string]access.Actor
	mails  map[string]uid.ID
	now    *clock
}

// clock is a time that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) time() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *clock) pass(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

func newOffice(t *testing.T) *office {
	t.Helper()
	c := &clock{now: time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)}
	o := &office{Env: archivetest.New(t, archivetest.Options{Now: c.time}), t: t, actors: map[string]access.Actor{}, mails: map[string]uid.ID{}, now: c}
	tenant, source := o.Tenant(t, "acme")
	o.tenant = tenant
	for login, role := range map[string]access.Role{"anna": access.RoleUser, "bernd": access.RoleUser, "carla": access.RoleUser, "admin": access.RoleTenantAdmin,
		"auditor": access.RoleAuditor, "auditor2": access.RoleAuditor, "dpo": access.RoleDPO} {
		o.actors[login] = o.User(t, tenant, login, role, login+"@acme.example")
	}
	for name, raw := range map[string]string{
		"offer": "From: anna@acme.example\r\nTo: bernd@acme.example\r\nBcc: carla@acme.example\r\nSubject: Angebot\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\n\r\nAngebot ueber Walnuesse\r\n",
		"old":   "From: bernd@acme.example\r\nTo: anna@acme.example\r\nSubject: Alt\r\nDate: Mon, 2 Mar 2020 10:00:00 +0100\r\n\r\nAngebot von frueher\r\n",
		"lunch": "From: bernd@acme.example\r\nTo: carla@acme.example\r\nSubject: Mittag\r\nDate: Tue, 3 Mar 2026 10:00:00 +0100\r\n\r\nKantine\r\n",
		"own":   "From: x@else.example\r\nTo: auditor@acme.example\r\nSubject: Eigenes Angebot\r\nDate: Tue, 3 Mar 2026 10:00:00 +0100\r\n\r\nAngebot\r\n",
	} {
		r, err := o.Ingest(t.Context(), archive.Submission{Tenant: tenant.ID, Source: source.ID, Raw: bytes.NewReader([]byte(raw))})
		if err != nil {
			t.Fatal(err)
		}
		o.mails[name] = r.AOID
	}
	if err := o.AwaitIndex(t.Context(), tenant.ID); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *office) as(login string) *archive.Handle { return o.As(o.actors[login]) }

func (o *office) wants(addresses ...string) archive.NewAccess {
	k := access.ReadMailbox
	if len(addresses) > 1 {
		k = access.ReadSeveral
	}
	return archive.NewAccess{Kind: k, Addresses: addresses, Reason: "Verdacht auf Betrug", Until: o.now.time().Add(24 * time.Hour)}
}

// approved makes a request of the auditor's and has the dpo approve it.
func (o *office) approved(n archive.NewAccess) *archive.AccessView {
	o.t.Helper()
	v, err := o.as("auditor").RequestAccess(o.t.Context(), n)
	if err == nil {
		v, err = o.as("dpo").DecideAccess(o.t.Context(), v.ID, true, "in Ordnung")
	}
	if err != nil {
		o.t.Fatal(err)
	}
	return v
}

func (o *office) within(v *archive.AccessView) *archive.Handle {
	o.t.Helper()
	h, err := o.InGrant(o.t.Context(), o.actors["auditor"], v.ID)
	if err != nil {
		o.t.Fatal(err)
	}
	return h
}

// finds returns the names of the messages that a query finds.
func (o *office) finds(h *archive.Handle, q string) string {
	o.t.Helper()
	page, err := h.Search(o.t.Context(), archive.SearchRequest{Query: q, Limit: 50})
	if err != nil {
		o.t.Fatal(err)
	}
	var names []string
	for _, hit := range page.Hits {
		for name, id := range o.mails {
			if id == hit.ID {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	if page.Total != len(names) {
		o.t.Errorf("%q: total %d, hits %v", q, page.Total, names)
	}
	return strings.Join(names, " ")
}

func TestFourEyes(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	if got := o.finds(o.as("auditor"), "angebot"); got != "own" {
		t.Errorf("without a request the auditor finds %q", got)
	}
	v, err := o.as("auditor").RequestAccess(ctx, o.wants("Anna@ACME.example"))
	if err != nil || v.State != catalog.AccessWaiting || v.MayDecide || v.MayRead || !v.MayEnd || v.RequestedByName != "auditor" {
		t.Fatalf("%+v: %v", v, err)
	}
	if _, err := o.InGrant(ctx, o.actors["auditor"], v.ID); !errors.Is(err, archive.ErrAccessOver) {
		t.Errorf("reading before it is approved: %v", err)
	}
	// An auditor does not learn what another one wants to read.
	for who, want := range map[string]error{"auditor": access.ErrForbidden, "auditor2": catalog.ErrNotFound, "anna": access.ErrForbidden} {
		if _, err := o.as(who).DecideAccess(ctx, v.ID, true, ""); !errors.Is(err, want) {
			t.Errorf("%s approves: %v", who, err)
		}
	}
	if _, err := o.as("admin").DecideAccess(ctx, v.ID, true, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := o.as("dpo").DecideAccess(ctx, v.ID, false, ""); !errors.Is(err, archive.ErrAccessOver) {
		t.Errorf("refused after it was approved: %v", err)
	}
	h := o.within(v)
	if got := o.finds(h, ""); got != "offer old" {
		t.Errorf("under the request the auditor finds %q, of which nothing is the own", got)
	}
	m, err := h.Message(ctx, o.mails["offer"])
	if err != nil || m.BccHidden || !slices.Equal(m.Why, []string{"anna@acme.example"}) {
		t.Errorf("the sender's message: %+v: %v", m, err)
	}
	for _, name := range []string{"lunch", "own"} {
		if _, err := h.Message(ctx, o.mails[name]); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("%s is read: %v", name, err)
		}
	}
	if people, err := h.People(ctx, "", 9); err != nil || len(people) != 0 {
		t.Errorf("people are suggested: %v %v", people, err)
	}
	for name, err := range map[string]error{
		"statistics": second(h.Statistics(ctx)), "ask": second(h.RequestAccess(ctx, o.wants("x@acme.example"))), "readers": second(h.Readers(ctx)),
		"requests": second(h.AccessRequests(ctx)),
	} {
		if !errors.Is(err, access.ErrForbidden) {
			t.Errorf("%s while reading: %v", name, err)
		}
	}
	for who, a := range o.actors {
		if who != "auditor" {
			if _, err := o.InGrant(ctx, a, v.ID); err == nil {
				t.Errorf("%s reads under the auditor's request", who)
			}
		}
	}
	// Ended early by somebody who may decide: what is open already reads no more.
	if _, err := o.as("dpo").EndAccess(ctx, v.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Message(ctx, o.mails["offer"]); !errors.Is(err, archive.ErrAccessOver) {
		t.Errorf("reading after the end: %v", err)
	}
	if _, _, err := h.Raw(ctx, o.mails["offer"]); !errors.Is(err, archive.ErrAccessOver) {
		t.Errorf("downloading after the end: %v", err)
	}
	if _, err := h.Search(ctx, archive.SearchRequest{}); !errors.Is(err, archive.ErrAccessOver) {
		t.Errorf("searching after the end: %v", err)
	}
	if _, err := o.InGrant(ctx, o.actors["auditor"], v.ID); !errors.Is(err, archive.ErrAccessOver) {
		t.Errorf("reading again: %v", err)
	}
}

// A request bounds by its period and its query, also what is opened by its id.
func TestAccessIsBounded(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	n := o.wants("anna@acme.example", "bernd@acme.example")
	n.From, n.To = "2026-03-02", "2026-03-02"
	h := o.within(o.approved(n))
	if got := o.finds(h, ""); got != "offer" {
		t.Errorf("in the period: %q", got)
	}
	if _, err := h.Message(ctx, o.mails["lunch"]); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("outside of the period: %v", err)
	}
	n = o.wants("anna@acme.example", "bernd@acme.example")
	n.Query = "angebot OR nichts"
	h = o.within(o.approved(n))
	for q, want := range map[string]string{"": "offer old", "kantine": "", "alt": "old", "kantine OR alt": "old", "-alt": "offer"} {
		if got := o.finds(h, q); got != want {
			t.Errorf("%q finds %q, want %q", q, got, want)
		}
	}
	if _, err := h.Message(ctx, o.mails["lunch"]); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("what the query does not find is read: %v", err)
	}
	if f, err := h.Facets(ctx, ""); err != nil || len(f.Years) != 2 {
		t.Errorf("facets: %+v %v", f, err)
	}
	// A blind copy that neither of the addresses may know of.
	h = o.within(o.approved(o.wants("bernd@acme.example")))
	if m, err := h.Message(ctx, o.mails["offer"]); err != nil || !m.BccHidden {
		t.Errorf("a blind copy is shown: %+v %v", m, err)
	}
	// It expires by itself.
	v := o.approved(o.wants("anna@acme.example"))
	h = o.within(v)
	o.now.pass(24 * time.Hour)
	if _, err := h.Message(ctx, o.mails["offer"]); !errors.Is(err, archive.ErrAccessOver) {
		t.Errorf("reading when the time is over: %v", err)
	}
	got, err := o.as("auditor").AccessRequest(ctx, v.ID)
	if err != nil || got.State != "expired" || got.MayRead || got.MayEnd {
		t.Errorf("%+v: %v", got, err)
	}
	// Somebody whose role has changed reads no more.
	v = o.approved(o.wants("anna@acme.example"))
	changed := o.actors["auditor"]
	changed.Role = access.RoleTenantAdmin
	if _, err := o.InGrant(ctx, changed, v.ID); !errors.Is(err, access.ErrForbidden) {
		t.Errorf("with another role: %v", err)
	}
}

func TestAccessRequestsAreChecked(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	for name, change := range map[string]func(*archive.NewAccess){
		"no address":         func(n *archive.NewAccess) { n.Addresses = nil },
		"no mail address":    func(n *archive.NewAccess) { n.Addresses = []string{"anna"} },
		"two for a mailbox":  func(n *archive.NewAccess) { n.Addresses = append(n.Addresses, "b@acme.example") },
		"no reason":          func(n *archive.NewAccess) { n.Reason = "   kurz " },
		"a reason too long":  func(n *archive.NewAccess) { n.Reason = strings.Repeat("x", 3000) },
		"a control":          func(n *archive.NewAccess) { n.Reason += "\x00" },
		"a short legal word": func(n *archive.NewAccess) { n.Covert = "§ 1" },
		"no end":             func(n *archive.NewAccess) { n.Until = time.Time{} },
		"an end in the past": func(n *archive.NewAccess) { n.Until = o.now.time().Add(-time.Hour) },
		"too long":           func(n *archive.NewAccess) { n.Until = o.now.time().Add(91 * 24 * time.Hour) },
		"a bad day":          func(n *archive.NewAccess) { n.From = "gestern" },
		"days the wrong way": func(n *archive.NewAccess) { n.From, n.To = "2026-01-02", "2026-01-01" },
	} {
		n := o.wants("anna@acme.example")
		change(&n)
		if _, err := o.as("auditor").RequestAccess(ctx, n); !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	n := o.wants("anna@acme.example")
	n.Query = "before:xyz"
	var mistake *query.Error
	if _, err := o.as("auditor").RequestAccess(ctx, n); !errors.As(err, &mistake) {
		t.Errorf("a bad query: %v", err)
	}
	for _, who := range []string{"anna", "admin", "dpo"} {
		if _, err := o.as(who).RequestAccess(ctx, o.wants("anna@acme.example")); !errors.Is(err, access.ErrForbidden) {
			t.Errorf("%s asks: %v", who, err)
		}
	}
	// Refused and withdrawn ones are never read under; others' are not seen.
	one, err := o.as("auditor").RequestAccess(ctx, o.wants("anna@acme.example"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.as("auditor2").AccessRequest(ctx, one.ID); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("another auditor sees it: %v", err)
	}
	if list, err := o.as("auditor2").AccessRequests(ctx); err != nil || len(list) != 0 {
		t.Errorf("another auditor lists %v: %v", list, err)
	}
	if list, err := o.as("dpo").AccessRequests(ctx); err != nil || len(list) != 1 || !list[0].MayDecide {
		t.Errorf("the dpo lists %v: %v", list, err)
	}
	if _, err := o.as("dpo").EndAccess(ctx, one.ID); !errors.Is(err, archive.ErrAccessOver) {
		t.Errorf("the dpo withdraws it: %v", err)
	}
	if got, err := o.as("auditor").EndAccess(ctx, one.ID); err != nil || got.State != catalog.AccessWithdrawn {
		t.Errorf("%+v: %v", got, err)
	}
	if _, err := o.as("dpo").DecideAccess(ctx, one.ID, true, ""); !errors.Is(err, archive.ErrAccessOver) {
		t.Errorf("a withdrawn one is approved: %v", err)
	}
}

// What somebody asks for who may not ask any more is not approved, only refused.
func TestWhoAskedStillMay(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	for name, change := range map[string]func(u *catalog.User){
		"disabled":     func(u *catalog.User) { u.Disabled = true },
		"expired":      func(u *catalog.User) { u.ExpiresAt = o.now.time().Add(-time.Minute) },
		"another role": func(u *catalog.User) { u.Role = string(access.RoleUser) },
	} {
		v, err := o.as("auditor").RequestAccess(ctx, o.wants("anna@acme.example"))
		if err != nil {
			t.Fatal(err)
		}
		was, err := o.Archive.User(ctx, o.tenant.ID, "auditor")
		if err != nil {
			t.Fatal(err)
		}
		now := *was
		change(&now)
		if err := o.ChangeUser(ctx, &now); err != nil {
			t.Fatal(err)
		}
		if _, err := o.as("dpo").DecideAccess(ctx, v.ID, true, ""); !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("%s: approved: %v", name, err)
		}
		if got, err := o.as("dpo").AccessRequest(ctx, v.ID); err != nil || got.State != catalog.AccessWaiting {
			t.Errorf("%s: %+v %v", name, got, err)
		}
		if got, err := o.as("dpo").DecideAccess(ctx, v.ID, false, ""); err != nil || got.State != catalog.AccessRefused {
			t.Errorf("%s: refused: %+v %v", name, got, err)
		}
		if err := o.ChangeUser(ctx, was); err != nil {
			t.Fatal(err)
		}
	}
	o.approved(o.wants("anna@acme.example"))
}

// Two who decide at the same time: one of them does.
func TestDecisionsTogether(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	v, err := o.as("auditor").RequestAccess(t.Context(), o.wants("anna@acme.example"))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	done := make(chan error, 8)
	for i := range 8 {
		wg.Go(func() {
			_, err := o.as([]string{"dpo", "admin"}[i%2]).DecideAccess(t.Context(), v.ID, i%2 == 0, "")
			done <- err
		})
	}
	wg.Wait()
	close(done)
	n := 0
	for err := range done {
		if err == nil {
			n++
		} else if !errors.Is(err, archive.ErrAccessOver) {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Errorf("%d decided", n)
	}
}
