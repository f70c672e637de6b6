// Package pop3 fetches messages from POP3 mailboxes, byte for byte. It talks to
// one server over one connection; it knows nothing of the archive, keeps
// nothing, and decides nothing about which messages to fetch or to delete.
//
// It follows RFC 1939 (POP3), RFC 2449 (CAPA, response codes, PIPELINING), RFC 2595 (STLS),
// RFC 3206 (SYS and AUTH response codes), RFC 5034 (AUTH, with the mechanisms
// PLAIN and XOAUTH2) and RFC 6856 (UTF8, so that nothing is rewritten for
// readers without UTF-8).
//
// # Which bytes are the message
//
// Everything between the line that answers RETR and the line that consists of
// one dot, both without their CR LF, with one of two leading dots taken from
// lines that begin with two. Lines end with CR LF only; a lone CR or LF is part
// of a line and stays. The CR LF before the last dot ends the last line of the
// message and belongs to it (RFC 1939 §3): a message that had no line end at its
// end comes with one, as POP3 cannot say otherwise.
//
// A line that begins with one dot and goes on with another character is
// something no server may send: it says that this server does not double dots.
// RFC 1939 §3 lets the client take that dot away, which would alter the message.
// It is kept, and counted in Retrieved.LoneDots.
//
// # Deletion
//
// Delete only asks. The server deletes when Quit says good-bye, and Quit returns
// nil only if the server has confirmed that. A connection that ends in any other
// way deletes nothing (RFC 1939 §6). Where a server may have deleted although
// nobody knows, Quit's error is ErrUnconfirmed.
//
// # Trouble
//
// Every error is an *Error with a class to be compared by errors.Is and a text
// for people. After an error that leaves client and server at different places
// in their conversation, the connection is closed and every later call returns
// ErrClosed with the first cause.
//
//	pop3.go      what can be configured; the client
//	dial.go      connecting, greeting, TLS
//	wire.go      deadlines of single reads and writes
//	answer.go    lines and status lines
//	error.go     classes of errors
//	explain.go   what went wrong, in plain words
//	login.go     passwords and tokens
//	list.go      what is in the mailbox
//	retrieve.go  messages
//	ahead.go     commands that are sent before they are due
//	dots.go      the end of a message
//	delete.go    deleting, and saying good-bye
package pop3

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"
)

// Limits of what a server may send.
const (
	// maxLine is the longest line of an answer, CR LF included. RFC 2449 §4 says
	// 512; some servers tell more.
	maxLine = 4096
	// maxCapabilities is the most lines of an answer to CAPA.
	maxCapabilities = 256
	// maxMessages is the most messages a mailbox may have.
	maxMessages = 1 << 20
	// maxUID is the longest unique id; RFC 1939 §7 says 70. With maxMessages it
	// bounds the memory of a listing.
	maxUID = 128
	// buffer is read at once; a message needs no more memory than two of these.
	buffer = 64 << 10
	// DefaultLimit is the size of the largest message taken if Retrieve is not
	// told another one.
	DefaultLimit int64 = 256 << 20
)

// Security says how a connection is protected.
type Security uint8

const (
	// ImplicitTLS encrypts from the first byte (port 995).
	ImplicitTLS Security = iota
	// StartTLS begins in the clear and encrypts before anything is said that
	// matters (RFC 2595 §4, port 110). A server that does not is an error.
	StartTLS
	// Unprotected encrypts nothing: passwords and messages can be read on the
	// way. For servers on the same machine or wire.
	Unprotected
)

// Config says which server to talk to, and how long to wait.
type Config struct {
	// Addr is host:port.
	Addr string
	// Security is ImplicitTLS unless set.
	Security Security
	// TLS is how to check the server's certificate; nil takes the system's
	// authorities and the host of Addr. It is not changed.
	TLS *tls.Config
	// DialContext opens the connection; nil takes a net.Dialer.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// Idle is how long one read or write may take; zero is two minutes. A
	// server may need that long to open a large mailbox.
	Idle time.Duration
	// Command is how long a command may take from its first byte to the last
	// one of its answer, connecting and logging in included; zero is five
	// minutes.
	Command time.Duration
	// Transfer is the same for a message or a listing; zero is one hour.
	Transfer time.Duration
}

