package catalog

import (
	"errors"
	"time"

	"github.com/muniment/muniment/internal/uid"
)

// ErrNotFound is returned (wrapped) when a row does not exist. A row of another
// tenant does not exist.
var ErrNotFound = errors.New("not found")

// ErrTaken is returned (wrapped) when a unique name is in use already.
var ErrTaken = errors.New("taken already")

// Tenant is one customer: the wall that nothing crosses.
type Tenant struct {
	ID        uid.ID
	Slug      string // short name for log-in and command line: [a-z0-9-], unique
	Name      string // as people read it
	Zone      string // IANA time zone, e.g. Europe/Berlin
	State     TenantState
	CreatedAt time.Time
}

// TenantState tells what a tenant may still do.
type TenantState string

// States of a tenant.
const (
	TenantActive    TenantState = "active"
	TenantSuspended TenantState = "suspended" // no log-in, archiving goes on
	TenantEnded     TenantState = "ended"     // read only until the hand-over
)

// User is a person who logs in.
type User struct {
	ID           uid.ID
	Tenant       uid.ID // zero for an operator
	Login        string // lower case, unique within the tenant, never changed
	Name         string // as people read it
	FirstName    string
	LastName     string
	Role         string // an access.Role
	PasswordHash string // argon2id in PHC form; empty: no log-in with a password
	Language     string // "de", "en" or empty: the browser's
	Disabled     bool
	ExpiresAt    time.Time // no log-in from then on; zero: for ever
	CreatedAt    time.Time
	LoggedInAt   time.Time // the last time; zero: never that the catalog knows of
	Addresses    []string  // normalised mail addresses whose mail the user may see
}

// Source is where mail comes from.
type Source struct {
	ID             uid.ID
	Tenant         uid.ID
	Kind           string // "journal", "import" …
	Name           string
	JournalAddress string // normalised; unique in the installation; empty unless Kind is journal
	Category       string // given to what arrives here, may be empty
	Disabled       bool
	CreatedAt      time.Time
}

// Message is an archived message. Where it rests and what it is (AOID to
// Frame) is guarded by a check sum over the row; the parsed facts are as well.
type Message struct {
	Tenant     uid.ID
	Seq        int64 // 1, 2, 3 … without gaps within the tenant; set by Commit
	AOID       uid.ID
	SHA256     [32]byte
	SHA512     [64]byte
	Size       int64 // bytes of the original
	Segment    uid.ID
	Frame      uint32
	ReceivedAt time.Time // when the archive took it, milliseconds
	Date       time.Time // orders the message: its own date, or ReceivedAt if that is implausible; seconds
	Source     uid.ID    // of the first capture
	Class      string
	Category   string
	Tags       []string
	Parties    []Party
	Facts      Facts
	// Document is the identity of a document: bytes and owners. Zero: it is mail.
	Document [32]byte
	// Members are the SHA-256 of what its evidence record covers besides the
	// original, one after the other: the metadata and, if it came in one, the
	// journal report. Nil: not computed yet.
	Members []byte
}

// Party is an address on a message with its role.
type Party struct {
	Role    string `json:"r"` // a message.Role, one of the envelope, or one of a journal report
	Name    string `json:"n,omitempty"`
	Address string `json:"a"` // normalised
	// Via is the distribution list or mailbox through which the message came to
	// Address, as a journal report tells; normalised.
	Via string `json:"v,omitempty"`
}

// Facts are parsed from the message, and can be parsed again.
type Facts struct {
	Version     int      `json:"v"`
	MessageID   string   `json:"id,omitempty"`
	Subject     string   `json:"s,omitempty"`
	Preview     string   `json:"p,omitempty"` // start of the text, at most 160 runes
	Attachments int      `json:"a,omitempty"` // how many
	HTML        bool     `json:"h,omitempty"`
	Warnings    []string `json:"w,omitempty"`
	// File is what a document is; nil: it is mail.
	File *File `json:"f,omitempty"`
}

// File is what is known of a document besides its bytes.
type File struct {
	Name string `json:"n"`           // as it was called, without a path
	Type string `json:"t"`           // MIME type, by its beginning and its name
	Date string `json:"d,omitempty"` // of the document, as whoever gave it said: 2006-01-02
}

// Part is an attachment that is stored once per tenant.
type Part struct {
	Tenant  uid.ID
	SHA256  [32]byte // of the decoded bytes
	Size    int64
	Segment uid.ID
	Frame   uint32
}

// Capture is one arrival of a message through one source.
type Capture struct {
	Tenant       uid.ID
	ID           uid.ID
	AOID         uid.ID
	Source       uid.ID
	ReceivedAt   time.Time
	EnvelopeFrom string
	EnvelopeTo   []string
	Peer         string   // address of the sending host, or empty
	Origin       string   // path or UID within the source
	Journal      *Journal // what a journal report said; nil: it came without one
	Filing       *Filing  // how it lay in the mailbox it came from; nil: nobody said
	Hints        *Hints   // nil: none were believed
	// Key makes a capture unique within the tenant, so that the same item of
	// the same source is recorded once. SHA-256 by archive.
	Key     [32]byte
	Segment uid.ID // where its record rests in the vault
	Frame   uint32
}

