package folder

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/watch"
)

// errChanging says that a file is still being written.
var errChanging = errors.New("it is still being written")

// unfitError is why a file can never be archived.
type unfitError struct {
	reason  string
	counted bool // the archive has counted it already
}

func (e *unfitError) Error() string { return e.reason }

// given is a file with the copy of it that is archived.
type given struct {
	path string
	file *os.File // in the folder
	seen seen
	copy *os.File
	sum  [32]byte
}

func (g *given) close(work func(string) error) {
	g.file.Close()
	if g.copy != nil {
		g.copy.Close()
		work(g.copy.Name()) //nolint:errcheck // the next start removes it
	}
}

// take archives one file and moves it away. It reports whether the file has left the
// folder, and what people have to know.
func (s *source) take(ctx context.Context, root *os.Root, p string) (moved bool, trouble *watch.Problem) {
	select {
	case s.w.slots <- struct{}{}:
		defer func() { <-s.w.slots }()
	case <-ctx.Done():
		return false, nil
	}
	g, err := s.read(root, p)
	var unfit *unfitError
	switch {
	case errors.Is(err, errChanging), errors.Is(err, fs.ErrNotExist):
		delete(s.seen, p)
		return false, nil
	case errors.As(err, &unfit):
		s.refuse(ctx, root, p, unfit, &trouble)
		return trouble == nil, trouble
	case err != nil:
		return false, problem(watch.CodeRead, "A file cannot be read. Check the rights of the program on it.", fmt.Errorf("%s: %w", p, err))
	}
	defer g.close(os.Remove)
	if s.done[p].same(g.seen) && s.done[p] != (seen{}) {
		return s.finish(root, g)
	}
	stored, err := s.archive(ctx, g)
	switch {
	case ctx.Err() != nil:
		return false, nil
	case errors.As(err, &unfit):
		s.refuse(ctx, root, p, unfit, &trouble)
		return trouble == nil, trouble
	case errors.Is(err, archive.ErrInvalid):
		return false, problem(watch.CodeSettings, "The settings of this folder cannot be used. Correct them.", err)
	case err != nil:
		s.w.Log.Error("watched folder: not archived, tried again", "source", s.id, "error", err)
		return false, problem(watch.CodeArchive, "The archive cannot store at present. The files stay in the folder until it can.", err)
	}
	if stored {
		s.state.Stored++
	} else {
		s.state.Known++
	}
	s.done[p] = g.seen
	return s.finish(root, g)
}

// read copies a file that nobody writes.
func (s *source) read(root *os.Root, p string) (_ *given, err error) {
	before, err := root.Lstat(p)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, errChanging // it was one
	}
	f, err := root.OpenFile(p, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	g := &given{path: p, file: f, seen: seenOf(before)}
	defer func() {
		if err != nil {
			g.close(os.Remove)
		}
	}()
	now, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !os.SameFile(before, now) || !s.seen[p].same(seenOf(now)) {
		return nil, errChanging
	}
	// Not everybody locks what he writes, but some do. A share that knows no locks
	// answers with another error.
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errChanging
	}
	if g.seen.size == 0 {
		return nil, &unfitError{reason: "The file is empty."}
	}
	if g.seen.size > archive.MaxMessage {
		return nil, &unfitError{reason: fmt.Sprintf("The file has %d bytes; at most %d can be archived.", g.seen.size, archive.MaxMessage)}
	}
	if g.copy, err = os.CreateTemp(s.w.Work, copyPrefix+"*"); err != nil {
		return nil, err
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(g.copy, h), io.LimitReader(f, g.seen.size+1))
	if err != nil {
		return nil, err
	}
	copy(g.sum[:], h.Sum(nil))
	if n != g.seen.size || !g.unchanged(root) {
		return nil, errChanging
	}
	return g, nil
}

// unchanged reports whether the path still leads to the file that was copied, as it
// was.
func (g *given) unchanged(root *os.Root) bool {
	at, err := root.Lstat(g.path)
	if err != nil {
		return false
	}
	open, err := g.file.Stat()
	return err == nil && os.SameFile(at, open) && g.seen.same(seenOf(at))
}

// archive archives the copy of a file, and reads back what is stored. It reports
// whether it is new in the archive.
func (s *source) archive(ctx context.Context, g *given) (stored bool, err error) {
	if !s.settings.DocumentsOnly && isMail(g.path) {
		return s.mail(ctx, g)
	}
	name := archive.FileName(path.Base(g.path))
	r, err := s.w.Archive.Ingest(ctx, archive.Submission{Tenant: s.tenant, Source: s.id, Raw: io.NewSectionReader(g.copy, 0, g.seen.size), Origin: g.path,
		Document: &archive.Document{Name: name, Title: strings.TrimSuffix(name, path.Ext(name)), Owners: s.settings.Owners}})
	if err != nil {
		return false, err
	}
	if r.SHA256 != g.sum {
		return false, fmt.Errorf("%s: the archive has stored %x, the file is %x", g.path, r.SHA256, g.sum)
	}
	return !r.Duplicate, s.w.Archive.CheckStored(ctx, s.tenant, r.AOID, g.sum)
}

// finish compares the file once more with what was archived, and moves it to done.
func (s *source) finish(root *os.Root, g *given) (moved bool, trouble *watch.Problem) {
	h := sha256.New()
	_, err := io.Copy(h, io.NewSectionReader(g.file, 0, g.seen.size+1))
	if err != nil || [32]byte(h.Sum(nil)) != g.sum || !g.unchanged(root) {
		delete(s.seen, g.path) // another version: it is archived when it has settled
		delete(s.done, g.path)
		return false, nil
	}
	to, err := move(root, g.path, watch.Done)
	if err != nil {
		return false, problem(watch.CodeMove, "A file is archived, but cannot be moved to done. Check the rights of the program on the folder.", fmt.Errorf("%s: %w", g.path, err))
	}
	delete(s.seen, g.path)
	delete(s.done, g.path)
	return s.moved(root, g, to)
}

// moved looks whether what is in done now is what was archived. If it is not, it comes
// back: somebody has written into the file after all, or has put another one in its
// place.
func (s *source) moved(root *os.Root, g *given, to string) (bool, *watch.Problem) {
	at, err := root.Lstat(to)
	open, other := g.file.Stat()
	if err != nil || other != nil || g.seen.same(seenOf(open)) && (os.SameFile(at, open) || holds(root, to, g.sum)) {
		return true, nil
	}
	if ok, err := absent(root, g.path); ok && err == nil && root.Rename(to, g.path) == nil {
		return false, nil
	}
	return true, problem(watch.CodeMove, "A file was changed while it was moved to done. Put it into the folder again.", errors.New(to))
}

// holds reports whether a file has the bytes of a SHA-256. On some shares it is another
// file after it was moved.
func holds(root *os.Root, p string, sum [32]byte) bool {
	f, err := root.OpenFile(p, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, io.LimitReader(f, archive.MaxMessage+1))
	return err == nil && [32]byte(h.Sum(nil)) == sum
}

// refuse moves a file to failed.
func (s *source) refuse(ctx context.Context, root *os.Root, p string, why *unfitError, trouble **watch.Problem) {
	size := s.seen[p].size
	if err := fail(root, p, why.reason); err != nil {
		*trouble = problem(watch.CodeMove, "A file cannot be archived, nor moved to failed. Check the rights of the program on the folder.", fmt.Errorf("%s: %w: %w", p, why, err))
		return
	}
	if !why.counted {
		s.w.Archive.Refused(ctx, s.tenant, s.id, size)
	}
	s.state.Failed++
	delete(s.seen, p)
	delete(s.done, p)
}
