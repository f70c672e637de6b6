// Package imap is a client for remote mailboxes (RFC 3501, RFC 9051): it lists
// folders, pages through a folder of any size, streams messages byte for byte
// and deletes those it is told to, and no others.
//
// It wraps github.com/emersion/go-imap/v2 and asks servers only for what they
// get right: UID, FLAGS, INTERNALDATE, RFC822.SIZE and BODY.PEEK[]. ENVELOPE
// and BODYSTRUCTURE are never asked for. The package must not look into
// messages, knows nothing of the archive and keeps nothing on disk; whether a
// message may be deleted is for its caller to know.
//
// # What it guards against
//
// Servers lie, fail and hang. Between the library and the network stands a
// guard (guard.go) that bounds what a response may take in memory, repairs
// small sins of form (spaces, lower case, impossible dates), leaves out
// responses nobody knows, and keeps the words of a BYE. The wire below it
// (wire.go) gives every read and every write a deadline. The library's own
// deadlines are not used.
//
// The body of a message ends with io.EOF only when as many bytes have come as
// its literal declared, its response was closed properly, and the server has
// gone on to the next response. RFC822.SIZE decides nothing.
//
// An IMAP literal cannot carry NUL without the BINARY extension (RFC 3516),
// which is not asked for: a server that holds a message with NUL sends
// something else in its place, or sends the NUL all the same. What comes is
// handed on unchanged.
//
// # Errors
//
// All errors are *Error and match one of the sentinels of errors.go. After an
// error, Usable tells whether the connection is; if not, dial again.
//
// # Files
//
// dial.go connects and starts TLS, conn.go runs commands, auth.go logs in,
// folder.go lists and selects folders, list.go pages through one, fetch.go and
// body.go stream messages, delete.go deletes, idle.go waits for news.
package imap

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// TLSMode tells how the connection is protected.
type TLSMode uint8

// The modes. The zero value is none of them: no protection must be a choice.
const (
	TLSImplicit TLSMode = iota + 1 // from the first byte, usually port 993 (RFC 8314)
	TLSStart                       // by STARTTLS, usually port 143; never goes on without
	TLSNone                        // not at all
)

// Config tells how to reach a server.
type Config struct {
	Host      string
	Port      int // zero: 993 for TLSImplicit, else 143
	TLS       TLSMode
	TLSConfig *tls.Config // nil: verify against the roots of the system
	Timeouts  Timeouts
	// DialContext opens the connection; nil takes a net.Dialer.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// SoleUser says that nobody else deletes in these mailboxes. Only then, and
	// only if no other message is marked as deleted, does Delete use the plain
	// EXPUNGE on a server without UIDPLUS.
	SoleUser bool
}

// Timeouts bound the waiting. Zero means the default.
type Timeouts struct {
	Connect time.Duration // TCP, TLS and greeting together; default 30 s
	Silence time.Duration // without a byte while something is due, and for one write; default 2 min
	Command time.Duration // for a whole command other than a fetch of bodies; default 5 min
	Message time.Duration // for one message with what its taker does with it; default 1 h
}

func (t Timeouts) withDefaults() Timeouts {
	span := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	span(&t.Connect, 30*time.Second)
	span(&t.Silence, 2*time.Minute)
	span(&t.Command, 5*time.Minute)
	span(&t.Message, time.Hour)
	return t
}

func (c Config) withDefaults() (Config, error) {
	switch {
	case c.Host == "":
		return c, errors.New("imap: no host")
	case c.TLS < TLSImplicit || c.TLS > TLSNone:
		return c, errors.New("imap: choose how the connection is protected: implicit TLS, STARTTLS or none")
	case c.Port < 0 || c.Port > 65535:
		return c, errors.New("imap: port is not between 1 and 65535")
	}
	if c.Port == 0 {
		c.Port = 143
		if c.TLS == TLSImplicit {
			c.Port = 993
		}
	}
	if c.DialContext == nil {
		c.DialContext = (&net.Dialer{KeepAlive: keepAliveGap}).DialContext
	}
	c.Timeouts = c.Timeouts.withDefaults()
	return c, nil
}

// UID names a message in a folder as long as its UIDVALIDITY stays the same
// (RFC 9051 §2.3.1.1). Zero is none.
type UID uint32

const maxUID = ^UID(0)
