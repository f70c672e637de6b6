package smtp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/ingest/wire"
)

const (
	readBuffer  = 64 << 10
	writeBuffer = 4 << 10
)

// errLineTooLong is returned by readLine; the line was skipped.
var errLineTooLong = errors.New("line too long")

// session is one connection. It belongs to one goroutine.
type session struct {
	s    *Server
	wire *wire.Conn
	conn net.Conn // the wire, or TLS over it
	in   *bufio.Reader
	out  *bufio.Writer
	peer netip.Addr
	log  *slog.Logger

	greeted bool // HELO, EHLO or LHLO was said
	tls     bool
	user    string // who authenticated
	mistake int    // the peer's errors so far
	tx      *transaction
	closing bool // after the present reply
}

func newSession(s *Server, w *wire.Conn, peer netip.Addr, log *slog.Logger) *session {
	c := &session{s: s, wire: w, peer: peer, log: log}
	c.attach(w)
	return c
}

// phase sets how long the coming reads may take: each, and in total. Waiting says that
// a shutdown need not wait for them.
func (c *session) phase(each, total time.Duration, waiting bool) {
	c.wire.Phase(each, time.Now().Add(total), waiting)
}

// attach makes conn the channel. Before each read from it, the replies written
// so far are sent: so pipelined commands are answered together.
func (c *session) attach(conn net.Conn) {
	c.conn = conn
	c.out = bufio.NewWriterSize(conn, writeBuffer)
	c.in = bufio.NewReaderSize(&flushingReader{c.out, conn}, readBuffer)
}

type flushingReader struct {
	out *bufio.Writer
	in  io.Reader
}

func (r *flushingReader) Read(p []byte) (int, error) {
	if err := r.out.Flush(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}

// run speaks until one side ends the connection.
func (c *session) run() {
	defer c.end()
	limits := c.s.cfg.Limits
	c.phase(limits.Command, limits.Command, true)
	if c.s.cfg.ImplicitTLS && !c.startTLS() {
		return
	}
	protocol := "ESMTP"
	if c.s.cfg.LMTP {
		protocol = "LMTP"
	}
	c.reply("220 " + c.s.cfg.Hostname + " " + protocol + " ready")
	for !c.closing {
		if c.s.Closing() {
			c.reply("421 4.3.2 " + c.s.cfg.Hostname + " is going down, try again later")
			return
		}
		c.phase(limits.Command, limits.Command, true)
		line, err := c.readLine(maxCommand)
		c.phase(limits.DataIdle, limits.Data, false)
		switch {
		case errors.Is(err, errLineTooLong):
			c.complain("500 5.5.2 line too long")
		case err != nil:
			c.readFailed(err)
			return
		default:
			c.dispatch(line)
		}
	}
}

// end releases what the session holds, whatever happened.
func (c *session) end() {
	if r := recover(); r != nil {
		// One broken session must not end the others.
		c.log.Error("smtp: session failed", "panic", r, "stack", string(debug.Stack()))
		c.reply("421 4.3.0 internal error, try again later")
	}
	c.reset()
	// The peer may be gone; then it takes the message for not acknowledged and
	// offers it again.
	_ = c.out.Flush()
	_ = c.conn.Close()
}

func (c *session) readFailed(err error) {
	var timeout net.Error
	switch {
	case c.s.Closing():
		c.reply("421 4.3.2 " + c.s.cfg.Hostname + " is going down, try again later")
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		c.reply("421 4.4.2 waited too long for a command")
	case !errors.Is(err, io.EOF):
		c.log.Debug("smtp: connection lost", "error", err)
	}
}

// readLine returns a line without its end. The end is CR LF; a bare LF is
// taken as well, as from people who type.
func (c *session) readLine(limit int) (string, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		return "", err
	}
	if err == nil && len(line) <= limit+2 {
		return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), nil
	}
	for skipped := len(line); err != nil; skipped += len(line) {
		if skipped > 1<<20 { // no peer that means well sends such a line
			c.closing = true
			break
		}
		if line, err = c.in.ReadSlice('\n'); err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
	}
	return "", errLineTooLong
}

// reply writes one reply; further lines after a "\n" each become a line of
// their own with the same code. A failed write shows at the next flush.
func (c *session) reply(text string) {
	lines := strings.Split(text, "\n")
	code := lines[0][:3]
	for i, l := range lines {
		if i > 0 {
			l = code + " " + l
		}
		if i < len(lines)-1 {
			l = code + "-" + l[4:]
		}
		fmt.Fprintf(c.out, "%s\r\n", l)
	}
}

