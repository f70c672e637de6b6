// Package receipts hands out the daily receipts of the event logs: it has them
// made when they are due, keeps them as files and queues the mail. A receipt
// protects the log only once it is in the hands of somebody who cannot be talked
// into changing it; that is what this door is for.
//
// Each receipt is made once, whoever runs: the archive sees to that. A file or a
// mail that could not be handed out is tried again for the youngest receipts.
//
//	receipts.go  the clockwork     letter.go  what people read
package receipts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/outbox"
	"github.com/muniment/muniment/internal/wholefile"
)

// look is the time between two looks for what is due.
const look = time.Minute

// Config says what Receipts stand on. Archive is required.
type Config struct {
	Archive *archive.Archive
	Outbox  *outbox.Outbox // nil: nothing is mailed
	Dir     string         // empty: no files are kept
	Log     *slog.Logger
}

// Receipts hands out receipts.
type Receipts struct{ cfg Config }

// New makes a door that does nothing before Run.
func New(c Config) (*Receipts, error) {
	if c.Archive == nil {
		return nil, errors.New("receipts: no archive")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Receipts{cfg: c}, nil
}

// Run makes and hands out what is due, until ctx ends.
func (r *Receipts) Run(ctx context.Context) {
	t := time.NewTicker(look)
	defer t.Stop()
	for {
		if err := r.Once(ctx); err != nil && ctx.Err() == nil {
			r.cfg.Log.Error("receipts of the event logs", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Once makes and hands out what is due now. Trouble with one log does not keep the
// others from their receipts.
func (r *Receipts) Once(ctx context.Context) error {
	owners, err := r.cfg.Archive.LogOwners(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for i := range owners {
		if err := r.of(ctx, &owners[i]); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", owners[i].Slug, err))
		}
	}
	return errors.Join(errs...)
}

func (r *Receipts) of(ctx context.Context, o *archive.LogOwner) error {
	if _, err := r.cfg.Archive.MakeReceipt(ctx, o); err != nil {
		return err
	}
	list, err := r.cfg.Archive.ReceiptsToHandOut(ctx, o.Tenant)
	if err != nil {
		return err
	}
	for _, x := range list {
		if err := r.handOut(ctx, o, x); err != nil {
			return err
		}
	}
	return nil
}

// handOut files and mails what was not yet. That it was is remembered afterwards: a
// crash in between repeats the file, which is the same, and the mail, which the
// outbox knows by its key.
func (r *Receipts) handOut(ctx context.Context, o *archive.LogOwner, x *catalog.Receipt) error {
	filed, mailed := false, false
	if !x.Filed && r.cfg.Dir != "" {
		if err := r.file(o, x); err != nil {
			return err
		}
		filed = true
	}
	if !x.Mailed && len(o.To) > 0 && r.cfg.Outbox != nil {
		l := letter(o, x)
		_, err := r.cfg.Outbox.Queue(ctx, l)
		switch {
		case errors.Is(err, archive.ErrNoSmarthost): // once there is one
		case err != nil:
			return fmt.Errorf("mail the receipt of %s: %w", x.Day, err)
		default:
			mailed = true
		}
	}
	if !filed && !mailed {
		return nil
	}
	return r.cfg.Archive.ReceiptHandedOut(ctx, x, filed, mailed)
}

// fileName is how a receipt is called.
func fileName(o *archive.LogOwner, x *catalog.Receipt) string {
	return "muniment-receipt-" + o.Slug + "-" + x.Day + ".json"
}

// file writes a receipt durably. A file that is there is not overwritten: it may be the
// one that tells the truth.
func (r *Receipts) file(o *archive.LogOwner, x *catalog.Receipt) error {
	dir := filepath.Join(r.cfg.Dir, o.Slug)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("directory for receipts: %w", err)
	}
	name := filepath.Join(dir, fileName(o, x))
	have, err := os.ReadFile(name)
	if err == nil && string(have) == x.Body {
		return nil
	}
	if err == nil {
		return fmt.Errorf("%s is there already and is another receipt: compare the two with muniment verify-log", name)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("directory for receipts: %w", err)
	}
	if err := wholefile.Create(name, 0o440, wholefile.Bytes([]byte(x.Body))); err != nil {
		return fmt.Errorf("write a receipt: %w", err)
	}
	return nil
}
