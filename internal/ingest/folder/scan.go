package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/muniment/muniment/internal/watch"
)

// Bounds of a look into a folder.
const (
	maxFiles = 10_000 // files that are kept in mind; the others wait for these
	maxDepth = 16     // directories below each other
)

// seen is a file as it was when it was looked at.
type seen struct {
	size, mtime int64
	inode       uint64
	since       time.Time // it has looked like that since then
}

func (s seen) same(o seen) bool { return s.size == o.size && s.mtime == o.mtime && s.inode == o.inode }

func seenOf(st fs.FileInfo) seen {
	s := seen{size: st.Size(), mtime: st.ModTime().UnixNano()}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		s.inode = sys.Ino
	}
	return s
}

// temporary reports whether a name is that of a file that a program has not finished
// or keeps for itself.
func temporary(name string) bool {
	lower := strings.ToLower(name)
	for _, end := range []string{".part", ".partial", ".filepart", ".crdownload", ".download", ".tmp", ".temp", ".swp", ".lock", "~"} {
		if strings.HasSuffix(lower, end) {
			return true
		}
	}
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~$") || lower == "thumbs.db" || lower == "desktop.ini"
}

// listing is what is in a folder.
type listing struct {
	files  map[string]seen // to be archived, by path
	odd    []string        // neither file nor directory, or too deep
	closed []error         // directories that cannot be read
}

// scan lists what is in a folder, in the order of the paths. It is no fs.WalkDir: that
// does not enter directories whose names are not UTF-8.
func scan(ctx context.Context, root *os.Root) (*listing, error) {
	l := &listing{files: map[string]seen{}}
	return l, l.walk(ctx, root, ".", 0)
}

// walk lists a directory that is depth below the folder. Only for the folder itself it
// is an error that it cannot be read.
func (l *listing) walk(ctx context.Context, root *os.Root, dir string, depth int) error {
	entries, err := readDir(root, dir)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case depth == 0 && err != nil:
		return err
	case err != nil && !errors.Is(err, fs.ErrNotExist): // else gone in the meantime
		l.closed = append(l.closed, fmt.Errorf("%s: %w", dir, err))
	}
	for _, e := range entries {
		p := path.Join(dir, e.Name())
		switch {
		case len(l.files) >= maxFiles:
			return nil
		case e.IsDir() && (p == watch.Done || p == watch.Failed || strings.HasPrefix(e.Name(), ".")):
		case e.IsDir() && depth >= maxDepth:
			l.odd = append(l.odd, p)
		case e.IsDir():
			if err := l.walk(ctx, root, p, depth+1); err != nil {
				return err
			}
		case temporary(e.Name()):
		case !e.Type().IsRegular():
			l.odd = append(l.odd, p)
		default:
			if st, err := e.Info(); err == nil { // else gone in the meantime
				l.files[p] = seenOf(st)
			}
		}
	}
	return nil
}

func readDir(root *os.Root, dir string) ([]fs.DirEntry, error) {
	f, err := root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}

// some joins the first of what may be many.
func some(list []string) error { return errors.New(strings.Join(list[:min(len(list), 5)], ", ")) }

// settled compares what is there with what was there, and returns the paths of the
// files that have not changed for the settling time.
func (s *source) settled(files map[string]seen) []string {
	now := s.w.Now()
	var ripe []string
	for p, f := range files {
		old, known := s.seen[p]
		if !known || !old.same(f) {
			f.since = now
			s.seen[p] = f
			continue
		}
		wait := s.settings.SettleTime()
		if f.size == 0 { // programs make a file first and fill it later
			wait *= time.Duration(s.w.timings.empty)
		}
		if now.Sub(old.since) >= wait {
			ripe = append(ripe, p)
		}
	}
	for p := range s.seen {
		if _, there := files[p]; !there {
			delete(s.seen, p)
			delete(s.done, p)
		}
	}
	slices.Sort(ripe)
	return ripe
}

// pass looks into the folder once and archives what has settled.
func (s *source) pass(ctx context.Context) {
	s.state.Problem = nil
	root, p := s.open()
	if p != nil {
		s.state.Problem, s.state.Waiting = p, 0
		return
	}
	defer root.Close()
	found, err := scan(ctx, root)
	if err != nil {
		s.state.Problem = problem(watch.CodeRead, "The folder cannot be read. Check the rights of the program on it, and the mount.", err)
		return
	}
	if len(found.odd) > 0 {
		s.state.Problem = problem(watch.CodeOdd, "There are links or other things that are no files, or directories that are nested too deep. They are left where they are: put the files themselves there.", some(found.odd))
	}
	if len(found.closed) > 0 {
		s.state.Problem = problem(watch.CodeRead, "A directory in the folder cannot be read. Check the rights of the program on it.", errors.Join(found.closed[:min(len(found.closed), 5)]...))
	}
	ripe := s.settled(found.files)
	s.state.Waiting = int64(len(found.files))
	for _, p := range ripe {
		if ctx.Err() != nil {
			return
		}
		moved, p := s.take(ctx, root, path.Clean(p))
		if moved {
			s.state.Waiting--
		}
		if p != nil {
			s.state.Problem = p
			if p.Code == watch.CodeArchive || p.Code == watch.CodeSettings {
				return // the next file fares no better
			}
		}
	}
}
