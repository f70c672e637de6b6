package interop

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/corpustest"
	"github.com/muniment/muniment/internal/ingest/importer"
	"github.com/muniment/muniment/internal/ingest/mbox"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/testkit/need"
)

// everyBulk is the distance of the bulk's messages that the format tests use.
const everyBulk = 40

// letters returns real messages of all kinds: whatever the corpus has in the
// torture cases, and some of the bulk.
func letters(t *testing.T) [][]byte {
	t.Helper()
	dir := corpustest.Dir(t)
	seen := map[string]bool{}
	var all [][]byte
	for sub, every := range map[string]int{"cases/torture": 1, "cases/dsn": 1, "bulk": everyBulk} {
		n := 0
		err := filepath.WalkDir(filepath.Join(dir, sub), func(p string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || sub != "bulk" && filepath.Ext(p) != ".eml" {
				return err
			}
			if n++; n%every != 0 {
				return nil
			}
			b, err := os.ReadFile(p)
			if err == nil && len(b) > 0 && !seen[string(b)] {
				seen[string(b)] = true
				all = append(all, b)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 1000 {
		t.Fatalf("the corpus has only %d messages for this test", len(all))
	}
	return all
}

// without returns those that match none of the patterns.
func without(all [][]byte, patterns ...string) [][]byte {
	for _, p := range patterns {
		re := regexp.MustCompile(p)
		all = slices.DeleteFunc(slices.Clone(all), re.Match)
	}
	return all
}

// Messages of which an mbox file keeps less than everything, by its nature.
const (
	noLineEnd  = `[^\n]\z`     // the writer must add a line end
	quotedFrom = `(?m)^>From ` // mboxo does not quote what looks quoted
	looksBegun = `\AFrom `     // is taken for the separator by some writers
)

// An import in every format gives back every byte of every message.
func TestFormatsComeBack(t *testing.T) {
	t.Parallel()
	all := letters(t)
	whole := without(all, noLineEnd)
	tests := map[string]struct {
		variant mbox.Variant
		want    [][]byte
		write   func(t *testing.T, dir string, want [][]byte)
	}{
		"EML":                 {mbox.Auto, all, writeEML},
		"Maildir":             {mbox.Auto, all, writeMaildir},
		"mboxrd LF":           {mbox.Auto, whole, func(t *testing.T, dir string, w [][]byte) { writeMbox(t, dir, w, `(?m)^(>*From )`, "\n") }},
		"mboxrd CRLF":         {mbox.Auto, whole, func(t *testing.T, dir string, w [][]byte) { writeMbox(t, dir, w, `(?m)^(>*From )`, "\r\n") }},
		"mboxrd, said so":     {mbox.RD, whole, func(t *testing.T, dir string, w [][]byte) { writeMbox(t, dir, w, `(?m)^(>*From )`, "\n") }},
		"mboxo LF, said so":   {mbox.O, without(whole, quotedFrom), func(t *testing.T, dir string, w [][]byte) { writeMbox(t, dir, w, `(?m)^(From )`, "\n") }},
		"mboxo CRLF, said so": {mbox.O, without(whole, quotedFrom), func(t *testing.T, dir string, w [][]byte) { writeMbox(t, dir, w, `(?m)^(From )`, "\r\n") }},
		"Python":              {mbox.O, without(whole, quotedFrom, looksBegun), writePython},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			tt.write(t, dir, tt.want)
			e := archivetest.New(t, archivetest.Options{})
			tenant, source := e.Tenant(t, "acme")
			sp, err := spool.Open(filepath.Join(t.TempDir(), "spool"))
			if err != nil {
				t.Fatal(err)
			}
			rep, err := importer.Run(t.Context(), importer.Config{
				Archive: e, Spool: sp, Tenant: tenant.ID, Source: source.ID, Paths: []string{dir}, Variant: tt.variant,
			})
			if err != nil || rep.NotStored() != 0 || rep.Stored != int64(len(tt.want)) {
				t.Errorf("%v, %+v, want %d stored", err, rep, len(tt.want))
			}
			got := (&receiver{Env: e, tenant: tenant}).messages(t)
			compare(t, tt.want, got)
		})
	}
}

// compare requires that got are the same messages as want, in any order.
func compare(t *testing.T, want [][]byte, got []string) {
	t.Helper()
	missing := map[string]bool{}
	for _, w := range want {
		missing[string(w)] = true
	}
	var more []string
	for _, g := range got {
		if !missing[g] {
			more = append(more, g)
		}
		delete(missing, g)
	}
	if len(missing)+len(more) == 0 {
		return
	}
	t.Errorf("%d of %d messages did not come back, %d others did", len(missing), len(want), len(more))
	for m := range missing { // the one that is likely the same
		for _, g := range more {
			if len(m) > 200 && strings.HasPrefix(g, m[:100]) {
				t.Errorf("for example %s", cmp.Diff(m, g))
				return
			}
		}
		t.Errorf("for example %.300q", m)
		return
	}
}

func writeEML(t *testing.T, dir string, want [][]byte) {
	t.Helper()
	for i, m := range want {
		put(t, filepath.Join(dir, fmt.Sprint(i%10), fmt.Sprintf("%d.eml", i)), string(m))
	}
}

func writeMaildir(t *testing.T, dir string, want [][]byte) {
	t.Helper()
	for _, d := range []string{"cur", "new", "tmp", ".Sent/cur", ".Sent/new", ".Sent/tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for i, m := range want {
		sub := []string{"cur", "new", ".Sent/cur"}[i%3]
		put(t, filepath.Join(dir, sub, fmt.Sprintf("1700000000.%d.host:2,S", i)), string(m))
	}
}

// writeMbox writes an mbox file in which lines that match the pattern are
// quoted.
func writeMbox(t *testing.T, dir string, want [][]byte, pattern, eol string) {
	t.Helper()
	quote := regexp.MustCompile(pattern)
	var box bytes.Buffer
	for i, m := range want {
		box.WriteString("From sender" + fmt.Sprint(i) + "@example.org Mon Jan  2 15:04:05 2006" + eol)
		box.Write(quote.ReplaceAll(m, []byte(">$1")))
		box.WriteString(eol)
	}
	put(t, filepath.Join(dir, "box"), box.String())
}

func writePython(t *testing.T, dir string, want [][]byte) {
	t.Helper()
	python := need.Program(t, "python3")
	from := t.TempDir()
	for i, m := range want[:len(want)/2] {
		put(t, filepath.Join(from, fmt.Sprintf("%06d", i)), string(m))
	}
	run := func(from, box, md string) {
		if out, err := exec.Command(python, "testdata/boxes.py", from, box, md).CombinedOutput(); err != nil {
			t.Fatalf("python: %v\n%s", err, out)
		}
	}
	// One half is taken from the mbox, the other from the Maildir.
	run(from, filepath.Join(dir, "box"), filepath.Join(t.TempDir(), "unused"))
	other := t.TempDir()
	for i, m := range want[len(want)/2:] {
		put(t, filepath.Join(other, fmt.Sprintf("%06d", i)), string(m))
	}
	run(other, filepath.Join(t.TempDir(), "unused"), filepath.Join(dir, "md"))
}
