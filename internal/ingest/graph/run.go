package graph

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/muniment/muniment/internal/ingest/checkpoint"
	"github.com/muniment/muniment/internal/ingest/importer"
	"github.com/muniment/muniment/internal/remote"
)

// Reasons that only this import has.
const (
	Gone      importer.Reason = "gone"       // deleted between the listing and the fetch
	NoMailbox importer.Reason = "no-mailbox" // of somebody who has an address
)

// run is one import at work.
type run struct {
	cfg        Config
	c          *client
	ctx        context.Context         // of the run; cancelled to stop it
	stop       context.CancelCauseFunc // with the reason
	offers     context.Context         // of calls to the archive: outlives ctx by grace
	memory     *semaphore.Weighted
	checkpoint *checkpoint.File
	inARow     atomic.Int64

	mu  sync.Mutex
	r   importer.Report
	now Progress
}

// Run imports mailboxes, and returns the account also when it returns an error. The
// error is about the whole: mailboxes that cannot be listed, an archive that takes
// no more (ErrArchive), a log-in that is refused, a context that ended. What went
// wrong with single mailboxes, folders and messages is in the report. Running the
// same import again goes on where this one stopped. Run returns only when nothing of
// it is at work any more.
func Run(ctx context.Context, cfg Config) (*importer.Report, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	cp, err := openCheckpoint(cfg)
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	r := &run{cfg: cfg, c: c, memory: semaphore.NewWeighted(bytesInFlight), checkpoint: cp}
	r.r = importer.Report{Tenant: cfg.Tenant, Source: cfg.Source, Paths: cfg.Mailboxes, DryRun: cfg.DryRun, Started: time.Now()}
	r.ctx, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	offers, cancelOffers := context.WithCancel(context.WithoutCancel(r.ctx))
	defer cancelOffers()
	r.offers = offers
	defer context.AfterFunc(r.ctx, func() {
		if sleep(offers, grace) == nil {
			cancelOffers()
		}
	})()
	err = r.mailboxes()
	if cause := context.Cause(r.ctx); cause != nil {
		err = cause // it is why the rest ended
	}
	if cerr := cp.Close(false); cerr != nil {
		cfg.Log.Warn("graph: checkpoint", "error", cerr)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.r
	out.Ended, out.Finished = time.Now(), err == nil
	if err != nil {
		err = fmt.Errorf("graph: %w", err)
	}
	return &out, err
}

// mailboxes imports one after the other.
func (r *run) mailboxes() error {
	list := r.cfg.Mailboxes
	all := len(list) == 0
	if all {
		users, err := r.c.users(r.ctx)
		if err != nil {
			return err
		}
		for _, u := range users {
			list = append(list, u.Mail)
		}
		r.mu.Lock()
		r.r.Paths = list
		r.mu.Unlock()
	}
	for i, address := range list {
		r.tell(func(p *Progress) { p.Mailbox, p.Folder, p.Mailboxes, p.Done = address, "", len(list), i })
		err := r.mailbox(address)
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		e, ok := asError(err)
		none := ok && e.Code == remote.CodeLicence
		switch {
		case err == nil:
		case none && all: // a room, a contact, somebody without a licence
			r.problem(importer.Problem{Origin: origin(address), Reason: NoMailbox, Detail: err.Error()})
		case none:
			r.problem(importer.Problem{Origin: origin(address), Reason: NoMailbox, Detail: err.Error(), Failed: true})
		case ok && (e.Code == remote.CodeNotAssigned || gone(err)):
			r.problem(importer.Problem{Origin: origin(address), Reason: importer.Unreadable, Detail: err.Error(), Failed: true})
		default: // the server, the network or the log-in: it would be the same with the others
			return fmt.Errorf("mailbox %s: %w", address, err)
		}
	}
	r.tell(func(p *Progress) { p.Done = len(list) })
	return nil
}

// origin begins the origins of a mailbox.
func origin(address string) string { return "graph://" + pathEscape(strings.ToLower(address)) }

// mailbox imports all folders of one.
func (r *run) mailbox(address string) error {
	folders, err := r.c.tree(r.ctx, address)
	if err != nil {
		return err
	}
	seen := map[[16]byte]struct{}{}
	for _, f := range folders {
		name := origin(address) + "/" + f.escaped()
		if f.left != "" {
			if f.Total > 0 {
				r.notice(name, fmt.Sprintf("left out (%s): %d messages", f.left, f.Total))
			}
			continue
		}
		r.tell(func(p *Progress) { p.Folder = f.shown() })
		if err := r.folder(address, name, f, seen); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) tell(change func(*Progress)) {
	r.mu.Lock()
	change(&r.now)
	p := r.now
	p.Messages, p.Bytes = r.r.Offered()+r.r.NotStored(), r.r.Bytes
	r.mu.Unlock()
	if r.cfg.Progress != nil {
		r.cfg.Progress(p)
	}
}

func (r *run) problem(p importer.Problem) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.r.AddProblem(p)
}

func (r *run) notice(origin, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.r.AddNotice(origin, text)
}

// fatal reports whether an error is not about what was asked for, so that asking
// for something else is no use.
func fatal(err error) bool {
	_, said := asError(err)
	var p passing
	return errors.Is(err, ErrArchive) || !said && !errors.As(err, &p) && !errors.Is(err, errNonsense) && !errors.Is(err, errTooLarge)
}
