package folder

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/watch"
)

// damagedMSG begins like a file of Outlook.
const damagedMSG = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1nothing more"

// Names that no program should give are no trouble for the folder, nor for the other
// files in it.
func TestOddNames(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	long := strings.Repeat("ö", 125)
	names := []string{
		"a\nb.txt", "a\tb.txt", "M\xfcller.txt", "M\xfcller.eml", "Gesch\xe4ft/a.txt", `C:\Scan\a.txt`, `\.txt`, "a\u202egnp.txt", " a .txt ",
		long + ".txt", strings.Repeat("x", 251) + ".eml", "\xff", "zz.txt",
	}
	want := []string{}
	for _, name := range names {
		text := "text of " + name
		if strings.HasSuffix(name, ".eml") {
			text = strings.Replace(letter, "Brief", strings.ToValidUTF8(name[:4], "?"), 1)
		}
		r.put(name, text)
		want = append(want, "done/"+name)
	}
	r.settle()
	r.problem("")
	got := r.tree()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("in the folder: %q, want %q (%+v)", got, want, r.s.state.Problem)
	}
	if n := len(r.find("")); n != len(names) {
		t.Errorf("%d of %d are archived", n, len(names))
	}
	// No room for a number in the name, nor for a text beside it.
	r.put(long+".txt", "another")
	r.put(strings.Repeat("b", 251)+".msg", damagedMSG)
	r.put(long+".msg", damagedMSG)
	r.put("failed/kaputt.msg.txt", "somebody's own")
	r.put("kaputt.msg", damagedMSG)
	r.settle()
	r.problem("")
	failed, err := os.ReadDir(filepath.Join(r.dir, watch.Failed))
	if err != nil || len(failed) != 7 || len(r.tree()) != len(names)+1+len(failed) {
		t.Errorf("%d in failed, %v: %q", len(failed), err, r.tree())
	}
	for _, e := range failed {
		_, err := os.Lstat(filepath.Join(r.dir, watch.Failed, reasonFile(e.Name())))
		if !strings.HasSuffix(e.Name(), ".txt") && err != nil {
			t.Error(err)
		}
	}
	if own, err := os.ReadFile(filepath.Join(r.dir, "failed/kaputt.msg.txt")); string(own) != "somebody's own" {
		t.Errorf("what was in failed is %q, %v", own, err)
	}
}

// What cannot be entered keeps nobody from the rest, and is told.
func TestDirectoriesLeftOut(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	deep := strings.Repeat("d/", maxDepth+1) + "x.txt"
	r.put(deep, "deep")
	r.put(deep[2:], "less deep")
	r.put("e.txt", "e")
	r.settle()
	r.problem(watch.CodeOdd)
	r.want(deep, "done/"+deep[2:], "done/e.txt")
	if !strings.Contains(r.s.state.Problem.Detail, "d/d/d") {
		t.Errorf("%+v", r.s.state.Problem)
	}
	if os.Getuid() == 0 {
		return // may enter every directory
	}
	r.put("closed/b.txt", "b")
	r.must(os.Chmod(filepath.Join(r.dir, "closed"), 0))
	r.put("f.txt", "f")
	r.settle()
	r.problem(watch.CodeRead)
	r.must(os.Chmod(filepath.Join(r.dir, "closed"), 0o700)) //nolint:gosec // a directory
	r.want("closed/b.txt", deep, "done/"+deep[2:], "done/e.txt", "done/f.txt")
}

// A file that takes the place of one that is being moved to done comes back: nobody has
// archived it.
func TestReplacedWhileMoved(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.put("a.txt", "first")
	r.s.pass(t.Context())
	root, p := r.s.open()
	if p != nil {
		t.Fatal(p)
	}
	defer root.Close()
	g, err := r.s.read(root, "a.txt")
	r.must(err)
	defer g.close(os.Remove)
	r.put("new", "second")
	r.must(os.Rename(filepath.Join(r.dir, "new"), filepath.Join(r.dir, "a.txt")))
	to, err := move(root, "a.txt", watch.Done)
	r.must(err)
	if moved, trouble := r.s.moved(root, g, to); moved || trouble != nil {
		t.Errorf("%v, %+v", moved, trouble)
	}
	r.want("a.txt")
}
