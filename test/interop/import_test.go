package interop

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// letter is a small message that no other is equal to.
func letter(n int) string {
	return fmt.Sprintf("From: writer%d@example.org\nTo: reader@example.net\nSubject: letter %d\nMessage-ID: <%d@example.org>\n\nThis is letter %d.\nFrom here on it is short.\n", n%7, n, n, n)
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// quoted writes a message into an mboxrd file.
func quoted(m string) string {
	lines := strings.SplitAfter(m, "\n")
	for i, l := range lines {
		if strings.HasPrefix(strings.TrimLeft(l, ">"), "From ") {
			lines[i] = ">" + l
		}
	}
	return "From - Mon Jan  2 15:04:05 2006\n" + strings.Join(lines, "") + "\n"
}

type report struct {
	Stored, Duplicate, DoneBefore, Skipped, Failed int
	Finished                                       bool
	Problems                                       []struct{ Origin, Reason string }
}

func readReport(t *testing.T, name string) report {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestImportSaysWhatItDid(t *testing.T) {
	t.Parallel()
	i := install(t)
	dir := t.TempDir()
	put(t, filepath.Join(dir, "1.eml"), letter(1))
	put(t, filepath.Join(dir, "box"), quoted(letter(2))+quoted(letter(3)))
	put(t, filepath.Join(dir, "md/new/4"), letter(4))
	put(t, filepath.Join(dir, "md/cur/5:2,S"), letter(5))

	r := i.run("import", "acme", dir, "--dry-run")
	if r.code != 0 || !strings.HasPrefix(r.out, "dry run: 5 would be offered") {
		t.Errorf("dry run: exit %d, %q, %q", r.code, r.out, r.err)
	}
	r = i.run("import", "acme", dir, "--category", "old", "--tag", "a,b", "--tag", "c")
	if r.code != 0 || !strings.HasPrefix(r.out, "5 offered: 5 new, 0 already there") {
		t.Errorf("first import: exit %d, %q, %q", r.code, r.out, r.err)
	}
	r = i.run("import", "acme", dir)
	if r.code != 0 || !strings.HasPrefix(r.out, "5 offered: 0 new, 5 already there") {
		t.Errorf("second import: exit %d, %q, %q", r.code, r.out, r.err)
	}
	i.intact(5)

	put(t, filepath.Join(dir, "photo.jpg"), "\xff\xd8\xff\xe0\x00\x10JFIF\x00")
	put(t, filepath.Join(dir, "empty.eml"), "")
	if err := errors.Join(os.Symlink("1.eml", filepath.Join(dir, "link.eml")), syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600)); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "r.json")
	r = i.run("import", "acme", dir, "--report", out)
	for _, want := range []string{`"photo.jpg": not-a-message`, `"empty.eml": empty`, `"link.eml": link`, `"pipe": special-file`} {
		if !strings.Contains(r.err, "not stored: "+want) {
			t.Errorf("standard error lacks %s:\n%s", want, r.err)
		}
	}
	if rep := readReport(t, out); r.code != 3 || rep.Duplicate != 5 || len(rep.Problems) != 4 || rep.Skipped != 4 || !rep.Finished {
		t.Errorf("exit %d, report %+v", r.code, rep)
	}
}

func TestImportIsUsedWrongly(t *testing.T) {
	t.Parallel()
	i := install(t)
	for _, args := range [][]string{
		{}, {"acme"}, {"acme", "/does/not/exist"}, {"nobody", "."}, {"acme", ".", "--format", "dbx"}, {"acme", ".", "--mbox", "mmdf"},
		{"acme", ".", "--parallel", "0"}, {"acme", ".", "--source", ""},
	} {
		if r := i.run(append([]string{"import"}, args...)...); r.code != 2 || r.err == "" {
			t.Errorf("import %q: exit %d, %q", args, r.code, r.err)
		}
	}
}

