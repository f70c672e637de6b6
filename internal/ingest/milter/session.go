package milter

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/muniment/muniment/internal/ingest/wire"
)

const readBuffer = 64 << 10

// session is one connection. It belongs to one goroutine.
type session struct {
	s    *Server
	wire *wire.Conn
	in   *bufio.Reader
	buf  []byte // for the data of packets
	log  *slog.Logger

	deal    offer // what was agreed on; version 0: nothing yet
	client  client
	macros  macros
	tx      *transaction
	closing bool
}

func newSession(s *Server, w *wire.Conn, log *slog.Logger) *session {
	return &session{s: s, wire: w, in: bufio.NewReaderSize(w, readBuffer), log: log}
}

// run answers until one side ends the connection.
func (c *session) run() {
	defer c.end()
	for !c.closing {
		p, err := c.next()
		switch {
		case errors.Is(err, errTooLong):
			err = c.tooLong(p.cmd, err)
		case err != nil:
			c.lost(err)
			return
		default:
			err = c.dispatch(p)
		}
		if err != nil {
			c.s.stats.malformed.Add(1)
			c.log.Error("milter: connection ended: the MTA does not keep to the protocol", "error", err)
			return
		}
		if cap(p.data) <= keepPacket {
			c.buf = p.data
		}
	}
}

// end releases what the session holds, whatever happened.
func (c *session) end() {
	if r := recover(); r != nil {
		// One broken session must not end the others.
		c.log.Error("milter: session failed", "panic", r, "stack", string(debug.Stack()))
	}
	c.drop()
}

// drop gives up the message that is under way, if there is one.
func (c *session) drop() {
	c.macros.queue, c.macros.auth = "", ""
	if c.tx == nil {
		return
	}
	c.s.stats.aborted.Add(1)
	c.log.Debug("milter: message given up before its end")
	c.tx.close(c.log)
	c.tx = nil
}

// next waits for a packet and reads it.
func (c *session) next() (packet, error) {
	limits, now := c.s.cfg.Limits, time.Now()
	if c.tx == nil || c.tx.body == nil {
		if c.s.Closing() {
			return packet{}, ErrClosed
		}
		c.wire.Phase(0, now.Add(limits.Idle), true)
	} else {
		until := now.Add(limits.DataIdle)
		if c.tx.until.Before(until) {
			until = c.tx.until
		}
		c.wire.Phase(0, until, false)
	}
	if _, err := c.in.Peek(1); err != nil {
		return packet{}, err
	}
	c.wire.Phase(0, time.Now().Add(limits.Packet), false)
	return readPacket(c.in, c.buf)
}

// lost tells why no packet could be read. Nobody is answered: the MTA does what
// it is told to do without the filter.
func (c *session) lost(err error) {
	switch {
	case errors.Is(err, io.EOF), c.s.Closing():
	case errors.Is(err, errEmptyPacket):
		c.s.stats.malformed.Add(1)
		c.log.Error("milter: connection ended: the MTA does not keep to the protocol", "error", err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.log.Warn("milter: waited too long for the MTA", "within_message", c.tx != nil)
	default:
		c.log.Info("milter: connection lost", "error", err)
	}
}

// tooLong deals with a packet that was skipped: a message that cannot be whole
// is trouble, anything else cannot be understood.
func (c *session) tooLong(cmd byte, err error) error {
	if c.tx == nil || cmd != cmdHeader && cmd != cmdBody {
		return err
	}
	c.begin()
	c.tx.fail(err)
	if cmd == cmdHeader {
		return c.proceed(noReplyHeader)
	}
	return c.proceed(noReplyBody)
}

// dispatch obeys one packet. An error ends the connection.
func (c *session) dispatch(p packet) error {
	if p.cmd != cmdQuit && (c.deal.version == 0) != (p.cmd == cmdNegotiate) {
		return fmt.Errorf("%q: the negotiation comes first and once", p.cmd)
	}
	switch p.cmd {
	case cmdNegotiate:
		return c.negotiate(p.data)
	case cmdMacro:
		return c.define(p.data)
	case cmdConnect:
		return c.connect(p.data)
	case cmdHelo:
		return c.helo(p.data)
	case cmdMail:
		return c.mail(p.data)
	case cmdRcpt:
		return c.rcpt(p.data)
	case cmdData:
		return c.proceed(noReplyData)
	case cmdUnknown:
		return c.proceed(noReplyUnkn)
	case cmdHeader:
		return c.header(p.data)
	case cmdEndOfHeader:
		return c.endOfHeader()
	case cmdBody:
		return c.body(p.data)
	case cmdEndOfBody:
		return c.endOfBody(p.data)
	case cmdAbort:
		c.drop()
	case cmdQuitNew:
		c.drop()
		c.client = client{}
	case cmdQuit:
		c.closing = true
	default:
		return fmt.Errorf("%q: unknown command", p.cmd)
	}
	return nil
}

// proceed answers "continue", unless it was agreed that such packets have no
// answer.
func (c *session) proceed(noReply uint32) error {
	if c.deal.protocol&noReply == 0 {
		c.send(replyContinue, nil)
	}
	return nil
}

// send answers the MTA. A failure is the end of the connection.
func (c *session) send(cmd byte, data []byte) {
	if _, err := c.wire.Write(answer(cmd, data)); err != nil {
		c.closing = true
		c.log.Info("milter: connection lost", "error", err)
	}
}

// negotiate agrees on what the MTA sends and what it need not wait for.
func (c *session) negotiate(data []byte) error {
	o, err := parseOffer(data)
	if err != nil {
		return err
	}
	c.deal = o.choose()
	if c.deal.protocol&leadingSpace == 0 {
		c.log.Warn("milter: the MTA does not tell the white space after the colon of header fields: messages are stored with one blank there", "version", o.version)
	}
	c.send(cmdNegotiate, c.deal.encode())
	return nil
}

// define takes the macros that are of use.
func (c *session) define(data []byte) error {
	if len(data) > 0 && data[0] == cmdMail {
		c.macros.queue, c.macros.auth = "", ""
	}
	return eachMacro(data, func(name, value string) {
		switch name {
		case "j":
			c.macros.host = value
		case "i":
			c.macros.queue = value
		case "auth_authen":
			c.macros.auth = value
		}
	})
}

func (c *session) connect(data []byte) error {
	_, address, err := parseConnect(data)
	if err != nil {
		return err
	}
	c.client = client{address: address}
	return c.proceed(noReplyConn)
}

func (c *session) helo(data []byte) error {
	name, ok := firstString(data)
	if !ok {
		return fmt.Errorf("HELO: %w", errMalformed)
	}
	c.client.helo = string(name)
	return c.proceed(noReplyHelo)
}
