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

// scan lists the files in a folder that are to be archived, in the order of their
// paths, and what is neither file nor directory.
func scan(ctx context.Context, root *os.Root) (files map[string]seen, odd []string, err error) {
	files = map[string]seen{}
	err = fs.WalkDir(root.FS(), ".", func(p string, e fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case p == "." && err != nil:
			return err
		case p == ".":
			return nil
		case err != nil && errors.Is(err, fs.ErrNotExist):
			return nil // gone in the meantime
		case err != nil:
			return fmt.Errorf("%s: %w", p, err)
		case e.IsDir() && (p == watch.Done || p == watch.Failed || strings.HasPrefix(e.Name(), ".") || strings.Count(p, "/") >= maxDepth):
			return fs.SkipDir
		case e.IsDir() || temporary(e.Name()):
			return nil
		case !e.Type().IsRegular():
			odd = append(odd, p)
			return nil
		}
		st, err := e.Info()
		if err != nil {
			return nil //nolint:nilerr // gone in the meantime
		}
		if files[p] = seenOf(st); len(files) >= maxFiles {
			return fs.SkipAll
		}
		return nil
	})
	return files, odd, err
}

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
	files, odd, err := scan(ctx, root)
	if err != nil {
		s.state.Problem = problem(watch.CodeRead, "The folder cannot be read. Check the rights of the program on it, and the mount.", err)
		return
	}
	if len(odd) > 0 {
		s.state.Problem = problem(watch.CodeOdd, "There are links or other things that are no files. They are left where they are: put the files themselves there.",
			errors.New(strings.Join(odd[:min(len(odd), 5)], ", ")))
	}
	ripe := s.settled(files)
	s.state.Waiting = int64(len(files))
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
