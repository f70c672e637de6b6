package msg

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"unicode"

	"github.com/muniment/muniment/internal/mapi"
	"github.com/richardlehane/mscfb"
)

// chunk is how much of a stream is read at once: the library's work grows with
// the square of it.
const chunk = 16 << 10

// storage is a node of a compound file: a storage, or a stream.
type storage struct {
	name     string
	children map[string]*storage // of a storage
	order    []*storage          // the same, sorted
	open     func() io.Reader    // of a stream: its data from the first byte
	size     int64               // of a stream, bytes
	class    string              // of a storage: the class of the object in it
}

func (s *storage) stream() bool { return s.open != nil }

// source is the file. It remembers errors of reading, because the library does
// not tell them from damage.
type source struct {
	r    io.ReaderAt
	size int64
	err  error
}

// ReadAt implements io.ReaderAt. What is missing of the last sector is zero.
func (s *source) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= s.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), s.size-off))
	if k, err := s.r.ReadAt(p[:n], off); k < n {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		s.err = err
		return k, err
	}
	if n < len(p) && off+int64(len(p)) <= (s.size+maxSector-1)/maxSector*maxSector {
		clear(p[n:])
		n = len(p)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// cause returns the error of reading that is behind err, else err as damage.
func (s *source) cause(err error) error {
	if s.err != nil {
		return s.err
	}
	return fmt.Errorf("%w: %w", err, mapi.ErrDamaged)
}

// open reads the directory.
func open(src *source) (*storage, []string, error) {
	if err := guard(src); err != nil {
		if errors.Is(err, ErrNotMSG) {
			return nil, nil, err
		}
		return nil, nil, src.cause(err)
	}
	doc, err := mscfb.New(src)
	if err != nil {
		return nil, nil, src.cause(err)
	}
	root := &storage{children: map[string]*storage{}}
	places := map[string]*storage{"": root}
	var warnings []string
	if src.size%minSector != 0 {
		warnings = append(warnings, fmt.Sprintf("the file has %d bytes, no whole number of sectors: its end may be missing", src.size))
	}
	left := 4*src.size + 1<<20 // streams do not overlap, unless they are damaged
	for _, e := range doc.File[1:] {
		parent := places[strings.Join(e.Path, "/")]
		name := e.Name
		if e.Initial != 0 && !unicode.IsPrint(rune(e.Initial)) {
			name = string(rune(e.Initial)) + name // the library takes it away
		}
		if parent == nil || parent.children == nil || parent.children[name] != nil {
			warnings = append(warnings, fmt.Sprintf("entry %q of the directory has no place or is there twice", e.Name))
			continue
		}
		s := &storage{name: name}
		if e.FileInfo().IsDir() {
			s.children, s.class = map[string]*storage{}, e.ID()
			places[strings.Join(append(append([]string{}, e.Path...), e.Name), "/")] = s
		} else {
			s.size = min(e.Size, src.size)
			s.open = func() io.Reader { return src.stream(e) }
			if e.Size > src.size {
				warnings = append(warnings, fmt.Sprintf("stream %q has %d bytes, the file %d", e.Name, e.Size, src.size))
			}
			if left -= s.size; left < 0 {
				return nil, nil, fmt.Errorf("the streams are much larger than the file: %w", mapi.ErrDamaged)
			}
		}
		parent.children[name] = s
		parent.order = append(parent.order, s)
	}
	for _, s := range places {
		sort.Slice(s.order, func(i, j int) bool { return s.order[i].name < s.order[j].name })
	}
	return root, warnings, nil
}

// stream returns the data of a stream from their first byte.
func (s *source) stream(e *mscfb.File) io.Reader {
	entry := *e // has a place of its own
	return &streamReader{src: s, entry: &entry, left: min(e.Size, s.size)}
}

type streamReader struct {
	src   *source
	entry *mscfb.File
	left  int64
}

// Read implements io.Reader.
func (r *streamReader) Read(p []byte) (n int, err error) {
	defer func() {
		if x := recover(); x != nil {
			n, err = 0, fmt.Errorf("stream %q: %v: %w", r.entry.Name, x, mapi.ErrDamaged)
		}
	}()
	if r.left <= 0 {
		if r.entry.Size > r.src.size {
			return 0, fmt.Errorf("stream %q is cut off: %w", r.entry.Name, mapi.ErrDamaged)
		}
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err = r.entry.Read(p[:min(int64(len(p)), r.left, chunk)])
	r.left -= int64(n)
	if n > 0 && (err == nil || err == io.EOF) {
		return n, nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, r.src.cause(fmt.Errorf("stream %q: %w", r.entry.Name, err))
}

// bytes returns the data of a stream, as far as they can be read.
func (s *storage) bytes() ([]byte, error) {
	var b bytes.Buffer
	_, err := b.ReadFrom(s.open())
	return b.Bytes(), err
}
