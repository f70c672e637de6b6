package archive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
)

// Bounds of one step of indexing.
const (
	indexBatch    = 1000 // documents
	indexMany     = 64   // documents: more are likely to follow
	indexLinger   = 250 * time.Millisecond
	indexText     = 16 << 20        // bytes of text
	indexWaiting  = 32 << 20        // bytes of text waiting for the indexer
	indexPatience = 2 * time.Second // an ingest waits for the indexer
	indexRetry    = 2 * time.Second // wait after a failure, doubled up to indexRetryTo
	indexRetryTo  = time.Minute
)

// freshDocs are documents of one commit, in the order of their numbers.
type freshDocs struct {
	first, last int64 // Message.Seq
	docs        []index.Doc
	text        int64 // size of docs
}

// publish hands what was just committed to the indexer. If the indexer lags by
// some commits, it waits a little: what stays in memory need not be read again.
// If what waits is large, or the indexer is late or in trouble, documents are
// forgotten, so that ingest goes on in bounded memory and never depends on the
// index; they are read from the vault later.
func (a *Archive) publish(w *tenantWork, c *commit) {
	if len(c.fresh) > 0 {
		f := freshDocs{first: c.fresh[0].row.Seq, last: c.fresh[len(c.fresh)-1].row.Seq}
		for _, p := range c.fresh {
			if p.entry == nil {
				f.docs = append(f.docs, p.doc)
			}
		}
		f.text = textSize(f.docs)
		if w.waiting.Add(f.text) > indexWaiting || !a.handOver(w, f) {
			w.waiting.Add(-f.text)
			w.poke()
			return
		}
	}
	if len(c.batch.Parties) > 0 {
		w.poke()
	}
}

// handOver reports whether the indexer takes f in time. An indexer that once let
// the time pass is not waited for until it takes something.
func (a *Archive) handOver(w *tenantWork, f freshDocs) bool {
	patience := indexPatience
	if w.late.Load() {
		patience = 0
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case w.fresh <- f:
		return true
	default:
	}
	select {
	case w.fresh <- f:
		return true
	case <-t.C:
		w.late.Store(true)
	case <-a.background.Done():
	}
	return false
}

// received counts down what waits.
func (w *tenantWork) received(f freshDocs) *freshDocs {
	w.late.Store(false)
	w.waiting.Add(-f.text)
	return &f
}

func (w *tenantWork) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// indexLoop keeps the tenant's index complete: everything up to the watermark
// in the catalog is indexed. What comes fresh is added from memory as long as
// it follows the watermark; anything else is read from the vault.
func (a *Archive) indexLoop(w *tenantWork) {
	retry := indexRetry
	w.poke()
	for {
		var f *freshDocs
		select {
		case <-a.background.Done():
			return
		case x := <-w.fresh:
			f = w.received(x)
		case <-w.wake:
		}
		for !w.gone.Load() {
			err := a.indexStep(a.background, w, f)
			if err == nil {
				retry = indexRetry
				break
			}
			if a.background.Err() != nil {
				return
			}
			a.log.Error("indexing refused; trying again", "tenant", w.tenant, "in", retry, "error", err)
			if !a.drainFor(w, retry) {
				return
			}
			f, retry = nil, min(2*retry, indexRetryTo)
		}
	}
}

// drainFor discards fresh documents for d, so that the committer never waits for
// an index in trouble.
func (a *Archive) drainFor(w *tenantWork, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-a.background.Done():
			return false
		case x := <-w.fresh:
			w.received(x)
		case <-t.C:
			return true
		}
	}
}

// indexStep adds f, or else whatever is missing.
func (a *Archive) indexStep(ctx context.Context, w *tenantWork, f *freshDocs) error {
	w.indexing.Lock() // the mark must not be set after Reindex has reset it
	defer w.indexing.Unlock()
	mark, err := a.catalog.Indexed(ctx, w.tenant)
	if err != nil {
		return err
	}
	if f != nil && f.first == mark+1 {
		f = a.join(w, f)
		if err := a.index.Add(ctx, w.tenant, f.docs); err != nil {
			return err
		}
		if err := a.catalog.SetIndexed(ctx, w.tenant, f.last); err != nil {
			return err
		}
	} else if err := a.catchUp(ctx, w.tenant, mark); err != nil {
		return err
	}
	return a.reindexPending(ctx, w.tenant)
}