// A file nobody may read is reported and does not stop the others.
func TestImportOfUnreadableFiles(t *testing.T) {
	t.Parallel()
	i := install(t)
	dir := t.TempDir()
	for n := range 3 {
		put(t, filepath.Join(dir, fmt.Sprintf("%d.eml", n)), letter(n))
	}
	put(t, filepath.Join(dir, "sub/3.eml"), letter(3))
	put(t, filepath.Join(dir, "box"), quoted(letter(4)))
	cmd := i.command(t.Context(), "import", "acme", dir)
	if os.Getuid() == 0 { // for whom everything is readable
		const nobody = 65534
		err := filepath.WalkDir(filepath.Dir(i.data), func(p string, _ os.DirEntry, err error) error {
			return errors.Join(err, os.Chown(p, nobody, nobody))
		})
		for d := dir; d != "/" && err == nil; d = filepath.Dir(d) {
			if st, serr := os.Stat(d); serr == nil && st.Mode().Perm()&0o005 != 0o005 {
				err = os.Chmod(d, 0o755)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	if err := errors.Join(os.Chmod(filepath.Join(dir, "1.eml"), 0), os.Chmod(filepath.Join(dir, "box"), 0), os.Chmod(filepath.Join(dir, "sub"), 0)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "sub"), 0o700) })
	r := finish(t, cmd)
	if r.code != 3 || !strings.HasPrefix(r.out, "2 offered: 2 new") ||
		!strings.Contains(r.err, `"1.eml": unreadable`) || !strings.Contains(r.err, `"box": unreadable`) || !strings.Contains(r.err, `"sub": unreadable`) {
		t.Errorf("exit %d, %q, %q", r.code, r.out, r.err)
	}
}

// interrupted starts an import of n letters, sends sig when some are taken, and
// returns how it ended. The same import again must bring the rest.
func interrupted(t *testing.T, sig syscall.Signal) ran {
	t.Helper()
	const n = 1500
	i := install(t)
	dir := t.TempDir()
	var box strings.Builder
	for k := range n {
		if k%2 == 0 {
			put(t, filepath.Join(dir, fmt.Sprintf("d%d/%d.eml", k%10, k)), letter(k))
		} else {
			box.WriteString(quoted(letter(k)))
		}
	}
	put(t, filepath.Join(dir, "box"), box.String())
	cmd := i.command(t.Context(), "import", "acme", dir, "--parallel", "4")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "some messages to be taken", func() bool {
		names, _ := filepath.Glob(filepath.Join(i.data, "import", "*.jsonl"))
		for _, name := range names {
			if st, err := os.Stat(name); err == nil && st.Size() > 4000 {
				return true
			}
		}
		return false
	})
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() //nolint:errcheck // its exit code is looked at
	rep := filepath.Join(t.TempDir(), "r.json")
	r := i.run("import", "acme", dir, "--report", rep)
	got := readReport(t, rep)
	if r.code != 0 || got.Stored+got.Duplicate+got.DoneBefore != n || got.DoneBefore == 0 || got.DoneBefore == n || !got.Finished {
		t.Errorf("exit %d, %+v", r.code, got)
	}
	t.Logf("%v: %d taken before, %d after", sig, got.DoneBefore, got.Stored)
	if sig == syscall.SIGKILL { // a segment may be half written, of what was not taken
		if r := i.run("fsck", "--repair"); r.code != 0 {
			t.Errorf("fsck --repair: exit %d, %s%s", r.code, r.out, r.err)
		}
	}
	i.intact(n)
	return ran{code: cmd.ProcessState.ExitCode(), out: out.String(), err: errs.String()}
}

func TestImportGoesOnAfterKill(t *testing.T) {
	t.Parallel()
	interrupted(t, syscall.SIGKILL)
}

func TestImportGoesOnAfterInterrupt(t *testing.T) {
	t.Parallel()
	r := interrupted(t, syscall.SIGINT)
	if r.code != 1 || !strings.Contains(r.err, "import interrupted; what is stored stays. To go on: ") || !strings.Contains(r.err, " import acme ") {
		t.Errorf("exit %d, %q", r.code, r.err)
	}
}
