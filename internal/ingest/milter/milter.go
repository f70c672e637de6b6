// Package milter is the door through which a mail server lets the archive look
// on: a mail filter that speaks the Sendmail milter protocol, versions 2 to 6,
// as Postfix and Sendmail do. It sees the envelope of every message, blind
// recipients included, changes nothing and archives a copy.
//
// The MTA is told "continue" only after the archive has made the message
// durable. Trouble on our side is 451, so that the MTA's client offers the
// message again, or, if Config.OnTrouble says so, the message goes its way
// unarchived and is counted. Nothing is ever rejected for what it is. Only the
// end of a message commits: after an abort or a lost connection nothing is kept.
//
// # What is stored
//
// The milter protocol does not hand over the message as it came but its parts:
// header fields, the end of the header, pieces of the body. The message is put
// together from them: name ":" value CR LF for every field, with LF within a
// value made CR LF; CR LF at the end of the header; the body as it comes. That is
// what the MTA will deliver, not in every case what its client sent; with Postfix
// it is byte for byte what it delivers, but for the Received field that it puts
// first. test/interop compares them, docs/postfix.md tells those who run one. What
// cannot be known:
//
//   - the Received field of the MTA that is spoken to: filters are not shown it;
//   - whether a message without a body ended its header with an empty line: one
//     is written if the MTA tells the end of the header, as Postfix always does;
//   - what the MTA has changed before: Postfix ends lines with CR LF that ended
//     with LF, makes blanks of other CRs, drops white space between a field's
//     name and its colon, and some fields (message_drop_headers: Bcc and
//     Return-Path among them), cuts a header field at a NUL and where it is longer
//     than header_size_limit, and adds fields that are missing to local mail;
//   - white space after the colon where the MTA does not offer
//     SMFIP_HDR_LEADSPC: one blank is written then, unless the value begins
//     with a tab or a new line;
//   - what filters and restrictions after this one do, and to whom the MTA
//     expands the recipients' addresses.
//
// The package must not look into messages: no content decides anything here, and
// neither content nor addresses are logged.
//
// Layout: server.go meets a peer, session.go runs one connection,
// packet.go parses, message.go puts the message together, deliver.go hands over
// to the archive; package wire listens, keeps deadlines and shuts down.
//
// Why this is not built on a library is told in docs/decisions.
package milter

import (
	"context"
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

// Archive is what the door needs of the archive.
type Archive interface {
	// Ingest returns nil only when the message is durable.
	Ingest(ctx context.Context, sub archive.Submission) (archive.Receipt, error)
	// Refused counts a message that went its way unarchived.
	Refused(ctx context.Context, tenant, source uid.ID, bytes int64)
}

// OnTrouble says what becomes of a message that cannot be archived now.
type OnTrouble string

// Values of OnTrouble.
const (
	// Tempfail lets the MTA answer 451: the message comes again and no message
	// goes by unarchived. It is the default.
	Tempfail OnTrouble = "tempfail"
	// Accept lets the message go its way without an archived copy, logs that as
	// an error and counts the message as refused.
	Accept OnTrouble = "accept"
)

// Config says how a Server behaves. Archive, Spool and Source are needed.
type Config struct {
	Archive Archive
	Spool   *spool.Dir
	Log     *slog.Logger // nil: slog.Default
	// Source is where everything that comes through this server belongs: the
	// protocol does not say whose mail it is. Two tenants need two servers. It may
	// be marked as disabled, as all sources are after a rebuild: that is about
	// journal addresses, which are not in the vault; here the settings decide.
	Source *catalog.Source
	// Networks are the only peers served; empty means all. Peers without an IP
	// address (Unix sockets) are always served. A peer can put any message into
	// the archive, for the protocol knows no authentication.
	Networks []netip.Prefix
	// MaxMessage is the largest message taken, in bytes; 0 means
	// archive.MaxMessage, which is also the most. A larger one is trouble: the
	// MTA's own limit should be lower.
	MaxMessage int64
	OnTrouble  OnTrouble // empty: Tempfail
	Limits     Limits
}

// Limits bound what peers may use at once. For every number, zero means the
// default and a negative value means no limit. There is no limit per minute: the
// MTA has its own, and what is put off here is somebody's mail.
type Limits struct {
	Connections int // at once; default 500. Further ones are closed at once
	Recipients  int // per message; default 20,000. More are trouble

	Idle     time.Duration // for the next packet outside of a message's content; default 7,210 s, as filters usually wait: an SMTP session may be quiet for long
	Packet   time.Duration // for a packet that has begun; default 1 min
	DataIdle time.Duration // for the next packet of the content; default 3 min
	Data     time.Duration // for the whole content of a message; default 1 h
	Write    time.Duration // for an answer to be taken; default 1 min
	Ingest   time.Duration // for the archive to make a message durable; default 4 min: Postfix waits 5 (milter_content_timeout)
}

func (l Limits) withDefaults() Limits {
	number := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	number(&l.Connections, 500)
	number(&l.Recipients, 20_000)
	span := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	span(&l.Idle, 7210*time.Second)
	span(&l.Packet, time.Minute)
	span(&l.DataIdle, 3*time.Minute)
	span(&l.Data, time.Hour)
	span(&l.Write, time.Minute)
	span(&l.Ingest, 4*time.Minute)
	return l
}

// withDefaults checks the configuration and fills in what was left out.
func (c Config) withDefaults() (Config, error) {
	if c.OnTrouble == "" {
		c.OnTrouble = Tempfail
	}
	switch {
	case c.Archive == nil || c.Spool == nil:
		return c, errors.New("milter: no archive or no spool")
	case c.Source == nil:
		return c, errors.New("milter: no source")
	case c.MaxMessage < 0 || c.MaxMessage > archive.MaxMessage:
		return c, fmt.Errorf("milter: message limit %d is not between 1 and %d", c.MaxMessage, archive.MaxMessage)
	case c.OnTrouble != Tempfail && c.OnTrouble != Accept:
		return c, fmt.Errorf("milter: on trouble %q is neither %s nor %s", c.OnTrouble, Tempfail, Accept)
	}
	if c.MaxMessage == 0 {
		c.MaxMessage = archive.MaxMessage
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	c.Limits = c.Limits.withDefaults()
	return c, nil
}
