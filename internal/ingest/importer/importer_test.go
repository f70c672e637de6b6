package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/archive"
)

func TestMixedTree(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"a/one.eml": mail(1), "a/TWO.EML": "no header at all", "a/three": "Received: x\r\n\ty\r\nX-A: b\r\n\r\n.", "a/four.msg": "text", "a/six": "  \n From: a\nSubject: b\n",
		"a/five.mht": "\xef\xbb\xbf\r\nfrom: saved\n\nx", "six.txt": "Weird: yes\nAlso-Weird: yes\nDate: now\n\nx",
		"box":          mboxOf(mail(10), mail(11), mail(10), ""),
		"md/cur/1:2,S": "whatever a Maildir holds",
		"md/cur/dir/6": mail(23), "md/cur/.hidden": mail(24), "md/cur/.index": "\x00\x01",
		"md/cur/empty":  "",
		"md/new/2":      mail(20),
		"md/tmp/3":      mail(21),
		"md/subscr":     "INBOX.Sent\n",
		"md/.Sent/cur/": "", "md/.Sent/new/4": mail(22), "md/.Sent/tmp/": "",
		"readme.txt": "hello", "zero": "", "config.yaml": "name: x\nversion: 2\n", "out.doc": "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1x",
		"bad\xff.eml": mail(30),
	})
	links := map[string]string{"l-file.eml": "a/one.eml", "l-dir": "a", "l-self": "l-self", "l-up": "..", "l-broken.eml": "gone", "md/cur/link": "../../readme.txt"}
	for name, to := range links {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.eml"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := newFakeArchive()
	cfg := config(t, f, dir)
	cfg.Category, cfg.Tags = "old", []string{"x"}
	rep, err := Run(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	sepLen := len(mboxOf("")) - 1
	at := func(n int) string {
		return fmt.Sprintf("box#%d@%d", n+1, n*(sepLen+len(mail(10))+1))
	}
	want := map[string]string{
		"a/one.eml": mail(1), "a/TWO.EML": "no header at all", "a/three": "Received: x\r\n\ty\r\nX-A: b\r\n\r\n.", "a/four.msg": "text", "a/six": "  \n From: a\nSubject: b\n",
		"a/five.mht": "\xef\xbb\xbf\r\nfrom: saved\n\nx", "six.txt": "Weird: yes\nAlso-Weird: yes\nDate: now\n\nx",
		at(0): mail(10), at(1): mail(11), at(2): mail(10),
		"md/cur/1:2,S": "whatever a Maildir holds", "md/new/2": mail(20), "md/.Sent/new/4": mail(22),
		`bad\xff.eml`: mail(30), "md/cur/dir/6": mail(23), "md/cur/.hidden": mail(24),
	}
	if d := cmp.Diff(want, f.got()); d != "" {
		t.Errorf("archived: %s", d)
	}
	wantReasons := map[string]Reason{
		at(3): Empty, "md/cur/.index": NotAMessage, "md/cur/link": Link, "md/cur/empty": Empty, "md/tmp/3": Unfinished, "md/subscr": NotAMessage,
		"readme.txt": NotAMessage, "zero": Empty, "config.yaml": NotAMessage, "out.doc": NotAMessage,
		"l-file.eml": Link, "l-dir": Link, "l-self": Link, "l-up": Link, "l-broken.eml": Link, "pipe.eml": SpecialFile,
	}
	if d := cmp.Diff(wantReasons, reasons(rep)); d != "" {
		t.Errorf("not stored: %s", d)
	}
	if rep.Stored != 15 || rep.Duplicate != 1 || rep.Failed != 0 || rep.Skipped != 16 || !rep.Finished || !rep.Complete() {
		t.Errorf("report %+v", rep)
	}
	for _, s := range f.subs {
		if s.Tenant != cfg.Tenant || s.Source != cfg.Source || s.Category != "old" || len(s.Tags) != 1 || s.Origin == "" {
			t.Fatalf("submission %+v", s)
		}
	}

	// Again: nothing is stored, and that is said.
	again, err := Run(context.Background(), cfg)
	if err != nil || again.Stored != 0 || again.Duplicate != 16 || len(f.captures) != 16 {
		t.Errorf("second run: %+v, %v; %d captures", again, err, len(f.captures))
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"x.eml": mboxOf(mail(1)), "box": mboxOf(mail(2)), "note": "hi", "md/cur/1": mail(3), "md/new/": ""})
	tests := []struct {
		format Format
		want   []string
	}{
		{Auto, []string{"box#1@0", "md/cur/1", "x.eml"}},
		{EML, []string{"box", "md/cur/1", "x.eml"}},
		{Mbox, []string{"box#1@0", "x.eml#1@0"}},
		{Maildir, []string{"md/cur/1"}},
	}
	for _, tt := range tests {
		f := newFakeArchive()
		cfg := config(t, f, dir)
		cfg.Format = tt.format
		rep, err := Run(context.Background(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		got := f.got()
		for _, w := range tt.want {
			if _, ok := got[w]; !ok {
				t.Errorf("%s: %s is missing", tt.format, w)
			}
		}
		if len(got) != len(tt.want) || int(rep.Stored) != len(tt.want) || int(rep.Stored+rep.Skipped) != 4 {
			t.Errorf("%s: %d captures, report %+v", tt.format, len(got), rep)
		}
	}
	// A file named on its own is a message, if that is what is asked for.
	f := newFakeArchive()
	cfg := config(t, f, filepath.Join(dir, "note"))
	cfg.Format = EML
	if rep, err := Run(context.Background(), cfg); err != nil || rep.Stored != 1 || f.got()["note"] != "hi" {
		t.Errorf("named file: %+v, %v", rep, err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	for name, change := range map[string]func(*Config){
		"no path":      func(c *Config) { c.Paths = nil },
		"missing path": func(c *Config) { c.Paths = []string{"/does/not/exist"} },
		"format":       func(c *Config) { c.Format = "dbx" },
		"no archive":   func(c *Config) { c.Archive = nil },
		"no tenant":    func(c *Config) { c.Tenant = [16]byte{} },
	} {
		cfg := config(t, f, t.TempDir())
		change(&cfg)
		if rep, err := Run(context.Background(), cfg); err == nil || rep != nil {
			t.Errorf("%s: %v, %v", name, rep, err)
		}
	}
}

func TestOneBadItemDoesNotEndTheRun(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"1.eml": mail(1), "2.eml": mail(2), "3.eml": mail(3), "big.eml": strings.Repeat("x", 2000), "box": mboxOf(mail(4), "A: b\n\n"+strings.Repeat("y\n", 1000), mail(5))})
	f := newFakeArchive()
	f.before = func(_ context.Context, s archive.Submission) error {
		switch s.Origin {
		case "2.eml":
			return errors.New("cannot")
		case "3.eml":
			return fmt.Errorf("x: %w", archive.ErrTooLarge)
		}
		return nil
	}
	cfg := config(t, f, dir)
	cfg.MaxMessage = 1000
	rep, err := Run(context.Background(), cfg)
	if err != nil || rep.Stored != 3 || rep.Failed != 4 || rep.Complete() || !rep.Finished || f.refused != 3 {
		t.Errorf("%+v, %v, refused %d", rep, err, f.refused)
	}
	for origin, want := range map[string]Reason{"2.eml": NotTaken, "3.eml": TooLarge, "big.eml": TooLarge} {
		if got := reasons(rep)[origin]; got != want {
			t.Errorf("%s: %q, want %q", origin, got, want)
		}
	}
}

// A path that is longer than the system takes cannot be opened by anybody, not
// even by root (test/interop has files that others may not read).
func TestDirectoryThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"1.eml": mail(1)})
	at, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { at.Close() }()
	for range 20 {
		name := strings.Repeat("d", 250)
		if err := at.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
		next, err := at.OpenRoot(name)
		if err := errors.Join(err, at.Close()); err != nil {
			t.Fatal(err)
		}
		at = next
	}
	f := newFakeArchive()
	rep, err := Run(context.Background(), config(t, f, dir))
	if err != nil || rep.Stored != 1 || rep.Failed != 1 || rep.Complete() {
		t.Fatalf("%+v, %v", rep, err)
	}
	if p := rep.Problems[0]; p.Reason != Unreadable || !strings.Contains(p.Detail, "too long") {
		t.Errorf("problem %+v", p)
	}
}

