// Package importer brings mail that lies in files into the archive:
// directories of EML files, Maildirs and mbox files.
//
// An import can be cut off at any moment and started again: every item is
// offered with its origin (its path below the given one, and for mbox its
// number and offset), and the archive records nothing twice. The checkpoint
// file only saves the reading of what an earlier, interrupted run has done;
// the truth is in the archive. It is removed when a run has seen everything,
// so that the next one asks the archive about every item again.
//
// Every file ends in exactly one account of the report: stored, duplicate,
// done before (by the interrupted run), skipped or failed, the last two with a
// reason. Symbolic links are reported and not followed: what they lead to may
// be anything this process can read. Nothing is ever written to, renamed in or
// removed from the place that is imported.
//
// The package must not look into messages beyond the question whether a file
// is one at all.
//
// Layout: run.go is the frame, walk.go finds the files, kind.go judges what
// they are, offer.go reads them and hands them over, checkpoint.go remembers,
// progress.go, report.go and write.go tell.
package importer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/ingest/mbox"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/uid"
)

const (
	// bytesInFlight bounds the memory of all messages being offered together.
	// The archive holds each of them several times (as it came, as text for the
	// index, encrypted), so this is a small part of what the program may use;
	// for mail of usual size it is not the bound that counts.
	bytesInFlight = 16 << 20
	// defaultWorkers is how many messages are offered at the same time: they
	// mostly wait for the group commit they share, and a commit of many costs
	// little more than a commit of one.
	defaultWorkers = 256
	// inMemory is the largest file that is read into memory; larger ones are
	// offered as open files.
	inMemory = 4 << 20
	// defaultRetryFor is how long a busy archive is waited for.
	defaultRetryFor = 2 * time.Minute
	// attempts is how often an item is offered when the archive fails for a
	// reason that is not "busy".
	attempts = 3
	// failuresInARow of that kind say that it is not the items' fault.
	failuresInARow = 25
	// grace is how long an offer that is under way may go on after a cancel.
	grace = 30 * time.Second
)

// ErrArchive is returned (wrapped) by Run when it gave up because the archive
// took nothing more. What was stored until then stays, and a new run goes on.
var ErrArchive = errors.New("the archive takes no more messages")

// Ingester is what the importer needs of the archive.
type Ingester interface {
	// Ingest returns nil only when the message is durable.
	Ingest(ctx context.Context, sub archive.Submission) (archive.Receipt, error)
	// Refused counts a message that is not stored for its size.
	Refused(ctx context.Context, tenant, source uid.ID, bytes int64)
}

// Format says what is looked for.
type Format string

// The formats.
const (
	Auto    Format = "auto"    // all of them, by what each file and directory looks like
	EML     Format = "eml"     // one message per file
	Maildir Format = "maildir" // only the messages of Maildirs
	Mbox    Format = "mbox"    // only mbox files
)

// Config says what to import and how. Archive, Spool, Tenant, Source and Paths
// are needed; the two former not for a DryRun.
type Config struct {
	Archive Ingester
	Spool   *spool.Dir
	Tenant  uid.ID
	Source  uid.ID

	Paths  []string // files and directories
	Format Format   // empty: Auto
	// Variant of mbox files, where it is known.
	Variant  mbox.Variant
	Category string
	Tags     []string

	// Workers offer messages at the same time; 0 means 256.
	Workers int
	// MaxMessage is the largest message offered; 0 means archive.MaxMessage.
	MaxMessage int64
	// RetryFor is how long to wait for an archive that is busy before giving
	// up; 0 means 2 minutes.
	RetryFor time.Duration
	// State is the directory of the checkpoint file; empty: none is kept.
	State string
	// DryRun finds and counts everything and offers nothing.
	DryRun bool
	// Progress, if set, is called a few times a second and once at the end, by
	// one goroutine.
	Progress func(Progress)
	Log      *slog.Logger // nil: slog.Default

	sleep func(context.Context, time.Duration) error // tests do not wait
}

func (c Config) withDefaults() (Config, error) {
	switch {
	case !c.DryRun && (c.Archive == nil || c.Spool == nil):
		return c, errors.New("import: no archive or no spool")
	case !c.DryRun && (c.Tenant.IsZero() || c.Source.IsZero()):
		return c, errors.New("import: no tenant or no source")
	case len(c.Paths) == 0:
		return c, errors.New("import: no path given")
	}
	switch c.Format {
	case "":
		c.Format = Auto
	case Auto, EML, Maildir, Mbox:
	default:
		return c, fmt.Errorf("import: format %.20q: want auto, eml, maildir or mbox", c.Format)
	}
	if c.Workers <= 0 {
		c.Workers = defaultWorkers
	}
	if c.MaxMessage <= 0 || c.MaxMessage > archive.MaxMessage {
		c.MaxMessage = archive.MaxMessage
	}
	if c.RetryFor <= 0 {
		c.RetryFor = defaultRetryFor
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.sleep == nil {
		c.sleep = sleep
	}
	return c, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
