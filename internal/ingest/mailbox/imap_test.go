package mailbox

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/imap"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/imapd"
)

// fill puts n letters into a folder and returns them by UID.
func fill(s *imapd.Server, folder string, first, n int) map[uint32][]byte {
	out := map[uint32][]byte{}
	for i := range n {
		raw := letter(first + i)
		out[s.Add(folder, raw)] = raw
	}
	return out
}

// safe requires that nothing was deleted that is not archived.
func safe(t *testing.T, r *rig, s *imapd.Server, sent map[uint32][]byte) {
	t.Helper()
	for _, u := range s.Deleted("INBOX") {
		if raw, ok := sent[u]; !ok || !r.has(raw) {
			t.Errorf("message %d was deleted and is not archived", u)
		}
	}
}

// Whatever a server does, nothing is lost, and when it behaves again everything is
// archived once and the mailbox is empty.
func TestIMAPMisbehaviour(t *testing.T) {
	t.Parallel()
	const n = 6
	start := []imapd.Misbehaviour{imapd.StartTLSRefused, imapd.StartTLSInjection, imapd.StartTLSSilent}
	for _, m := range imapd.All() {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := imapd.New(t, imapd.Options{Misbehave: []imapd.Misbehaviour{m}})
			sent := fill(s, "INBOX", 0, n)
			set := imapSettings(s)
			if slices.Contains(start, m) {
				set.TLS = remote.StartTLS
			}
			id := r.add("box", set, s.Password)
			for range 2 {
				st := r.fetch(id)
				safe(t, r, s, sent)
				if st.Problem != nil {
					plain(t, st.Problem)
				}
				done := len(s.UIDs("INBOX")) == 0
				if st.Problem == nil && !done && st.Left == 0 && m != imapd.ListIncomplete { // only the comparison of counts shows that
					t.Errorf("nothing is wrong, and %d messages are on the server: %+v", len(s.UIDs("INBOX")), st)
				}
				if done {
					break
				}
			}
			s.Behave()
			if set.TLS == remote.StartTLS {
				set.TLS = remote.NoTLS // its certificate is not the matter here
				r.change(id, set, nil, false)
			}
			st := r.fetch(id)
			well(t, st)
			safe(t, r, s, sent)
			gone := n - len(s.Deleted("INBOX")) // by others
			if m != imapd.ExpungeDuringFetch && gone != 0 || len(s.UIDs("INBOX")) != 0 {
				t.Errorf("%d deleted, %d left", len(s.Deleted("INBOX")), len(s.UIDs("INBOX")))
			}
			if got := r.messages(); got != int64(n-gone) || st.OnServer != 0 || st.Waiting != 0 || len(r.left(id)) != 0 {
				t.Errorf("%d of %d archived, %d left, state %+v", got, n-gone, len(r.left(id)), st)
			}
			if a := r.accounts(id); a[catalog.Stored] != int64(n-gone) {
				t.Errorf("accounts %v", a)
			}
		})
	}
}

// What the server lists and does not hand over is not said to be gone.
func TestWithheldMessagesAreToldRight(t *testing.T) {
	t.Parallel()
	for m, want := range map[imapd.Misbehaviour]string{
		imapd.PartialBody: "only a part of it came, of ", imapd.NilBody: "NIL came instead", imapd.BodyWithheld: errWithheld.Error(),
	} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := imapd.New(t, imapd.Options{Misbehave: []imapd.Misbehaviour{m}})
			fill(s, "INBOX", 0, 2)
			id := r.add("box", imapSettings(s), s.Password)
			st := r.fetch(id)
			if st.Problem == nil || st.Problem.Code != remote.CodeUnreadable || !strings.Contains(st.Problem.Detail, want) {
				t.Errorf("problem %+v, want %q in it", st.Problem, want)
			}
			left := r.left(id)
			if len(left) != 2 || len(s.UIDs("INBOX")) != 2 {
				t.Fatalf("%d listed, %d on the server, want 2", len(left), len(s.UIDs("INBOX")))
			}
			for _, i := range left {
				if !strings.Contains(i.Detail, want) || strings.Contains(i.Detail, "no longer") {
					t.Errorf("%s: %q, want %q in it", i.Item, i.Detail, want)
				}
			}
		})
	}
}

