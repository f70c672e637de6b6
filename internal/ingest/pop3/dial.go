package pop3

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
)

// Dial connects, encrypts as cfg.Security says, and reads the greeting. The
// errors are those of a connection: ErrTLS, ErrTemporary, ErrPermanent if there
// is no such host, ErrProtocol if this is no POP3 server.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	cfg.setDefaults()
	const doing = "connect"
	host, _, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		return nil, &Error{Class: ErrPermanent, Doing: doing, Text: "the address is not host:port", Err: err}
	}
	// The time for connecting is bound like a command.
	dialCtx, cancel := context.WithTimeout(ctx, cfg.Command)
	defer cancel()
	conn, err := cfg.DialContext(dialCtx, "tcp", cfg.Addr)
	if err != nil {
		if ctx.Err() != nil {
			return nil, &Error{Doing: doing, Text: "stopped before it was done", Err: ctx.Err()}
		}
		return nil, within(doing+" to "+cfg.Addr, explain(err, cfg.Security))
	}
	w := &wire{Conn: conn, idle: cfg.Idle}
	c := &Client{cfg: cfg, wire: w, conn: w, in: bufio.NewReaderSize(w, buffer)}
	if err := c.do(ctx, doing+" to "+cfg.Addr, cfg.Command, func() error { return c.open(dialCtx, host) }); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// open takes the connection to the state in which one can log in.
func (c *Client) open(ctx context.Context, host string) error {
	if c.cfg.Security == ImplicitTLS {
		if err := c.encrypt(ctx, host); err != nil {
			return err
		}
	}
	if err := c.greeting(); err != nil {
		return err
	}
	if c.cfg.Security != StartTLS {
		return nil
	}
	if _, err := c.command("STLS"); err != nil {
		return meaning(err, ErrTLS, "the mail server does not offer to encrypt at this port (STLS)")
	}
	// What has come with the answer was sent in the clear, by anybody, to be
	// taken for something that came encrypted (RFC 2595 §7).
	if c.in.Buffered() > 0 {
		return fault(ErrTLS, "somebody has put data in front of the encryption")
	}
	return c.encrypt(ctx, host)
}

func (c *Client) encrypt(ctx context.Context, host string) error {
	conf := &tls.Config{}
	if c.cfg.TLS != nil {
		conf = c.cfg.TLS.Clone()
	}
	if conf.ServerName == "" {
		conf.ServerName = host
	}
	if conf.MinVersion == 0 {
		conf.MinVersion = tls.VersionTLS12
	}
	conn := tls.Client(c.wire, conf)
	if err := conn.HandshakeContext(ctx); err != nil {
		var e *Error
		err = explain(err, c.cfg.Security)
		if errors.As(err, &e) && e.Class == ErrTemporary {
			e.Text += ", while encryption was being agreed on"
		}
		return err
	}
	c.conn, c.secure = conn, true
	c.in.Reset(conn)
	c.caps, c.known = nil, false // whoever sent them: they are not to be believed (RFC 2595 §4)
	return nil
}

// greeting reads the first line of the server.
func (c *Client) greeting() error {
	first, err := c.in.Peek(1)
	if err != nil {
		var e *Error
		err = explain(err, c.cfg.Security)
		if errors.As(err, &e) && e.Class == ErrTemporary {
			e.Text += ", without a greeting" + hint(c.cfg.Security)
		}
		return err
	}
	switch {
	case first[0] == '*':
		return fault(ErrProtocol, "this is an IMAP server, not a POP3 server")
	case first[0] >= '0' && first[0] <= '9':
		return fault(ErrProtocol, "this is not a POP3 server; perhaps one that sends mail (SMTP)")
	case first[0] == 0x15 || first[0] == 0x16: // records of TLS
		return fault(ErrTLS, "this port is encrypted from the start; choose that")
	}
	_, err = c.status()
	// Without a code this comes before the server knows who we are: it is
	// about the server, and such states pass.
	err = meaning(err, ErrTemporary, "the mail server turns everybody away")
	return err
}

// Capabilities are what a server offers: names in upper case, each with its
// parameters as sent.
type Capabilities map[string][]string

// Has reports whether the capability is there, and with this parameter unless
// that is empty. Case does not matter.
func (c Capabilities) Has(name, parameter string) bool {
	parameters, ok := c[strings.ToUpper(name)]
	if !ok || parameter == "" {
		return ok
	}
	for _, p := range parameters {
		if strings.EqualFold(p, parameter) {
			return true
		}
	}
	return false
}

// Capabilities asks the server what it offers now (CAPA, RFC 2449 §5): that
// differs before and after logging in. A server that does not know the question
// offers nothing, which is no error.
func (c *Client) Capabilities(ctx context.Context) (Capabilities, error) {
	err := c.do(ctx, "ask for capabilities", c.cfg.Command, c.capabilities)
	return c.caps, err
}

func (c *Client) capabilities() error {
	c.caps, c.known = nil, false
	caps := Capabilities{}
	if _, err := c.command("CAPA"); refused(err) {
		c.caps, c.known = caps, true
		return nil
	} else if err != nil {
		return err
	}
	err := c.each(maxCapabilities, func(l []byte) error {
		if words := strings.Fields(string(l)); len(words) > 0 {
			name := strings.ToUpper(words[0])
			caps[name] = append(caps[name], words[1:]...)
		}
		return nil
	})
	if err == nil {
		c.caps, c.known = caps, true
	}
	return err
}