func TestSeveralPathsKeepTheirFilesApart(t *testing.T) {
	t.Parallel()
	a, b := tree(t, map[string]string{"1.eml": mail(1)}), tree(t, map[string]string{"1.eml": mail(1)})
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(b, link); err != nil {
		t.Fatal(err)
	}
	f := newFakeArchive()
	if rep, err := Run(context.Background(), config(t, f, a, link)); err != nil || rep.Stored != 1 || rep.Duplicate != 1 {
		t.Errorf("%+v, %v", rep, err)
	}
	want := map[string]string{a + "/1.eml": mail(1), link + "/1.eml": mail(1)}
	if d := cmp.Diff(want, f.got()); d != "" {
		t.Error(d)
	}
}

func TestBytesInFlightAreBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range 12 {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%d.eml", i)))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Truncate(int64(i+1)*9<<20), f.Close()); err != nil { // holes: no disk is used
			t.Fatal(err)
		}
	}
	f := newFakeArchive()
	var waiting atomic.Int64
	f.before = func(context.Context, archive.Submission) error {
		waiting.Add(1)
		defer waiting.Add(-1)
		for range 100 {
			if waiting.Load() > 3 {
				break
			}
			time.Sleep(100 * time.Microsecond) // gives others the chance to be too many
		}
		return errors.New("enough")
	}
	cfg := config(t, f, dir)
	cfg.Workers = 12
	if _, err := Run(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	if most := int64(bytesInFlight + 108<<20); f.top > most { // the largest alone is above the bound
		t.Errorf("%d bytes were offered at once", f.top)
	}
}

func FuzzKind(f *testing.F) {
	for _, s := range []string{"", "From ", "From: a\n", "\xef\xbb\xbf\r\n>From x\nReceived: y\n\tz\n\n", "a: b\n c\nd", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ":\n", " \n"} {
		f.Add("x", []byte(s))
		f.Add("x.msg", []byte(s))
	}
	f.Fuzz(func(t *testing.T, name string, head []byte) {
		why := notMessage(name, head)
		if why == "" && !looksLikeHeader(head) && !alwaysMessage(name) && !strings.EqualFold(filepath.Ext(name), ".msg") {
			t.Errorf("%q is taken for a message", head)
		}
		if isMbox(head) && !bytes.Contains(head, []byte("From ")) {
			t.Errorf("%q is taken for an mbox", head)
		}
	})
}
