// Package graph imports whole mailboxes of Microsoft 365 through Microsoft Graph:
// all folders, every message as MIME, with its folder, the time it was received and
// whether it was read or flagged.
//
// Nothing is changed on the server. An import can be cut off at any moment and
// started again: the archive records nothing twice, and a file beside the archive
// remembers what need not be fetched again. It stays after the end, so that the next
// run fetches only what has come since; what it says is forgotten with Config.Again.
//
// Every message that a folder lists ends in one account of the report: stored,
// duplicate, done before, or a problem with its reason. What could not be fetched is
// kept as left on the server in the completeness account, until a later run fetches
// it.
//
// Messages are named by Graph's immutable ids, so that one that is moved while it is
// imported is still the same. What Graph hands out as MIME is made by Exchange from
// what it keeps; it need not be, byte for byte, what once came in by SMTP.
// In-place archive mailboxes are out of reach: Graph shows them to nobody.
//
//	graph.go       what is imported and how     client.go   one request, again and again
//	list.go        users, folders, pages        body.go     the bytes of a message
//	run.go         the frame                    folder.go   one folder
//	offer.go       hands messages over          checkpoint.go  remembers
//	error.go       what Graph says, in plain words
package graph

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/uid"
)

const (
	// fetchers fetch at the same time: Graph lets an application do four things
	// in one mailbox at once.
	fetchers = 4
	// bytesInFlight bounds the messages that are being offered together; the
	// archive holds each of them several times.
	bytesInFlight = 16 << 20
	// leastWeight is what the smallest message counts.
	leastWeight = 64 << 10
	// failuresInARow say that it is not the messages' fault.
	failuresInARow = 25
	// defaultRetryFor is how long a busy archive is waited for.
	defaultRetryFor = 2 * time.Minute
	// grace is how long what is under way may go on after a cancel.
	grace = 30 * time.Second
)

// ErrArchive is returned (wrapped) by Run when the archive took nothing more.
var ErrArchive = errors.New("the archive takes no more messages")

// Tokens has access tokens. An oauth.Keeper is one.
type Tokens interface {
	Token(ctx context.Context) (token string, fresh bool, err error)
	Drop(token string)
}

// Archive is what an import needs of the archive.
type Archive interface {
	// Ingest returns nil only when the message is durable.
	Ingest(ctx context.Context, sub archive.Submission) (archive.Receipt, error)
	SourceItems(ctx context.Context, tenant, source uid.ID, folder string) ([]*catalog.SourceItem, error)
	SettleItems(ctx context.Context, tenant, source uid.ID, folder string, add []*catalog.SourceItem, drop []string) error
}

// Config says what to import and how. HTTP, Tokens, and for all but a DryRun
// Archive, Spool, Tenant and Source are needed.
type Config struct {
	HTTP   *http.Client // follows no redirects to other hosts, bounds nothing
	Tokens Tokens
	URL    string // of Graph, without version: https://graph.microsoft.com

	Archive Archive
	Spool   *spool.Dir
	Tenant  uid.ID
	Source  uid.ID

	Mailboxes           []string // addresses; empty: all of the directory
	Drafts, Spam, Trash bool     // these folders too
	Category            string
	Tags                []string
	MaxMessage          int64         // 0: archive.MaxMessage
	RetryFor            time.Duration // how long to wait for a busy archive; 0: 2 minutes
	State               string        // directory of the checkpoint file; empty: none is kept
	Again               bool          // forget the checkpoint
	DryRun              bool          // list and count, fetch nothing
	Progress            func(Progress)
	Log                 *slog.Logger
	sleep               func(context.Context, time.Duration) error // tests do not wait
	timings             timings
}

// timings bound one request; tests have others.
type timings struct {
	list    time.Duration // of a page
	message time.Duration // of a message
	window  time.Duration // in which at least least bytes of a message must come
	least   int64
	pause   time.Duration // before the second attempt; doubled with each
	longest time.Duration // pause
}

func usualTimings() timings {
	return timings{list: 2 * time.Minute, message: 30 * time.Minute, window: 30 * time.Second, least: 4 << 10, pause: time.Second, longest: time.Minute}
}

// Progress tells how far a run is.
type Progress struct {
	Mailbox, Folder string
	Mailboxes, Done int   // of how many, how many are done
	Messages        int64 // that have an account
	Bytes           int64
}

func (c Config) withDefaults() (Config, error) {
	switch {
	case c.HTTP == nil || c.Tokens == nil || c.URL == "":
		return c, errors.New("graph: no connection, no tokens or no address")
	case !c.DryRun && (c.Archive == nil || c.Spool == nil || c.Tenant.IsZero() || c.Source.IsZero()):
		return c, errors.New("graph: no archive, spool, tenant or source")
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
	if c.timings == (timings{}) {
		c.timings = usualTimings()
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