// join adds what else is waiting and follows, so that the index gets few large
// batches. If many come, it waits a little for more: a transaction for each year costs
// more than the documents in it.
func (a *Archive) join(w *tenantWork, f *freshDocs) *freshDocs {
	var linger <-chan time.Time
	for len(f.docs) < indexBatch && f.text < indexText {
		if linger == nil && len(f.docs) >= indexMany {
			linger = time.After(indexLinger)
		}
		x, ok := w.more(linger)
		if !ok {
			return f
		}
		if x.first != f.last+1 {
			w.poke() // a gap: catch up from the vault after this batch
			return f
		}
		f.docs, f.last = append(f.docs, x.docs...), x.last
		f.text += x.text
	}
	return f
}

// more returns what waits, or comes until the time is over; at once if there is none.
func (w *tenantWork) more(until <-chan time.Time) (*freshDocs, bool) {
	select {
	case x := <-w.fresh:
		return w.received(x), true
	default:
	}
	if until == nil {
		return nil, false
	}
	select {
	case x := <-w.fresh:
		return w.received(x), true
	case <-until:
		return nil, false
	}
}

func textSize(docs []index.Doc) int64 {
	n := int64(0)
	for _, d := range docs {
		n += int64(len(d.Body))
	}
	return n
}

// catchUp indexes everything after mark from the vault.
func (a *Archive) catchUp(ctx context.Context, tenant uid.ID, mark int64) error {
	names := map[uid.ID]string{}
	head, err := a.catalog.Head(ctx, tenant)
	if err != nil {
		return err
	}
	for {
		rows, err := a.catalog.MessagesAfter(ctx, tenant, mark, 200)
		bad := rowErrors(err)
		if err == nil && len(rows) == 0 && mark < head { // the last ones were deleted
			return a.catalog.SetIndexed(ctx, tenant, head)
		}
		if err != nil && len(bad) == 0 || err == nil && len(rows) == 0 {
			return err
		}
		for _, e := range bad { // fsck repairs or names them; later messages must not wait
			a.log.Error("message cannot be indexed", "tenant", tenant, "error", e)
			mark = max(mark, e.Seq)
		}
		docs, text := make([]index.Doc, 0, len(rows)), 0
		for _, row := range rows {
			if row.Class == catalog.ClassQuarantine {
				continue
			}
			d, err := a.documentOf(ctx, row, names)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				// A damaged message must not keep all later ones from being
				// found; fsck names it.
				a.log.Error("message cannot be indexed", "tenant", tenant, "aoid", row.AOID, "error", err)
				continue
			}
			docs = append(docs, d)
			if text += len(d.Body); text >= indexText {
				if err := a.index.Add(ctx, tenant, docs); err != nil {
					return err
				}
				docs, text = docs[:0], 0
			}
		}
		if err := a.index.Add(ctx, tenant, docs); err != nil {
			return err
		}
		if n := len(rows); n > 0 {
			mark = max(mark, rows[n-1].Seq)
		}
		if err := a.catalog.SetIndexed(ctx, tenant, mark); err != nil {
			return err
		}
	}
}

// documentOf reads a stored message and describes it for the index.
func (a *Archive) documentOf(ctx context.Context, row *catalog.Message, names map[uid.ID]string) (index.Doc, error) {
	name, ok := names[row.Source]
	if !ok {
		s, err := a.catalog.Source(ctx, row.Tenant, row.Source)
		if err != nil {
			return index.Doc{}, fmt.Errorf("source of message: %w", err)
		}
		name = s.Name
		names[row.Source] = name
	}
	if row.Facts.File != nil {
		return documentDoc(row, name), nil
	}
	raw, done, err := a.original(ctx, row)
	if err != nil {
		return index.Doc{}, err
	}
	defer done()
	return document(row, message.Parse(ctx, raw), name), nil
}

// Unindexed returns how many stored messages are not yet searchable.
func (a *Archive) Unindexed(ctx context.Context, tenant uid.ID) (int64, error) {
	mark, err := a.catalog.Indexed(ctx, tenant)
	if err != nil {
		return 0, err
	}
	head, err := a.catalog.Head(ctx, tenant)
	if err != nil {
		return 0, err
	}
	return max(head-mark, 0), nil
}

// rowErrors lists the damaged rows that err tells of, if it tells of nothing else.
func rowErrors(err error) []*catalog.RowError {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []*catalog.RowError
		for _, e := range joined.Unwrap() {
			one := rowErrors(e)
			if len(one) == 0 {
				return nil
			}
			out = append(out, one...)
		}
		return out
	}
	var e *catalog.RowError
	if errors.As(err, &e) {
		return []*catalog.RowError{e}
	}
	return nil
}

// AwaitIndex returns when everything stored at its start is searchable.
func (a *Archive) AwaitIndex(ctx context.Context, tenant uid.ID) error {
	head, err := a.catalog.Head(ctx, tenant)
	if err != nil {
		return err
	}
	for {
		mark, err := a.catalog.Indexed(ctx, tenant)
		if err != nil || mark >= head {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
