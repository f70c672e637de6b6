package catalog

import (
	"errors"
	"time"

	"github.com/muniment/muniment/internal/uid"
)

// ErrOutboxFull is returned (wrapped) when so much mail waits that no more is
// taken.
var ErrOutboxFull = errors.New("too much mail waits to be sent")

// Smarthost is how mail of a tenant leaves.
type Smarthost struct {
	Tenant   uid.ID // zero: of the installation
	Settings []byte // JSON
	Secret   []byte // sealed; nil: none
}

// Outgoing is a mail that is to be sent, was sent, or cannot be sent. Its bytes
// are kept apart, and only until it is sent.
type Outgoing struct {
	ID     uid.ID
	Tenant uid.ID // on whose behalf; zero: the installation's
	Kind   string // what it is, e.g. "test"
	// Key makes it unique within the tenant: who queues the same twice queues it
	// once. Empty: it is not compared.
	Key        string
	Sender     string // of the envelope
	Recipients []OutgoingRecipient
	Size       int64 // bytes of the message
	State      OutgoingState
	Attempts   int
	NextAt     time.Time // it is not tried before
	// ClaimedUntil is until when somebody is at it; zero: nobody.
	ClaimedUntil time.Time
	CreatedAt    time.Time
	TriedAt      time.Time // begin of the last attempt; zero: none
	EndedAt      time.Time // zero: it is waiting
	Problem      []byte    // JSON, of the last attempt; nil: none
}

// OutgoingRecipient is a recipient of a mail and what became of it.
type OutgoingRecipient struct {
	Address string        `json:"a"`
	State   OutgoingState `json:"s"`
	Answer  string        `json:"t,omitempty"` // what the server said last
}

// OutgoingState tells how far a mail or one of its recipients is.
type OutgoingState string

// States of mail.
const (
	OutgoingWaiting OutgoingState = "waiting"
	OutgoingSent    OutgoingState = "sent"   // a server has taken it, for every recipient
	OutgoingFailed  OutgoingState = "failed" // given up, for one recipient at least
)

// OutboxCounts are the numbers of mails by state.
type OutboxCounts struct{ Waiting, Sent, Failed int }
