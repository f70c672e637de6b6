package archive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/pgtest"
	"github.com/muniment/muniment/internal/uid"
)

// routed is an archive with a tenant that has domains.
type routed struct {
	*archivetest.Env
	t      testing.TB
	tenant *catalog.Tenant
	source *catalog.Source
	admin  access.Actor
	anna   access.Actor
}

func newRouted(t testing.TB, o archivetest.Options, domains ...string) *routed {
	t.Helper()
	r := &routed{Env: archivetest.New(t, o), t: t}
	r.tenant, r.source = r.Tenant(t, "firma")
	r.admin = r.User(t, r.tenant, "chef", access.RoleTenantAdmin)
	r.anna = r.User(t, r.tenant, "anna", access.RoleUser, "anna@firma.example")
	for _, d := range domains {
		if _, err := r.As(r.admin).AddDomain(t.Context(), d, ""); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// both runs f on both databases.
func both(t *testing.T, f func(t *testing.T, o archivetest.Options)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); f(t, archivetest.Options{}) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); f(t, archivetest.Options{DSN: pgtest.DSN(t)}) })
}

func mailOf(from, to, subject string) []byte {
	return fmt.Appendf(nil, "From: %s\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@x.example>\r\nDate: Mon, 02 Mar 2026 10:00:00 +0100\r\n\r\nText of %s\r\n",
		from, to, subject, subject, subject)
}

func (r *routed) offer(raw []byte, change ...func(*archive.Submission)) archive.Receipt {
	r.t.Helper()
	sub := archive.Submission{Tenant: r.tenant.ID, Source: r.source.ID, Raw: bytes.NewReader(raw)}
	for _, c := range change {
		c(&sub)
	}
	rec, err := r.Ingest(context.Background(), sub)
	if err != nil {
		r.t.Fatal(err)
	}
	return rec
}

// found returns the subjects that an actor finds, sorted.
func (r *routed) found(who access.Actor) []string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.AwaitIndex(ctx, r.tenant.ID); err != nil {
		r.t.Fatal(err)
	}
	page, err := r.As(who).Search(context.Background(), archive.SearchRequest{Limit: 200})
	if err != nil {
		r.t.Fatal(err)
	}
	out := []string{}
	for _, h := range page.Hits {
		out = append(out, h.Subject)
	}
	slices.Sort(out)
	return out
}

// finds waits until an actor finds exactly these.
func (r *routed) finds(who access.Actor, want ...string) {
	r.t.Helper()
	if want == nil {
		want = []string{}
	}
	var diff string
	for range 500 {
		if diff = cmp.Diff(want, r.found(who)); diff == "" {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Errorf("%v finds (-want +got):\n%s", who.Addresses, diff)
}

func (r *routed) accounts() map[catalog.Outcome]int64 {
	r.t.Helper()
	list, err := r.Catalog.Accounts(context.Background(), r.tenant.ID, "", "")
	if err != nil {
		r.t.Fatal(err)
	}
	out := map[catalog.Outcome]int64{}
	for _, a := range list {
		if a.Count != 0 {
			out[a.Outcome] += a.Count
		}
	}
	return out
}

func (r *routed) wantAccounts(want map[catalog.Outcome]int64) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.accounts()); diff != "" {
		r.t.Errorf("accounts (-want +got):\n%s", diff)
	}
}

// intact requires that fsck finds nothing.
func (r *routed) intact() {
	r.t.Helper()
	_, err := r.Fsck(context.Background(), archive.FsckOptions{Report: func(f archive.Finding) { r.t.Errorf("fsck: %+v", f) }})
	if err != nil {
		r.t.Error(err)
	}
}

