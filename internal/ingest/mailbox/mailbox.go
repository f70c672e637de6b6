// Package mailbox fetches remote mailboxes into the archive.
//
// A message is deleted on its server only after archive.Ingest has returned nil
// for exactly the bytes that came in this session (POP3) or under this UID and
// UIDVALIDITY (IMAP). A crash at any moment costs at most a second download:
// every message is offered with its origin, and the archive records the same
// bytes of the same origin once.
//
// # What is remembered
//
// In the catalog: for each IMAP folder that is kept, below which UID everything
// is settled (SourceFolder), and what stays on the server and is settled all the
// same (SourceItem): too large, not to be fetched, archived but not to be deleted.
// In memory: when the latter were tried last. The state of a source is for people,
// but for the way to the server that was found, which saves the search.
//
// The origin of a message holds account, folder, UIDVALIDITY and UID; folder, flags and
// INTERNALDATE are kept with its arrival. Access tokens are fetched and renewed by package
// oauth, unless somebody has entered one.
//
// The package must not look into messages, and never logs or hands out a password.
//
//	mailbox.go   what it needs; the Fetcher
//	run.go       looks for sources, one worker each
//	worker.go    fetch, wait or idle, back off
//	task.go      one fetch of one source, over as many connections as it takes
//	connect.go   ways to a server, trust, log-in; reach.go: whom not to connect to
//	token.go     access tokens
//	offer.go     hands messages to the archive, many at a time
//	imap.go      folders; imapahead.go, imappage.go: the messages in one
//	pop3.go      a maildrop; popfetch.go: the messages in one
//	items.go     what stays on the server
//	problem.go   errors in plain words
//	probe.go     tests of settings
//	tally.go     what servers say they hold
//	history.go   archives a whole mailbox once; historyfolder.go: one folder of it;
//	             agree.go: compares counts; empty.go: removes;
//	             job.go: runs in the background; jobfile.go: outlives the process
package mailbox

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/imap"
	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/uid"
)

// Archive is what fetching needs of the archive.
type Archive interface {
	// Ingest returns nil only when the message is durable.
	Ingest(ctx context.Context, sub archive.Submission) (archive.Receipt, error)
	RemoteMailboxes(ctx context.Context) ([]archive.SourceView, error)
	SourceSecret(ctx context.Context, tenant, source uid.ID) ([]byte, error)
	SwapSourceSecret(ctx context.Context, tenant, source uid.ID, old, secret []byte) (bool, error)
	SetSourceState(ctx context.Context, tenant, source uid.ID, state []byte) error
	SourceItems(ctx context.Context, tenant, source uid.ID, folder string) ([]*catalog.SourceItem, error)
	SettleItems(ctx context.Context, tenant, source uid.ID, folder string, add []*catalog.SourceItem, drop []string) error
	SourceFolders(ctx context.Context, tenant, source uid.ID) (map[string]catalog.SourceFolder, error)
	SetSourceFolder(ctx context.Context, tenant, source uid.ID, f catalog.SourceFolder) error
	SelectionChanged(ctx context.Context, tenant uid.ID) (time.Time, error)
	LastSourceCount(ctx context.Context, tenant, source uid.ID, folder string) (*catalog.SourceCount, error)
	SetSourceCount(ctx context.Context, tenant uid.ID, s catalog.SourceCount) error
	Arrivals(ctx context.Context, tenant, source uid.ID, prefix string, do func(archive.Arrival) error) error
	VerifyArrival(ctx context.Context, tenant, source uid.ID, at archive.Arrival, sum [32]byte) error
	LogRemoval(ctx context.Context, tenant, source uid.ID, details map[string]string) error
}

const (
	// atATime is how many sources are fetched at the same time. Those that wait
	// for news are not counted.
	atATime = 8
	// bytesInFlight bounds the messages of all sources that are being offered
	// together; the archive holds each of them several times.
	bytesInFlight = 16 << 20
	// leastWeight is what the smallest message counts, so that at most 256 are
	// offered together.
	leastWeight = bytesInFlight / 256
)

