// Package journal recognises and reads the journal reports of Exchange and
// Microsoft 365 (MS-XJRNL, "Journal Record Message File Format"): a message that
// holds a record of the envelope and, byte for byte, the message it is about.
// It takes nothing apart for good, it stores nothing, and it knows nothing of
// the archive: who may send reports is the caller's to decide.
//
//	journal.go    what a report is: types, errors, limits
//	structure.go  from the bytes of a message to record, messages and pieces
//	bounce.go     a report that came back in a non-delivery report
//	multipart.go  boundaries: where a part begins and ends (RFC 2046 §5.1)
//	header.go     header fields and parameters, how a report is recognised
//	claim.go      a quick look that tells what is certainly no report
//	decode.go     transfer encodings and character sets
//	record.go     the lines of the record
//	address.go    one address, with the list or mailbox it came through
//
// # What is a report
//
// A message with a field that says so (see Form), whose body is complete: a
// record of nothing but `Key: value` lines that has at least a sender, a
// Message-ID and a recipient, then one message, or two if Exchange added a
// decrypted copy. Anything else in it, anything missing, and header fields that
// two programs could understand differently make it incomplete: then nothing of
// it is believed.
//
// # Which bytes are the message
//
// Everything after the empty line that ends the header of its part, up to the
// line break before the boundary line, which belongs to the boundary (RFC 2046
// §5.1.1). That break is CR LF where these two bytes stand there; but if both
// boundary lines and the empty line end with LF alone, it is LF alone.
package journal

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// Limits. Beyond those of a report it is incomplete.
const (
	// MaxRecipients is how many recipients a record may have.
	MaxRecipients = 100_000

	maxHeader     = 1 << 20  // bytes of the header of a message
	maxPartHeader = 64 << 10 // bytes of the header of a body part
	maxPreamble   = 4 << 10  // bytes before the first boundary
	maxRecord     = 64 << 20 // bytes of the record: MaxRecipients of the longest addresses
	maxLine       = 64 << 10 // bytes of a line of the record, unfolded
	maxUnknown    = 1_000    // lines with keys that nobody knows
	maxBoundary   = 250      // bytes; RFC 2046 §5.1.1 allows 70
	maxDepth      = 5        // messages within messages that non-delivery reports may nest
	maxBounce     = 20       // parts of a non-delivery report
)

// ErrNotReport is returned (wrapped) for a message that does not claim to be a
// journal report.
var ErrNotReport = errors.New("not a journal report")

var errNoClaim = fmt.Errorf("no field of the header says so: %w", ErrNotReport)

// IncompleteError is returned for a message that says it is a journal report
// and is none that can be relied on. It is to be archived whole, as what it is
// on the outside.
type IncompleteError struct {
	Form   Form   // what it said it was
	NDR    bool   // it was found inside a non-delivery report
	Reason string // in plain words
}

func (e *IncompleteError) Error() string { return "incomplete journal report: " + e.Reason }

func incomplete(format string, args ...any) error {
	return &IncompleteError{Reason: fmt.Sprintf(format, args...)}
}

// Raw is a message as it came in.
type Raw interface {
	io.ReaderAt
	Size() int64
}

// Form tells by which field a report was recognised. No reading depends on it,
// but for the list of recipients that only Exchange2003 has.
type Form string

// The forms.
const (
	Exchange2003 Form = "exchange2003" // Content-Identifier: ExJournalReport, also misspelt by Exchange itself
	Exchange2007 Form = "exchange2007" // X-MS-Journal-Report or X-MS-Exchange-Organization-Journal-Report
	M365         Form = "m365"         // the same, with the traces of the cloud
	Piler        Form = "piler"        // X-WM-Journal-Report: journal, as piler accepts it
)

// Report is a journal report that was read.
type Report struct {
	Form Form
	NDR  bool // it was inside a non-delivery report

	// Sender is empty for the null sender <> and where Exchange has written that
	// it knows none. It is usually an address, but comes from a header field of
	// the message and can be anything.
	Sender, OnBehalfOf string
	Subject            string // decoded; control characters are replaced
	MessageID          string // with its angle brackets; empty if the message has none
	Label, Mailbox     string
	SentAt, ReceivedAt time.Time   // UTC; zero if absent
	Recipients         []Recipient // in their order; at least one
	Unknown            []Line      // what has no place above, in its order

	Inner  []Inner // the message as it was sent; then its decrypted copy, if there is one
	Pieces []Piece // one after the other they are the whole of what was read
}

// Role is how the sender addressed a recipient.
type Role string

// The roles. With RoleRecipient Exchange says that it cannot tell, as for all
// mail from outside.
const (
	RoleTo        Role = "to"
	RoleCc        Role = "cc"
	RoleBcc       Role = "bcc"
	RoleRecipient Role = "recipient"
)

// Via is why a recipient is not the one that the sender wrote.
type Via string

// The ways of redirection.
const (
	Direct    Via = ""
	Expanded  Via = "expanded"  // was a member of the list ViaAddress
	Forwarded Via = "forwarded" // got it instead of, or beside, the mailbox ViaAddress
)

// Recipient is a line of the record. Addresses are as they were written, without
// display name, angle brackets and the prefix "SMTP:"; those that are no mail
// addresses (X.400, X.500, EX) are kept whole.
type Recipient struct {
	Role       Role
	Address    string
	Via        Via
	ViaAddress string
}

// Line is a line of the record that nobody knows.
type Line struct{ Key, Value string }

// Inner is a message inside the report.
type Inner struct {
	Offset, Length int64  // of its bytes in the whole; still encoded, if Encoding says so
	Encoding       string // "", or against RFC 2046 §5.2.1 "base64" or "quoted-printable"
	Decrypted      bool   // a readable copy of the other one, made by Exchange
}

// Open returns the bytes of the message, decoded if need be. They are those of
// raw, which must be what the report was read from.
func (in Inner) Open(raw io.ReaderAt) io.Reader {
	return transferDecoder(io.NewSectionReader(raw, in.Offset, in.Length), in.Encoding)
}

// Piece is a range of the whole.
type Piece struct {
	Offset, Length int64
	// Inner is the index of the message whose bytes exactly this range is, or -1
	// for bytes that are to be kept literally. A message that is encoded is part
	// of a literal range, because encoding its bytes again need not give the same.
	Inner int
}

// Read finds out whether raw is a journal report and reads it. It holds the
// header and the record in memory, never a message.
//
// The error is ErrNotReport (wrapped), an *IncompleteError, or that of raw.
func Read(raw Raw) (*Report, error) {
	s := &source{raw: raw, size: raw.Size()}
	if !s.mayClaim() {
		return nil, errNoClaim
	}
	rep, err := s.message(0, s.size, 0)
	if s.failed != nil {
		return nil, s.failed // whatever was made of what could be read
	}
	if err != nil {
		return nil, err
	}
	rep.Pieces = pieces(rep.Inner, s.size)
	return rep, nil
}
