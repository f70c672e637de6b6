package importer

import (
	"errors"
	"fmt"
	"io"

	"github.com/muniment/muniment/internal/spool"
)

// filler collects a message and goes on counting where it grows too large. In a
// dry run it has no buffer and only counts.
type filler struct {
	buf  *spool.Buffer
	n    int64
	over bool
	err  error // of the spool
}

// Write implements io.Writer.
func (w *filler) Write(p []byte) (int, error) {
	if w.buf != nil && !w.over {
		_, err := w.buf.Write(p)
		if w.over = errors.Is(err, spool.ErrLimit); err != nil && !w.over {
			w.err = err
			return 0, err
		}
	}
	w.n += int64(len(p))
	return len(p), nil
}

// fill collects the message that write gives, and passes it on. The first error
// is that of what write reads: then there is no message, and it is in no account.
// The second one ends the run.
func (f feeder) fill(it item, write func(io.Writer) error) (bad, fatal error) {
	w := &filler{}
	if !f.cfg.DryRun {
		const first = spool.MemoryPerBuffer
		if err := f.memory.Acquire(f.ctx, first); err != nil {
			return nil, err
		}
		w.buf = f.cfg.Spool.NewBuffer(f.cfg.MaxMessage)
		it.raw, it.weight = w.buf, first
	}
	bad = write(w)
	it.size = w.n
	if bad != nil {
		f.release(it)
	}
	switch {
	case w.err != nil:
		return nil, fmt.Errorf("%s: %w", it.origin, w.err)
	case f.ctx.Err() != nil && bad != nil:
		return nil, f.ctx.Err()
	case bad != nil:
		return bad, nil
	}
	return nil, f.ready(it)
}

// ready passes on a message whose bytes are all there.
func (f feeder) ready(it item) error {
	switch {
	case it.size == 0:
		f.release(it)
		return f.problem(Problem{Origin: it.origin, Reason: Empty})
	case it.size > f.cfg.MaxMessage:
		f.release(it)
		return f.tooLarge(it.found, it.size)
	case f.cfg.DryRun:
		f.release(it)
		f.counted(it, stored, it.size)
		return nil
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
