// Package smtp is the door through which mail servers push copies of mail into
// the archive: a receiver for SMTP (RFC 5321) and LMTP (RFC 2033).
//
// It is a receiver for journaling only. The only recipients it knows are
// journal addresses; it relays nothing, has no mailboxes and adds nothing to a
// message: what is handed to the archive are exactly the bytes between DATA
// and the end of data with dot-stuffing undone (RFC 5321 §4.5.2), or exactly
// the octets of the BDAT chunks (RFC 3030). Lines may be of any length and may
// hold NUL, bare CR and bare LF; only CR LF "." CR LF ends the data.
//
// A message is acknowledged with 250 only after the archive has made it
// durable. Trouble on our side is always a 4xx reply, so that the sender
// offers the message again; a message is refused for good only if it is larger
// than the announced limit or its recipient is unknown.
//
// The package must not look into messages: no content decides anything here,
// and none is logged. Journal addresses are secrets and are not logged either.
//
// Layout: server.go meets a peer, session.go runs one connection,
// command.go parses lines, mail.go and data.go are the commands, deliver.go
// hands over to the archive, auth.go, certificate.go and limit.go help them;
// package wire listens, keeps deadlines and shuts down.
//
// Why this is not built on a library is told in docs/decisions.
package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/uid"
)

// DefaultMaxMessage is the size limit announced unless another is configured:
// above the 150 MB that Exchange Online allows, with its journal wrapper.
const DefaultMaxMessage = 160 << 20

// Archive is what the door needs of the archive.
type Archive interface {
	// JournalSource returns the source with the journal address; the error
	// wraps catalog.ErrNotFound if there is none, archive.ErrAddressLost if there
	// may have been one before a rebuild.
	JournalSource(ctx context.Context, address string) (*catalog.Source, error)
	// Ingest returns nil only when the message is durable.
	Ingest(ctx context.Context, sub archive.Submission) (archive.Receipt, error)
	// Refused counts a message that was turned away for good.
	Refused(ctx context.Context, tenant, source uid.ID, bytes int64)
}

// Authenticate reports whether the password is the user's. An error means that
// it could not be found out now.
type Authenticate func(ctx context.Context, user, password string) (bool, error)

// Config says how a Server behaves. Archive, Spool and Hostname are needed.
type Config struct {
	Archive  Archive
	Spool    *spool.Dir
	Log      *slog.Logger // nil: slog.Default
	Hostname string       // in the greeting
	LMTP     bool         // speak LMTP instead of SMTP

	// TLS enables STARTTLS, or TLS from the first byte with ImplicitTLS.
	TLS         *tls.Config
	ImplicitTLS bool
	// RequireTLS refuses MAIL on connections without TLS.
	RequireTLS bool
	// Authenticate, if set, makes AUTH (PLAIN, LOGIN) necessary before MAIL. It
	// is offered over TLS only, except to peers on the loopback interface.
	Authenticate Authenticate

	// Networks are the only peers served; empty means all. Peers without an IP
	// address (Unix sockets) are always served.
	Networks []netip.Prefix
	// MaxMessage is the largest message taken, in bytes; 0 means
	// DefaultMaxMessage. At most archive.MaxMessage.
	MaxMessage int64
	Limits     Limits
}

// Limits bound what peers and tenants may use at once. For every number, zero
// means the default and a negative value means no limit.
type Limits struct {
	Connections        int // at once, of all peers; default 500
	ConnectionsPerPeer int // at once; default 50. A peer is an IPv4 address or an IPv6 /64
	MessagesPerPeer    int // per minute; default 10,000
	MessagesPerTenant  int // per minute; default 20,000
	ReceivingPerTenant int // messages being received at once; default 100
	Recipients         int // per message; default 100
	Errors             int // of the peer, per connection, until it is cut off; default 20

	Command  time.Duration // to wait for a whole command; default 5 min (RFC 5321 §4.5.3.2.7)
	DataIdle time.Duration // without a byte of message data; default 3 min (§4.5.3.2.5)
	Data     time.Duration // for one whole message; default 1 h
	Write    time.Duration // for a reply to be taken; default 1 min
	Ingest   time.Duration // for the archive to make a message durable; default 5 min
}

func (l Limits) withDefaults() Limits {
	number := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	number(&l.Connections, 500)
	number(&l.ConnectionsPerPeer, 50)
	number(&l.MessagesPerPeer, 10_000)
	number(&l.MessagesPerTenant, 20_000)
	number(&l.ReceivingPerTenant, 100)
	number(&l.Recipients, 100)
	number(&l.Errors, 20)
	span := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	span(&l.Command, 5*time.Minute)
	span(&l.DataIdle, 3*time.Minute)
	span(&l.Data, time.Hour)
	span(&l.Write, time.Minute)
	span(&l.Ingest, 5*time.Minute)
	return l
}

// withDefaults checks the configuration and fills in what was left out.
func (c Config) withDefaults() (Config, error) {
	switch {
	case c.Archive == nil || c.Spool == nil:
		return c, errors.New("smtp: no archive or no spool")
	case c.Hostname == "":
		return c, errors.New("smtp: no host name")
	case c.MaxMessage < 0 || c.MaxMessage > archive.MaxMessage:
		return c, fmt.Errorf("smtp: message limit %d is not between 1 and %d", c.MaxMessage, archive.MaxMessage)
	case (c.ImplicitTLS || c.RequireTLS) && c.TLS == nil:
		return c, errors.New("smtp: TLS is demanded without a certificate")
	}
	if c.MaxMessage == 0 {
		c.MaxMessage = DefaultMaxMessage
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	c.Limits = c.Limits.withDefaults()
	return c, nil
}