// The connection breaks after every so many bytes.
func TestIMAPIsCut(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{false, true} {
		r := newRig(t)
		s := imapd.New(t, imapd.Options{})
		sent := fill(s, "INBOX", 0, 60)
		set := imapSettings(s)
		set.Keep = keep
		id := r.add("box", set, s.Password)
		for n := int64(100); n < 20_000; n += 1300 {
			s.Cut(n)
			st := r.fetch(id)
			safe(t, r, s, sent)
			if st.Problem != nil {
				plain(t, st.Problem)
			}
		}
		s.Behave()
		s.Cut(-1)
		well(t, r.fetch(id))
		for u, raw := range sent {
			if !r.has(raw) {
				t.Errorf("message %d is not archived", u)
			}
		}
		want := 0
		if keep {
			want = len(sent)
		}
		if got := len(s.UIDs("INBOX")); got != want || r.accounts(id)[catalog.Stored] != int64(len(sent)) || r.accounts(id)[catalog.Duplicate] != 0 {
			t.Errorf("keep %v: %d on the server, accounts %v", keep, got, r.accounts(id))
		}
	}
}

func TestIMAPKeeps(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{})
	fill(s, "INBOX", 0, 1200)
	set := imapSettings(s)
	set.Keep = true
	id := r.add("box", set, s.Password)
	st := r.fetch(id)
	if well(t, st); st.Stored != 1200 || st.OnServer != 1200 || st.Waiting != 0 || st.Left != 0 {
		t.Errorf("%+v", st)
	}
	offered := r.gate.offers.Load()
	fill(s, "INBOX", 5000, 3)
	if st = r.fetch(id); st.Stored != 3 || r.gate.offers.Load() != offered+3 {
		t.Errorf("the second fetch offered %d: %+v", r.gate.offers.Load()-offered, st)
	}
	// Another UIDVALIDITY: everything is fetched again and known.
	s.SetUIDValidity("INBOX", 77)
	if st = r.fetch(id); st.Known != 1203 || st.Stored != 0 || r.messages() != 1203 {
		t.Errorf("after another UIDVALIDITY: %+v", st)
	}
	if len(s.Deleted("INBOX")) != 0 || slices.ContainsFunc(s.Commands(), func(c string) bool { return bytes.Contains([]byte(c), []byte("STORE")) }) {
		t.Error("a kept mailbox was changed")
	}
}

// Whoever is killed between the archive's answer and the deletion has nothing twice.
func TestRestartBetweenStoreAndDelete(t *testing.T) {
	t.Parallel()
	for _, pop := range []bool{false, true} {
		r := newRig(t)
		m := newMaildrop(t, pop, 40)
		id := r.add("box", m.set, m.password)
		m.breakDelete()
		st := r.fetch(id)
		if m.left() != 40 || st.Problem == nil || r.messages() != 40 {
			t.Fatalf("pop %v: %d left, %+v", pop, m.left(), st)
		}
		dir := r.env.Dir
		r.env.Close()
		r.open(archivetest.New(t, archivetest.Options{Dir: dir}))
		m.mend()
		if st = r.fetch(id); m.left() != 0 || st.Problem != nil {
			t.Errorf("pop %v: %d left after the restart, %+v", pop, m.left(), st)
		}
		if a := r.accounts(id); a[catalog.Stored] != 40 || a[catalog.Duplicate] != 0 || r.messages() != 40 {
			t.Errorf("pop %v: %v", pop, a)
		}
	}
}

