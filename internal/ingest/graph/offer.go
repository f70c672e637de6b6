package graph

import (
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/importer"
	"github.com/muniment/muniment/internal/spool"
)

// Flags of what the mailbox says of a message, as IMAP writes them
// (RFC 9051 §2.3.2).
const (
	flagSeen    = `\Seen`
	flagFlagged = `\Flagged`
)

// offerAttempts is how often a message is offered when the archive fails for a reason
// that is not "busy".
const offerAttempts = 3

// outcome says how a message fared.
type outcome int

const (
	stored outcome = iota
	duplicate
	quarantined
	excluded
	doneBefore
	doneDry
)

func (r *run) counted(o outcome, bytes int64) {
	r.mu.Lock()
	switch o {
	case stored, doneDry:
		r.r.Stored++
	case duplicate:
		r.r.Duplicate++
	case quarantined:
		r.r.Quarantined++
	case excluded:
		r.r.Excluded++
	case doneBefore:
		r.r.DoneBefore++
	}
	r.r.Bytes += bytes
	r.mu.Unlock()
	r.tell(func(*Progress) {})
}

func isTooLarge(err error) bool {
	return errors.Is(err, errTooLarge) || errors.Is(err, archive.ErrTooLarge)
}

// submission is a message with all that is known of it. The time it was received
// belongs to its origin: it never changes.
func (f *folder) submission(e entry, origin string, buf *spool.Buffer) archive.Submission {
	filing := &catalog.Filing{Folder: f.info.shown(), Date: e.Received}
	if e.Read != nil && *e.Read {
		filing.Flags = append(filing.Flags, flagSeen)
	}
	if e.Flag != nil && e.Flag.Status == "flagged" {
		filing.Flags = append(filing.Flags, flagFlagged)
	}
	if e.Received != nil {
		origin += "?received=" + e.Received.UTC().Format(time.RFC3339)
	}
	return archive.Submission{Tenant: f.cfg.Tenant, Source: f.cfg.Source, Raw: buf, Origin: origin, Category: f.cfg.Category, Tags: f.cfg.Tags, Filing: filing}
}

// offer archives a message in the background and closes buf. It waits only while
// too much is being offered already.
func (f *folder) offer(e entry, origin string, buf *spool.Buffer) {
	weight := min(max(buf.Size(), leastWeight), bytesInFlight)
	if f.memory.Acquire(f.ctx, weight) != nil { // stopped
		closeAll(buf)
		return
	}
	f.wait.Go(func() {
		defer f.memory.Release(weight)
		defer buf.Close()
		out, err := f.ingest(f.submission(e, origin, buf))
		switch {
		case err == nil:
			f.inARow.Store(0)
			f.counted(out, buf.Size())
			f.settled(e.ID)
			if out == excluded { // the rule may be another one tomorrow
				return
			}
			if err := f.checkpoint.Add(key(f.user, e.ID)); err != nil { // it only costs a second fetch
				f.cfg.Log.Warn("graph: checkpoint", "error", err)
			}
		case f.ctx.Err() != nil: // stopped: the next run has it again
		default:
			reason := importer.NotTaken
			if isTooLarge(err) {
				reason = importer.TooLarge
			}
			f.leave(e.ID, err)
			f.problem(importer.Problem{Origin: origin, Reason: reason, Bytes: buf.Size(), Detail: err.Error(), Failed: true})
		}
	})
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

// ingest gives a message to the archive, again and again while that is busy.
func (r *run) ingest(sub archive.Submission) (outcome, error) {
	var waited time.Duration
	pause := 100 * time.Millisecond
	for try := 1; ; try++ {
		receipt, err := r.cfg.Archive.Ingest(r.offers, sub)
		busy := errors.Is(err, archive.ErrBusy)
		switch {
		case err == nil:
			return outcomeOf(receipt), nil
		case errors.Is(err, archive.ErrTooLarge), r.ctx.Err() != nil:
			return 0, err
		case busy && waited >= r.cfg.RetryFor:
			r.stop(fmt.Errorf("%w (waited %v): %w", ErrArchive, waited, err))
			return 0, err
		case !busy && try >= offerAttempts:
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
