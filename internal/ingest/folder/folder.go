// Package folder archives what is put into watched folders: scans, invoices, and
// whatever else people save on a share that is mounted on the server.
//
// A file is taken once it has not changed for a while and nobody holds a lock on it.
// It is copied, archived from the copy, read back from the vault and compared with
// the file in the folder; only then it is moved to done. What cannot be archived is
// moved to failed, with a text beside it that says why. Until then the file stays
// where it is: a crash at any moment costs at most a second reading, for the archive
// records the same bytes of the same path once.
//
// Folders are polled: shares of other machines tell of no changes. All paths are
// resolved below the directory of the tenant, whatever links are in them; links
// themselves, and files that are none, are never opened.
//
// The package must not look into files beyond the question whether one is a message.
//
//	folder.go   what it needs; the Watcher   scan.go   what is in a folder, and what has settled
//	run.go      a worker for each folder     take.go   one file
//	place.go    paths, done and failed       mail.go   messages among the files
package folder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/watch"
)

// Archive is what watching needs of the archive.
type Archive interface {
	// Ingest returns nil only when the message is durable.
	Ingest(ctx context.Context, sub archive.Submission) (archive.Receipt, error)
	Refused(ctx context.Context, tenant, source uid.ID, bytes int64)
	CheckStored(ctx context.Context, tenant, id uid.ID, sum [32]byte) error
	Tenants(ctx context.Context) ([]*catalog.Tenant, error)
	WatchedFolders(ctx context.Context) ([]archive.SourceView, error)
	SetSourceState(ctx context.Context, tenant, source uid.ID, state []byte) error
}

// Config says what a Watcher works with. Archive, Spool and Work are needed.
type Config struct {
	Archive Archive
	Spool   *spool.Dir
	// Root holds a directory for each tenant, named by its slug; empty: folders are
	// not watched, and say so.
	Root string
	Work string           // directory for copies of files while they are archived
	Log  *slog.Logger     // nil: slog.Default
	Now  func() time.Time // nil: time.Now
}

// timings are how long things may take; tests have others.
type timings struct {
	look    time.Duration // between looks for new and changed folders
	poll    time.Duration // between looks into a folder
	longest time.Duration // between looks into a folder in trouble
	tell    time.Duration // between states of a folder in which nothing happens
	empty   int           // times the settling time that an empty file may still be filled
}

// Watcher archives what is put into watched folders.
type Watcher struct {
	Config
	timings timings
	slots   chan struct{} // one for each file being archived

	mu    sync.Mutex
	wakes map[uid.ID]chan struct{} // by source, capacity 1: look at once
}

const (
	atATime    = 2 // files of all folders that are archived at the same time
	copyPrefix = "folder-"
)

// New makes a Watcher that does nothing before it is told to, and removes the copies
// that an earlier process has left.
func New(c Config) (*Watcher, error) {
	if c.Archive == nil || c.Spool == nil || c.Work == "" {
		return nil, errors.New("folder: no archive, no spool or no place for copies")
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := os.MkdirAll(c.Work, 0o700); err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	entries, err := os.ReadDir(c.Work)
	if err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), copyPrefix) {
			os.Remove(filepath.Join(c.Work, e.Name())) //nolint:errcheck // the next start tries again
		}
	}
	return &Watcher{Config: c, slots: make(chan struct{}, atATime), wakes: map[uid.ID]chan struct{}{},
		timings: timings{look: 3 * time.Second, poll: 2 * time.Second, longest: 5 * time.Minute, tell: time.Minute, empty: 60}}, nil
}

// wake returns the channel that wakes the worker of a source.
func (w *Watcher) wake(source uid.ID) chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.wakes[source]
	if c == nil {
		c = make(chan struct{}, 1)
		w.wakes[source] = c
	}
	return c
}

// LookNow makes Run look into a folder at once. Files that have not settled wait.
func (w *Watcher) LookNow(source uid.ID) {
	select {
	case w.wake(source) <- struct{}{}:
	default: // it will look already
	}
}

// problem is a trouble with a folder that people have to know of.
func problem(code, text string, err error) *watch.Problem {
	p := &watch.Problem{Code: code, Text: text}
	if err != nil {
		p.Detail = err.Error()
	}
	return p
}
