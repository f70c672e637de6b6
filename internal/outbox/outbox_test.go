package outbox

import (
	"encoding/json"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/pgtest"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/smtpd"
	"github.com/muniment/muniment/internal/uid"
)

const from = "archiv@firma.example"

// clock is the time that a test sets; archive and outbox share it.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

type rig struct {
	*archivetest.Env
	out    *Outbox
	server *smtpd.Server
	clock  *clock
}

// onBoth runs f on each database.
func onBoth(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); f(t, "") })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); f(t, pgtest.DSN(t)) })
}

func newRig(t *testing.T, dsn string, o smtpd.Options) *rig {
	t.Helper()
	c := &clock{at: time.Now().Truncate(time.Millisecond)}
	r := &rig{Env: archivetest.New(t, archivetest.Options{DSN: dsn, Now: c.now}), server: smtpd.New(t, o), clock: c}
	r.out = newOutbox(t, r.Archive, c.now)
	if err := r.SetSmarthost(t.Context(), draft(t, r.server)); err != nil {
		t.Fatal(err)
	}
	return r
}

func newOutbox(t *testing.T, a *archive.Archive, now func() time.Time) *Outbox {
	t.Helper()
	o, err := New(Config{Archive: a, Hello: "archive.example", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func draft(t *testing.T, s *smtpd.Server) archive.SmarthostDraft {
	t.Helper()
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return archive.SmarthostDraft{Secret: []byte(smtpd.Password),
		Smarthost: remote.Smarthost{Host: host, Port: n, TLS: remote.StartTLS, CA: s.CA(), User: smtpd.User, From: from}}
}

func (r *rig) queue(t *testing.T, key string, to ...string) uid.ID {
	t.Helper()
	id, err := r.out.Queue(t.Context(), Letter{Kind: "test", Key: key, To: to, Subject: "Grüße", Text: "Text\n"})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (r *rig) mail(t *testing.T, id uid.ID) *catalog.Outgoing {
	t.Helper()
	m, err := r.Catalog.Outgoing(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func problemOf(t *testing.T, m *catalog.Outgoing) string {
	t.Helper()
	var p remote.Problem
	if m.Problem != nil {
		if err := json.Unmarshal(m.Problem, &p); err != nil {
			t.Fatal(err)
		}
	}
	return p.Code
}

func TestGreylisted(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		r := newRig(t, dsn, smtpd.Options{Misbehave: []smtpd.Misbehaviour{smtpd.Greylists}})
		id := r.queue(t, "", "anna@example.com", "bernd@example.com", "anna@example.com")
		r.out.round(t.Context())
		m := r.mail(t, id)
		if m.State != catalog.OutgoingWaiting || m.Attempts != 1 || problemOf(t, m) != remote.CodeUnavailable || !m.NextAt.Equal(r.clock.now().UTC().Add(time.Minute)) {
			t.Errorf("after the first attempt: %+v %s", m, m.Problem)
		}
		r.out.round(t.Context()) // not due yet
		if n := r.server.Connections(); n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
		r.clock.forward(time.Minute)
		r.out.round(t.Context())
		m = r.mail(t, id)
		if m.State != catalog.OutgoingSent || m.Attempts != 2 || m.Problem != nil || m.EndedAt.IsZero() {
			t.Errorf("after the second attempt: %+v %s", m, m.Problem)
		}
		got := r.server.Mails()
		if len(got) != 1 || len(got[0].To) != 2 || got[0].From != from || !strings.Contains(got[0].Data, "Message-ID: <"+id.String()+"@firma.example>\r\n") {
			t.Errorf("the server has %+v", got)
		}
	})
}

// Each recipient is settled for itself, and nobody gets a mail twice.
func TestRecipientsApart(t *testing.T) {
	t.Parallel()
	r := newRig(t, "", smtpd.Options{Misbehave: []smtpd.Misbehaviour{smtpd.SomeRefused, smtpd.TooMany}})
	id := r.queue(t, "", "anna@example.com", "bernd@example.com", "x@example.com")
	for range 3 {
		r.out.round(t.Context())
		r.clock.forward(time.Hour)
	}
	m := r.mail(t, id)
	if m.State != catalog.OutgoingFailed || m.Recipients[0].State != catalog.OutgoingSent || m.Recipients[1].State != catalog.OutgoingSent ||
		m.Recipients[2].State != catalog.OutgoingFailed || !strings.Contains(m.Recipients[2].Answer, "no such person") || problemOf(t, m) != remote.CodeRecipient {
		t.Errorf("%+v %s", m, m.Problem)
	}
	got := r.server.Mails()
	if len(got) != 2 || got[0].To[0] != "anna@example.com" || got[1].To[0] != "bernd@example.com" || got[0].Data != got[1].Data {
		t.Errorf("the server has %+v", got)
	}
}

func TestPermanent(t *testing.T) {
	t.Parallel()
	for m, code := range map[smtpd.Misbehaviour]string{smtpd.SenderRefused: remote.CodeSender, smtpd.RcptRefused: remote.CodeRecipient,
		smtpd.EndRefused: remote.CodeContent, smtpd.EndTooLarge: remote.CodeSize} {
		r := newRig(t, "", smtpd.Options{Misbehave: []smtpd.Misbehaviour{m}})
		id := r.queue(t, "key", "anna@example.com")
		r.out.round(t.Context())
		if got := r.mail(t, id); got.State != catalog.OutgoingFailed || problemOf(t, got) != code || got.Attempts != 1 {
			t.Errorf("%s: %+v %s", m, got, got.Problem)
		}
		// The bytes are kept: it can be tried again when the cause is gone.
		r.server.Misbehave()
		if err := r.RetryMail(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		r.out.round(t.Context())
		if got := r.mail(t, id); got.State != catalog.OutgoingSent || len(r.server.Mails()) != 1 {
			t.Errorf("%s: after retry %+v", m, got)
		}
	}
}

// A wrong password is the operator's matter, not the end of the mail: it leaves
// when the settings are right.
func TestWrongSettings(t *testing.T) {
	t.Parallel()
	r := newRig(t, "", smtpd.Options{})
	wrong := draft(t, r.server)
	wrong.Secret = []byte("wrong")
	if err := r.SetSmarthost(t.Context(), wrong); err != nil {
		t.Fatal(err)
	}
	first := r.queue(t, "", "anna@example.com")
	r.clock.forward(time.Millisecond) // the older one goes first
	second := r.queue(t, "", "bernd@example.com")
	if wait := r.out.round(t.Context()); wait != r.out.timings.rest {
		t.Errorf("after a failed log-in the worker waits %v", wait)
	}
	if m := r.mail(t, first); m.State != catalog.OutgoingWaiting || problemOf(t, m) != remote.CodeAuth || strings.Contains(string(m.Problem), "wrong") {
		t.Errorf("%+v %s", m, m.Problem)
	}
	if m := r.mail(t, second); m.Attempts != 0 {
		t.Errorf("the second mail was tried in vain: %+v", m)
	}
	if err := r.SetSmarthost(t.Context(), draft(t, r.server)); err != nil {
		t.Fatal(err)
	}
	r.out.round(t.Context())
	if n := len(r.server.Mails()); n != 2 {
		t.Errorf("%d mails arrived, want 2", n)
	}
}

func TestKey(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		r := newRig(t, dsn, smtpd.Options{})
		first := r.queue(t, "report 2026-03", "anna@example.com")
		if again := r.queue(t, "report 2026-03", "anna@example.com"); again != first {
			t.Errorf("queued again: %s, want %s", again, first)
		}
		r.out.round(t.Context())
		if again := r.queue(t, "report 2026-03", "anna@example.com"); again != first {
			t.Errorf("queued after it was sent: %s, want %s", again, first)
		}
		r.out.round(t.Context())
		if n := len(r.server.Mails()); n != 1 {
			t.Errorf("%d mails arrived, want 1", n)
		}
		r.clock.forward(31 * 24 * time.Hour)
		if err := r.TidyMail(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Catalog.Outgoing(t.Context(), first); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("after 31 days: %v", err)
		}
	})
}

// What nobody takes is given up after about four days.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	r := newRig(t, "", smtpd.Options{Misbehave: []smtpd.Misbehaviour{smtpd.TurnsAway}})
	id := r.queue(t, "", "anna@example.com")
	begin := r.clock.now()
	for range 200 {
		r.out.round(t.Context())
		if r.mail(t, id).State != catalog.OutgoingWaiting {
			break
		}
		r.clock.forward(r.mail(t, id).NextAt.Sub(r.clock.now()))
	}
	m := r.mail(t, id)
	if took := r.clock.now().Sub(begin); m.State != catalog.OutgoingFailed || m.Attempts != attempts || took < 95*time.Hour || took > 97*time.Hour {
		t.Errorf("given up after %v: %+v", took, m)
	}
}

func TestNoSmarthost(t *testing.T) {
	t.Parallel()
	r := newRig(t, "", smtpd.Options{})
	id := r.queue(t, "", "anna@example.com")
	if err := r.RemoveSmarthost(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.out.Queue(t.Context(), Letter{To: []string{"anna@example.com"}}); !errors.Is(err, archive.ErrNoSmarthost) {
		t.Errorf("queue: %v", err)
	}
	r.out.round(t.Context())
	if m := r.mail(t, id); m.Attempts != 0 || m.State != catalog.OutgoingWaiting {
		t.Errorf("%+v", m)
	}
}

// A mail whose bytes are damaged is not sent, and does not stop the others.
func TestDamaged(t *testing.T) {
	t.Parallel()
	r := newRig(t, "", smtpd.Options{})
	bad, good := r.queue(t, "", "anna@example.com"), r.queue(t, "", "bernd@example.com")
	if err := r.Catalog.DropOutgoing(t.Context(), bad); err != nil {
		t.Fatal(err)
	}
	m := &catalog.Outgoing{ID: bad, Kind: "test", Sender: from, State: catalog.OutgoingWaiting, NextAt: r.clock.now(), CreatedAt: r.clock.now(),
		Recipients: []catalog.OutgoingRecipient{{Address: "anna@example.com", State: catalog.OutgoingWaiting}}}
	if err := r.Catalog.Enqueue(t.Context(), m, []byte("sealed by nobody")); err != nil {
		t.Fatal(err)
	}
	r.out.round(t.Context())
	if m := r.mail(t, bad); m.State != catalog.OutgoingFailed || problemOf(t, m) != remote.CodeInternal {
		t.Errorf("damaged: %+v %s", m, m.Problem)
	}
	if m := r.mail(t, good); m.State != catalog.OutgoingSent {
		t.Errorf("beside it: %+v %s", m, m.Problem)
	}
}
