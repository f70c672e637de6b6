package imap

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
)

const (
	maxGreeting  = 8 << 10 // bytes of a line before the library takes over
	maxPreamble  = 100     // untagged lines before the answer to STARTTLS
	startTLSTag  = "S0"
	opDial       = "connect"
	opStartTLS   = "start TLS"
	keepAliveGap = time.Minute // probes find a dead peer while nothing is awaited
)

// Dial connects to the server, protects the connection as cfg says, and asks
// for its capabilities. The context is for Dial only.
func Dial(ctx context.Context, cfg Config) (*Conn, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, &Error{Op: opDial, Kind: ErrRefused, Text: err.Error(), Cause: err}
	}
	limited, cancel := context.WithTimeout(ctx, cfg.Timeouts.Connect)
	defer cancel()
	raw, err := cfg.DialContext(limited, "tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port)))
	if err != nil {
		return nil, &Error{Op: opDial, Kind: ErrTemporary, Text: quote(err.Error()), Cause: err}
	}
	w := &wire{Conn: raw}
	w.phase(cfg.Timeouts.Connect, cfg.Timeouts.Connect)
	stop := context.AfterFunc(ctx, w.interrupt)
	c, err := open(limited, w, cfg)
	if !stop() {
		if err == nil {
			_ = c.Close() // it is of no use to anybody
		}
		err = cancelled(opDial, ctx)
	}
	if err != nil {
		_ = raw.Close() // the error says more than that of closing would
		return nil, err
	}
	w.rest()
	return c, nil
}

// open does what comes before the first command of the library.
func open(ctx context.Context, w *wire, cfg Config) (*Conn, error) {
	c := newConn(w, cfg)
	var err error
	switch cfg.TLS {
	case TLSImplicit:
		if err = c.handshake(ctx); err == nil {
			err = c.greeting()
		}
	case TLSStart:
		if err = c.greeting(); err == nil {
			err = c.startTLS(ctx)
		}
	default:
		err = c.greeting()
	}
	if err != nil {
		return nil, err
	}
	c.start()
	if err := c.askCapabilities(opDial); err != nil {
		_ = c.Close() // likewise
		return nil, err
	}
	return c, nil
}

// handshake puts TLS over the wire.
func (c *Conn) handshake(ctx context.Context) error {
	conf := &tls.Config{}
	if c.cfg.TLSConfig != nil {
		conf = c.cfg.TLSConfig.Clone()
	}
	if conf.ServerName == "" {
		conf.ServerName = c.cfg.Host
	}
	conn := tls.Client(c.wire, conf)
	if err := conn.HandshakeContext(ctx); err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			return &Error{Op: opStartTLS, Kind: ErrTemporary, Text: "the server took too long", Cause: err}
		}
		if errors.Is(err, io.EOF) {
			return &Error{Op: opStartTLS, Kind: ErrTLS, Text: "the server hung up in the middle of it", Cause: err}
		}
		return tlsError(err, c.cfg.Host)
	}
	c.channel, c.guard = conn, newGuard(conn)
	return nil
}

// greeting reads the first line of the server (RFC 9051 §7.1).
func (c *Conn) greeting() error {
	line, err := c.earlyLine(opDial)
	if err != nil {
		return err
	}
	star, rest := word(line)
	typ, words := word(rest)
	switch {
	case star != "*":
		return protocolError(opDial, "this is no IMAP server; it says: %s", line)
	case nameIs([]byte(typ), "OK"):
		return nil
	case nameIs([]byte(typ), "BYE"):
		return &Error{Op: opDial, Kind: ErrTemporary, Text: said(string(words))}
	case nameIs([]byte(typ), "PREAUTH"):
		// Whose mailbox it would be nobody knows; before STARTTLS it is also a
		// way to keep a client from it (RFC 9051 §11.1).
		kind := ErrProtocol
		if c.cfg.TLS == TLSStart {
			kind = ErrTLS
		}
		return &Error{Op: opDial, Kind: kind, Text: "the server wants no log-in (PREAUTH)"}
	default:
		return protocolError(opDial, "not a greeting: %s", line)
	}
}

// startTLS is STARTTLS (RFC 9051 §6.2.1). The library is not trusted with it:
// what comes before the handshake must not be taken for a part of what comes
// after.
func (c *Conn) startTLS(ctx context.Context) error {
	if _, err := io.WriteString(c.wire, startTLSTag+" STARTTLS\r\n"); err != nil {
		return c.failed(opStartTLS, err)
	}
	for range maxPreamble {
		line, err := c.earlyLine(opStartTLS)
		if err != nil {
			return err
		}
		tag, rest := word(line)
		typ, words := word(rest)
		switch {
		case tag == "*" && nameIs([]byte(typ), "BYE"):
			return &Error{Op: opStartTLS, Kind: ErrTemporary, Text: said(string(words))}
		case tag == "*":
			continue
		case tag != startTLSTag:
			return protocolError(opStartTLS, "not an answer to anything: %s", line)
		case !nameIs([]byte(typ), "OK"):
			return &Error{Op: opStartTLS, Kind: ErrTLS, Text: "the server refuses STARTTLS; " + said(string(words))}
		case c.guard.in.Buffered() > 0:
			return &Error{Op: opStartTLS, Kind: ErrTLS, Text: "something unprotected was slipped in before the handshake"}
		}
		return c.handshake(ctx)
	}
	return protocolError(opStartTLS, "the server does not come to the point")
}

// earlyLine reads a line before the library does the reading.
func (c *Conn) earlyLine(op string) ([]byte, error) {
	line, err := c.guard.line(maxGreeting)
	if err != nil {
		_ = c.guard.fail(err)
		return nil, c.failed(op, err)
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// start hands the connection to the library, with a greeting of our own: the
// true one has been read.
func (c *Conn) start() {
	c.guard.ready = []byte("* OK ready\r\n")
	c.guard.counted = c.count
	c.client = imapclient.New(&libraryConn{c.channel, c.guard}, &imapclient.Options{
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{Fetch: c.onFetch},
	})
}

// libraryConn is what the library believes to be the network.
type libraryConn struct {
	net.Conn
	in *guard
}

// Read implements net.Conn.
func (c *libraryConn) Read(p []byte) (int, error) { return c.in.Read(p) }

// Capability reports whether the server offers what name says, in any case:
// "IDLE", "UIDPLUS", "AUTH=XOAUTH2".
func (c *Conn) Capability(name string) bool { return c.caps[strings.ToUpper(name)] }

// Write implements net.Conn. It says nothing where the library cannot: after a
// challenge of XOAUTH2 an empty line is awaited.
func (c *libraryConn) Write(p []byte) (int, error) {
	if string(p) != "=\r\n" || !c.in.blank.CompareAndSwap(true, false) {
		return c.Conn.Write(p)
	}
	if _, err := c.Conn.Write([]byte("\r\n")); err != nil {
		return 0, err
	}
	return len(p), nil
}
