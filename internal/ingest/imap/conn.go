package imap

import (
	"context"
	"errors"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// farewell is how long Logout waits for the server to say good-bye.
const farewell = 5 * time.Second

// Conn is a connection to a mailbox account. It is for one goroutine; only
// Close may be called by others. If a context ends in the middle of a command
// other than Idle, the connection is closed: what the server would still say
// cannot be waited for.
type Conn struct {
	cfg     Config
	wire    *wire
	channel net.Conn // the wire, or TLS over it
	guard   *guard
	client  *imapclient.Client
	caps    map[string]bool // in upper case
	over    *Error          // why nothing more can be done
	folder  *Mailbox        // selected

	window  UID // width of the next range of UIDs that List asks for
	uidNext UID // as far as known, of the selected folder; zero: unknown

	mu       sync.Mutex // what the reading goroutine changes
	exists   int        // messages in the folder
	known    int        // of them the caller has been told
	news     chan struct{}
	fetching *fetching
}

func newConn(w *wire, cfg Config) *Conn {
	return &Conn{cfg: cfg, wire: w, channel: w, guard: newGuard(w), news: make(chan struct{}, 1)}
}

// Usable reports whether commands can be sent. If not, only a new Dial helps.
func (c *Conn) Usable() bool { return c.over == nil }

// Capabilities returns what the server offers, in upper case and in order.
func (c *Conn) Capabilities() []string { return slices.Sorted(maps.Keys(c.caps)) }

// do runs f, which uses the library, as one command with deadlines. The kind is
// that of a refusal which says nothing better.
func (c *Conn) do(ctx context.Context, op string, kind error, f func() error) error {
	return c.within(ctx, op, kind, c.cfg.Timeouts.Command, f)
}

// within is do with a time of its own for the whole.
func (c *Conn) within(ctx context.Context, op string, kind error, total time.Duration, f func() error) error {
	if err := c.ready(ctx, op); err != nil {
		return err
	}
	c.wire.phase(c.cfg.Timeouts.Silence, total)
	stop := context.AfterFunc(ctx, c.wire.interrupt)
	err := f()
	if stop() {
		c.wire.rest()
	} else if err == nil {
		_ = c.end(cancelled(op, ctx)) // too late for this command
		return nil
	}
	var refusal *goimap.Error
	var ours *Error
	switch {
	case err == nil:
		return c.sameFolder(op)
	case ctx.Err() != nil:
		return c.end(cancelled(op, ctx))
	case c.over != nil:
		return c.over
	case errors.As(err, &ours):
		return ours
	case errors.As(err, &refusal):
		return refused(op, refusal, kind)
	default:
		return c.end(c.failed(op, err))
	}
}

// ready reports why no command can be sent.
func (c *Conn) ready(ctx context.Context, op string) error {
	switch {
	case c.over != nil:
		return &Error{Op: op, Kind: ErrClosed, Text: c.over.Error(), Cause: c.over}
	case ctx.Err() != nil:
		return cancelled(op, ctx)
	default:
		return c.sameFolder(op)
	}
}

// end closes the connection because of err.
func (c *Conn) end(err *Error) *Error {
	if c.over == nil {
		c.over = err
	}
	c.wire.interrupt()
	_ = c.channel.Close() // what is wrong is told by err
	return err
}

// failed explains why the connection failed.
func (c *Conn) failed(op string, err error) *Error {
	wrong, lost := c.guard.cause()
	code, bye := c.guard.farewell()
	cause, closed := c.wire.cause()
	if cause == nil {
		cause = lost // TLS can end properly below a broken conversation
	}
	switch {
	case closed:
		return &Error{Op: op, Kind: ErrClosed, Cause: err}
	case wrong != nil:
		e := protocolError(op, "%v", wrong)
		e.Cause = wrong
		return e
	case bye != "":
		return &Error{Op: op, Kind: ErrTemporary, Code: code, Text: "the server ends the connection; " + bye, Cause: err}
	case errors.Is(cause, os.ErrDeadlineExceeded):
		return &Error{Op: op, Kind: ErrTemporary, Text: "the server does not answer", Cause: cause}
	case cause != nil:
		return &Error{Op: op, Kind: ErrTemporary, Text: "the connection was lost: " + quote(cause.Error()), Cause: cause}
	case err == nil:
		return &Error{Op: op, Kind: ErrTemporary, Text: "the connection was lost"}
	default:
		e := protocolError(op, "an answer cannot be read: %v", err)
		e.Cause = err
		return e
	}
}

// sameFolder finds out whether the server has made the UIDs of the selected
// folder worthless in the middle of the session.
func (c *Conn) sameFolder(op string) error {
	if c.folder == nil || c.folder.UIDValidity == 0 {
		return nil
	}
	c.guard.mu.Lock()
	now := c.guard.validity
	c.guard.mu.Unlock()
	if now == c.folder.UIDValidity {
		return nil
	}
	return c.end(uidValidityError(op, c.folder.UIDValidity, now))
}

// askCapabilities asks what the server offers (RFC 9051 §6.1.1). The library
// asks on its own too, but does not tell when it knows.
func (c *Conn) askCapabilities(op string) error {
	caps, err := c.client.Capability().Wait()
	if err != nil {
		var refusal *goimap.Error
		if errors.As(err, &refusal) {
			return refused(op, refusal, ErrRefused)
		}
		return c.end(c.failed(op, err))
	}
	c.caps = map[string]bool{}
	for name := range caps {
		c.caps[strings.ToUpper(string(name))] = true
	}
	return nil
}

// Noop asks the server for news, and keeps the connection alive.
func (c *Conn) Noop(ctx context.Context) error {
	return c.do(ctx, "ask for news", ErrRefused, func() error { return c.client.Noop().Wait() })
}

// Logout says good-bye and closes the connection. Only a server that does not
// take part in that makes an error; nothing is lost by it.
func (c *Conn) Logout(ctx context.Context) error {
	err := c.within(ctx, "log out", ErrRefused, farewell, func() error { return c.client.Logout().Wait() })
	return errors.Join(err, c.Close())
}

// Close closes the connection at once. It may be called at any time and more
// than once. It waits until the goroutines of the connection are gone, unless a
// fetch is under way, whose end does that.
func (c *Conn) Close() error {
	c.wire.interrupt()
	_ = c.channel.Close() // under TLS it fails if the peer is gone; that is no matter
	c.mu.Lock()
	busy := c.fetching != nil
	c.mu.Unlock()
	if c.client != nil && !busy {
		_ = c.client.Close() // likewise
	}
	return nil
}

// count keeps up with the number of messages in the folder.
func (c *Conn) count(expunge bool, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if expunge {
		c.exists = max(0, c.exists-1)
		c.known = max(0, c.known-1)
		return
	}
	c.exists = n
	c.tell()
}

// tell wakes Idle if there are messages the caller has not been told of. It
// needs the lock.
func (c *Conn) tell() {
	if c.exists <= c.known {
		return
	}
	select {
	case c.news <- struct{}{}:
	default:
	}
}