func TestDomainsSendStrangersToQuarantine(t *testing.T) {
	both(t, func(t *testing.T, o archivetest.Options) {
		r := newRouted(t, o, "Firma.example", "xn--mller-kva.example")
		ctx := t.Context()
		ours := map[string][]byte{
			"to":  mailOf("x@far.example", "Anna@FIRMA.example", "to"),
			"idn": mailOf("b@müller.example", "x@far.example", "idn"),
			"bcc": append([]byte("Bcc: anna@firma.example\r\n"), mailOf("x@far.example", "y@far.example", "bcc")...),
		}
		for name, raw := range ours {
			if rec := r.offer(raw); rec.Outcome != catalog.Stored {
				t.Errorf("%s: %v", name, rec.Outcome)
			}
		}
		if rec := r.offer(mailOf("x@far.example", "y@far.example", "envelope"), func(s *archive.Submission) { s.EnvelopeTo = []string{"anna@firma.example"} }); rec.Outcome != catalog.Stored {
			t.Errorf("envelope: %v", rec.Outcome)
		}
		if rec := r.offer(mailOf("", "", "document"), func(s *archive.Submission) { s.AnyParty = true }); rec.Outcome != catalog.Stored {
			t.Errorf("a document: %v", rec.Outcome)
		}
		strange := mailOf("x@far.example", "y@sub.firma.example", "strange")
		first := r.offer(strange)
		if first.Outcome != catalog.Quarantined || first.AOID.IsZero() {
			t.Fatalf("receipt %+v", first)
		}
		if again := r.offer(strange); again.Outcome != catalog.Duplicate || again.AOID != first.AOID {
			t.Errorf("again: %+v", again)
		}
		r.finds(r.anna, "bcc", "envelope", "to")
		if _, err := r.As(r.anna).Message(ctx, first.AOID); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("a party opens what is in quarantine: %v", err)
		}
		if _, _, err := r.As(r.anna).Raw(ctx, first.AOID); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("a party downloads what is in quarantine: %v", err)
		}
		if _, err := r.As(r.anna).Quarantine(ctx, archive.QuarantineRequest{Limit: 9}); !errors.Is(err, access.ErrForbidden) {
			t.Errorf("a user sees the quarantine: %v", err)
		}
		page, err := r.As(r.admin).Quarantine(ctx, archive.QuarantineRequest{Limit: 9, Text: "FAR.example"})
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("%+v, %v", page, err)
		}
		v := page.Items[0]
		if v.ID != first.AOID || v.Reason != archive.ReasonDomain || v.Subject != "strange" || v.From[0] != "x@far.example" || v.Hidden != 0 || v.Belongs || v.SourceName != "Journal" {
			t.Errorf("%+v", v)
		}
		r.wantAccounts(map[catalog.Outcome]int64{catalog.Stored: 5, catalog.Quarantined: 1, catalog.Duplicate: 1})
		r.intact()
		if n, err := r.As(r.admin).Decide(ctx, []uid.ID{first.AOID, first.AOID}, catalog.Released, "ours after all"); n != 1 || err != nil {
			t.Fatalf("released %d, %v", n, err)
		}
		if n, err := r.As(r.admin).Decide(ctx, []uid.ID{first.AOID}, catalog.Released, ""); n != 0 || err != nil {
			t.Errorf("released again %d, %v", n, err)
		}
		r.offer(strange, func(s *archive.Submission) { s.EnvelopeTo = []string{"anna@firma.example"} })
		r.finds(r.anna, "bcc", "envelope", "strange", "to")
		r.wantAccounts(map[catalog.Outcome]int64{catalog.Stored: 5, catalog.ReleasedLater: 1, catalog.Duplicate: 2})
		r.intact()
	})
}

func TestWithoutDomainsAllIsTaken(t *testing.T) {
	t.Parallel()
	r := newRouted(t, archivetest.Options{})
	if rec := r.offer(mailOf("x@far.example", "y@far.example", "a")); rec.Outcome != catalog.Stored {
		t.Errorf("%+v", rec)
	}
}

