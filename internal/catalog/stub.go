package catalog

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/uid"
)

var errStub = errors.New("not yet")

// Options of Open. The zero value is good.
type Options struct {
	Log     *slog.Logger     // default: discards
	Now     func() time.Time // default: time.Now
	Readers int              // connections for reading; default: 4 (SQLite), 16 in all (PostgreSQL)
}

// Catalog is an open database.
type Catalog struct{}

// Open connects to the database dsn names, "sqlite:/path/catalog.db" or
// "postgres://…", and brings its schema up to date.
func Open(ctx context.Context, dsn string, opts Options) (*Catalog, error) { return nil, errStub }

// Close waits for running statements and closes the connections.
func (c *Catalog) Close() error { return errStub }

// Dialect is "sqlite" or "postgres".
func (c *Catalog) Dialect() string { return "" }

// Ping reports whether the database answers.
func (c *Catalog) Ping(ctx context.Context) error { return errStub }

// CreateTenant adds t, which must have an ID. ErrTaken if its slug is in use.
func (c *Catalog) CreateTenant(ctx context.Context, t *Tenant) error { return errStub }

// Tenant returns a tenant by its ID.
func (c *Catalog) Tenant(ctx context.Context, id uid.ID) (*Tenant, error) { return nil, errStub }

// TenantBySlug returns a tenant by its short name.
func (c *Catalog) TenantBySlug(ctx context.Context, slug string) (*Tenant, error) {
	return nil, errStub
}

// Tenants returns all tenants by slug.
func (c *Catalog) Tenants(ctx context.Context) ([]*Tenant, error) { return nil, errStub }

// UpdateTenant writes name, zone and state.
func (c *Catalog) UpdateTenant(ctx context.Context, t *Tenant) error { return errStub }

// CreateUser adds u. ErrTaken if the login is in use within the tenant.
func (c *Catalog) CreateUser(ctx context.Context, u *User) error { return errStub }

// User returns a user of a tenant.
func (c *Catalog) User(ctx context.Context, tenant, id uid.ID) (*User, error) { return nil, errStub }

// UserByLogin returns a user of a tenant by login.
func (c *Catalog) UserByLogin(ctx context.Context, tenant uid.ID, login string) (*User, error) {
	return nil, errStub
}

// UsersByLogin returns the users of all tenants with this login: only for logging in.
func (c *Catalog) UsersByLogin(ctx context.Context, login string) ([]*User, error) {
	return nil, errStub
}

// UsersByAddress returns the users of all tenants that have address: only for logging in.
func (c *Catalog) UsersByAddress(ctx context.Context, address string) ([]*User, error) {
	return nil, errStub
}

// Users returns all users of a tenant by login.
func (c *Catalog) Users(ctx context.Context, tenant uid.ID) ([]*User, error) { return nil, errStub }

// UpdateUser writes everything but ID, tenant, login and time of creation.
func (c *Catalog) UpdateUser(ctx context.Context, u *User) error { return errStub }

// CreateSession adds a log-in.
func (c *Catalog) CreateSession(ctx context.Context, s *Session) error { return errStub }

// Session returns the log-in with this token hash, expired or not.
func (c *Catalog) Session(ctx context.Context, hash [32]byte) (*Session, error) { return nil, errStub }

// TouchSession records use. ErrNotFound if the session has ended.
func (c *Catalog) TouchSession(ctx context.Context, hash [32]byte, seen, expires time.Time) error {
	return errStub
}

// DeleteSession ends a log-in. It is no error if there is none.
func (c *Catalog) DeleteSession(ctx context.Context, hash [32]byte) error { return errStub }

// DeleteSessions ends all log-ins of a user.
func (c *Catalog) DeleteSessions(ctx context.Context, tenant, user uid.ID) error { return errStub }

// DeleteExpiredSessions ends the log-ins that expired at or before now.
func (c *Catalog) DeleteExpiredSessions(ctx context.Context, now time.Time) (int, error) {
	return 0, errStub
}

// CreateSource adds s. ErrTaken if kind and name are in use within the tenant, or the journal address anywhere.
func (c *Catalog) CreateSource(ctx context.Context, s *Source) error { return errStub }

// Source returns a source of a tenant.
func (c *Catalog) Source(ctx context.Context, tenant, id uid.ID) (*Source, error) {
	return nil, errStub
}

// SourceByJournalAddress returns the source mail for address belongs to, of any tenant.
func (c *Catalog) SourceByJournalAddress(ctx context.Context, address string) (*Source, error) {
	return nil, errStub
}

