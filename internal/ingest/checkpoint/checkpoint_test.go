package checkpoint

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/uid"
)

func reopen(t *testing.T, name string, head Head, again bool) *File {
	t.Helper()
	c, err := Open(name, head, again)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(false) })
	return c
}

func add(t *testing.T, c *File, k Key) {
	t.Helper()
	if err := c.Add(k); err != nil {
		t.Fatal(err)
	}
}

func TestCheckpoint(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "state", "run.jsonl")
	head := HeadOf("test-1", uid.ID{1}, uid.ID{2})
	one, two := KeyOf([]byte("one")), KeyOf([]byte("two"))
	c := reopen(t, name, head, false)
	if add(t, c, one); c.Has(one) {
		t.Error("what this run has added counts as that of an earlier one")
	}
	for range 2 { // each crash leaves a line that is cut short
		c = reopen(t, name, head, false)
		if !c.Has(one) || c.Has(two) || len(c.done) != 1 {
			t.Fatalf("remembered: %v", c.done)
		}
		if _, err := c.file.WriteString(`{"k":"0123`); err != nil {
			t.Fatal(err)
		}
	}
	add(t, c, two)
	if c = reopen(t, name, head, false); !c.Has(one) {
		t.Errorf("remembered: %v", c.done)
	}
	if c = reopen(t, name, HeadOf("test-1", uid.ID{1}, uid.ID{3}), false); c.Has(one) {
		t.Error("remembered for another source")
	}
	c = reopen(t, name, head, false)
	add(t, c, one)
	if c = reopen(t, name, head, true); c.Has(one) {
		t.Error("remembered although all is to be done again")
	}
	if err := c.Close(true); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
}

// Whatever is in the file, it opens, and what follows is remembered.
func TestDamaged(t *testing.T) {
	t.Parallel()
	head := HeadOf("test-1", uid.ID{1}, uid.ID{2})
	good := `{"format":"test-1","tenant":"` + head.Tenant + `","source":"` + head.Source + `"}` + "\n"
	long := strings.Repeat("x", 1<<20)
	for what, content := range map[string]string{
		"empty": "", "a line end": "\n", "no JSON": "hello\nthere\n", "a long line": long, "a head and a long line": good + long,
		"a head that is cut off": good[:20], "lines of other kinds": good + "1\n[]\n{\"k\":\"zz\"}\n{\"k\":1}\n\n\x00\x00\n",
	} {
		name := filepath.Join(t.TempDir(), "run.jsonl")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		c := reopen(t, name, head, false)
		if len(c.done) != 0 {
			t.Errorf("%s: remembered %v", what, c.done)
		}
		one := KeyOf([]byte("one"))
		add(t, c, one)
		if c = reopen(t, name, head, false); !c.Has(one) {
			t.Errorf("%s: what followed is forgotten", what)
		}
	}
}

func TestNothingKept(t *testing.T) {
	t.Parallel()
	var c File
	add(t, &c, Key{1})
	if c.Has(Key{1}) || c.Close(true) != nil {
		t.Error("the zero value remembers")
	}
	if _, err := Open(string(bytes.Repeat([]byte("x"), 5000)), Head{}, false); err == nil {
		t.Error("a file that cannot be made opens")
	}
}