func (c *Config) setDefaults() {
	if c.Idle <= 0 {
		c.Idle = 2 * time.Minute
	}
	if c.Command <= 0 {
		c.Command = 5 * time.Minute
	}
	if c.Transfer <= 0 {
		c.Transfer = time.Hour
	}
	if c.DialContext == nil {
		c.DialContext = (&net.Dialer{}).DialContext
	}
}

// Client is a connection to a server. It is for one goroutine at a time.
type Client struct {
	cfg    Config
	wire   *wire
	conn   net.Conn // wire, or TLS over it
	in     *bufio.Reader
	secure bool // conn is encrypted
	caps   Capabilities
	known  bool          // caps are those of the connection as it is now
	secret []string      // never to be shown, whatever a server says
	asked  int           // deletions asked for
	plan   []Message     // that Retrieve will be called for
	sent   int           // so many of them, the first ones, have been asked for
	out    *bufio.Writer // for messages
	ended  error         // why the connection is closed
}

// do runs one exchange with the server, when that owes no answer any more. An error
// of f that is not a refusal ends the connection: nobody knows what the server would
// send next.
func (c *Client) do(ctx context.Context, doing string, total time.Duration, f func() error) error {
	if c.sent > 0 {
		if err := c.exchange(ctx, doing, c.cfg.Transfer, c.drain); err != nil {
			return err
		}
	}
	if c.ended == nil && ctx.Err() == nil && c.in.Buffered() > 0 {
		return c.fail(ctx, doing, fault(ErrProtocol, "the mail server sends data that nobody asked for"))
	}
	return c.exchange(ctx, doing, total, f)
}

// exchange is do without a look at what came before.
func (c *Client) exchange(ctx context.Context, doing string, total time.Duration, f func() error) error {
	if c.ended != nil {
		return c.closed(doing)
	}
	if err := ctx.Err(); err != nil {
		return &Error{Doing: doing, Text: "stopped before it began", Err: err}
	}
	release := c.wire.begin(ctx, total)
	err := f()
	release()
	if err == nil {
		return nil
	}
	if refused(err) {
		return within(doing, err)
	}
	return c.fail(ctx, doing, err)
}

// fail closes the connection because of err and returns what it means.
func (c *Client) fail(ctx context.Context, doing string, err error) error {
	if ctxErr := ctx.Err(); ctxErr != nil {
		err = &Error{Text: "stopped before it was done", Err: ctxErr}
	}
	err = within(doing, explain(err, c.cfg.Security))
	c.ended = err
	c.wire.Close() //nolint:errcheck // what matters has failed already
	return err
}

func (c *Client) closed(doing string) error {
	return &Error{Class: ErrClosed, Doing: doing, Text: "the connection to the mail server has ended", Err: c.ended}
}

// Close ends the connection without good-bye: the server must delete nothing
// (RFC 1939 §6). It may be called again. To end an exchange that is going on,
// cancel its context.
func (c *Client) Close() error {
	if c.ended != nil {
		return nil //nolint:nilerr // it has ended already, which was told
	}
	c.ended = errClosedHere
	return c.wire.Close()
}

// Encrypted reports whether the connection is.
func (c *Client) Encrypted() bool { return c.secure }

// send writes one command; arguments have been checked by whoever made it.
func (c *Client) send(line string) error {
	if _, err := c.conn.Write([]byte(line + "\r\n")); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// command sends one line and reads the status line that answers it. It returns
// what follows "+OK ".
func (c *Client) command(line string) (string, error) {
	if err := c.send(line); err != nil {
		return "", err
	}
	return c.status()
}