// Filing is how a message was filed in the mailbox it came from. Whatever of it
// the mailbox does not tell is empty.
type Filing struct {
	Folder string   `json:"folder,omitempty"` // path, decoded, with the mailbox's own separator
	Flags  []string `json:"flags,omitempty"`  // and keywords, such as "\Seen" (RFC 9051 §2.3.2)
	// Date is when the mailbox got the message (INTERNALDATE), in the zone that
	// the mailbox says.
	Date *time.Time `json:"date,omitempty"`
}

// Journal is what a journal report said of the arrival of the message in it
// (MS-XJRNL).
type Journal struct {
	Form       string      `json:"form"`
	Sender     string      `json:"sender,omitempty"`
	OnBehalfOf string      `json:"behalf,omitempty"`
	Mailbox    string      `json:"mailbox,omitempty"`
	Label      string      `json:"label,omitempty"`
	Recipients []Recipient `json:"rcpt,omitempty"`
	NDR        bool        `json:"ndr,omitempty"`       // the report was inside a non-delivery report
	Decrypted  bool        `json:"decrypted,omitempty"` // the message is the copy that Exchange has decrypted
	SHA256     string      `json:"sha256,omitempty"`    // of the whole report, hexadecimal
	SHA512     string      `json:"sha512,omitempty"`    // likewise; absent in records of former releases
	Size       int64       `json:"size,omitempty"`      // of the whole report, bytes
	// Problem says why a message that claims to be a report was kept whole
	// instead of what is in it. Then all the others but Form are empty.
	Problem string `json:"problem,omitempty"`
}

// Hints are envelope addresses that a trusted mail server has written into header
// fields (standard CAP-3), normalised.
type Hints struct {
	From []string `json:"f,omitempty"`
	To   []string `json:"t,omitempty"`
}

// Recipient is a recipient of the envelope, as a journal report tells.
type Recipient struct {
	Role    string `json:"r"` // "to", "cc", "bcc" or "recipient": unknown which
	Address string `json:"a"`
	Via     string `json:"v,omitempty"` // "expanded" or "forwarded"
	Through string `json:"t,omitempty"` // the list that was expanded, the mailbox that forwards
}

// SourceSetting is what a source needs beyond its name.
type SourceSetting struct {
	Source   uid.ID
	Tenant   uid.ID
	Settings []byte // JSON
	Secret   []byte // sealed; nil: none
}

// SourceState tells how a source that fetches fares.
type SourceState struct {
	Source uid.ID
	Tenant uid.ID
	State  []byte // JSON
}

// SourceItem is an item that stays in a remote mailbox and is settled.
type SourceItem struct {
	Folder  string // with its UIDVALIDITY
	Item    string // a UID or UIDL
	Outcome Outcome
	Bytes   int64
	At      time.Time
	Detail  string // why, in plain words
}

// SourceFolder tells how far a folder of a remote mailbox has been read.
type SourceFolder struct {
	Folder   string
	Validity int64 // UIDVALIDITY of the folder
	Next     int64 // every lower UID is settled, or has a SourceItem
}

// SourceCount is what a server said of how many messages it holds in one folder,
// on one day.
type SourceCount struct {
	Source uid.ID
	Folder string // with its account, as SourceFolder has it
	Day    string // 2006-01-02 in UTC
	Came   int64  // by how many the count rose that day, in all
	Held   int64  // the last count
	Rest   int64  // the last count less what the archive has deleted there since
}

// Segment is one write-once object of the vault.
type Segment struct {
	Tenant    uid.ID
	ID        uid.ID
	Size      int64 // bytes of the object and its keys
	RawSize   int64 // bytes of what it holds, before compression
	Frames    int
	Compacted bool
	CreatedAt time.Time
}

// Outcome is the one account in which every offered message ends.
type Outcome string

// Outcomes.
const (
	Stored      Outcome = "stored"
	Duplicate   Outcome = "duplicate"
	Excluded    Outcome = "excluded"
	Quarantined Outcome = "quarantined"
	// ReleasedLater was quarantined, and an administrator has released it since.
	ReleasedLater Outcome = "released"
	Refused       Outcome = "refused"
	// Left is on a server and stays there, e.g. because it is too large.
	Left Outcome = "left"
	// Repeated was offered before, as the same item of the same source: its
	// account is that of the first time.
	Repeated Outcome = "repeated"
)

// Account is the number of messages of a source that ended alike on one day.
type Account struct {
	Source  uid.ID
	Day     string // 2006-01-02 in UTC
	Outcome Outcome
	Count   int64
	Bytes   int64
}

// Event is one act, kept for ever in the tenant's event log.
type Event struct {
	Seq    int64 // 0, 1, 2 … within the tenant; set on append
	At     time.Time
	Actor  string // pseudonym: "user:<id>", "source:<id>", "cli", "system"
	Action string // e.g. "message.stored", "message.read", "user.created"
	Object string // AOID or other id, may be empty
	// Digest binds the event to its content without telling it, e.g. a salted
	// hash of the message's SHA-256. May be empty.
	Digest string
	// Details may hold personal data and can be deleted without breaking the log.
	Details map[string]string
}

// Batch is what one group commit makes durable in one transaction.
type Batch struct {
	Segment  *Segment // nil if nothing was written to the vault
	Messages []*Message
	Parts    []*Part
	Captures []*Capture
	// Parties are additions to messages that exist already: a later capture
	// brought new envelope addresses. They are merged, and the message is
	// queued for the index again.
	Parties map[uid.ID][]Party
	// Quarantine are the entries of those Messages that are of ClassQuarantine.
	Quarantine []*QuarantineEntry
	Accounts   []Account
	Events     []*Event
}