func TestDomainBelongsToOne(t *testing.T) {
	t.Parallel()
	r := newRouted(t, archivetest.Options{}, "firma.example")
	ctx := t.Context()
	other, _ := r.Tenant(t, "other")
	theirs := r.As(r.User(t, other, "boss", access.RoleTenantAdmin))
	var texts []string
	for _, d := range []string{"FIRMA.example", "journal.invalid"} {
		_, err := theirs.AddDomain(ctx, d, "")
		if !errors.Is(err, archive.ErrUnavailable) || errors.Is(err, catalog.ErrTaken) {
			t.Fatalf("%s: %v", d, err)
		}
		texts = append(texts, strings.ReplaceAll(err.Error(), strings.ToLower(d), "D"))
	}
	if texts[0] != texts[1] || strings.Contains(texts[0], "firma") {
		t.Errorf("the refusals differ: %q", texts)
	}
	h := r.As(r.admin)
	if _, err := h.AddDomain(ctx, "firma.example", ""); !errors.Is(err, catalog.ErrTaken) {
		t.Errorf("one's own again: %v", err)
	}
	for _, d := range []string{"", "firma", "a b.example", "anna@firma.example"} {
		if _, err := h.AddDomain(ctx, d, ""); !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("%q: %v", d, err)
		}
	}
	if _, err := h.AddDomain(ctx, "alias.example", "nowhere.example"); !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("alias of nothing: %v", err)
	}
	if err := theirs.RemoveDomain(ctx, "firma.example"); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("remove another's: %v", err)
	}
	if _, err := r.As(r.anna).Domains(ctx); !errors.Is(err, access.ErrForbidden) {
		t.Errorf("a user lists domains: %v", err)
	}
}

// TestAliasDomain: mail to an alias is the person's (JRN-13), also what came before.
func TestAliasDomain(t *testing.T) {
	t.Parallel()
	r := newRouted(t, archivetest.Options{}, "firma.example")
	ctx := t.Context()
	r.offer(mailOf("x@far.example", "anna@firma.test, bernd@firma.example", "early"))
	if _, err := r.As(r.admin).AddDomain(ctx, "firma.test", "firma.example"); err != nil {
		t.Fatal(err)
	}
	r.offer(mailOf("x@far.example", "anna@firma.test", "late"))
	token, acc, err := r.LogIn(ctx, archive.LogIn{Login: "anna", Password: archivetest.Password})
	if err != nil {
		t.Fatal(err)
	}
	r.finds(acc.Actor, "early", "late")
	if err := r.As(r.admin).RemoveDomain(ctx, "firma.example"); !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("remove a domain that has an alias: %v", err)
	}
	if err := r.As(r.admin).RemoveDomain(ctx, "firma.test"); err != nil {
		t.Fatal(err)
	}
	if acc, err = r.Session(ctx, token, ""); err != nil {
		t.Fatal(err)
	}
	r.finds(acc.Actor)
}

// TestForeignReport is JRN-12: a report of one tenant sent to the journal address of
// another ends in its quarantine and in neither index.
func TestForeignReport(t *testing.T) {
	both(t, func(t *testing.T, o archivetest.Options) {
		r := newRouted(t, o, "firma.example")
		other, source := r.Tenant(t, "other") // has no domains: takes everything but this
		bob := r.User(t, other, "bob", access.RoleUser, "anna@firma.example", "x@far.example")
		offer := func(name string, report []byte, want catalog.Outcome) {
			rec, err := r.Ingest(t.Context(), archive.Submission{Tenant: other.ID, Source: source.ID, Raw: bytes.NewReader(report)})
			if err != nil || rec.Outcome != want {
				t.Errorf("%s: %+v, %v", name, rec, err)
			}
		}
		offer("foreign", reportOf("anna@firma.example", "bernd@firma.example", mailOf("anna@firma.example", "bernd@firma.example", "foreign")), catalog.Quarantined)
		boss := r.User(t, other, "boss", access.RoleTenantAdmin)
		page, err := r.As(boss).Quarantine(t.Context(), archive.QuarantineRequest{Limit: 9})
		if err != nil || len(page.Items) != 1 || page.Items[0].Reason != archive.ReasonForeign {
			t.Errorf("%+v, %v", page, err)
		}
		if _, err := r.As(boss).AddDomain(t.Context(), "other.example", ""); err != nil {
			t.Fatal(err)
		}
		offer("with a domain", reportOf("anna@firma.example", "x@far.example", mailOf("anna@firma.example", "x@far.example", "again")), catalog.Quarantined)
		for _, who := range []access.Actor{bob, r.anna} {
			if err := r.AwaitIndex(t.Context(), who.Tenant); err != nil {
				t.Fatal(err)
			}
			found, err := r.As(who).Search(t.Context(), archive.SearchRequest{Limit: 9})
			if err != nil || len(found.Hits) != 0 {
				t.Errorf("found %+v, %v", found, err)
			}
		}
		r.intact()
	})
}

