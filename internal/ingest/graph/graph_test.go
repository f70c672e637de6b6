package graph

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/importer"
	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/testkit/oauthd"
)

// rig is an archive and a Graph server.
type rig struct {
	t      testing.TB
	env    *archivetest.Env
	tenant *catalog.Tenant
	source *catalog.Source
	s      *oauthd.Server
	cfg    Config
	gate   *gate
}

// gate stands before the archive and makes trouble where a test wants it.
type gate struct {
	Archive
	busy   atomic.Bool
	offers atomic.Int64
	stop   atomic.Pointer[func(n int64)]
}

func (g *gate) Ingest(ctx context.Context, sub archive.Submission) (archive.Receipt, error) {
	n := g.offers.Add(1)
	if f := g.stop.Load(); f != nil {
		(*f)(n)
	}
	if g.busy.Load() {
		return archive.Receipt{}, archive.ErrBusy
	}
	return g.Archive.Ingest(ctx, sub)
}

func newRig(t testing.TB, o oauthd.Options) *rig {
	t.Helper()
	r := &rig{t: t, env: archivetest.New(t, archivetest.Options{}), s: oauthd.New(t, o)}
	r.tenant, _ = r.env.Tenant(t, "acme")
	var err error
	if r.source, err = r.env.ImportSource(t.Context(), r.tenant.ID, "Microsoft 365", ""); err != nil {
		t.Fatal(err)
	}
	dir, err := spool.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r.gate = &gate{Archive: r.env}
	app := oauth.App{Provider: remote.Microsoft, Directory: r.s.Directory, ClientID: r.s.ClientID, Authority: r.s.URL, Scopes: oauth.GraphScopes("")}
	conf := oauth.Config{AllowPrivate: true}
	r.cfg = Config{
		HTTP: oauth.NewHTTP(conf, 0), Tokens: oauth.New(conf).Keep(app, remote.ByClient, oauth.NewMemory([]byte(r.s.ClientSecret))), URL: r.s.URL,
		Archive: r.gate, Spool: dir, Tenant: r.tenant.ID, Source: r.source.ID, State: t.TempDir(), MaxMessage: 1 << 20, RetryFor: time.Second,
		Log: slog.New(slog.DiscardHandler), sleep: func(ctx context.Context, d time.Duration) error { return sleep(ctx, min(d, 400*time.Millisecond)) },
		timings: timings{list: 5 * time.Second, message: 5 * time.Second, window: 300 * time.Millisecond, least: 1 << 10, pause: time.Millisecond, longest: 4 * time.Millisecond},
	}
	return r
}

// letter is a message that no other is equal to; some have parts.
func letter(n int) []byte {
	random := rand.New(rand.NewPCG(uint64(n), 9))
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: writer@example.org\r\nTo: reader@example.net\r\nSubject: letter %d\r\nMessage-ID: <%d@example.org>\r\n", n, n)
	fmt.Fprintf(&b, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b%d\"\r\n\r\n--b%d\r\n\r\n", n, n)
	for range 10 + random.IntN(40) {
		fmt.Fprintf(&b, "%x gr\xfc\xdfe\r\n", random.Uint64())
	}
	fmt.Fprintf(&b, "--b%d--\r\n", n)
	return b.Bytes()
}

func letters(first, n int) (out [][]byte) {
	for i := range n {
		out = append(out, letter(first+i))
	}
	return out
}

// fill makes a mailbox with letters in three folders, and returns them.
func (r *rig) fill(address string, first int) [][]byte {
	b := r.s.Mailbox(address)
	all := letters(first, 12)
	b.Add("inbox", all[:7]...)
	b.Add("f-sub", all[7:10]...)
	b.Add("f-hidden", all[10:]...)
	b.Add("drafts", letter(first+1000))
	return all
}

func (r *rig) run() (*importer.Report, error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 2*time.Minute)
	defer cancel()
	rep, err := Run(ctx, r.cfg)
	if ctx.Err() != nil && r.t.Context().Err() == nil {
		r.t.Fatal("it hangs")
	}
	return rep, err
}

func (r *rig) has(raw []byte) bool {
	r.t.Helper()
	sum := sha256.Sum256(raw)
	known, err := r.env.Catalog.Known(r.t.Context(), r.tenant.ID, [][32]byte{sum})
	if err != nil {
		r.t.Fatal(err)
	}
	_, ok := known[sum]
	return ok
}

