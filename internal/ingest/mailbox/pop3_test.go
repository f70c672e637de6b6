package mailbox

import (
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/imapd"
	"github.com/muniment/muniment/internal/testkit/pop3d"
)

// drop is a mailbox of one of the protocols.
type drop struct {
	set         remote.Settings
	password    string
	add         func([]byte)
	left        func() int
	breakDelete func()
	mend        func()
	cut         func(int64) // connections from now on; negative: no more
}

func newMaildrop(t *testing.T, pop bool, n int) *drop {
	d := &drop{}
	if pop {
		s := pop3d.New(t, pop3d.Options{})
		d.set, d.password = popSettings(s), pop3d.Password
		d.add = func(b []byte) { s.Add(b) }
		d.left = func() int { return len(s.Messages()) }
		d.breakDelete = func() { s.Misbehave(pop3d.RefusesDELE) }
		d.mend, d.cut = s.Behave, func(n int64) {
			if n >= 0 {
				s.Cut(n)
			}
		}
	} else {
		s := imapd.New(t, imapd.Options{})
		d.set, d.password = imapSettings(s), s.Password
		d.add = func(b []byte) { s.Add("INBOX", b) }
		d.left = func() int { return len(s.UIDs("INBOX")) }
		d.breakDelete = func() { s.Misbehave(imapd.ExpungeFails) }
		d.mend, d.cut = s.Behave, s.Cut
	}
	for i := range n {
		d.add(letter(i))
	}
	return d
}

// popSafe requires that nothing was deleted that is not archived.
func popSafe(t *testing.T, r *rig, s *pop3d.Server, sent map[string][]byte) {
	t.Helper()
	for _, u := range s.Deleted() {
		if !r.has(pop3d.Sent(sent[u])) {
			t.Errorf("message %s was deleted and is not archived", u)
		}
	}
}

func TestPOP3Misbehaviour(t *testing.T) {
	t.Parallel()
	const n = 6
	tls := []pop3d.Misbehaviour{pop3d.STLSRefused, pop3d.STLSInjection, pop3d.STLSGarbage, pop3d.WrongHost, pop3d.Expired, pop3d.UnknownAuthority}
	for _, m := range pop3d.Misbehaviours() {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := pop3d.New(t, pop3d.Options{Misbehave: []pop3d.Misbehaviour{m}})
			sent := map[string][]byte{}
			for i := range n {
				raw := letter(i)
				sent[s.Add(raw)] = raw
			}
			set := popSettings(s)
			set.MaxBytes = remote.MinLimit
			if slices.Contains(tls, m) {
				set.TLS = remote.StartTLS
			}
			id := r.add("box", set, pop3d.Password)
			for range 2 {
				st := r.fetch(id)
				popSafe(t, r, s, sent)
				if st.Problem != nil {
					plain(t, st.Problem)
				}
				done := len(s.Messages()) == 0
				if st.Problem == nil && !done && st.Left == 0 {
					t.Errorf("nothing is wrong, and %d messages are on the server: %+v", len(s.Messages()), st)
				}
				if done {
					break
				}
			}
			s.Behave()
			set.TLS, set.MaxBytes = remote.NoTLS, 2*remote.MinLimit
			r.change(id, set, nil, false)
			st := r.fetch(id)
			well(t, st)
			popSafe(t, r, s, sent)
			if len(s.Messages()) != 0 || len(r.left(id)) != 0 || st.OnServer != 0 || st.Waiting != 0 {
				t.Errorf("%d on the server, %d left, state %+v", len(s.Messages()), len(r.left(id)), st)
			}
			for u, raw := range sent {
				if !r.has(pop3d.Sent(raw)) {
					t.Errorf("message %s is not archived", u)
				}
			}
			// A server that does not double dots sends other bytes: both are kept.
			if got := r.messages(); got != n && m != pop3d.NeverStuffs {
				t.Errorf("%d of %d archived", got, n)
			}
		})
	}
}