// SourceByName returns a source of a tenant by kind and name.
func (c *Catalog) SourceByName(ctx context.Context, tenant uid.ID, kind, name string) (*Source, error) {
	return nil, errStub
}

// Sources returns the sources of a tenant by kind and name.
func (c *Catalog) Sources(ctx context.Context, tenant uid.ID) ([]*Source, error) {
	return nil, errStub
}

// UpdateSource writes name, journal address, category and disabled.
func (c *Catalog) UpdateSource(ctx context.Context, s *Source) error { return errStub }

// Loc is where something rests in the vault.
type Loc struct {
	Segment uid.ID
	Frame   uint32
}

// Known tells which contents are stored, by SHA-256 of the original, and as what AOID.
func (c *Catalog) Known(ctx context.Context, tenant uid.ID, sums [][32]byte) (map[[32]byte]uid.ID, error) {
	return nil, errStub
}

// KnownCaptures tells which capture keys are recorded.
func (c *Catalog) KnownCaptures(ctx context.Context, tenant uid.ID, keys [][32]byte) (map[[32]byte]bool, error) {
	return nil, errStub
}

// FindPart tells where a part rests.
func (c *Catalog) FindPart(ctx context.Context, tenant uid.ID, sum [32]byte) (Loc, bool, error) {
	return Loc{}, false, errStub
}

// Parts returns the parts among sums that are stored.
func (c *Catalog) Parts(ctx context.Context, tenant uid.ID, sums [][32]byte) (map[[32]byte]*Part, error) {
	return nil, errStub
}

// Commit makes b durable in one transaction and sets Seq of its messages and
// events. ErrTaken means nothing was written because a content, capture key or
// part is stored already: look again with Known, KnownCaptures and Parts.
func (c *Catalog) Commit(ctx context.Context, tenant uid.ID, b *Batch) error { return errStub }

// Message returns one message.
func (c *Catalog) Message(ctx context.Context, tenant, aoid uid.ID) (*Message, error) {
	return nil, errStub
}

// Messages returns the messages among aoids that exist. Rows that fail their
// check sum are missing and joined as *RowError in the error, beside the good ones.
func (c *Catalog) Messages(ctx context.Context, tenant uid.ID, aoids []uid.ID) (map[uid.ID]*Message, error) {
	return nil, errStub
}

// MessagesAfter returns at most limit messages with a Seq above seq, ascending.
// Rows that fail their check sum are missing and joined as *RowError in the
// error, beside the good ones.
func (c *Catalog) MessagesAfter(ctx context.Context, tenant uid.ID, seq int64, limit int) ([]*Message, error) {
	return nil, errStub
}

// WalkMessages calls fn for every message of a tenant by Seq, with the
// *RowError in place of the message if it fails its check sum. It stops at
// fn's first error and returns it.
func (c *Catalog) WalkMessages(ctx context.Context, tenant uid.ID, fn func(*Message, error) error) error {
	return errStub
}

// WalkCaptures is WalkMessages for captures, by ID.
func (c *Catalog) WalkCaptures(ctx context.Context, tenant uid.ID, fn func(*Capture, error) error) error {
	return errStub
}

// WalkParts is WalkMessages for parts, by SHA-256.
func (c *Catalog) WalkParts(ctx context.Context, tenant uid.ID, fn func(*Part, error) error) error {
	return errStub
}

// WalkSegments is WalkMessages for segments, by ID.
func (c *Catalog) WalkSegments(ctx context.Context, tenant uid.ID, fn func(*Segment, error) error) error {
	return errStub
}

// Captures returns the captures of a message by time.
func (c *Catalog) Captures(ctx context.Context, tenant, aoid uid.ID) ([]*Capture, error) {
	return nil, errStub
}

// Segment returns one segment.
func (c *Catalog) Segment(ctx context.Context, tenant, id uid.ID) (*Segment, error) {
	return nil, errStub
}

// Segments returns all segments of a tenant by ID.
func (c *Catalog) Segments(ctx context.Context, tenant uid.ID) ([]*Segment, error) {
	return nil, errStub
}

// Head returns the highest Seq of a tenant, 0 if it has no messages.
func (c *Catalog) Head(ctx context.Context, tenant uid.ID) (int64, error) { return 0, errStub }

// Indexed returns the Seq up to which the index is complete.
func (c *Catalog) Indexed(ctx context.Context, tenant uid.ID) (int64, error) { return 0, errStub }

// SetIndexed moves that mark up to seq; it never moves it down.
func (c *Catalog) SetIndexed(ctx context.Context, tenant uid.ID, seq int64) error { return errStub }

// ResetIndexed sets the mark to 0 and empties the queue of PendingReindex.
func (c *Catalog) ResetIndexed(ctx context.Context, tenant uid.ID) error { return errStub }

