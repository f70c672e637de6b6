package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
)

// rawBytes are the bytes of a message that must be given back.
type rawBytes interface {
	archive.Raw
	io.Closer
}

// inBytes are bytes in memory as rawBytes.
type inBytes struct{ *bytes.Reader }

func (inBytes) Close() error { return nil }

// inFile is an open file of a size that was found out before.
type inFile struct {
	*os.File
	size int64
}

func (f inFile) Size() int64 { return f.size }

// take brings an item to its account.
func (r *run) take(it item) {
	raw := it.raw
	if raw == nil {
		var problem *Problem
		raw, problem = r.read(it.found)
		r.meter.passed(it.size)
		if problem != nil {
			if problem.Reason == TooLarge {
				_ = r.tooLarge(it.found, problem.Bytes)
			} else {
				r.account.problem(*problem)
			}
			return
		}
		defer raw.Close()
	}
	out, err := r.offer(it, raw)
	switch {
	case err == nil:
		r.counted(it, out, raw.Size())
		it.made.end(out)
		if out == excluded { // the rule may be another one when the import goes on
			return
		}
		if err := r.checkpoint.Add(it.key()); err != nil {
			// It only costs a second offer of the item after a crash.
			r.cfg.Log.Warn("import: checkpoint", "error", err)
		}
	case r.ctx.Err() != nil: // stopped: the item is in no account, the next run has it again
	case errors.Is(err, archive.ErrTooLarge):
		_ = r.tooLarge(it.found, raw.Size())
	default:
		r.account.problem(Problem{Origin: it.origin, Reason: NotTaken, Bytes: raw.Size(), Detail: err.Error(), Failed: true})
	}
}

// counted brings a message that is in the archive to its account.
func (r *run) counted(it item, o outcome, bytes int64) {
	r.account.item(o, bytes, it.tag == TagOriginal)
	r.meter.message()
}

// read opens a file and judges whether it is a message.
func (r *run) read(f found) (rawBytes, *Problem) {
	failed := func(err error) (rawBytes, *Problem) {
		p := unreadable(f.origin, err)
		return nil, &p
	}
	in, err := openFile(f.path)
	if err != nil {
		return failed(err)
	}
	keep := false
	defer func() {
		if !keep {
			in.Close()
		}
	}()
	st, err := in.Stat()
	if err != nil {
		return failed(err)
	}
	head, err := readHead(in)
	if err != nil {
		return failed(err)
	}
	size := st.Size()
	if size == 0 {
		return nil, &Problem{Origin: f.origin, Reason: Empty}
	}
	if what := foreign(f.name, head); what != "" && !f.taken && !alwaysMessage(f.name) {
		p := unread(f, what)
		return nil, &p
	}
	if why := notMessage(f.name, head); why != "" && !f.taken {
		return nil, &Problem{Origin: f.origin, Reason: NotAMessage, Bytes: size, Detail: why}
	}
	if size > r.cfg.MaxMessage {
		return nil, &Problem{Origin: f.origin, Reason: TooLarge, Bytes: size}
	}
	if size > inMemory {
		keep = true
		return inFile{in, size}, nil
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(in, 0, size), b); err != nil {
		return failed(fmt.Errorf("changed while being read: %w", err))
	}
	return inBytes{bytes.NewReader(b)}, nil
}

// outcomeOf says in which account of the report a message ends.
func outcomeOf(r archive.Receipt) outcome {
	switch {
	case r.Duplicate:
		return duplicate
	case r.Outcome == catalog.Quarantined:
		return quarantined
	case r.Outcome == catalog.Excluded:
		return excluded
	}
	return stored
}

// offer gives the message to the archive, again and again while that is busy.
func (r *run) offer(it item, raw archive.Raw) (outcome, error) {
	if r.cfg.DryRun {
		return stored, nil
	}
	tags := r.cfg.Tags
	if it.tag != "" {
		tags = append(slices.Clip(tags), it.tag)
	}
	follows, err := it.of.await(r.ctx)
	if err != nil {
		return 0, err
	}
	sub := archive.Submission{
		Tenant: r.cfg.Tenant, Source: r.cfg.Source, Raw: raw,
		Origin: it.origin, Category: r.cfg.Category, Tags: tags, Follows: follows,
	}
	var waited time.Duration
	pause := 100 * time.Millisecond
	for try := 1; ; try++ {
		receipt, err := r.cfg.Archive.Ingest(r.offers, sub)
		busy := errors.Is(err, archive.ErrBusy)
		switch {
		case err == nil:
			r.inARow.Store(0)
			return outcomeOf(receipt), nil
		case errors.Is(err, archive.ErrTooLarge), r.ctx.Err() != nil:
			return 0, err
		case busy && waited >= r.cfg.RetryFor:
			r.stop(fmt.Errorf("%w (waited %v): %w", ErrArchive, waited, err))
			return 0, err
		case !busy && try >= attempts:
			if n := r.inARow.Add(1); n >= failuresInARow {
				r.stop(fmt.Errorf("%w (%d failures in a row): %w", ErrArchive, n, err))
			}
			return 0, err
		}
		if err := r.cfg.sleep(r.ctx, pause); err != nil {
			return 0, err
		}
		waited += pause
		pause = min(2*pause, 5*time.Second)
	}
}
