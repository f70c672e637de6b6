package importer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/muniment/muniment/internal/ingest/mbox"
)

// feeder makes items of what the walk finds. It runs in one goroutine.
type feeder struct{ *run }

func (f feeder) problem(p Problem) error {
	f.account.problem(p)
	return nil
}

// source is a file that is taken apart: one of the walk, or one that was unpacked.
type source struct {
	found
	raw    rawBytes
	depth  int     // layers of archives around it
	budget *budget // what it may unpack to
	given  bool    // raw has become an item's
	boxes  maildirs
	held   int // entries or items that were brought to an account
}

// top reports whether the file is one of the walk.
func (s *source) top() bool { return s.depth == 0 }

// file passes on a file, or the messages in it.
func (f feeder) file(file found) error {
	if f.cfg.Format == EML || file.taken || f.cfg.Format == Auto && alwaysMessage(file.name) {
		return f.whole(item{found: file})
	}
	in, err := openFile(file.path)
	if err != nil {
		f.meter.passed(file.size)
		return f.problem(unreadable(file.origin, err))
	}
	defer in.Close()
	head, err := readHead(in)
	if err != nil {
		f.meter.passed(file.size)
		return f.problem(unreadable(file.origin, err))
	}
	k := kindOf(head, file.size)
	if !f.cfg.Format.wants(k) {
		f.meter.passed(file.size)
		return f.problem(Problem{Origin: file.origin, Reason: NotAMessage, Bytes: file.size, Detail: "does not begin like what --format " + string(f.cfg.Format) + " asks for"})
	}
	if k == kindOther {
		return f.whole(item{found: file})
	}
	return f.takeApart(&source{found: file, raw: inFile{in, file.size}, budget: newBudget(file.size)}, k)
}

// whole passes on a file that is to be offered as it is.
func (f feeder) whole(it item) error {
	if f.checkpoint.Has(it.key()) {
		f.counted(it, doneBefore, it.size)
		f.meter.passed(it.size)
		return nil
	}
	return f.send(it)
}

// takeApart passes on the messages in a file of kind k.
func (f feeder) takeApart(s *source, k kind) error {
	switch k {
	case kindMbox:
		return f.mbox(s)
	case kindCompound:
		return f.compound(s)
	case kindTNEF:
		return f.tnef(s)
	case kindEMLX:
		return f.emlx(s)
	case kindPST:
		return f.watched(s, func() error { return f.pst(s) })
	}
	if !s.top() {
		return f.unpack(s, k)
	}
	err := f.watched(s, func() error { return f.unpack(s, k) })
	if errors.Is(err, errLimit) {
		return f.problem(Problem{Origin: s.origin, Reason: Limit, Bytes: s.size, Failed: true, Detail: errLimit.Error() + "; what came before is stored"})
	}
	return err
}

// watched calls read, which reads s in any order, while the meter sees how far it
// is.
func (f feeder) watched(s *source, read func() error) error {
	if !s.top() {
		return read()
	}
	m := &metered{rawBytes: s.raw, meter: &f.meter, left: s.size}
	s.raw = m
	defer func() { m.pass(m.left) }()
	return read()
}

// openFile opens a regular file and nothing else: no link, and nothing that has
// taken the file's place since the walk saw it, such as a pipe that would make
// the opening wait.
func openFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = &os.PathError{Op: "open", Path: path, Err: errors.New("is no longer a regular file")}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func readHead(r io.ReaderAt) ([]byte, error) {
	head := make([]byte, sniffed)
	n, err := r.ReadAt(head, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return head[:n], err
}

// mbox passes on the messages of an mbox file, one by one.
func (f feeder) mbox(s *source) error {
	passed := f.meter.passed
	if !s.top() {
		passed = func(int64) {}
	}
	r := mbox.NewReader(s.raw, s.size, f.cfg.Variant)
	for {
		from := r.Pos()
		m, err := r.Next()
		// Next skips what was not read of the last message.
		passed(r.Pos() - from)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, mbox.ErrNotMbox):
			passed(s.size - r.Pos())
			return f.problem(Problem{Origin: s.origin, Reason: NotAMessage, Bytes: s.size, Detail: err.Error()})
		case err != nil:
			passed(s.size - r.Pos())
			return f.problem(unreadable(s.origin, err))
		}
		from = r.Pos()
		err = f.mboxMessage(s.found, m, r)
		passed(r.Pos() - from)
		if err != nil {
			return err
		}
	}
}

// mboxMessage copies the present message of r, for r moves on. What goes wrong
// with reading, Next tells.
func (f feeder) mboxMessage(file found, m *mbox.Message, r *mbox.Reader) error {
	one := file
	one.origin = fmt.Sprintf("%s#%d@%d", file.origin, m.No, m.Offset)
	if f.checkpoint.Has(one.key()) {
		n, err := io.Copy(io.Discard, r)
		if err == nil {
			f.counted(item{found: one}, doneBefore, n)
		}
		return nil
	}
	_, fatal := f.fill(item{found: one}, func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	})
	return fatal
}
