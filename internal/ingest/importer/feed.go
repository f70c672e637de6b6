package importer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/muniment/muniment/internal/ingest/mbox"
	"github.com/muniment/muniment/internal/spool"
)

// feeder makes items of what the walk finds. It runs in one goroutine.
type feeder struct{ *run }

func (f feeder) problem(p Problem) error {
	f.account.problem(p)
	return nil
}

// file passes on a file, or the messages of an mbox.
func (f feeder) file(file found) error {
	single := f.cfg.Format == EML || file.taken || f.cfg.Format == Auto && alwaysMessage(file.path)
	if !single {
		is, err := f.startsMbox(file)
		switch {
		case err != nil:
			f.meter.passed(file.size)
			return f.problem(unreadable(file.origin, err))
		case is:
			return f.mbox(file)
		case f.cfg.Format == Mbox:
			f.meter.passed(file.size)
			return f.problem(Problem{Origin: file.origin, Reason: NotAMessage, Bytes: file.size, Detail: mbox.ErrNotMbox.Error()})
		}
	}
	if f.checkpoint.has(file) {
		f.account.item(doneBefore, file.size)
		f.meter.message()
		f.meter.passed(file.size)
		return nil
	}
	return f.send(item{found: file})
}

func (f feeder) startsMbox(file found) (bool, error) {
	in, err := openFile(file.path)
	if err != nil {
		return false, err
	}
	defer in.Close()
	head, err := readHead(in)
	return isMbox(head), err
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
func (f feeder) mbox(file found) error {
	in, err := openFile(file.path)
	if err != nil {
		f.meter.passed(file.size)
		return f.problem(unreadable(file.origin, err))
	}
	defer in.Close()
	r := mbox.NewReader(in, file.size, f.cfg.Variant)
	for {
		from := r.Pos()
		m, err := r.Next()
		// Next skips what was not read of the last message.
		f.meter.passed(r.Pos() - from)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, mbox.ErrNotMbox):
			f.meter.passed(file.size - r.Pos())
			return f.problem(Problem{Origin: file.origin, Reason: NotAMessage, Bytes: file.size, Detail: err.Error()})
		case err != nil:
			return f.problem(unreadable(file.origin, err))
		}
		from = r.Pos()
		err = f.mboxMessage(file, m, r)
		f.meter.passed(r.Pos() - from)
		if err != nil {
			return err
		}
	}
}

// mboxMessage copies the present message of r, for r moves on.
func (f feeder) mboxMessage(file found, m *mbox.Message, r *mbox.Reader) error {
	one := file
	one.origin = fmt.Sprintf("%s#%d@%d", file.origin, m.No, m.Offset)
	if f.checkpoint.has(one) {
		from := r.Pos()
		if _, err := io.Copy(io.Discard, r); err != nil {
			return nil //nolint:nilerr // Next tells
		}
		f.account.item(doneBefore, r.Pos()-from)
		f.meter.message()
		return nil
	}
	if f.cfg.DryRun {
		return f.countMessage(one, r)
	}
	const first = spool.MemoryPerBuffer
	if err := f.memory.Acquire(f.ctx, first); err != nil {
		return err
	}
	buf := f.cfg.Spool.NewBuffer(f.cfg.MaxMessage)
	return f.fill(item{found: one, raw: buf, weight: first}, buf, r)
}

// countMessage is for a dry run.
func (f feeder) countMessage(one found, r *mbox.Reader) error {
	n, err := io.Copy(io.Discard, r)
	switch {
	case err != nil:
		return nil //nolint:nilerr // Next tells
	case n == 0:
		return f.problem(Problem{Origin: one.origin, Reason: Empty})
	case n > f.cfg.MaxMessage:
		return f.tooLarge(one, n)
	default:
		f.account.item(stored, n)
		f.meter.message()
	}
	return nil
}

// fill copies the message into buf, which is the item's, and sends the item.
func (f feeder) fill(it item, buf *spool.Buffer, r *mbox.Reader) error {
	from := r.Pos()
	_, err := io.Copy(buf, r)
	it.size = buf.Size()
	switch {
	case errors.Is(err, spool.ErrLimit):
		n, err := io.Copy(io.Discard, r)
		f.release(it)
		if err != nil {
			return nil //nolint:nilerr // Next tells
		}
		return f.tooLarge(it.found, max(r.Pos()-from, n))
	case buf.Err() != nil:
		f.release(it)
		return fmt.Errorf("%s: %w", it.origin, buf.Err())
	case err != nil:
		f.release(it)
		return nil //nolint:nilerr // Next tells
	case it.size == 0:
		f.release(it)
		return f.problem(Problem{Origin: it.origin, Reason: Empty})
	}
	switch more := weigh(it.size) - it.weight; {
	case more > 0:
		if err := f.memory.Acquire(f.ctx, more); err != nil {
			f.release(it)
			return err
		}
		it.weight += more
	case more < 0:
		f.memory.Release(-more)
		it.weight += more
	}
	return f.send(it)
}

// tooLarge reports a message that is above the limit.
func (r *run) tooLarge(f found, size int64) error {
	r.account.problem(Problem{
		Origin: f.origin, Reason: TooLarge, Bytes: size, Failed: true,
		Detail: fmt.Sprintf("larger than %d bytes", r.cfg.MaxMessage),
	})
	if !r.cfg.DryRun {
		r.cfg.Archive.Refused(r.offers, r.cfg.Tenant, r.cfg.Source, size)
	}
	return nil
}
