package message

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/muniment/muniment/internal/corpustest"
)

// TestCorpus parses real and broken mail: nothing panics, nothing takes long, all
// text is valid, all places are inside the file.
func TestCorpus(t *testing.T) {
	t.Parallel()
	dir := corpustest.Dir(t)
	for _, sub := range []struct {
		path  string
		every int
	}{{"cases/torture", 1}, {"cases/dsn", 1}, {"cases/journal", 1}, {"cases/mbox-pipermail", 1}, {"bulk", 10}} {
		n := 0
		err := filepath.WalkDir(filepath.Join(dir, sub.path), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			if n++; n%sub.every == 0 {
				checkFile(t, path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			t.Errorf("no files in %s", sub.path)
		}
	}
}

func checkFile(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	checkFacts(t, path, b)
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("%s took %v", path, d)
	}
}

func checkFacts(t *testing.T, name string, b []byte) {
	t.Helper()
	raw := bytes.NewReader(b)
	f := Parse(t.Context(), raw)
	for _, w := range f.Warnings {
		if len(w) > 14 && w[:14] == "parser failed:" {
			t.Errorf("%s: %s", name, w)
		}
	}
	text := []string{f.Subject, f.Text, f.MessageID}
	for _, p := range f.Parties {
		text = append(text, p.Name, p.Address)
	}
	for _, h := range f.Headers() {
		text = append(text, h.Name, h.Value)
	}
	for _, p := range f.Parts {
		text = append(text, p.Name, p.Type, p.Path, p.ContentID)
		if p.Offset < 0 || p.Length < 0 || p.Offset+p.Length > int64(len(b)) {
			t.Errorf("%s: part %s lies outside: %d+%d of %d", name, p.Path, p.Offset, p.Length, len(b))
		}
		if _, err := io.Copy(io.Discard, OpenPart(raw, p)); err != nil {
			t.Errorf("%s: part %s: %v", name, p.Path, err)
		}
	}
	for _, s := range text {
		if !utf8.ValidString(s) {
			t.Errorf("%s: invalid UTF-8 %q", name, s)
		}
	}
	if f.HTML {
		if v, err := SafeHTML(raw, f, HTMLOptions{}); err != nil && err != ErrNoHTML || !utf8.ValidString(v.HTML) {
			t.Errorf("%s: HTML: %v", name, err)
		}
	}
}

// sample reads every nth file below dir.
func sample(dir string, every int) (all [][]byte, err error) {
	n := 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if n++; n%every == 0 {
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			all = append(all, raw)
		}
		return nil
	})
	return all, err
}

func BenchmarkParse(b *testing.B) {
	all, err := sample(filepath.Join(corpustest.Dir(b), "bulk"), 20)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		Parse(b.Context(), bytes.NewReader(all[i%len(all)]))
	}
}
