// Package maildir lists the messages of a Maildir: a directory with cur, new
// and tmp (https://cr.yp.to/proto/maildir.html). It reads and never writes,
// renames or flags anything, and it knows nothing of the archive.
//
// Sub-folders, be they Maildir++ (".Sent.2020") or plain directories, are
// Maildirs of their own; to find them is the caller's walk.
package maildir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// batch is how many directory entries are held in memory at once.
const batch = 1024

// Is reports whether dir has the sub-directories cur and new. Links to
// directories do not count.
func Is(dir string) bool {
	for _, sub := range []string{"cur", "new"} {
		if st, err := os.Lstat(filepath.Join(dir, sub)); err != nil || !st.IsDir() {
			return false
		}
	}
	return true
}

// Entry is one directory entry of cur, new or tmp.
type Entry struct {
	Sub   string      // "cur", "new" or "tmp"
	Name  string      // of the file in it
	Type  fs.FileMode // type bits; zero for a regular file
	Flags string      // letters after ":2,", such as "RS"
}

// Unfinished reports whether the entry is a delivery that is under way or was
// broken off: nobody has ever acknowledged it.
func (e Entry) Unfinished() bool { return e.Sub == "tmp" }

// Hidden reports whether the name begins with a dot: such files are not
// messages of the Maildir, but belong to other software.
func (e Entry) Hidden() bool { return strings.HasPrefix(e.Name, ".") }

// Each calls fn for every entry of cur, new and tmp, in no particular order,
// hidden ones included. An error of fn ends it. A missing tmp is no error. A
// directory that cannot be read is one, after the others were listed.
func Each(dir string, fn func(Entry) error) error {
	var failed error
	for _, sub := range []string{"cur", "new", "tmp"} {
		err := list(filepath.Join(dir, sub), func(d fs.DirEntry) error {
			name := d.Name()
			return fn(Entry{Sub: sub, Name: name, Type: d.Type(), Flags: Flags(name)})
		})
		var list *listError
		switch {
		case errors.As(err, &list):
			if sub != "tmp" || !errors.Is(err, fs.ErrNotExist) {
				failed = errors.Join(failed, err)
			}
		case err != nil:
			return err
		}
	}
	return failed
}

type listError struct{ err error }

func (e *listError) Error() string { return fmt.Sprintf("list maildir: %v", e.err) }
func (e *listError) Unwrap() error { return e.err }

func list(dir string, fn func(fs.DirEntry) error) error {
	f, err := os.Open(dir)
	if err != nil {
		return &listError{err}
	}
	defer f.Close()
	for {
		entries, err := f.ReadDir(batch)
		for _, d := range entries {
			if err := fn(d); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return &listError{err}
		}
	}
}

// Flags returns the flags in the name of a file: what follows ":2,". Other
// systems than Unix write "!2," or ";2,".
func Flags(name string) string {
	for _, mark := range []string{":2,", "!2,", ";2,"} {
		if i := strings.LastIndex(name, mark); i >= 0 {
			return name[i+len(mark):]
		}
	}
	return ""
}
