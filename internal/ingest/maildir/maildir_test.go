package maildir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func put(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, n := range names {
		p := filepath.Join(dir, n)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(n, "/") {
			if err := os.MkdirAll(p, 0o700); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(p, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestEach(t *testing.T) {
	t.Parallel()
	dir := put(t, "cur/1.a:2,RS", "cur/2.b", "cur/.hidden", "new/3.c", "tmp/4.d", "cur/sub/", "dovecot.index")
	var got []Entry
	if err := Each(dir, func(e Entry) error { got = append(got, e); return nil }); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(got, func(a, b Entry) int { return strings.Compare(a.Sub+a.Name, b.Sub+b.Name) })
	want := []Entry{
		{Sub: "cur", Name: ".hidden"}, {Sub: "cur", Name: "1.a:2,RS", Flags: "RS"}, {Sub: "cur", Name: "2.b"}, {Sub: "cur", Name: "sub", Type: fs.ModeDir},
		{Sub: "new", Name: "3.c"}, {Sub: "tmp", Name: "4.d"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if !got[5].Unfinished() || got[4].Unfinished() {
		t.Error("only what is in tmp is unfinished")
	}
	if !got[0].Hidden() || got[1].Hidden() {
		t.Error("only what begins with a dot is hidden")
	}
}

func TestEachStopsAtAnError(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	n := 0
	err := Each(put(t, "cur/1", "cur/2", "new/3"), func(Entry) error { n++; return stop })
	if err != stop || n != 1 {
		t.Errorf("%v after %d", err, n)
	}
}

func TestEachTellsWhatItCannotList(t *testing.T) {
	t.Parallel()
	n := 0
	err := Each(put(t, "new/3"), func(Entry) error { n++; return nil })
	if !errors.Is(err, fs.ErrNotExist) || n != 1 {
		t.Errorf("%v after %d", err, n)
	}
}

func TestIs(t *testing.T) {
	t.Parallel()
	for names, want := range map[string]bool{"cur/ new/": true, "cur/ new/ tmp/": true, "cur/ tmp/": false, "cur new/": false} {
		if got := Is(put(t, strings.Fields(names)...)); got != want {
			t.Errorf("%s: %v", names, got)
		}
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"1.a:2,": "", "1.a:2,FS": "FS", "1.a;2,S": "S", "1.a": "", "x:2,a:2,T": "T"} {
		if got := Flags(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func FuzzFlags(f *testing.F) {
	for _, s := range []string{"", ":2,", "1.a:2,FS", "1.a!2,S;2,T", ":2,:2,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if got := Flags(name); !strings.HasSuffix(name, got) || strings.Contains(got, ":2,") {
			t.Errorf("flags %q of %q", got, name)
		}
	})
}
