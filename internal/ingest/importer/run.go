package importer

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/muniment/muniment/internal/ingest/checkpoint"
	"github.com/muniment/muniment/internal/spool"
)

// item is a message, or a file that may be one, on its way to a worker.
type item struct {
	found
	raw    rawBytes // of a message from within a file; nil: the file is to be read
	weight int64    // taken from run.memory, to be given back
	tag    string   // beside those of the import; may be empty
	made   *fate    // of a message that was made of a file; to be told
	of     *fate    // of a file: of the message that was made of it
}

// run is one import at work.
type run struct {
	cfg    Config
	ctx    context.Context         // of the run; cancelled to stop it
	stop   context.CancelCauseFunc // with the reason
	offers context.Context         // of calls to the archive: outlives ctx by grace

	items      chan item
	memory     *semaphore.Weighted
	checkpoint *checkpoint.File
	account    account
	meter      meter
	inARow     atomic.Int64 // failures of the archive without a success between
}

// Run imports what cfg names, and returns the account also when it returns an
// error. The error is about the whole: a path that does not exist, an archive
// that takes no more (ErrArchive), a context that ended. What went wrong with
// single items is in the report. After an error, running the same import again
// goes on where this one stopped. Run returns only when nothing of it is at
// work any more.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	for _, p := range cfg.Paths {
		if _, err := os.Stat(p); err != nil {
			return nil, fmt.Errorf("import: %w", err)
		}
	}
	if cfg.Spool == nil { // a dry run
		dir, err := os.MkdirTemp("", "muniment-import-*")
		if err != nil {
			return nil, fmt.Errorf("import: %w", err)
		}
		defer os.RemoveAll(dir)
		if cfg.Spool, err = spool.Open(dir); err != nil {
			return nil, fmt.Errorf("import: %w", err)
		}
	}
	confirmed, err := openCheckpoint(cfg)
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	r := &run{
		cfg:        cfg,
		items:      make(chan item),
		memory:     semaphore.NewWeighted(bytesInFlight),
		checkpoint: confirmed,
	}
	r.account.r = Report{Tenant: cfg.Tenant, Source: cfg.Source, Paths: cfg.Paths, DryRun: cfg.DryRun, Started: time.Now()}
	r.ctx, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	err = r.do()

	rep := r.account.report()
	rep.Ended = time.Now()
	rep.Finished = err == nil
	if cerr := r.checkpoint.Close(rep.Finished); cerr != nil {
		cfg.Log.Warn("import: checkpoint", "error", cerr)
	}
	return rep, err
}

// do runs all goroutines and waits for them.
func (r *run) do() error {
	offers, cancelOffers := context.WithCancel(context.WithoutCancel(r.ctx))
	defer cancelOffers()
	r.offers = offers
	unhook := context.AfterFunc(r.ctx, func() {
		// In-flight messages are best brought to their end; but not for ever.
		if sleep(offers, grace) == nil {
			cancelOffers()
		}
	})
	defer unhook()

	side, endSide := context.WithCancel(r.ctx)
	var helpers, workers sync.WaitGroup
	helpers.Go(func() { r.meter.countAll(side, r.cfg) })
	helpers.Go(func() { r.meter.tell(side, r.cfg.Progress) })
	for range r.cfg.Workers {
		workers.Go(r.work)
	}
	err := r.walk()
	close(r.items)
	workers.Wait()
	endSide()
	helpers.Wait()
	if r.cfg.Progress != nil {
		r.cfg.Progress(r.meter.progress(time.Now()))
	}
	if cause := context.Cause(r.ctx); cause != nil {
		err = cause // it is why the walk ended
	}
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	return nil
}

func (r *run) walk() error {
	w := &walker{ctx: r.ctx, format: r.cfg.Format, name: r.cfg.Name, to: feeder{r}}
	return w.roots(r.cfg.Paths)
}

// weigh returns what a message of that size takes from run.memory: at least a
// little, because it occupies buffers too, and at most everything, so that it
// goes alone.
func weigh(size int64) int64 { return min(max(size, 16<<10), bytesInFlight) }

// send gives an item to a worker, when there is memory for it.
func (r *run) send(it item) error {
	if it.weight == 0 {
		it.weight = weigh(it.size)
		if err := r.memory.Acquire(r.ctx, it.weight); err != nil {
			return err
		}
	}
	if it.made != nil {
		it.made.sent = true
	}
	select {
	case r.items <- it:
		return nil
	case <-r.ctx.Done():
		r.release(it)
		return r.ctx.Err()
	}
}

func (r *run) release(it item) {
	r.memory.Release(it.weight)
	if it.raw != nil {
		if err := it.raw.Close(); err != nil {
			r.cfg.Log.Warn("import: release message", "origin", it.origin, "error", err)
		}
	}
}

// work offers items until there are no more.
func (r *run) work() {
	for it := range r.items {
		if r.ctx.Err() == nil {
			r.take(it)
		}
		r.release(it)
		it.made.close()
	}
}