// Config says what a Fetcher works with. Archive and Spool are needed.
type Config struct {
	Archive Archive
	Spool   *spool.Dir
	Log     *slog.Logger     // nil: slog.Default
	Now     func() time.Time // nil: time.Now
	// PublicOnly refuses servers on this machine and in private networks, also
	// those to which a name leads.
	PublicOnly bool
	// Histories is the directory where histories in the background are written down; it is
	// made. Empty: they are forgotten with the process.
	Histories string
	// OAuth gets access tokens; nil: a client that PublicOnly holds for.
	OAuth *oauth.Client
}

// timings are how long things may take; tests have others.
type timings struct {
	look     time.Duration // between looks for new and changed sources
	progress time.Duration // between states told during a fetch
	retry    time.Duration // between attempts at what could not be fetched or deleted
	backoff  time.Duration // after the first failure; doubled with each
	longest  time.Duration // back-off
	imap     imap.Timeouts
	idle     time.Duration // of one read or write of POP3
	command  time.Duration // of POP3
	transfer time.Duration // of a message by POP3
	probe    time.Duration // for one way to a server, in a test of settings
}

func usualTimings() timings {
	return timings{look: 3 * time.Second, progress: 5 * time.Second, retry: time.Hour, backoff: 5 * time.Second, longest: 15 * time.Minute,
		probe: 10 * time.Second}
}

// Fetcher fetches remote mailboxes. Its methods may be called concurrently.
type Fetcher struct {
	Config
	timings timings
	slots   chan struct{}
	memory  *semaphore.Weighted
	ports   func(way) int // the usual port of a way
	names   *net.Resolver // nil: that of the system

	mu      sync.Mutex
	keepers map[sourceKey]keeper
	locks   map[sourceKey]chan struct{} // capacity 1: whoever fetches a source
	wakes   map[sourceKey]chan struct{} // capacity 1: fetch at once
	looked  chan struct{}               // capacity 1: look for sources at once
	jobs    map[sourceKey]*job          // histories
}

type sourceKey struct{ tenant, source uid.ID }

// ErrNoSource is returned for a source that is no remote mailbox, or is disabled.
var ErrNoSource = errors.New("no such remote mailbox, or it is switched off")

// New makes a Fetcher that does nothing before it is told to.
func New(c Config) (*Fetcher, error) {
	if c.Archive == nil || c.Spool == nil {
		return nil, errors.New("mailbox: no archive or no spool")
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.OAuth == nil {
		c.OAuth = oauth.New(oauth.Config{AllowPrivate: !c.PublicOnly, Now: c.Now})
	}
	f := &Fetcher{Config: c, keepers: map[sourceKey]keeper{}, timings: usualTimings(), slots: make(chan struct{}, atATime), memory: semaphore.NewWeighted(bytesInFlight),
		ports: usualPort, locks: map[sourceKey]chan struct{}{}, wakes: map[sourceKey]chan struct{}{}, looked: make(chan struct{}, 1), jobs: map[sourceKey]*job{}}
	return f, f.loadJobs()
}

// lock waits until nobody else fetches the source, and returns what ends that.
func (f *Fetcher) lock(ctx context.Context, k sourceKey) (unlock func(), err error) {
	f.mu.Lock()
	l := f.locks[k]
	if l == nil {
		l = make(chan struct{}, 1)
		f.locks[k] = l
	}
	f.mu.Unlock()
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// wake returns the channel that wakes the worker of a source.
func (f *Fetcher) wake(k sourceKey) chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.wakes[k]
	if w == nil {
		w = make(chan struct{}, 1)
		f.wakes[k] = w
	}
	return w
}

// find returns a remote mailbox that is not disabled.
func (f *Fetcher) find(ctx context.Context, k sourceKey) (*archive.SourceView, error) {
	list, err := f.Archive.RemoteMailboxes(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if v := &list[i]; v.Tenant == k.tenant && v.ID == k.source && !v.Disabled {
			return v, nil
		}
	}
	return nil, ErrNoSource
}
