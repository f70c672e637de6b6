// Package importer brings mail that lies in files into the archive:
// directories of EML files, Maildirs, mbox files, what Apple Mail and Outlook
// keep (.emlx, .msg, winmail.dat, PST, OST), and archives of any of these.
//
// An import can be cut off at any moment and started again: every item is
// offered with its origin (its path below the given one, and where it is within
// the file), and the archive records nothing twice. The checkpoint
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
// What Outlook keeps is no message of RFC 5322: package mapi makes one of it, the
// same bytes every time. It is tagged, and the file it was made of is offered
// beside it, under the same origin with "#original" behind; but for PST files,
// whose items are named by folder and identifier.
//
// Names within archives are text for people and nothing else: no file is ever
// opened or made under one.
//
// The package must not look into messages beyond the question whether a file
// is one at all.
//
//	run.go        the frame             entry.go       what is in an archive
//	walk.go       finds the files       unpack.go      ZIP, tar, gzip, bzip2, Zstandard
//	kind.go       judges what they are  limit.go       bounds of what is unpacked
//	feed.go       makes items of them   convert.go     .msg, winmail.dat, .emlx
//	fill.go       spools messages       pst.go         PST and OST
//	offer.go      hands items over      checkpoint.go  remembers
//	fate.go       where a message went, for the file it was made of
//	progress.go, report.go, write.go    tell
package importer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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
	EMLX    Format = "emlx"    // only messages of Apple Mail
	MSG     Format = "msg"     // only messages of Outlook
	TNEF    Format = "tnef"    // only winmail.dat files
	PST     Format = "pst"     // only PST and OST files
	Packed  Format = "archive" // only what is in ZIP, tar, gzip, bzip2 and Zstandard files
)

// Tags of what is not offered as it was found.
const (
	TagConverted = "converted" // a message made of an item of Outlook
	TagOriginal  = "original"  // the file that a converted message was made of
)

// Formats returns all of them.
func Formats() []Format {
	return []Format{Auto, EML, Maildir, Mbox, EMLX, MSG, TNEF, PST, Packed}
}

// Config says what to import and how. Archive, Spool, Tenant, Source and Paths
// are needed; the two former not for a DryRun, which keeps what it must unpack in
// the system's directory for temporary files if it has no Spool.
type Config struct {
	Archive Ingester
	Spool   *spool.Dir
	Tenant  uid.ID
	Source  uid.ID

	Paths []string // files and directories
	// Name is what the only path, a file, is called by people, if that is not its
	// base name: its kind and the origins of what is in it depend on that.
	Name   string
	Format Format // empty: Auto
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
	if c.Format == "" {
		c.Format = Auto
	}
	if !slices.Contains(Formats(), c.Format) {
		return c, fmt.Errorf("import: format %.20q: want one of %v", c.Format, Formats())
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
