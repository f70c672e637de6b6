package mailbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/imap"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/testkit/imapd"
	"github.com/muniment/muniment/internal/testkit/pop3d"
	"github.com/muniment/muniment/internal/uid"
)

// rig is a whole archive with a Fetcher for it.
type rig struct {
	t      testing.TB
	env    *archivetest.Env
	tenant *catalog.Tenant
	actor  access.Actor
	f      *Fetcher
	gate   *gate
}

// gate stands before the archive and makes trouble where a test wants it.
type gate struct {
	Archive
	busy   atomic.Bool
	offers atomic.Int64
	// after, if set, is called with each answer of Ingest.
	after atomic.Pointer[func(error)]
}

func (g *gate) Ingest(ctx context.Context, sub archive.Submission) (archive.Receipt, error) {
	g.offers.Add(1)
	if g.busy.Load() {
		return archive.Receipt{}, archive.ErrBusy
	}
	r, err := g.Archive.Ingest(ctx, sub)
	if f := g.after.Load(); f != nil {
		(*f)(err)
	}
	return r, err
}

// quick are timings for servers that do not answer.
func quick() timings {
	return timings{look: 50 * time.Millisecond, progress: time.Hour, retry: time.Hour, backoff: 20 * time.Millisecond, longest: 100 * time.Millisecond,
		imap: imap.Timeouts{Connect: time.Second, Silence: 300 * time.Millisecond, Command: 2 * time.Second, Message: 2 * time.Second},
		idle: 300 * time.Millisecond, command: 2 * time.Second, transfer: 2 * time.Second, probe: time.Second}
}

func newRig(t testing.TB) *rig {
	t.Helper()
	env := archivetest.New(t, archivetest.Options{})
	tenant, _ := env.Tenant(t, "acme")
	r := &rig{t: t, env: env, tenant: tenant, actor: access.Actor{Tenant: tenant.ID, User: uid.New(time.Now()), Role: access.RoleTenantAdmin}}
	r.open(env)
	return r
}

func (r *rig) open(env *archivetest.Env) {
	dir, err := spool.Open(r.t.TempDir())
	if err != nil {
		r.t.Fatal(err)
	}
	r.env, r.gate = env, &gate{Archive: env}
	r.f, err = New(Config{Archive: r.gate, Spool: dir, Log: slog.New(slog.NewTextHandler(testLog{r.t}, nil))})
	if err != nil {
		r.t.Fatal(err)
	}
	r.f.timings = quick()
}

// testLog shows the log of a test that fails, and looks for passwords in it.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(pop3d.Password)) || bytes.Contains(p, []byte(imapd.Password)) {
		l.t.Errorf("the log holds a password: %s", p)
	}
	return len(p), nil
}

var _ io.Writer = testLog{}

// add makes a remote mailbox.
func (r *rig) add(name string, s remote.Settings, secret string) uid.ID {
	r.t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		r.t.Fatal(err)
	}
	src, err := r.env.As(r.actor).CreateSource(r.t.Context(), archive.SourceDraft{Kind: archive.KindMailbox, Name: name, Settings: b, Secret: []byte(secret)})
	if err != nil {
		r.t.Fatal(err)
	}
	return src.ID
}

// change gives a remote mailbox other settings.
func (r *rig) change(id uid.ID, s remote.Settings, secret []byte, disabled bool) {
	r.t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		r.t.Fatal(err)
	}
	d := archive.SourceDraft{Name: "changed", Settings: b, Secret: secret, Disabled: disabled}
	if err := r.env.As(r.actor).ChangeSource(r.t.Context(), id, d); err != nil {
		r.t.Fatal(err)
	}
}

// fetch fetches once.
func (r *rig) fetch(id uid.ID) remote.State {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	s, err := r.f.Fetch(ctx, r.tenant.ID, id)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// has reports whether a message is archived, byte for byte.
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

// messages is how many messages are archived.
func (r *rig) messages() int64 {
	r.t.Helper()
	f, err := r.env.Figures(r.t.Context(), r.tenant.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	return f.Messages
}

// accounts are the sums of a source.
func (r *rig) accounts(id uid.ID) map[catalog.Outcome]int64 {
	r.t.Helper()
	list, err := r.env.Catalog.Accounts(r.t.Context(), r.tenant.ID, "", "")
	if err != nil {
		r.t.Fatal(err)
	}
	out := map[catalog.Outcome]int64{}
	for _, a := range list {
		if a.Source == id {
			out[a.Outcome] += a.Count
		}
	}
	return out
}

// left are the items that stay on the server against our will.
func (r *rig) left(id uid.ID) []*catalog.SourceItem {
	r.t.Helper()
	list, err := r.env.SourceItems(r.t.Context(), r.tenant.ID, id, "")
	if err != nil {
		r.t.Fatal(err)
	}
	return list
}

// letter is a message that no other is equal to, with lines that begin with dots
// and bytes outside ASCII.
func letter(n int) []byte {
	random := rand.New(rand.NewPCG(uint64(n), 7))
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: writer@example.org\r\nTo: reader@example.net\r\nSubject: letter %d\r\nMessage-ID: <%d@example.org>\r\n\r\n.\r\n..dots\r\n", n, n)
	for range random.IntN(40) {
		fmt.Fprintf(&b, "%x gr\xfc\xdfe\r\n", random.Uint64())
	}
	return b.Bytes()
}

func imapSettings(s *imapd.Server) remote.Settings {
	return remote.Settings{Protocol: remote.IMAP, Host: s.Host, Port: s.Port, TLS: remote.NoTLS, User: s.User}
}

func popSettings(s *pop3d.Server) remote.Settings {
	host, port, _ := net.SplitHostPort(s.Addr)
	n, _ := strconv.Atoi(port)
	return remote.Settings{Protocol: remote.POP3, Host: host, Port: n, TLS: remote.NoTLS, User: pop3d.User}
}

// well requires a state without a problem.
func well(t testing.TB, s remote.State) {
	t.Helper()
	if s.Problem != nil {
		t.Errorf("problem: %+v", *s.Problem)
	}
}

// plain requires that a problem is told in plain words and without a password.
func plain(t testing.TB, p *remote.Problem) {
	t.Helper()
	if p.Code == remote.CodeInternal || p.Text == "" || p.Detail == "" {
		t.Errorf("not in plain words: %+v", *p)
	}
	if strings.Contains(p.Detail, imapd.Password) || strings.Contains(p.Detail, pop3d.Password) {
		t.Errorf("the problem holds the password: %s", p.Detail)
	}
}

// until waits for a condition.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for tick := time.NewTicker(5 * time.Millisecond); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
