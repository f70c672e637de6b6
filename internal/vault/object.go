package vault

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/muniment/muniment/internal/uid"
)

// Raw is a submitted object: an *os.File, a bytes.Reader or anything else whose
// bytes can be read more than once and concurrently.
type Raw interface {
	io.ReaderAt
	Size() int64
}

// Sum is a SHA-256.
type Sum = [32]byte

// Object is a message or document to be archived.
type Object struct {
	AOID uid.ID
	Raw  Raw
	// Meta is what the caller needs to restore its catalog row from the vault
	// alone (at most MaxMeta bytes). It is encrypted with the object, under the
	// same key, and is erased with it.
	Meta []byte
	// Sums may be given if the caller has hashed Raw already; Prepare
	// computes them otherwise. Given ones are not checked against Raw until the
	// re-assembly is: a wrong SHA256 fails Prepare, a wrong SHA512 does not.
	Sums *Sums
}

// Sums are the two hashes that every object has from its first day: SHA-256 in
// use now, SHA-512 for the hash chain that comes after it.
type Sums struct {
	SHA256 Sum
	SHA512 [64]byte
}

// Record is a small note about an archived object that arrives later, e.g. the
// capture of a duplicate. It is a frame of its own, with its own key.
type Record struct {
	AOID uid.ID // of the message it belongs to
	Data []byte // at most MaxMeta bytes
}

// MaxMeta is the largest Object.Meta and Record.Data, in bytes: the envelope of a
// message to 20,000 people is half of it.
const MaxMeta = 8 << 20

// MaxObject is the largest object, in bytes (4 GiB).
const MaxObject = 4 << 30

// Ref says where a frame rests.
type Ref struct {
	Segment uid.ID
	Frame   uint32
}

func (r Ref) String() string { return fmt.Sprintf("%s/%d", r.Segment, r.Frame) }

// Kind is the kind of a frame.
type Kind uint8

// The kinds of frames.
const (
	KindMessage Kind = 1 // an Object: Meta and the original, or its skeleton
	KindPart    Kind = 2 // a decoded attachment that messages of the tenant share
	KindRecord  Kind = 3 // a Record
	KindDict    Kind = 4 // text shared by messages of the same segment; internal
)

func (k Kind) String() string {
	switch k {
	case KindMessage:
		return "message"
	case KindPart:
		return "part"
	case KindRecord:
		return "record"
	case KindDict:
		return "dictionary"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Frame describes one frame of a segment.
type Frame struct {
	Ref    Ref
	Kind   Kind
	AOID   uid.ID // zero for parts and dictionaries
	Size   int64  // bytes of the original (for messages and parts), of Data for records
	Stored int64  // bytes in the segment object
	// SHA256 of the original (messages and parts). It is not in the segment's
	// index but inside the encrypted frame, so Segments.Frames of
	// ListFrames leave it zero; Write, Compact and Scan fill it in.
	SHA256 Sum
}

// Segment describes one write-once segment.
type Segment struct {
	ID        uid.ID
	Size      int64 // bytes of the segment object and its key object together
	RawSize   int64 // sum of Frame.Size of messages and parts
	Compacted bool
	CreatedAt time.Time // UTC, milliseconds
	Frames    []Frame   // Frames[i].Ref.Frame == i
}

// Want is what the caller knows of an object it opens. A non-zero SHA256 must
// agree with what the vault recorded and with the bytes.
type Want struct {
	SHA256 Sum
	Size   int64 // used only with SHA256
}

// Errors of the vault. All are wrapped.
var (
	// ErrNoTenant: the tenant has no key.
	ErrNoTenant = errors.New("tenant is unknown to the vault")
	// ErrNotFound: no such segment or frame.
	ErrNotFound = errors.New("not in the vault")
	// ErrErased: the key of the frame has been destroyed.
	ErrErased = errors.New("erased")
	// ErrTooLarge: an object, its meta data or a record is over its limit.
	ErrTooLarge = errors.New("too large for the vault")
	// ErrCorrupt is matched by every *CorruptError.
	ErrCorrupt = errors.New("corrupt")
)

// CorruptError tells that something stored is not what was stored. It matches
// ErrCorrupt.
type CorruptError struct {
	Object string // key of the object in the blob store
	Ref    Ref    // Frame is meaningless if NoFrame
	AOID   uid.ID // zero if unknown
	What   string // what is wrong, for people
	// NoFrame is set if the damage is not within one frame.
	NoFrame bool
}

func (e *CorruptError) Error() string {
	s := "vault object " + e.Object
	if !e.NoFrame {
		s += fmt.Sprintf(", frame %d", e.Ref.Frame)
	}
	if !e.AOID.IsZero() {
		s += ", message " + e.AOID.String()
	}
	return s + " is corrupt: " + e.What
}

// Is makes errors.Is(err, ErrCorrupt) true.
func (e *CorruptError) Is(target error) bool { return target == ErrCorrupt }