// whole requires that exactly these messages are archived, each by one arrival.
func (r *rig) whole(all [][]byte) {
	r.t.Helper()
	for i, raw := range all {
		if !r.has(raw) {
			r.t.Errorf("letter %d is not archived", i)
		}
	}
	f, err := r.env.Figures(r.t.Context(), r.tenant.ID)
	if err != nil || f.Messages != int64(len(all)) {
		r.t.Errorf("%d messages are archived, want %d, %v", f.Messages, len(all), err)
	}
	if n := r.accounts(); n[catalog.Stored] != int64(len(all)) || n[catalog.Duplicate] != 0 {
		r.t.Errorf("accounts %v, want %d stored", n, len(all))
	}
	if left, err := r.env.SourceItems(r.t.Context(), r.tenant.ID, r.source.ID, ""); err != nil || len(left) != 0 {
		r.t.Errorf("%d are still said to be left, %v", len(left), err)
	}
}

func (r *rig) accounts() map[catalog.Outcome]int64 {
	r.t.Helper()
	list, err := r.env.Catalog.Accounts(r.t.Context(), r.tenant.ID, "", "")
	if err != nil {
		r.t.Fatal(err)
	}
	out := map[catalog.Outcome]int64{}
	for _, a := range list {
		if a.Source == r.source.ID {
			out[a.Outcome] += a.Count
		}
	}
	return out
}

func TestImport(t *testing.T) {
	t.Parallel()
	r := newRig(t, oauthd.Options{})
	all := append(r.fill("anna@x.example", 0), r.fill("bert@x.example", 50)...)
	rep, err := r.run()
	if err != nil || !rep.Complete() || rep.Stored != 24 || len(rep.Paths) != 2 {
		t.Fatalf("%+v, %v", rep, err)
	}
	if !slices.ContainsFunc(rep.Notices, func(n importer.Notice) bool { return strings.Contains(n.Text, "left out (drafts): 1 messages") }) {
		t.Errorf("drafts are left out silently: %+v", rep.Notices)
	}
	r.whole(all)
	before := r.gate.offers.Load()
	if rep, err = r.run(); err != nil || rep.DoneBefore != 24 || rep.Stored != 0 || r.gate.offers.Load() != before {
		t.Errorf("the second run: %+v, %v", rep, err)
	}
	r.cfg.Again = true
	if rep, err = r.run(); err != nil || rep.Duplicate != 24 {
		t.Errorf("once more: %+v, %v", rep, err)
	}
	r.whole(all)
	r.cfg.Again, r.cfg.DryRun = false, true
	if rep, err = r.run(); err != nil || rep.Stored != 24 {
		t.Errorf("a dry run: %+v, %v", rep, err)
	}
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	r := newRig(t, oauthd.Options{})
	r.s.Mailbox("anna@x.example").Add("f-sub", letter(1), letter(2))
	r.cfg.Tags = []string{"mine"}
	if rep, err := r.run(); err != nil || !rep.Complete() {
		t.Fatalf("%+v, %v", rep, err)
	}
	want := map[string]bool{"graph://anna@x.example/Posteingang/Kunden%2F2024/AAkALg=-_f-sub-0?received=2024-03-01T08:00:00Z": true,
		"graph://anna@x.example/Posteingang/Kunden%2F2024/AAkALg=-_f-sub-1?received=2024-03-01T08:01:00Z": true}
	got := map[string]bool{}
	err := r.env.Catalog.WalkCaptures(t.Context(), r.tenant.ID, func(c *catalog.Capture, err error) error {
		if err != nil {
			return err
		}
		got[c.Origin] = true
		if f := c.Filing; f == nil || f.Folder != "Posteingang/Kunden/2024" || f.Date == nil || !strings.Contains(c.Origin, f.Date.Format(time.RFC3339)) {
			t.Errorf("filed as %+v", f)
		}
		return nil
	})
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("origins %v, %v", got, err)
	}
}

