package mailbox

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/imapd"
	"github.com/muniment/muniment/internal/testkit/pop3d"
	"github.com/muniment/muniment/internal/uid"
)

// run starts the Fetcher and returns what stops it.
func (r *rig) run() (stop func()) {
	ctx, cancel := context.WithCancel(r.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.f.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				r.t.Errorf("Run: %v", err)
			}
		case <-time.After(10 * time.Second):
			r.t.Error("Run does not end")
		}
	})
}

// state returns the stored state of a source.
func (r *rig) state(id uid.ID) remote.State {
	v, err := r.env.As(r.actor).Source(r.t.Context(), id)
	if err != nil {
		r.t.Error(err)
		return remote.State{}
	}
	return StateOf(v)
}

func TestRun(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	defer r.run()()
	s := imapd.New(t, imapd.Options{})
	fill(s, "INBOX", 0, 5)
	set := imapSettings(s)
	set.Interval = 3600
	id := r.add("box", set, "wrong") // while it runs
	until(t, "the refusal", func() bool { p := r.state(id).Problem; return p != nil && p.Code == remote.CodeAuth })
	r.change(id, set, []byte(s.Password), false)
	until(t, "the messages", func() bool { return r.messages() == 5 && len(s.UIDs("INBOX")) == 0 })
	until(t, "the state", func() bool {
		st := r.state(id)
		return st.Problem == nil && !st.Fetching && st.NextAt != nil && st.LastOKAt != nil && st.Stored == 5
	})

	// IDLE: new mail does not wait for the interval.
	start := time.Now()
	fill(s, "INBOX", 100, 1)
	until(t, "the new message", func() bool { return r.messages() == 6 })
	if d := time.Since(start); d > 5*time.Second { // a second on a machine that does nothing else
		t.Errorf("new mail took %v", d)
	}

	// Switched off, nothing is fetched; on again, it is.
	r.change(id, set, nil, true)
	n := s.Connections()
	until(t, "the worker to end", func() bool {
		fill(s, "INBOX", 200+n, 1)
		time.Sleep(4 * r.f.timings.look)
		return len(s.UIDs("INBOX")) > 0
	})
	r.change(id, set, nil, false)
	until(t, "the rest", func() bool { return len(s.UIDs("INBOX")) == 0 })
}

// Without IDLE the interval counts, and FetchNow does not wait for it.
func TestIntervalAndFetchNow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := pop3d.New(t, pop3d.Options{})
	set := popSettings(s)
	set.Interval = 10
	id := r.add("box", set, pop3d.Password)
	if err := r.f.FetchNow(r.tenant.ID, uid.New(time.Now())); !errors.Is(err, ErrNoSource) {
		t.Errorf("no source: %v", err)
	}
	defer r.run()()
	until(t, "the first fetch", func() bool { return r.state(id).NextAt != nil })
	s.Add(letter(1))
	next := *r.state(id).NextAt
	if d := time.Until(next); d < 8*time.Second || d > 10*time.Second {
		t.Errorf("the next fetch is in %v", d)
	}
	if err := r.f.FetchNow(r.tenant.ID, id); err != nil {
		t.Fatal(err)
	}
	until(t, "the message", func() bool { return r.messages() == 1 })
	if time.Now().After(next) {
		t.Error("FetchNow waited for the interval")
	}
}

// Accounts whose servers are silent do not hold up the others for long.
func TestSlowAccountsBlockNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	slow := imapd.New(t, imapd.Options{Misbehave: []imapd.Misbehaviour{imapd.Silent}})
	for i := range atATime - 1 {
		r.add("slow"+strings.Repeat("w", i), imapSettings(slow), slow.Password)
	}
	r.f.timings.imap.Silence = time.Minute
	s := pop3d.New(t, pop3d.Options{})
	s.Add(letter(1))
	r.add("fast", popSettings(s), pop3d.Password)
	defer r.run()()
	until(t, "the message of the fast one", func() bool { return r.messages() == 1 })
}

// Whatever Run does when it is stopped, the next one ends it.
func TestStopInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, pop := range []bool{false, true} {
		r := newRig(t)
		m := newMaildrop(t, pop, 300)
		id := r.add("box", m.set, m.password)
		stop := r.run()
		some := make(chan struct{})
		once := sync.OnceFunc(func() { close(some) })
		f := func(error) { once() }
		r.gate.after.Store(&f)
		<-some
		stop()
		if r.state(id).Fetching {
			t.Error("it is said to be fetching still")
		}
		st := r.fetch(id)
		if well(t, st); m.left() != 0 || r.messages() != 300 {
			t.Errorf("pop %v: %d left, %d archived, %v", pop, m.left(), r.messages(), r.accounts(id))
		}
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	f := &Fetcher{timings: usualTimings()}
	v := &archive.SourceView{Settings: []byte(`{"interval_seconds":90}`)}
	src := &source{}
	if d := f.pause(v, src, 0); d != 90*time.Second {
		t.Errorf("the interval is %v", d)
	}
	src.state.Problem = &remote.Problem{Code: remote.CodeConnect}
	last := time.Duration(0)
	for n := 1; n < 100; n++ {
		d := f.pause(v, src, n)
		if d < 3*time.Second || d > 19*time.Minute || n < 6 && d < last/2 {
			t.Errorf("after %d failures %v", n, d)
		}
		last = d
	}
	src.state.Problem.Code = remote.CodeAuth
	if d := f.pause(v, src, 1); d < 45*time.Second {
		t.Errorf("after a wrong password %v", d)
	}
}

// Journal reports are unwrapped unless the setting says no.
func TestJournalReports(t *testing.T) {
	t.Parallel()
	report := "From: exchange@example.net\r\nTo: journal@example.net\r\nSubject: x\r\nX-MS-Journal-Report:\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n" +
		"Sender: a@example.net\r\nSubject: inner\r\nMessage-Id: <i@example.net>\r\nRecipient: b@example.org\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" +
		"From: a@example.net\r\nTo: b@example.org\r\nSubject: inner\r\nMessage-ID: <i@example.net>\r\n\r\ntext\r\n\r\n--b--\r\n"
	for _, off := range []bool{false, true} {
		r := newRig(t)
		s := imapd.New(t, imapd.Options{})
		s.Add("INBOX", []byte(report))
		set := imapSettings(s)
		if off {
			set.JournalReports = new(false)
		}
		well(t, r.fetch(r.add("box", set, s.Password)))
		if got := r.has([]byte(report)); got != off || r.messages() != 1 {
			t.Errorf("off %v: the report itself is archived: %v", off, got)
		}
	}
}