func TestBusyArchive(t *testing.T) {
	t.Parallel()
	for _, pop := range []bool{false, true} {
		r := newRig(t)
		m := newMaildrop(t, pop, 20)
		id := r.add("box", m.set, m.password)
		r.gate.busy.Store(true)
		st := r.fetch(id)
		if st.Problem == nil || st.Problem.Code != remote.CodeArchive || m.left() != 20 || len(r.left(id)) != 0 {
			t.Errorf("pop %v: %d left, %+v", pop, m.left(), st)
		}
		r.gate.busy.Store(false)
		if st = r.fetch(id); st.Problem != nil || m.left() != 0 || r.messages() != 20 {
			t.Errorf("pop %v: %d left, %+v", pop, m.left(), st)
		}
	}
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	for _, pop := range []bool{false, true} {
		r := newRig(t)
		m := newMaildrop(t, pop, 5)
		m.add(append(letter(100), bytes.Repeat([]byte("x\r\n"), remote.MinLimit)...))
		m.set.MaxBytes = remote.MinLimit
		id := r.add("box", m.set, m.password)
		for range 2 { // it is counted once
			st := r.fetch(id)
			if well(t, st); st.Left != 1 || m.left() != 1 || st.Waiting != 0 || st.OnServer != 1 {
				t.Errorf("pop %v: %d left, %+v", pop, m.left(), st)
			}
		}
		if l := r.left(id); len(l) != 1 || l[0].Bytes < remote.MinLimit || l[0].Detail == "" || r.accounts(id)[catalog.Left] != 1 {
			t.Errorf("pop %v: %v, %v", pop, l, r.accounts(id))
		}
		m.set.MaxBytes = 8 << 20
		r.change(id, m.set, nil, false)
		if st := r.fetch(id); st.Left != 0 || m.left() != 0 || len(r.left(id)) != 0 || r.messages() != 6 {
			t.Errorf("pop %v: with a higher limit %d left, %+v", pop, m.left(), st)
		}
	}
}

func TestFolders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*remote.Settings)
		want   int64
	}{
		{"inbox", func(*remote.Settings) {}, 1},
		{"all", func(s *remote.Settings) { s.Folders = remote.All }, 1 + 2 + 4},
		{"all with drafts", func(s *remote.Settings) { s.Folders, s.Drafts = remote.All, true }, 1 + 2 + 4 + 8},
		{"all with spam", func(s *remote.Settings) { s.Folders, s.Spam = remote.All, true }, 1 + 2 + 4 + 16},
		{"all with trash", func(s *remote.Settings) { s.Folders, s.Trash = remote.All, true }, 1 + 2 + 4 + 32 + 64},
		{"list", func(s *remote.Settings) { s.Folders, s.Named = remote.List, []string{"Gelöschte Elemente", "inbox"} }, 1 + 32},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := imapd.New(t, imapd.Options{})
			s.AddFolder("Sent", `\Sent`)
			s.AddFolder("Vorlagen", `\Drafts`)
			for i, name := range []string{"INBOX", "Sent", "Projekte", "Vorlagen", "Junk", "Gelöschte Elemente", "Trash"} {
				fill(s, name, 1000*i, 1<<i)
			}
			set := imapSettings(s)
			c.change(&set)
			id := r.add("box", set, s.Password)
			st := r.fetch(id)
			if well(t, st); r.messages() != c.want || st.Stored != c.want {
				t.Errorf("%d archived, want %d: %+v", r.messages(), c.want, st)
			}
		})
	}
}

func TestFolderThatIsNotThere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{})
	fill(s, "INBOX", 0, 3)
	set := imapSettings(s)
	set.Folders, set.Named = remote.List, []string{"Nowhere", "INBOX"}
	st := r.fetch(r.add("box", set, s.Password))
	if st.Problem == nil || st.Problem.Code != remote.CodeFolder || st.Stored != 3 {
		t.Errorf("%+v", st)
	}
}

func TestKindOfFolder(t *testing.T) {
	t.Parallel()
	all := []imap.Folder{{Name: "INBOX"}, {Name: "Trash", Delimiter: "/"}, {Name: "Trash/2020", Delimiter: "/"}, {Name: "Spam", Use: `\Sent`},
		{Name: "a/Entwürfe", Delimiter: "/"}, {Name: "Wichtig", Use: `\Important`}, {Name: "Alle", Use: `\All`}, {Name: "x", NoSelect: true}}
	if got := wanted(remote.Settings{}, all); !slices.Equal(got, []string{"INBOX", "Spam", "Alle"}) {
		t.Errorf("%q", got)
	}
}

// Somebody else's mailbox under the same settings must not be taken for the one
// that was read before.
func TestAnotherAccount(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, b := imapd.New(t, imapd.Options{}), imapd.New(t, imapd.Options{User: "other"})
	fill(a, "INBOX", 0, 5)
	fill(b, "INBOX", 100, 5)
	set := imapSettings(a)
	set.Keep = true
	id := r.add("box", set, a.Password)
	well(t, r.fetch(id))
	set.Port, set.User = b.Port, b.User
	r.change(id, set, nil, false)
	if st := r.fetch(id); st.Stored != 5 || r.messages() != 10 {
		t.Errorf("%+v", st)
	}
}
