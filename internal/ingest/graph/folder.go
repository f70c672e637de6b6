package graph

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/importer"
)

// settleTime bounds one change of the catalog.
const settleTime = 30 * time.Second

func pathEscape(s string) string { return url.PathEscape(s) }

// folder is one folder being imported.
type folder struct {
	*run
	user, name string
	info       *mailFolder
	wait       sync.WaitGroup // for offers

	mu   sync.Mutex
	left map[string]bool // that an earlier run has left on the server
}

// folder imports one folder. seen are the messages of the mailbox that have been met.
func (r *run) folder(user, name string, info *mailFolder, seen map[[16]byte]struct{}) error {
	f := &folder{run: r, user: user, name: name, info: info, left: map[string]bool{}}
	if !r.cfg.DryRun {
		items, err := r.cfg.Archive.SourceItems(r.ctx, r.cfg.Tenant, r.cfg.Source, name)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrArchive, err)
		}
		for _, i := range items {
			f.left[i.Item] = true
		}
	}
	work := make(chan entry)
	var workers sync.WaitGroup
	for range fetchers {
		workers.Go(func() {
			for e := range work {
				if r.ctx.Err() == nil {
					f.take(e)
				}
			}
		})
	}
	listed := int64(0)
	err := r.c.messages(r.ctx, user, info.ID, func(e entry) error {
		k := key(user, e.ID)
		if _, twice := seen[k]; twice { // a list that moves while it is read
			return nil
		}
		seen[k] = struct{}{}
		listed++
		switch {
		case r.cfg.DryRun:
			r.counted(doneDry, 0)
			return nil
		case r.checkpoint.Has(k):
			r.counted(doneBefore, 0)
			return nil
		}
		select {
		case work <- e:
			return nil
		case <-r.ctx.Done():
			return r.ctx.Err()
		}
	})
	close(work)
	workers.Wait()
	f.wait.Wait()
	return f.end(listed, err)
}

// end brings a folder to its account: what was listed is in it already.
func (f *folder) end(listed int64, err error) error {
	switch {
	case f.ctx.Err() != nil:
		return f.ctx.Err()
	case gone(err) && !isMailbox(err):
		f.notice(f.name, "the folder is gone: it has been deleted or moved since it was listed; run the import again to see")
	case err != nil && fatal(err):
		return err
	case err != nil:
		f.problem(importer.Problem{Origin: f.name, Reason: importer.Unreadable, Failed: true,
			Detail: fmt.Sprintf("the folder could not be listed to its end: %v; %d of %d messages were", err, listed, f.info.Total)})
		return f.failed(err)
	case listed < f.info.Total:
		f.notice(f.name, fmt.Sprintf("the server says that it holds %d messages, and lists %d", f.info.Total, listed))
	}
	return nil
}

// take brings a message to its account.
func (f *folder) take(e entry) {
	origin := f.name + "/" + pathEscape(e.ID)
	buf, err := f.c.mime(f.ctx, f.user, e.ID)
	switch {
	case err == nil:
		f.offer(e, origin, buf)
	case f.ctx.Err() != nil: // stopped: the message is in no account, the next run has it again
	case gone(err) && !isMailbox(err):
		f.settled(e.ID)
		f.problem(importer.Problem{Origin: origin, Reason: Gone, Detail: "deleted since the folder was listed"})
	case fatal(err):
		f.stop(err)
	default:
		reason := importer.Unreadable
		if isTooLarge(err) {
			reason = importer.TooLarge
		}
		f.leave(e.ID, err)
		f.problem(importer.Problem{Origin: origin, Reason: reason, Detail: err.Error(), Failed: true})
		if reason != importer.TooLarge {
			_ = f.failed(err) // stops the run if it is the server
		}
	}
}

// failed counts failures of the server, and stops the run when it is not about
// single things any more.
func (r *run) failed(err error) error {
	if n := r.inARow.Add(1); n >= failuresInARow {
		err = fmt.Errorf("%d failures in a row: %w", n, err)
		r.stop(err)
		return err
	}
	return nil
}

// leave records that a message stays on the server, once.
func (f *folder) leave(id string, why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left[id] {
		return
	}
	text := why.Error()
	if len(text) > 1000 {
		text = text[:1000]
	}
	item := &catalog.SourceItem{Folder: f.name, Item: id, Outcome: catalog.Left, At: time.Now().UTC().Truncate(time.Millisecond), Detail: text}
	if f.settle([]*catalog.SourceItem{item}, nil) {
		f.left[id] = true
	}
}

// settled forgets that a message stays on the server.
func (f *folder) settled(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left[id] && f.settle(nil, []string{id}) {
		delete(f.left, id)
	}
}

// settle changes the catalog, also when the run is being stopped. False: it could
// not, which stops the run.
func (f *folder) settle(add []*catalog.SourceItem, drop []string) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(f.ctx), settleTime)
	defer cancel()
	if err := f.cfg.Archive.SettleItems(ctx, f.cfg.Tenant, f.cfg.Source, f.name, add, drop); err != nil {
		f.stop(fmt.Errorf("%w: %w", ErrArchive, err))
		return false
	}
	return true
}