// Reindex is a message the index has to learn again.
type Reindex struct {
	AOID   uid.ID
	Ticket int64 // changes each time the message is queued
}

// PendingReindex returns at most limit queued messages.
func (c *Catalog) PendingReindex(ctx context.Context, tenant uid.ID, limit int) ([]Reindex, error) {
	return nil, errStub
}

// DoneReindex removes them from the queue, except those queued again since.
func (c *Catalog) DoneReindex(ctx context.Context, tenant uid.ID, done []Reindex) error {
	return errStub
}

// Moves is the outcome of a compaction.
type Moves struct {
	Segment  *Segment // the new one
	Messages map[uid.ID]Loc
	Parts    map[[32]byte]Loc
	Captures map[uid.ID]Loc
	Drop     []uid.ID // segments nothing rests in any more
}

// Relocate records a compaction in one transaction. It fails, and changes
// nothing, if something still rests in a dropped segment.
func (c *Catalog) Relocate(ctx context.Context, tenant uid.ID, m Moves) error { return errStub }

// ClearMessages removes all messages, captures, parts and segments of a tenant
// for a rebuild from the vault. Accounts and the event log stay.
func (c *Catalog) ClearMessages(ctx context.Context, tenant uid.ID) error { return errStub }

// Described is what is parsed from a message or decided by rules, and can change.
type Described struct {
	Facts    Facts
	Category string
	Tags     []string
	Parties  []Party // replace the old ones
}

// UpdateFacts replaces what was parsed from a message and queues it for the index.
func (c *Catalog) UpdateFacts(ctx context.Context, tenant, aoid uid.ID, d Described) error {
	return errStub
}

// Statistics are the numbers of a tenant.
type Statistics struct {
	Messages      int64
	RawBytes      int64 // of the originals
	StoredBytes   int64 // of the segments and their keys
	Segments      int64
	FirstReceived time.Time // zero if there are no messages
	LastReceived  time.Time
	Days          []DayCount // the 30 days up to now, oldest first, days without messages included
}

// DayCount is the number of messages stored on a day.
type DayCount struct {
	Day   string // 2006-01-02 in UTC
	Count int64
	Bytes int64
}

// Statistics counts.
func (c *Catalog) Statistics(ctx context.Context, tenant uid.ID) (*Statistics, error) {
	return nil, errStub
}

// Accounts returns the completeness accounts from day from to day to, both
// included ("2006-01-02"; empty: no bound), by day, source and outcome.
func (c *Catalog) Accounts(ctx context.Context, tenant uid.ID, from, to string) ([]Account, error) {
	return nil, errStub
}

// AddAccount adds to an account outside a batch.
func (c *Catalog) AddAccount(ctx context.Context, tenant uid.ID, a Account) error { return errStub }

// AppendEvents adds events to the tenant's log and sets their Seq.
func (c *Catalog) AppendEvents(ctx context.Context, tenant uid.ID, events []*Event) error {
	return errStub
}

// Events returns at most limit events with Seq >= from, ascending.
func (c *Catalog) Events(ctx context.Context, tenant uid.ID, from int64, limit int) ([]*Event, error) {
	return nil, errStub
}

// EventHead returns size and root of the tenant's event log.
func (c *Catalog) EventHead(ctx context.Context, tenant uid.ID) (eventlog.Head, error) {
	return eventlog.Head{}, errStub
}

// ProveEvent returns the leaf of event seq and the proof that it is in the log
// of the given size.
func (c *Catalog) ProveEvent(ctx context.Context, tenant uid.ID, seq, size int64) (*EventProof, error) {
	return nil, errStub
}

// EventProof shows that an event is in the log.
type EventProof struct {
	Leaf []byte // canonical JSON
	Head eventlog.Head
	Path []eventlog.Hash
}

// ProveConsistency returns the proof that the log of size to continues the log of size from.
func (c *Catalog) ProveConsistency(ctx context.Context, tenant uid.ID, from, to int64) ([]eventlog.Hash, error) {
	return nil, errStub
}

// VerifyEvents recomputes the tenant's log from its events; report is called for each thing wrong.
func (c *Catalog) VerifyEvents(ctx context.Context, tenant uid.ID, report func(error)) error {
	return errStub
}

// Check verifies the whole database, all tenants: the database's own integrity
// check, references, gapless Seq, every check sum, the event logs. report is
// called for each thing wrong, with a *RowError where a row is to blame; the
// error returned means that the check could not be completed.
func (c *Catalog) Check(ctx context.Context, report func(error)) error { return errStub }