func reportOf(from, to string, inner []byte) []byte {
	return fmt.Appendf(nil, "X-MS-Journal-Report:\r\nFrom: <%s>\r\nTo: <j@journal.example>\r\nSubject: s\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"bb\"\r\n\r\n"+
		"--bb\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\nSender: %s\r\nSubject: s\r\nMessage-Id: <1@x.example>\r\nTo: %s\r\n\r\n"+
		"--bb\r\nContent-Type: message/rfc822\r\n\r\n%s\r\n--bb--\r\n", from, from, to, inner)
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestEveryOfferHasOneAccount offers at random, in parallel, with rules that change,
// and adds up.
func TestEveryOfferHasOneAccount(t *testing.T) {
	t.Parallel()
	people := []string{"anna@firma.example", "carla@firma.example", "x@far.example", "y@far.example", "dora@new.example"}
	env, n := archivetest.New(t, archivetest.Options{}), 0
	defer func() { (&routed{Env: env, t: t}).intact() }()
	rapid.Check(t, func(rt *rapid.T) {
		n++
		r := &routed{Env: env, t: t}
		r.tenant, r.source = env.Tenant(t, fmt.Sprint("t", n))
		r.admin = access.Actor{Tenant: r.tenant.ID, User: uid.New(time.Now()), Role: access.RoleTenantAdmin}
		ctx := context.Background()
		h := r.As(r.admin)
		offered, receipts := int64(0), map[catalog.Outcome]int64{}
		var bytesOffered int64
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"offer", "offer", "offer", "domain", "select", "release"}).Draw(rt, "what") {
			case "offer":
				person := func(what string) string { return rapid.SampledFrom(people).Draw(rt, what) + fmt.Sprint(n) }
				raw := mailOf(person("from"), person("to"), fmt.Sprint(rapid.IntRange(0, 9).Draw(rt, "subject")))
				rec := r.offer(raw, func(s *archive.Submission) {
					s.Origin = rapid.SampledFrom([]string{"", "a"}).Draw(rt, "origin")
				})
				offered++
				bytesOffered += int64(len(raw))
				receipts[rec.Outcome]++
			case "domain":
				_, err := h.AddDomain(ctx, rapid.SampledFrom([]string{"firma.example", "new.example"}).Draw(rt, "domain")+fmt.Sprint(n), "")
				if err != nil && !errors.Is(err, catalog.ErrTaken) {
					rt.Fatal(err)
				}
			case "select":
				if err := h.SetSelection(ctx, rapid.Bool().Draw(rt, "on"), []string{"anna@firma.example" + fmt.Sprint(n)}, true); err != nil {
					rt.Fatal(err)
				}
			case "release":
				if _, _, err := h.ReleaseBelonging(ctx, "", ""); err != nil {
					rt.Fatal(err)
				}
			}
		}
		got, sum := r.accounts(), int64(0)
		for _, n := range got {
			sum += n
		}
		size := int64(0)
		for _, a := range must(r.Catalog.Accounts(ctx, r.tenant.ID, "", ""))(t) {
			size += a.Bytes
		}
		if sum != offered || size != bytesOffered {
			rt.Errorf("%d offered, %d accounted; %d bytes, %d accounted", offered, sum, bytesOffered, size)
		}
		got[catalog.Quarantined] += got[catalog.ReleasedLater]
		delete(got, catalog.ReleasedLater)
		for _, o := range []catalog.Outcome{catalog.Stored, catalog.Duplicate, catalog.Repeated, catalog.Excluded, catalog.Quarantined} {
			if got[o] != receipts[o] {
				rt.Errorf("%s: account %d, receipts %d", o, got[o], receipts[o])
			}
		}
		if c := must(h.CountQuarantine(ctx))(t); c[catalog.Waiting]+c[catalog.Released] != receipts[catalog.Quarantined] {
			rt.Errorf("quarantine %v, receipts %v", c, receipts)
		}
	})
}
