package smtp

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/wire"
	"github.com/muniment/muniment/internal/uid"
)

// result is how one source fared.
type result struct {
	receipt archive.Receipt
	err     error
}

// deliver offers the message to the archive once for every source and answers:
// SMTP with 250 only if all of them have it for good, LMTP for each recipient.
func (c *session) deliver() {
	started := time.Now()
	sources := c.tx.sources()
	results := make(map[uid.ID]result, len(sources))
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, source := range sources {
		all.Go(func() {
			r := c.ingest(source, started)
			mu.Lock()
			defer mu.Unlock()
			results[source.ID] = r
		})
	}
	all.Wait()
	for _, source := range sources {
		c.account(source, results[source.ID], time.Since(started))
	}
	if !c.s.cfg.LMTP {
		c.reply(c.verdict(sources, results))
		return
	}
	for _, r := range c.tx.rcpts {
		c.reply(c.verdict([]*catalog.Source{r.source}, results))
	}
}

// ingest hands the message to the archive for one source.
func (c *session) ingest(source *catalog.Source, now time.Time) (res result) {
	defer func() {
		if r := recover(); r != nil {
			// Whatever happened, it is not durable for all we know.
			res.err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	ctx, cancel := c.context()
	defer cancel()
	res.receipt, res.err = c.s.cfg.Archive.Ingest(ctx, archive.Submission{
		Tenant:       source.Tenant,
		Source:       source.ID,
		Raw:          c.tx.body,
		EnvelopeFrom: c.tx.from,
		Peer:         wire.PeerName(c.peer),
		Category:     source.Category,
		ReceivedAt:   now,
	})
	return res
}

// account counts and logs how one source fared.
func (c *session) account(source *catalog.Source, r result, took time.Duration) {
	log := c.log.With("tenant", source.Tenant, "source", source.ID, "bytes", c.tx.body.Size(), "took", took)
	switch {
	case r.err == nil:
		c.s.stats.accepted.Add(1)
		c.s.stats.acceptedBytes.Add(c.tx.body.Size())
		log.Info("smtp: archived", "aoid", r.receipt.AOID, "outcome", r.receipt.Outcome)
	case errors.Is(r.err, archive.ErrTooLarge):
		c.tooLarge([]*catalog.Source{source}, c.tx.body.Size())
	default:
		c.s.stats.deferred.Add(1)
		log.Error("smtp: not archived", "error", r.err)
	}
}

// verdict words one reply for what happened to all the sources.
func (c *session) verdict(sources []*catalog.Source, results map[uid.ID]result) string {
	var ids []string
	var busy, large bool
	for _, s := range sources {
		r := results[s.ID]
		switch {
		case r.err == nil && r.receipt.AOID.IsZero(): // excluded by a rule: counted, not stored
		case r.err == nil:
			ids = append(ids, r.receipt.AOID.String())
		case errors.Is(r.err, archive.ErrTooLarge):
			large = true
		case errors.Is(r.err, archive.ErrBusy):
			busy = true
		default:
			return "451 4.3.0 trouble here, try again later"
		}
	}
	switch {
	case busy:
		return "452 4.3.1 cannot store now, try again later"
	case large:
		return c.tooLargeReply()
	case len(ids) == 0:
		return "250 2.0.0 accepted"
	case len(ids) > 10: // a reply line has 512 octets
		return fmt.Sprintf("250 2.0.0 archived as %s and %d more", strings.Join(ids[:10], " "), len(ids)-10)
	default:
		return "250 2.0.0 archived as " + strings.Join(ids, " ")
	}
}

// answerAll gives the same reply to the message: once, or with LMTP once for
// every recipient (RFC 2033 §4.2).
func (c *session) answerAll(text string) {
	n := 1
	if c.s.cfg.LMTP {
		n = len(c.tx.rcpts)
	}
	for range n {
		c.reply(text)
	}
}

// tooLarge counts a message that is refused for its size.
func (c *session) tooLarge(sources []*catalog.Source, size int64) {
	c.s.stats.tooLarge.Add(1)
	// The account must be kept even while shutting down.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.s.Context()), c.s.cfg.Limits.Ingest)
	defer cancel()
	for _, s := range sources {
		c.log.Warn("smtp: message too large", "tenant", s.Tenant, "source", s.ID, "bytes", size)
		c.s.cfg.Archive.Refused(ctx, s.Tenant, s.ID, size)
	}
}