func TestPOP3IsCut(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{false, true} {
		r := newRig(t)
		s := pop3d.New(t, pop3d.Options{})
		sent := map[string][]byte{}
		for i := range 60 {
			raw := letter(i)
			sent[s.Add(raw)] = raw
		}
		set := popSettings(s)
		set.Keep = keep
		id := r.add("box", set, pop3d.Password)
		for n := int64(50); n < 20_000; n += 1300 {
			s.Cut(n)
			s.Cut(n + 1000)
			st := r.fetch(id)
			popSafe(t, r, s, sent)
			if st.Problem != nil {
				plain(t, st.Problem)
			}
		}
		for range 5 { // until no connection is cut any more
			r.fetch(id)
		}
		well(t, r.fetch(id))
		want := 0
		if keep {
			want = len(sent)
		}
		if got := len(s.Messages()); got != want || r.accounts(id)[catalog.Stored] != int64(len(sent)) || r.messages() != int64(len(sent)) {
			t.Errorf("keep %v: %d on the server, accounts %v", keep, got, r.accounts(id))
		}
	}
}

func TestPOP3Keeps(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := pop3d.New(t, pop3d.Options{})
	for i := range 300 {
		s.Add(letter(i))
	}
	set := popSettings(s)
	set.Keep = true
	id := r.add("box", set, pop3d.Password)
	if st := r.fetch(id); st.Stored != 300 || st.OnServer != 300 || st.Left != 0 || st.Problem != nil {
		t.Errorf("%+v", st)
	}
	s.Add(letter(1000))
	if st := r.fetch(id); st.Stored != 1 || st.Known != 0 || len(s.Deleted()) != 0 || r.gate.offers.Load() != 301 {
		t.Errorf("%+v", st)
	}
	// Kept no longer: fetched once more, and only then deleted.
	set.Keep = false
	r.change(id, set, nil, false)
	if st := r.fetch(id); len(s.Messages()) != 0 || r.messages() != 301 || st.Problem != nil {
		t.Errorf("%d on the server, %+v", len(s.Messages()), st)
	}
}

// Messages of a server that does not double dots are archived and stay there.
func TestLoneDots(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := pop3d.New(t, pop3d.Options{Misbehave: []pop3d.Misbehaviour{pop3d.NeverStuffs}})
	raw := []byte("Subject: one\r\n\r\n.hidden\r\n")
	s.Add(raw)
	s.Add([]byte("Subject: two\r\n\r\nno dots\r\n"))
	id := r.add("box", popSettings(s), pop3d.Password)
	for range 2 {
		st := r.fetch(id)
		if len(s.Messages()) != 1 || r.messages() != 2 || !r.has(raw) || st.Problem == nil || st.Problem.Code != remote.CodeNotDeleted || st.Left != 1 {
			t.Errorf("%d on the server, %+v", len(s.Messages()), st)
		}
	}
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{User: "a b@x"})
	s.Add("Ä/b;c", letter(1))
	set := imapSettings(s)
	set.Folders, set.Named = remote.List, []string{"Ä/b;c"}
	well(t, r.fetch(r.add("box", set, s.Password)))
	if got, want := escape("Ä/b;c"), "%C3%84/b%3Bc"; got != want {
		t.Errorf("%s", got)
	}
	if !strings.HasPrefix(texts[remote.CodeAuth], "The server") {
		t.Error("no text")
	}
}

// Mail that is archived and still on the server is deleted although a session breaks:
// a fetch does not end without a word while it could have gone on.
func TestBrokenWhileDeletingAgain(t *testing.T) {
	t.Parallel()
	for name, pop := range map[string]bool{"IMAP": false, "POP3": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			d := newMaildrop(t, pop, 6)
			id := r.add("box", d.set, d.password)
			for n := int64(200); n < 2600; n += 200 {
				d.breakDelete()
				if st := r.fetch(id); st.Left != 6 || st.Problem == nil {
					t.Fatalf("%+v", st)
				}
				d.mend()
				d.cut(n)
				if st := r.fetch(id); d.left() != 0 && st.Problem == nil {
					t.Errorf("cut after %d bytes: %d on the server, %+v", n, d.left(), st)
				}
				d.cut(-1)
				if st := r.fetch(id); d.left() != 0 || st.Left != 0 || len(r.left(id)) != 0 || st.Problem != nil {
					t.Fatalf("%d on the server, %+v", d.left(), st)
				}
				for i := range 6 {
					d.add(letter(int(n) + i))
				}
			}
		})
	}
}
