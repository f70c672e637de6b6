package mailbox

import (
	"context"
	"crypto/sha256"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/imap"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/dovecot"
)

// age gives the messages of a Maildir folder their dates, by the place at which they
// were put there: Dovecot takes INTERNALDATE from the file.
func age(t *testing.T, dir string, old func(n int) bool) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(filepath.Join(dir, "new"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		at := time.Now().AddDate(0, 0, -2)
		if old(n) {
			at = time.Now().AddDate(-3, 0, -n)
		}
		n++
		return os.Chtimes(path, at, at)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// contents are the messages below a directory.
func contents(t *testing.T, dir string) map[[32]byte]bool {
	t.Helper()
	out := map[[32]byte]bool{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		out[sha256.Sum256(b)] = true
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A real server, 2,000 messages in nested folders: what is older than 30 days is
// removed once it is archived, what is younger stays, byte for byte.
func TestHistoryDovecot(t *testing.T) {
	t.Parallel()
	s := dovecot.New(t, dovecot.Options{})
	folders := []string{"", "Archiv", "Archiv.M&APw-ller & S&APY-hne", "Archiv.M&APw-ller & S&APY-hne.2012", "Gesch&AOQ-ft.Ausgang"}
	for i, f := range folders {
		folders[i] = strings.ReplaceAll(f, " & ", " &- ")
	}
	const each = 400
	var old, young [][32]byte
	for i, f := range folders {
		var list [][]byte
		for n := range each {
			raw := letter(i*each + n)
			list = append(list, raw)
			if n%4 < 3 {
				old = append(old, sha256.Sum256(raw))
			} else {
				young = append(young, sha256.Sum256(raw))
			}
		}
		s.PutIn(t, f, list...)
		dir := s.Maildir()
		if f != "" {
			dir = filepath.Join(dir, "."+f)
		}
		age(t, dir, func(n int) bool { return n%4 < 3 })
	}
	r := newRig(t)
	r.f.timings.imap = imap.Timeouts{}
	host, port, _ := net.SplitHostPort(s.IMAP)
	no, _ := strconv.Atoi(port)
	id := r.add("Dovecot", remote.Settings{Protocol: remote.Auto, Host: host, Port: no, TLS: remote.NoTLS, User: dovecot.User}, dovecot.Password)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	dry, err := r.f.History(ctx, r.tenant.ID, id, remote.History{DryRun: true, RemoveOlderThan: pastDays}, nil)
	if sum := dry.Sum(); err != nil || sum.OnServer != 2000 || sum.Offered != 2000 || sum.Due != 1500 || !dry.Complete || r.messages() != 0 {
		t.Fatalf("dry run: %+v, %v", dry, err)
	}
	// Stopped in the middle, and started again.
	half, stop := context.WithCancel(ctx)
	_, _ = r.f.History(half, r.tenant.ID, id, remote.History{RemoveOlderThan: pastDays}, func(h remote.HistoryReport) {
		if h.Sum().Removed > 200 {
			stop()
		}
	})
	stop()
	rep, err := r.f.History(ctx, r.tenant.ID, id, remote.History{RemoveOlderThan: pastDays}, nil)
	if err != nil || !rep.Complete || rep.Problem != nil || len(rep.Disagreements) > 0 {
		t.Fatalf("%+v, %v", rep, err)
	}
	names := []string{}
	for _, f := range rep.Folders {
		names = append(names, f.Name)
		if f.Remaining != each/4 {
			t.Errorf("%+v", f)
		}
	}
	for _, f := range folders {
		if n := s.Count(t, f); n != each/4 {
			t.Errorf("%d messages are left in %q", n, f)
		}
	}
	if !slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, "Müller & Söhne") && strings.HasSuffix(n, "2012") }) {
		t.Errorf("folders %q", names)
	}
	known, err := r.env.Catalog.Known(ctx, r.tenant.ID, slices.Concat(old, young))
	if a := r.accounts(id); err != nil || len(known) != 2000 || r.messages() != 2000 || a[catalog.Stored] != 2000 || a[catalog.Duplicate] != 0 {
		t.Errorf("%d archived byte for byte, %d in all, accounts %v, %v", len(known), r.messages(), a, err)
	}
	there := contents(t, s.Maildir())
	for _, sum := range old {
		if there[sum] {
			t.Error("an old message is still there")
		}
	}
	for _, sum := range young {
		if !there[sum] {
			t.Error("a young message is gone")
		}
	}
}