// complain answers a mistake of the peer. Too many end the connection.
func (c *session) complain(text string) {
	c.mistake++
	if max := c.s.cfg.Limits.Errors; max >= 0 && c.mistake >= max {
		c.closing = true
		c.log.Warn("smtp: too many errors", "last", text)
		text = "421 4.7.0 too many errors, closing"
	}
	c.reply(text)
}

// trouble answers a failure on our side: always 4xx.
func (c *session) trouble(what string, err error) {
	c.log.Error("smtp: "+what+" failed", "error", err)
	c.reply("451 4.3.0 trouble here, try again later")
}

func (c *session) dispatch(line string) {
	verb, arg := splitCommand(line)
	switch verb {
	case "EHLO", "HELO", "LHLO":
		c.hello(verb, arg)
	case "MAIL":
		c.mail(arg)
	case "RCPT":
		c.rcpt(arg)
	case "DATA":
		c.data(arg)
	case "BDAT":
		c.bdat(arg)
	case "RSET":
		c.reset()
		c.reply("250 2.0.0 reset")
	case "NOOP":
		c.reply("250 2.0.0 ok")
	case "QUIT":
		c.closing = true
		c.reply("221 2.0.0 bye")
	case "STARTTLS":
		c.upgrade(arg)
	case "AUTH":
		c.auth(arg)
	case "HELP":
		c.reply("214 2.0.0 this is the receiver of a mail archive; it takes mail for journal addresses only")
	case "VRFY", "EXPN":
		c.complain("502 5.5.1 " + verb + " is not offered")
	default:
		c.complain("500 5.5.1 unknown command")
	}
}

// hello is EHLO (RFC 5321 §4.1.1.1), HELO or LHLO (RFC 2033 §4.1).
func (c *session) hello(verb, arg string) {
	switch {
	case (verb == "LHLO") != c.s.cfg.LMTP:
		c.complain("500 5.5.1 " + verb + " is not spoken here")
		return
	case arg == "" || !printable(arg):
		c.complain("501 5.5.4 say who you are: " + verb + " name")
		return
	}
	c.reset()
	c.greeted = true
	if verb == "HELO" {
		c.reply("250 " + c.s.cfg.Hostname)
		return
	}
	cfg := c.s.cfg
	lines := []string{
		"250 " + cfg.Hostname, "PIPELINING", fmt.Sprintf("SIZE %d", cfg.MaxMessage),
		"8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8", "ENHANCEDSTATUSCODES",
	}
	if cfg.Limits.Recipients > 0 {
		lines = append(lines, fmt.Sprintf("LIMITS RCPTMAX=%d", cfg.Limits.Recipients))
	}
	if cfg.TLS != nil && !c.tls {
		lines = append(lines, "STARTTLS")
	}
	if c.mayAuth() && c.user == "" {
		lines = append(lines, "AUTH PLAIN LOGIN")
	}
	c.reply(strings.Join(append(lines, "HELP"), "\n"))
}

// upgrade is STARTTLS (RFC 3207).
func (c *session) upgrade(arg string) {
	switch {
	case c.s.cfg.TLS == nil:
		c.complain("502 5.5.1 TLS is not offered")
	case c.tls:
		c.complain("503 5.5.1 TLS is in use already")
	case arg != "":
		c.complain("501 5.5.4 STARTTLS takes no argument")
	case c.in.Buffered() > 0:
		// What comes before the handshake was not protected by it and must not
		// be taken for a part of the protected session (RFC 3207 §6).
		c.closing = true
		c.reply("421 4.7.0 nothing may follow STARTTLS before the handshake")
	default:
		c.reply("220 2.0.0 go ahead")
		if err := c.out.Flush(); err != nil || !c.startTLS() {
			c.closing = true
			return
		}
		c.greeted, c.user = false, ""
	}
}

// startTLS does the handshake. After a failure the connection is useless.
func (c *session) startTLS() bool {
	conn := tls.Server(c.wire, c.s.cfg.TLS)
	c.phase(c.s.cfg.Limits.Command, c.s.cfg.Limits.Command, false)
	c.reset()
	if err := conn.HandshakeContext(c.s.Context()); err != nil {
		c.log.Info("smtp: TLS handshake failed", "error", err)
		c.out.Reset(io.Discard)
		return false
	}
	c.attach(conn)
	c.tls = true
	return true
}

// context returns the context for a call to the archive.
func (c *session) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(c.s.Context(), c.s.cfg.Limits.Ingest)
}
