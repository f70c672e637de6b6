package milter

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/spool"
)

// What the MTA's client reads of trouble. A percent sign would have to be
// doubled.
const (
	replyTrouble = "451 4.3.0 the mail archive cannot store this message now, try again later\x00"
	replyLarge   = "451 4.3.4 this message is larger than the mail archive takes\x00"
)

// endOfBody is the end of the message, with the last piece of its body or
// without. It hands the message to the archive and answers.
func (c *session) endOfBody(data []byte) error {
	if c.tx == nil || len(data) > 0 && !c.tx.ended {
		return fmt.Errorf("end of the message: %w", c.misplaced(true))
	}
	c.begin()
	tx := c.tx
	c.tx = nil
	defer tx.close(c.log)
	defer c.drop()
	tx.put(data)
	started := time.Now()
	var receipt archive.Receipt
	err := tx.finish()
	if err == nil {
		receipt, err = c.ingest(tx, started)
	}
	log := c.log.With("tenant", c.s.cfg.Source.Tenant, "source", c.s.cfg.Source.ID, "queue", word(c.macros.queue), "bytes", tx.size, "took", time.Since(started))
	switch {
	case err == nil:
		c.s.stats.accepted.Add(1)
		c.s.stats.acceptedBytes.Add(tx.size)
		log.Info("milter: archived", "aoid", receipt.AOID, "outcome", receipt.Outcome)
		c.send(replyContinue, nil)
	case c.s.Context().Err() != nil: // cut off by Shutdown: the MTA is not answered
		c.closing = true
		c.s.stats.deferred.Add(1)
		log.Warn("milter: not archived before the end", "error", err)
	case c.s.cfg.OnTrouble == Accept:
		c.s.stats.missed.Add(1)
		log.Error("milter: not archived, and let go all the same", "error", err)
		c.refused(tx.size)
		c.send(replyAccept, nil)
	default:
		c.s.stats.deferred.Add(1)
		log.Error("milter: not archived, put off", "error", err)
		c.send(replyCode, []byte(excuse(err)))
	}
	return nil
}

// ingest hands the message to the archive.
func (c *session) ingest(tx *transaction, now time.Time) (r archive.Receipt, err error) {
	defer func() {
		if p := recover(); p != nil {
			// Whatever happened, it is not durable for all we know.
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	ctx, cancel := context.WithTimeout(c.s.Context(), c.s.cfg.Limits.Ingest)
	defer cancel()
	source := c.s.cfg.Source
	return c.s.cfg.Archive.Ingest(ctx, archive.Submission{
		Tenant:       source.Tenant,
		Source:       source.ID,
		Raw:          tx.body,
		EnvelopeFrom: tx.from,
		EnvelopeTo:   tx.to,
		Peer:         c.peer(),
		Origin:       c.origin(tx),
		Category:     source.Category,
		ReceivedAt:   now,
	})
}

// refused counts a message that goes its way unarchived; the account must be
// kept even while shutting down.
func (c *session) refused(bytes int64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.s.Context()), c.s.cfg.Limits.Ingest)
	defer cancel()
	c.s.cfg.Archive.Refused(ctx, c.s.cfg.Source.Tenant, c.s.cfg.Source.ID, bytes)
}

// excuse words the answer to a message that is put off.
func excuse(err error) string {
	for _, large := range []error{archive.ErrTooLarge, spool.ErrLimit, errTooLong, errTooManyRecipients} {
		if errors.Is(err, large) {
			return replyLarge
		}
	}
	return replyTrouble
}