// Whatever Graph does, a run ends with everything archived or with a plain error or
// problem for each message; and when Graph behaves again, the next run completes it,
// and nothing is there twice.
func TestMisbehaviour(t *testing.T) {
	t.Parallel()
	const (
		completes = "completes" // the first run needs no help
		problems  = "problems"  // it reports single failures
		fails     = "fails"     // it ends with an error
	)
	for m, want := range map[oauthd.Misbehaviour]string{
		oauthd.Storm429: completes, oauthd.Storm503: completes, oauthd.TokenExpires: completes, oauthd.TruncatesOnce: completes,
		oauthd.LongerThanSaid: completes, oauthd.HTMLForList: completes, oauthd.HTMLForMIME: completes, oauthd.JSONForMIME: completes,
		oauthd.Repeats: completes, oauthd.NullMembers: completes, oauthd.FolderLoop: completes, oauthd.Vanishes: completes,
		oauthd.Truncates: problems, oauthd.HugeMIME: problems, oauthd.DripsMIME: problems, oauthd.EmptyMIME: problems,
		oauthd.NextLoops: fails, oauthd.NextElsewhere: fails, oauthd.NextForever: fails, oauthd.HugeList: fails, oauthd.GraphRedirects: fails,
		oauthd.NoMailbox: problems, oauthd.NoAccess: problems, oauthd.FolderGone: completes,
		oauthd.ShortLived: completes, oauthd.NoConsent: fails, oauthd.Throttles: completes, oauthd.HTMLForGood: fails,
	} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, oauthd.Options{Misbehave: []oauthd.Misbehaviour{m}})
			all := r.fill("anna@x.example", 0)
			r.cfg.Mailboxes = []string{"anna@x.example"}
			rep, err := r.run()
			got := completes
			switch {
			case err != nil:
				got = fails
			case rep.Failed > 0:
				got = problems
			}
			if got != want {
				t.Errorf("it %s: %+v, %v", got, rep, err)
			}
			if err != nil && (strings.Contains(Plain(err), r.s.ClientSecret) || strings.Contains(Plain(err), "access-")) {
				t.Errorf("%v holds a secret", err)
			}
			if n := r.accounts(); rep.Failed > 0 && m != oauthd.NoMailbox && m != oauthd.NoAccess && n[catalog.Left] != rep.Failed {
				t.Errorf("%d failed, accounts %v", rep.Failed, n)
			}
			r.s.Behave()
			if n := r.gate.offers.Load(); n > int64(len(all)) {
				t.Errorf("%d offers", n)
			}
			r.again()
			if rep, err := r.run(); err != nil || !rep.Complete() {
				t.Errorf("afterwards: %+v, %v", rep, err)
			}
			r.whole(all)
		})
	}
}

// again forgets the failure of a log-in, as time does.
func (r *rig) again() {
	app := oauth.App{Provider: remote.Microsoft, Directory: r.s.Directory, ClientID: r.s.ClientID, Authority: r.s.URL, Scopes: oauth.GraphScopes("")}
	r.cfg.Tokens = oauth.New(oauth.Config{AllowPrivate: true}).Keep(app, remote.ByClient, oauth.NewMemory([]byte(r.s.ClientSecret)))
}

// A run that is cut off anywhere is continued without loss or repetition.
func TestResume(t *testing.T) {
	t.Parallel()
	for _, at := range []int64{1, 4, 9} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, oauthd.Options{})
			all := r.fill("anna@x.example", 0)
			ctx, cancel := context.WithCancel(t.Context())
			stop := func(n int64) {
				if n == at {
					cancel()
				}
			}
			r.gate.stop.Store(&stop)
			if rep, err := Run(ctx, r.cfg); !errors.Is(err, context.Canceled) || rep.Finished {
				t.Fatalf("%+v, %v", rep, err)
			}
			r.gate.stop.Store(nil)
			rep, err := r.run()
			if err != nil || !rep.Complete() || rep.Offered() != int64(len(all)) {
				t.Errorf("%+v, %v", rep, err)
			}
			r.whole(all)
		})
	}
}

func TestArchiveIsBusy(t *testing.T) {
	t.Parallel()
	r := newRig(t, oauthd.Options{})
	all := r.fill("anna@x.example", 0)
	r.gate.busy.Store(true)
	if rep, err := r.run(); !errors.Is(err, ErrArchive) || rep.Finished || rep.Failed != 0 {
		t.Fatalf("%+v, %v", rep, err)
	}
	r.gate.busy.Store(false)
	if rep, err := r.run(); err != nil || !rep.Complete() {
		t.Errorf("%+v, %v", rep, err)
	}
	r.whole(all)
}

func TestLooksCut(t *testing.T) {
	t.Parallel()
	dir, err := spool.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	whole := letter(1)
	for name, c := range map[string]struct {
		raw  []byte
		want bool
	}{"whole": {whole, false}, "cut": {whole[:len(whole)/2], true}, "no parts": {[]byte("Subject: x\r\n\r\nx"), false}, "nothing": {[]byte("x"), false},
		"no boundary": {[]byte("Content-Type: multipart/mixed\r\n\r\nx"), false}} {
		buf := dir.NewBuffer(1 << 20)
		if _, err := buf.Write(c.raw); err != nil {
			t.Fatal(err)
		}
		if got := looksCut(buf); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		_ = buf.Close()
	}
}
