package mailbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/imapd"
	"github.com/muniment/muniment/internal/uid"
)

// pastDays is the age from which the histories here remove.
const pastDays = 30

// olden fills a folder with n letters, the first half of which is old.
func olden(s *imapd.Server, folder string, first, n int) map[uint32][]byte {
	sent := fill(s, folder, first, n)
	i := 0
	for _, u := range s.UIDs(folder) {
		at := time.Now().AddDate(0, 0, -1)
		if i++; i <= n/2 {
			at = time.Now().AddDate(0, 0, -pastDays-1)
		}
		s.Dated(folder, u, at)
	}
	return sent
}

// history runs one.
func (r *rig) history(id uid.ID, h remote.History) *remote.HistoryReport {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	rep, err := r.f.History(ctx, r.tenant.ID, id, h, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return rep
}

// figures are those of one folder of a report.
func figures(t testing.TB, r *remote.HistoryReport, name string) remote.HistoryFolder {
	t.Helper()
	for _, f := range r.Folders {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no folder %q in %+v", name, r)
	return remote.HistoryFolder{}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{})
	sent := olden(s, "INBOX", 0, 40)
	archived := olden(s, "Archiv/Müller & Söhne", 100, 20)
	s.Mark("Archiv/Müller & Söhne", 3, `\Seen`)
	s.Mark("Archiv/Müller & Söhne", 3, "$Wichtig")
	s.AddFolder("Papierkorb", `\Trash`)
	fill(s, "Papierkorb", 200, 3)
	id := r.add("box", imapSettings(s), s.Password)

	dry := r.history(id, remote.History{DryRun: true, RemoveOlderThan: pastDays})
	want := remote.HistoryFolder{OnServer: 60, Listed: 60, Offered: 60, Due: 30, Remaining: 60}
	sum := dry.Sum()
	if want.Bytes = sum.Bytes; sum.Bytes == 0 || fmt.Sprint(sum) != fmt.Sprint(want) || !dry.Complete || len(dry.Disagreements) > 0 || r.messages() != 0 {
		t.Errorf("dry run: %+v", dry)
	}
	if len(dry.LeftOut) != 1 || dry.LeftOut[0].Name != "Papierkorb" || dry.LeftOut[0].Why != "trash" {
		t.Errorf("left out: %+v", dry.LeftOut)
	}

	rep := r.history(id, remote.History{RemoveOlderThan: pastDays})
	want = remote.HistoryFolder{OnServer: 60, Bytes: sum.Bytes, Listed: 60, Offered: 60, Stored: 60, Due: 30, Intact: 30, Removed: 30, Remaining: 30}
	if fmt.Sprint(rep.Sum()) != fmt.Sprint(want) || !rep.Complete || rep.Problem != nil || len(rep.Disagreements) > 0 {
		t.Errorf("report: %+v", rep)
	}
	for u, raw := range sent {
		if !r.has(raw) || slices.Contains(s.Deleted("INBOX"), u) != (u <= 20) {
			t.Errorf("message %d: archived %v, deleted %v", u, r.has(raw), s.Deleted("INBOX"))
		}
	}
	if n := len(s.UIDs("Papierkorb")); n != 3 || len(s.Deleted("Papierkorb")) > 0 {
		t.Errorf("%d messages are in the trash", n)
	}
	r.filed(id, archived[3], "Archiv/Müller & Söhne", `\Seen $Wichtig`)

	again := r.history(id, remote.History{RemoveOlderThan: pastDays})
	want = remote.HistoryFolder{OnServer: 30, Bytes: again.Sum().Bytes, Listed: 30, Known: 30, Remaining: 30}
	if fmt.Sprint(again.Sum()) != fmt.Sprint(want) || !again.Complete {
		t.Errorf("a second run: %+v", again)
	}
	if a := r.accounts(id); a[catalog.Stored] != 60 || a[catalog.Duplicate]+a[catalog.Repeated] != 0 {
		t.Errorf("accounts %v", a)
	}
}

// filed requires that an arrival tells how it was filed, also after a rebuild of the
// catalog.
func (r *rig) filed(source uid.ID, raw []byte, folder, flags string) {
	r.t.Helper()
	for range 2 {
		n := 0
		err := r.env.Catalog.WalkSourceCaptures(r.t.Context(), r.tenant.ID, source, func(c *catalog.Capture, err error) error {
			m, merr := r.env.Catalog.Message(r.t.Context(), r.tenant.ID, c.AOID)
			if err != nil || merr != nil || m.Size != int64(len(raw)) || c.Filing == nil || c.Filing.Folder != folder {
				return errors.Join(err, merr)
			}
			if strings.Join(c.Filing.Flags, " ") == flags && c.Filing.Date != nil && time.Since(*c.Filing.Date) > pastDays*24*time.Hour {
				n++
			}
			return nil
		})
		if err != nil || n != 1 {
			r.t.Errorf("%d arrivals are filed as %s %s, %v", n, folder, flags, err)
		}
		if _, err := r.env.Rebuild(r.t.Context(), nil); err != nil {
			r.t.Fatal(err)
		}
	}
}

// Whatever a server does, nothing is removed that is not archived, and where its
// counts contradict each other nothing is removed at all.
func TestHistoryMisbehaviour(t *testing.T) {
	t.Parallel()
	const n = 12
	lies := []imapd.Misbehaviour{imapd.ExistsTooMany, imapd.ExistsTooFew, imapd.SearchIncomplete, imapd.ListIncomplete, imapd.FetchNothing}
	start := []imapd.Misbehaviour{imapd.StartTLSRefused, imapd.StartTLSInjection, imapd.StartTLSSilent}
	for _, m := range imapd.All() {
		if slices.Contains(start, m) {
			continue // of the connection, which TestIMAPMisbehaviour tries
		}
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := imapd.New(t, imapd.Options{Misbehave: []imapd.Misbehaviour{m}})
			sent := olden(s, "INBOX", 0, n)
			id := r.add("box", imapSettings(s), s.Password)
			rep := r.history(id, remote.History{RemoveOlderThan: pastDays})
			safe(t, r, s, sent)
			if rep.Problem != nil {
				plain(t, rep.Problem)
			}
			if slices.Contains(lies, m) && (len(rep.Disagreements) != 1 || len(s.Deleted("INBOX")) > 0 || rep.Complete) {
				t.Errorf("the counts do not agree, %d were deleted: %+v", len(s.Deleted("INBOX")), rep)
			}
			if rep.Complete && rep.Problem == nil && len(rep.Disagreements) == 0 && rep.Sum().Left == 0 && m != imapd.ExpungeDuringFetch && m != imapd.BadDates {
				if got := len(s.Deleted("INBOX")); got != n/2 || r.messages() != n {
					t.Errorf("nothing is wrong, but %d were deleted and %d archived: %+v", got, r.messages(), rep)
				}
			}
			s.Behave()
			rep = r.history(id, remote.History{RemoveOlderThan: pastDays})
			safe(t, r, s, sent)
			gone := 0 // by others
			if m == imapd.ExpungeDuringFetch {
				gone = n - len(s.UIDs("INBOX")) - len(s.Deleted("INBOX"))
			}
			if !rep.Complete || rep.Problem != nil || len(rep.Disagreements) > 0 || r.messages() != int64(n-gone) || gone == 0 && len(s.Deleted("INBOX")) != n/2 {
				t.Errorf("behaving again: %d archived, %d deleted, %+v", r.messages(), len(s.Deleted("INBOX")), rep)
			}
			if a := r.accounts(id); a[catalog.Stored] != int64(n-gone) || a[catalog.Duplicate] != 0 && m != imapd.NewUIDValidity {
				t.Errorf("accounts %v", a)
			}
		})
	}
}

