// Package archive holds the verbs: it is the only package that changes
// anything, and the only way to what is stored. Doors hand it Submissions
// (Ingest) and read through a Handle, which exists only for an actor (As): there
// is no data method without one.
//
// The order of an ingest is the promise of the product: the bytes are durable
// in the vault, then the catalog row and the event are durable in one
// transaction, and only then Ingest returns. The index follows by itself and
// can always be rebuilt.
//
//	submission.go  what doors hand in          view.go     what readers get
//	ingest.go      hash, parse, prepare         search.go   find
//	commit.go      group commit per tenant      read.go     message, download, HTML
//	document.go    files that are no mail
//	record.go      what the vault remembers     account.go  log-in and sessions
//	indexing.go    keeps the index up to date   admin.go    tenants, sources
//	reindex.go     makes it anew                erase.go eraseplan.go erasekept.go deletion.go tombstone.go
//	                                            messages that are deleted for good
//	user.go  userdesk.go  users: creation, rules; userchange.go, userlist.go
//	userimport.go  userplan.go  userexport.go  lists of users as files
//	fsck.go rebuild.go compact.go               the caretakers; mergeplan.go chooses, relocate.go
//	                                            records what a compaction moves; fsckrows.go,
//	                                            ledger.go, fsckindex.go, fscktenant.go, adopt.go
//	route.go hint.go  who is in a message, and where it belongs
//	domain.go domainproof.go mailrules.go selection.go quarantine.go  the rules of that, and what they hold back
//	member.go metadata.go  what an evidence record covers
//	seal.go sealstamp.go sealstate.go sealsetting.go fsckseal.go  batches and their time stamps
//	sealline.go sealcheckpoint.go renewal.go rehash.go membersum.go  records with all renewals;
//	                   event logs as members of batches; what is to be renewed, and how
//	guess.go enter.go passkey.go factors.go  log-in in steps, and what proves a user
//	link.go letter.go loginpolicy.go usersecurity.go url.go  one-time links, mails about log-ins, what is asked of them
//	directory.go directorysync.go directorylogin.go providerlogin.go  where users come from
//	site.go   by which name and certificate the installation is reached
//	log.go logkey.go receipt.go audit.go  the event log: shown, signed, handed out, compared
//	describetenant.go  what the vault remembers of tenants and sources
//	webhook.go webhooktell.go trouble.go  other programs that are told of events
//	staff.go  operators and the staff of resellers
//	hierarchy.go reseller.go branding.go provision.go usage.go tenantstate.go deletetenant.go token.go
//	                   what operators and resellers do
package archive

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/alarm"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/password"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// DefaultClass is the retention class of messages that no rule has classified.
// Nothing of it is ever due.
const DefaultClass = "unclassified"

// inFlight bounds the bytes of originals that are being prepared at the same
// time.
const inFlight = 96 << 20

// hashers bounds how many passwords are hashed at the same time: each takes
// 19 MiB and a core.
const hashers = 2

// Config is what an Archive is built from. All members but JournalDomain,
// Now, URL, LogIns, Hasher, Passwords, LookupTXT, WebhookNetworks, Directories and
// Disk are required.
type Config struct {
	Catalog *catalog.Catalog
	Vault   *vault.Vault
	Index   index.Index
	Log     *slog.Logger
	Spool   string // directory for the bytes of large messages while they are read
	// JournalDomain is the domain of new journal addresses.
	JournalDomain string
	// DeleteAfter is how long a tenant has to have ended before it may be deleted; 0:
	// DefaultDeleteAfter, negative: at once.
	DeleteAfter time.Duration
	Now         func() time.Time
	// URL is where people reach the web interface; SetURL changes it.
	URL    string
	LogIns LogInTimes
	// Hasher hashes passwords; nil: as costly as it should be.
	Hasher *password.Hasher
	// Passwords judges new passwords; nil: without lists of leaked ones.
	Passwords *password.Policy
	// LookupTXT asks the DNS for TXT records; nil: as the system does.
	LookupTXT func(ctx context.Context, name string) ([]string, error)
	// WebhookNetworks may be told of events although they are private, and without TLS.
	WebhookNetworks []netip.Prefix
	// Directories asks user repositories; nil: nobody does, and those who are known
	// there only cannot log in.
	Directories Directories
	// Disk tells the room where the data are; nil: nobody looks.
	Disk func() (alarm.Disk, error)
	// Catalogue says until when algorithms are trusted; nil: the one that is part of
	// the program.
	Catalogue *algo.Catalogue
}

// Archive is the whole archive of one installation. All methods are safe for
// concurrent use.
type Archive struct {
	catalog *catalog.Catalog
	vault   *vault.Vault
	index   index.Index
	log     *slog.Logger
	spool   string
	domain  string
	now     func() time.Time
	hasher  *password.Hasher
	times   LogInTimes
	place   places
	guesses *guesses
	mail    chan struct{} // capacity 1: a mail was queued

	passwords *password.Policy

	disk            func() (alarm.Disk, error)
	webhookNetworks []netip.Prefix
	lookupTXT       func(ctx context.Context, name string) ([]string, error)

	directories Directories
	syncing     sync.Map // ids of directories that are being synchronised

	cpu   chan struct{}       // one slot per message being prepared
	bytes *semaphore.Weighted // originals being prepared

	mu      sync.Mutex // guards what follows
	closed  bool
	beside  []func(ctx context.Context, tenant uid.ID) error // see AlsoDelete
	tenants map[uid.ID]*tenantWork

	sealing  sync.Mutex // held while a batch is made
	renewing sync.Mutex // held while renewals are made
	batches  batchCache
	trusted  trustCache
	// unreadable is what the last renewal could not read.
	unreadable unreadBatches
	catalogue  *algo.Catalogue

	describing sync.Mutex // held while the vault's description of a tenant changes
	founding   sync.Mutex // of the first operator

	routes routes

	hierarchy hierarchy // what belongs to tenants, resellers and operators

	sources sync.Map // sourceKey → *sourceInfo, never changed

	background context.Context // ends with Close
	stop       context.CancelFunc
	workers    sync.WaitGroup
}

