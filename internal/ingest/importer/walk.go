package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/muniment/muniment/internal/ingest/maildir"
)

// listed is how many directory entries are held in memory at once.
const listed = 1024

// found is a file the walk came upon, or an item within it.
type found struct {
	path   string
	name   string // of the file, or in an archive: its kind may depend on it
	origin string // the path below the given one, with slashes, and the place in the file
	place  string // in the file, where origin does not tell: numbers of entries, "original"
	size   int64  // of the file, or of the message in an mbox
	// Size, time of change (nanoseconds) and inode of the file when it was found.
	fileSize, mtime int64
	inode           uint64
	// taken says that it is a message, however it looks: it was named on its
	// own as one, or a Maildir holds it.
	taken bool
}

// visitor is told what the walk finds. An error ends the walk.
type visitor interface {
	file(f found) error
	problem(p Problem) error
}

// walker goes through files and directories. Links are not followed, so there
// are no loops, nothing is taken twice, and nothing outside of the given paths
// is read: the owner of a Maildir must not choose what an importing
// administrator reads.
type walker struct {
	ctx    context.Context
	format Format
	name   string // of the only root, a file; empty: its own
	to     visitor
}

// roots walks the given paths. With several, the origins of what is in a
// directory begin with its path, for they must tell its files from another's.
func (w *walker) roots(paths []string) error {
	for _, p := range paths {
		rel := ""
		if len(paths) > 1 {
			rel = filepath.Clean(p)
		}
		if err := w.root(p, rel); err != nil {
			return err
		}
	}
	return nil
}

// root walks one of the given paths; it may be a link itself.
func (w *walker) root(p, rel string) error {
	real, err := filepath.EvalSymlinks(p)
	if err == nil {
		real, err = filepath.Abs(real) // the checkpoint knows files by their paths
	}
	var st fs.FileInfo
	if err == nil {
		st, err = os.Lstat(real)
	}
	if err != nil {
		return w.to.problem(unreadable(origin(filepath.Base(p)), err))
	}
	if st.IsDir() {
		return w.dir(real, rel)
	}
	if rel == "" {
		rel = filepath.Base(p)
	}
	if w.name != "" {
		rel = w.name
	}
	f := newFound(real, rel, st)
	if w.name != "" {
		f.name = w.name
	}
	f.taken = w.format == EML
	return w.regular(f, st)
}

func newFound(p, rel string, st fs.FileInfo) found {
	f := found{path: p, name: p, origin: origin(rel), size: st.Size(), fileSize: st.Size(), mtime: st.ModTime().UnixNano()}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		f.inode = sys.Ino
	}
	return f
}

// origin makes a path fit for a database: with slashes, and valid UTF-8.
func origin(rel string) string {
	rel = filepath.ToSlash(rel)
	if utf8.ValidString(rel) {
		return rel
	}
	var b strings.Builder
	for len(rel) > 0 {
		r, n := utf8.DecodeRuneInString(rel)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, rel[0])
		} else {
			b.WriteString(rel[:n])
		}
		rel = rel[n:]
	}
	return b.String()
}

// dir walks a directory; rel is its path below the root.
func (w *walker) dir(p, rel string) error {
	inMaildir := (w.format == Auto || w.format == Maildir) && maildir.Is(p)
	if inMaildir {
		if err := w.maildir(p, rel); err != nil {
			return err
		}
	}
	f, err := os.Open(p)
	if err != nil {
		return w.to.problem(unreadable(origin(rel), err))
	}
	defer f.Close()
	for {
		entries, err := f.ReadDir(listed)
		for _, e := range entries {
			if inMaildir && isMaildirPart(e.Name()) {
				continue
			}
			if err := w.entry(filepath.Join(p, e.Name()), path.Join(rel, e.Name()), e.Type()); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return w.to.problem(unreadable(origin(rel), err))
		}
	}
}

func isMaildirPart(name string) bool { return name == "cur" || name == "new" || name == "tmp" }

func (w *walker) entry(p, rel string, t fs.FileMode) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if t.IsDir() {
		return w.dir(p, rel)
	}
	st, err := os.Lstat(p)
	switch {
	case err != nil:
		return w.to.problem(unreadable(origin(rel), err))
	case st.IsDir(): // since it was listed
		return w.dir(p, rel)
	default:
		return w.regular(newFound(p, rel, st), st)
	}
}

// regular passes on a file if it is one, and if the format allows it here.
func (w *walker) regular(f found, st fs.FileInfo) error {
	switch {
	case st.Mode()&fs.ModeSymlink != 0:
		return w.to.problem(Problem{Origin: f.origin, Reason: Link, Detail: "symbolic link, not followed; import what it leads to by its own path"})
	case !st.Mode().IsRegular():
		return w.to.problem(Problem{Origin: f.origin, Reason: SpecialFile, Detail: st.Mode().Type().String()})
	case w.format == Maildir && !f.taken:
		return w.to.problem(Problem{Origin: f.origin, Reason: NotAMessage, Bytes: f.size, Detail: "not in cur or new of a Maildir"})
	default:
		return w.to.file(f)
	}
}

// maildir passes on the messages of the Maildir p.
func (w *walker) maildir(p, rel string) error {
	var stopped error
	err := maildir.Each(p, func(e maildir.Entry) error {
		stopped = w.maildirEntry(filepath.Join(p, e.Sub, e.Name), path.Join(rel, e.Sub, e.Name), e)
		return stopped
	})
	if err != nil && stopped == nil {
		return w.to.problem(unreadable(origin(rel), err))
	}
	return stopped
}

func (w *walker) maildirEntry(p, rel string, e maildir.Entry) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	st, err := os.Lstat(p)
	switch {
	case err != nil:
		return w.to.problem(unreadable(origin(rel), err))
	case st.IsDir(): // a Maildir has none there, but what is in it may be mail
		return w.dir(p, rel)
	case e.Unfinished():
		return w.to.problem(Problem{Origin: origin(rel), Reason: Unfinished, Bytes: st.Size(), Detail: "delivery not finished (tmp)"})
	}
	f := newFound(p, rel, st)
	f.taken = !e.Hidden()
	return w.regular(f, st)
}

func unreadable(origin string, err error) Problem {
	return Problem{Origin: origin, Reason: Unreadable, Detail: err.Error(), Failed: true}
}