// The connection breaks after every so many bytes: what is removed is archived, and
// in the end everything is archived once and what is old is removed.
func TestHistoryIsCut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{})
	sent := olden(s, "INBOX", 0, 60)
	id := r.add("box", imapSettings(s), s.Password)
	for n := int64(100); n < 20_000; n += 1300 {
		s.Cut(n)
		r.history(id, remote.History{RemoveOlderThan: pastDays})
		safe(t, r, s, sent)
	}
	s.Cut(-1)
	rep := r.history(id, remote.History{RemoveOlderThan: pastDays})
	if !rep.Complete || rep.Problem != nil || len(s.UIDs("INBOX")) != 30 || r.messages() != 60 || r.accounts(id)[catalog.Duplicate] != 0 {
		t.Errorf("%d on the server, %d archived, %+v", len(s.UIDs("INBOX")), r.messages(), rep)
	}
}

// Others are at work meanwhile: what they have marked stays marked, what they
// expunge is gone, what comes is for the next time. None of it is a disagreement.
func TestHistoryAmongOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{})
	sent := olden(s, "INBOX", 0, 20)
	s.Mark("INBOX", 19, `\Deleted`)
	id := r.add("box", imapSettings(s), s.Password)
	var n atomic.Int64
	after := func(error) {
		switch n.Add(1) {
		case 3:
			s.Remove("INBOX", 20)
			s.Add("INBOX", letter(777))
		case 15:
			s.Remove("INBOX", 1)
		}
	}
	r.gate.after.Store(&after)
	rep := r.history(id, remote.History{RemoveOlderThan: pastDays})
	safe(t, r, s, sent)
	f := figures(t, rep, "INBOX")
	if !rep.Complete || len(rep.Disagreements) > 0 || f.Gone < 1 || f.Removed != 9 || !slices.Contains(s.UIDs("INBOX"), 19) || !slices.Contains(s.UIDs("INBOX"), 21) {
		t.Errorf("%+v, on the server %v", rep, s.UIDs("INBOX"))
	}
}