// New starts an archive and, in the background, brings the index up to date.
func New(c Config) (*Archive, error) {
	if c.Catalog == nil || c.Vault == nil || c.Index == nil || c.Log == nil {
		return nil, errors.New("archive: catalog, vault, index and log are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.JournalDomain == "" {
		c.JournalDomain = "journal.invalid"
	}
	if c.Catalogue == nil {
		c.Catalogue = algo.Shipped()
	}
	if c.DeleteAfter == 0 {
		c.DeleteAfter = DefaultDeleteAfter
	}
	if c.Hasher == nil {
		c.Hasher = password.NewHasher(hashers)
	}
	if c.Passwords == nil {
		var err error
		if c.Passwords, err = password.NewPolicy(password.PolicyConfig{}); err != nil {
			return nil, err
		}
	}
	if c.LookupTXT == nil {
		c.LookupTXT = (&net.Resolver{PreferGo: true}).LookupTXT
	}
	ctx, stop := context.WithCancel(context.Background())
	a := &Archive{webhookNetworks: c.WebhookNetworks, lookupTXT: c.LookupTXT, hierarchy: hierarchy{deleteAfter: max(c.DeleteAfter, 0)},
		catalog: c.Catalog, vault: c.Vault, index: c.Index, log: c.Log, spool: c.Spool, domain: c.JournalDomain, now: c.Now,
		hasher: c.Hasher, passwords: c.Passwords, directories: c.Directories, disk: c.Disk, cpu: make(chan struct{}, runtime.GOMAXPROCS(0)),
		bytes: semaphore.NewWeighted(inFlight), tenants: map[uid.ID]*tenantWork{},
		background: ctx, stop: stop,
		times: c.LogIns.orDefault(), guesses: newGuesses(c.Now), mail: make(chan struct{}, 1), catalogue: c.Catalogue,
	}
	a.SetURL(c.URL)
	tenants, err := a.Tenants(ctx)
	if err != nil {
		stop()
		return nil, err
	}
	for _, t := range tenants {
		if _, err := a.work(t.ID); err != nil {
			stop()
			return nil, err
		}
	}
	return a, nil
}

// Close stops taking submissions, finishes those that are being committed and
// stops the background work. It does not close catalog, vault and index.
func (a *Archive) Close() {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return
	}
	a.closed = true
	for _, w := range a.tenants {
		w.senders.Wait()
		close(w.queue)
	}
	a.mu.Unlock()
	for _, w := range a.tenants {
		<-w.committed
	}
	a.stop()
	a.workers.Wait()
}

// tenantWork is the background work of one tenant.
type tenantWork struct {
	tenant    uid.ID
	queue     chan *pending
	coming    atomic.Int64   // Ingest calls that are on their way into queue
	senders   sync.WaitGroup // Ingest calls between the check for closed and their send
	committed chan struct{}  // closed when the committer has ended
	fresh     chan freshDocs // committed, not yet indexed
	waiting   atomic.Int64   // bytes of text in fresh
	late      atomic.Bool    // the indexer has not taken anything for too long
	wake      chan struct{}  // capacity 1: look for work
	indexing  sync.Mutex     // held while the index and its mark change
	storing   sync.RWMutex   // held for reading while something is stored, for writing while messages are deleted
	mood      mood

	compacting chan struct{}   // capacity 1: whoever compacts
	leftOut    map[uid.ID]bool // segments that cannot be compacted; of whoever compacts
	gone       atomic.Bool     // the tenant was deleted: nothing is left to do
}

// work returns the tenant's background work and starts it on first use.
func (a *Archive) work(tenant uid.ID) (*tenantWork, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, ErrBusy
	}
	w := a.tenants[tenant]
	if w == nil {
		w = &tenantWork{tenant: tenant, queue: make(chan *pending, batchMessages), committed: make(chan struct{}),
			fresh: make(chan freshDocs, 16), wake: make(chan struct{}, 1),
			compacting: make(chan struct{}, 1), leftOut: map[uid.ID]bool{}}
		a.tenants[tenant] = w
		a.workers.Add(2)
		go func() { defer a.workers.Done(); a.commitLoop(w) }()
		go func() { defer a.workers.Done(); a.indexLoop(w) }()
	}
	return w, nil
}

// As returns the view of the archive that actor has.
func (a *Archive) As(actor access.Actor) *Handle { return &Handle{a: a, actor: actor} }

// Handle acts for one actor on one tenant. It is safe for concurrent use.
type Handle struct {
	a     *Archive
	actor access.Actor
}
