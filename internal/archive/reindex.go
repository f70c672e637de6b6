package archive

import (
	"context"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/uid"
)

// Reindex forgets the tenant's index; it is rebuilt in the background.
func (a *Archive) Reindex(ctx context.Context, tenant uid.ID) error {
	w, err := a.work(tenant)
	if err != nil {
		return err
	}
	w.indexing.Lock()
	defer w.indexing.Unlock()
	if err := a.index.Drop(ctx, tenant); err != nil {
		return err
	}
	if err := a.catalog.ResetIndexed(ctx, tenant); err != nil {
		return err
	}
	w.poke()
	return nil
}

// reindexPending indexes messages again whose parties have changed, until none is
// left.
func (a *Archive) reindexPending(ctx context.Context, tenant uid.ID) error {
	for {
		queued, err := a.catalog.PendingReindex(ctx, tenant, 50)
		if err != nil || len(queued) == 0 {
			return err
		}
		if err := a.reindex(ctx, tenant, queued); err != nil {
			return err
		}
	}
}

func (a *Archive) reindex(ctx context.Context, tenant uid.ID, queued []catalog.Reindex) error {
	names := map[uid.ID]string{}
	var docs []index.Doc
	for _, q := range queued {
		row, err := a.catalog.Message(ctx, tenant, q.AOID)
		if err != nil && len(rowErrors(err)) == 0 {
			return err
		}
		var d index.Doc
		if err == nil && row.Class == catalog.ClassQuarantine {
			continue
		}
		if err == nil {
			d, err = a.documentOf(ctx, row, names)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil { // fsck names it; others must not wait
			a.log.Error("message cannot be indexed", "tenant", tenant, "aoid", q.AOID, "error", err)
			continue
		}
		docs = append(docs, d)
	}
	if err := a.index.Add(ctx, tenant, docs); err != nil {
		return err
	}
	return a.catalog.DoneReindex(ctx, tenant, queued)
}
