package mailbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/spool"
)

// offers are messages being archived.
type offers struct {
	t    *task
	wait sync.WaitGroup
	// filing tells how an item was filed; nil: the protocol does not say.
	filing func(item string) *catalog.Filing

	mu     sync.Mutex
	stored []string         // items that are durable
	large  map[string]int64 // items that the archive never takes, with their sizes
	// excluded are items that a rule keeps out of the archive, with their sizes. They
	// are stored nowhere else, so they stay on the server.
	excluded map[string]int64
	trouble  error // why an offer failed; then no more are made
}

func (t *task) newOffers() *offers {
	return &offers{t: t, large: map[string]int64{}, excluded: map[string]int64{}}
}

// failed reports whether no more should be offered.
func (o *offers) failed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.trouble != nil
}

// offer archives a message in the background and closes buf. It waits only while
// too much is being offered already.
func (o *offers) offer(ctx context.Context, item, origin string, buf *spool.Buffer) error {
	weight := min(max(buf.Size(), leastWeight), bytesInFlight)
	if err := o.t.f.memory.Acquire(ctx, weight); err != nil {
		return errors.Join(err, buf.Close())
	}
	sub := archive.Submission{Tenant: o.t.src.key.tenant, Source: o.t.src.key.source, Raw: buf, Origin: origin, ReceivedAt: o.t.f.Now()}
	if o.filing != nil {
		sub.Filing = o.filing(item)
	}
	o.wait.Go(func() {
		defer o.t.f.memory.Release(weight)
		defer buf.Close()
		r, err := o.ingest(ctx, item, sub)
		o.mu.Lock()
		defer o.mu.Unlock()
		switch {
		case err == nil && r.Outcome == catalog.Excluded:
			o.excluded[item] = buf.Size()
		case err == nil && r.Duplicate:
			o.t.known.Add(1)
			o.stored = append(o.stored, item)
		case err == nil:
			o.t.stored.Add(1)
			o.stored = append(o.stored, item)
		case errors.Is(err, archive.ErrTooLarge):
			o.large[item] = buf.Size()
		case o.trouble == nil:
			o.trouble = ours(err)
		}
	})
	return nil
}

// ingest offers a message, and tells whoever wants to know what became of it.
func (o *offers) ingest(ctx context.Context, item string, sub archive.Submission) (r archive.Receipt, err error) {
	if o.t.took == nil {
		return o.t.f.Archive.Ingest(ctx, sub)
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(sub.Raw, 0, sub.Raw.Size())); err != nil {
		return r, fmt.Errorf("read spooled message: %w", err)
	}
	if r, err = o.t.f.Archive.Ingest(ctx, sub); err == nil && r.Outcome != catalog.Excluded {
		o.t.took(item, [32]byte(h.Sum(nil)), r)
	}
	return r, err
}

// end waits for all offers. It returns the items that are durable.
func (o *offers) end() ([]string, error) {
	o.wait.Wait()
	return o.stored, o.trouble
}
