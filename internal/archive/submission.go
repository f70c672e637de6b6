package archive

import (
	"errors"
	"io"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// MaxMessage is the largest message the archive takes, in bytes. It is above
// the 150 MB that Exchange Online allows, with its journal wrapper.
const MaxMessage = 256 << 20

// ErrTooLarge is returned (wrapped) for messages above MaxMessage.
var ErrTooLarge = errors.New("message too large")

// ErrBusy is returned (wrapped) when the archive cannot take a message now and
// may later: full disk, database away, shutting down. Nothing was stored or
// acknowledged; the sender must offer the message again.
var ErrBusy = errors.New("archive cannot store now")

// Raw gives the bytes of a message. A *bytes.Reader is one, an open spool file
// with its size as well. ReadAt may be called concurrently.
type Raw interface {
	io.ReaderAt
	Size() int64
}

// Submission is one offered message with what the door knows of it.
type Submission struct {
	Tenant uid.ID
	Source uid.ID
	// Raw are the bytes exactly as they came. The caller keeps them readable
	// and unchanged until Ingest returns.
	Raw Raw
	// EnvelopeFrom and EnvelopeTo are the SMTP envelope, if there was one. The
	// journal address itself does not belong into EnvelopeTo.
	EnvelopeFrom string
	EnvelopeTo   []string
	Peer         string // address of the sending host
	// Origin names the item within its source (a path, a UID). If it is set,
	// offering the same bytes with the same origin again records nothing new.
	Origin string
	// Filing is how the message was filed in the mailbox it comes from, if the
	// door knows. It does not make a message another: when the same item is offered
	// again, what was recorded first stays.
	Filing   *catalog.Filing
	Category string
	// Document is set for a file that is no mail.
	Document *Document
	Tags     []string
	// ReceivedAt is when the door got the message; zero means now.
	ReceivedAt time.Time

	// AnyParty says that this belongs to the tenant whoever is named in it: domains
	// and selection do not matter. They never do for a document.
	AnyParty bool
	// Follows is where the message went of which this is another form, such as the
	// file it was made of: Excluded, Quarantined or Stored. This goes there too,
	// whoever is named in it. Empty: its own parties decide.
	Follows catalog.Outcome

	wrapped *wrapping   // set by identify
	verdict *verdict    // set by together
	sums    *vault.Sums // of Raw, if identify had to know them
}

// Receipt says in which account a message ended.
type Receipt struct {
	AOID      uid.ID // of the archived message; of the first one, if Duplicate
	Duplicate bool   // the same bytes were archived before
	// Outcome is the account: Stored, Duplicate, Repeated, Quarantined, or Excluded;
	// of what is excluded nothing is stored, and there is no AOID.
	Outcome catalog.Outcome
	SHA256  [32]byte
}

// OriginalOrigin is the Origin of the file of which a message with the given Origin was
// made.
func OriginalOrigin(origin string) string { return origin + "#original" }