func TestHistoryNeverExpungesAll(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{Without: []string{"UIDPLUS"}})
	olden(s, "INBOX", 0, 6)
	s.Mark("INBOX", 6, `\Deleted`)
	id := r.add("box", imapSettings(s), s.Password)
	rep := r.history(id, remote.History{RemoveOlderThan: pastDays})
	if len(s.Deleted("INBOX")) > 0 || r.messages() != 6 || rep.Problem == nil || rep.Problem.Code != remote.CodeNotDeleted || len(figures(t, rep, "INBOX").Reasons) != 1 {
		t.Errorf("%d deleted: %+v", len(s.Deleted("INBOX")), rep)
	}
	for _, m := range s.Mailbox("INBOX").Messages[:3] {
		if len(m.Flags) > 0 {
			t.Errorf("message %d is marked %v", m.UID, m.Flags)
		}
	}
}

// A new UIDVALIDITY in the middle begins the folder again.
func TestHistoryUIDValidity(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{})
	sent := olden(s, "INBOX", 0, 20)
	id := r.add("box", imapSettings(s), s.Password)
	var n atomic.Int64
	after := func(error) {
		if n.Add(1) == 12 {
			s.SetUIDValidity("INBOX", 77)
		}
	}
	r.gate.after.Store(&after)
	rep := r.history(id, remote.History{RemoveOlderThan: pastDays})
	safe(t, r, s, sent)
	if f := figures(t, rep, "INBOX"); !rep.Complete || rep.Problem != nil || f.Removed != 10 || r.messages() != 20 {
		t.Errorf("%d archived: %+v", r.messages(), rep)
	}
}

// The archive is killed at any moment of a history and opened again: nothing is
// lost, nothing is recorded twice.
func TestHistoryIsKilled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{})
	sent := olden(s, "INBOX", 0, 40)
	id := r.add("box", imapSettings(s), s.Password)
	for stop := int64(1); stop < 40; stop += 3 {
		ctx, cancel := context.WithCancel(t.Context())
		var n atomic.Int64
		after := func(error) {
			if n.Add(1) == stop {
				cancel()
			}
		}
		r.gate.after.Store(&after)
		_, err := r.f.History(ctx, r.tenant.ID, id, remote.History{RemoveOlderThan: pastDays}, func(h remote.HistoryReport) {
			if h.Sum().Removed > stop/2 {
				cancel()
			}
		})
		cancel()
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		r.env.Close()
		r.open(archivetest.New(t, archivetest.Options{Dir: r.env.Dir}))
		safe(t, r, s, sent)
	}
	rep := r.history(id, remote.History{RemoveOlderThan: pastDays})
	if !rep.Complete || len(s.UIDs("INBOX")) != 20 || r.messages() != 40 {
		t.Errorf("%d on the server, %d archived: %+v", len(s.UIDs("INBOX")), r.messages(), rep)
	}
	if a := r.accounts(id); a[catalog.Stored] != 40 || a[catalog.Duplicate] != 0 {
		t.Errorf("accounts %v", a)
	}
}

// What is too large stays, is named, and is no disagreement.
func TestHistoryLeaves(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{})
	olden(s, "INBOX", 0, 6)
	u := s.Add("INBOX", append(letter(50), make([]byte, remote.MinLimit)...))
	s.Dated("INBOX", u, time.Unix(0, 0))
	set := imapSettings(s)
	set.MaxBytes = remote.MinLimit
	id := r.add("box", set, s.Password)
	for range 2 {
		rep := r.history(id, remote.History{RemoveOlderThan: pastDays})
		f := figures(t, rep, "INBOX")
		if !rep.Complete || f.Left != 1 || len(f.Reasons) != 1 || !strings.Contains(f.Reasons[0].Why, "too large") || len(s.Deleted("INBOX")) != 3 {
			t.Errorf("%+v", rep)
		}
	}
	if a := r.accounts(id); a[catalog.Left] != 1 {
		t.Errorf("accounts %v", a)
	}
}

func TestHistoryInTheBackground(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{})
	olden(s, "INBOX", 0, 6)
	id := r.add("box", imapSettings(s), s.Password)
	r.change(id, imapSettings(s), nil, true) // a disabled one too
	if _, _, ok := r.f.HistoryOf(r.tenant.ID, id); ok {
		t.Error("there is a history before the first")
	}
	unlock, err := r.f.lock(t.Context(), sourceKey{r.tenant.ID, id})
	if err != nil {
		t.Fatal(err)
	}
	asked := remote.History{RemoveOlderThan: pastDays}
	if err := r.f.StartHistory(r.tenant.ID, id, asked); err != nil {
		t.Fatal(err)
	}
	if err := r.f.StartHistory(r.tenant.ID, id, asked); !errors.Is(err, remote.ErrHistoryRuns) {
		t.Errorf("a second one: %v", err)
	}
	r.f.CancelHistory(r.tenant.ID, id)
	ended := func() bool { _, running, _ := r.f.HistoryOf(r.tenant.ID, id); return !running }
	until(t, "the end of a cancelled history", ended)
	unlock()
	if err := r.f.StartHistory(r.tenant.ID, id, asked); err != nil {
		t.Fatal(err)
	}
	until(t, "the end of a history", ended)
	if rep, _, _ := r.f.HistoryOf(r.tenant.ID, id); !rep.Complete || rep.Sum().Removed != 3 || rep.EndedAt == nil {
		t.Errorf("%+v", rep)
	}
	r.f.EndHistories()
}
