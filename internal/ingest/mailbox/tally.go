package mailbox

import (
	"context"
	"errors"
	"time"

	"github.com/muniment/muniment/internal/catalog"
)

// tally is what a server says of one folder, and the count that goes on from there.
type tally struct {
	catalog.SourceCount
	stored catalog.SourceCount // what the catalog has
	num    *count              // nil: it goes on without one
}

// stated remembers how many messages a server says a folder holds. What is more
// than was left there by the last count has come since. Before is how many of them
// are known from before the first count. Nothing depends on it but a comparison for
// people, so that it fails is only logged.
func (t *task) stated(ctx context.Context, path string, num *count, before int64) {
	held, today := num.total, t.f.Now().UTC().Format(time.DateOnly)
	y := t.tallies[path]
	if y == nil {
		last, err := t.f.Archive.LastSourceCount(ctx, t.src.key.tenant, t.src.key.source, path)
		switch {
		case errors.Is(err, catalog.ErrNotFound):
			last = &catalog.SourceCount{Source: t.src.key.source, Folder: path, Rest: before}
		case err != nil:
			t.f.Log.Warn("count of a remote mailbox cannot be read", "tenant", t.src.key.tenant, "source", t.src.key.source, "error", err)
			return
		}
		y = &tally{SourceCount: *last, stored: *last}
		t.tallies[path] = y
	}
	y.num = num
	came := max(0, held-y.Rest)
	if y.Day != today && came > 0 {
		y.Day, y.Came = today, 0
	}
	y.Came, y.Held, y.Rest = y.Came+came, held, held
	if y.Day == "" { // there was never anything
		return
	}
	t.store(ctx, y)
}

// recount takes over what the deletions so far have left, before a folder is
// counted once more.
func (t *task) recount(path string, num *count) {
	if y := t.tallies[path]; y != nil {
		y.Rest = max(0, num.total)
	}
}

// countRest remembers what is left in all folders at the end.
func (t *task) countRest(ctx context.Context) {
	for _, y := range t.tallies {
		if y.num != nil && y.Day != "" {
			y.Rest = max(0, y.num.total)
			t.store(ctx, y)
		}
	}
}

func (t *task) store(ctx context.Context, y *tally) {
	if y.SourceCount == y.stored {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if err := t.f.Archive.SetSourceCount(ctx, t.src.key.tenant, y.SourceCount); err != nil {
		t.f.Log.Warn("count of a remote mailbox not stored", "tenant", t.src.key.tenant, "source", t.src.key.source, "error", err)
		return
	}
	y.stored = y.SourceCount
}
