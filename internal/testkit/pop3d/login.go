package pop3d

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
)

// encrypt turns the connection into an encrypted one.
func (c *session) encrypt() error {
	conn := tls.Server(c.conn, &tls.Config{Certificates: []tls.Certificate{c.s.who.TLS}, MinVersion: tls.VersionTLS12})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	c.conn, c.in, c.out.conn = conn, bufio.NewReader(conn), conn
	c.s.record(func() { c.rec.Encrypted = true })
	return nil
}

func (c *session) mayLogIn() bool { return c.rec.Encrypted || !c.s.opts.NoPlaintext }

func (c *session) capa() error {
	if c.s.opts.NoCAPA {
		return c.say("-ERR unknown command")
	}
	if err := c.say("+OK"); err != nil {
		return err
	}
	if c.s.is(EndlessCAPA) {
		return c.repeat("X-NONSENSE\r\n")
	}
	caps := []string{"Top", "RESP-codes", "pipelining", "IMPLEMENTATION pop3d for tests"}
	if !c.s.opts.NoUIDL {
		caps = append(caps, "uIDL")
	}
	if c.s.opts.UTF8 {
		caps = append(caps, "uTF8 User")
	}
	if !c.rec.Encrypted && !c.s.opts.NoSTLS {
		caps = append(caps, "StLs")
	}
	if c.mayLogIn() && !c.s.opts.NoUser {
		caps = append(caps, "User")
	}
	if c.mayLogIn() && !c.s.opts.NoSASL {
		caps = append(caps, "Sasl Plain xOAuth2")
	}
	return c.block(caps)
}

// before are the commands of the authorization state.
func (c *session) before(verb, arg string) error {
	switch {
	case verb == "STLS" && !c.s.opts.NoSTLS && !c.rec.Encrypted:
		return c.stls()
	case verb == "UTF8" && c.s.opts.UTF8:
		return c.say("+OK as it is")
	case verb == "USER" && !c.s.opts.NoUser && c.mayLogIn():
		c.user = arg
		return c.say("+OK and the password?")
	case verb == "PASS" && c.user != "":
		return c.login(c.user == c.s.opts.User && arg == c.s.opts.Password, arg)
	case verb == "AUTH" && !c.s.opts.NoSASL && c.mayLogIn():
		return c.auth(arg)
	}
	return c.say("-ERR not now, or never heard of")
}

func (c *session) stls() error {
	switch {
	case c.s.is(STLSRefused):
		return c.say("-ERR cannot encrypt now")
	case c.s.is(STLSInjection):
		// In one piece, so that it is there before the handshake.
		if err := c.out.send([]byte("+OK begin\r\n+OK logged in\r\n")); err != nil {
			return err
		}
		return c.encrypt()
	case c.s.is(STLSGarbage):
		return errors.Join(c.say("+OK begin"), c.say("+OK in the clear"), c.silence())
	}
	if err := c.say("+OK begin"); err != nil {
		return err
	}
	return c.encrypt()
}

// response is the client's answer to a challenge, or the one sent at once.
func (c *session) response(initial string) (string, error) {
	if initial == "" {
		if err := c.say("+ "); err != nil {
			return "", err
		}
		line, err := c.in.ReadString('\n')
		if err != nil {
			return "", err
		}
		initial = strings.TrimRight(line, "\r\n")
	}
	raw, _ := base64.StdEncoding.DecodeString(initial) // what is no base64 is no password either
	return string(raw), nil
}

func (c *session) auth(arg string) error {
	mechanism, initial, _ := strings.Cut(arg, " ")
	if c.s.is(AsksForever) {
		for {
			if _, err := c.response(""); err != nil {
				return err
			}
		}
	}
	response, err := c.response(initial)
	if err != nil {
		return err
	}
	switch strings.ToUpper(mechanism) {
	case "PLAIN":
		_, password, _ := strings.Cut(strings.TrimPrefix(response, "\x00"), "\x00")
		return c.login(response == "\x00"+c.s.opts.User+"\x00"+c.s.opts.Password, password)
	case "XOAUTH2":
		if response == "user="+c.s.opts.User+"\x01auth=Bearer "+c.s.opts.Token+"\x01\x01" {
			return c.login(true, "")
		}
		problem := base64.StdEncoding.EncodeToString([]byte(`{"status":"400","schemes":"Bearer","scope":"mail"}`))
		if err := c.say("+ " + problem); err != nil {
			return err
		}
		if _, err := c.in.ReadString('\n'); err != nil {
			return err
		}
		return c.say("-ERR bad token")
	}
	return c.say("-ERR unknown mechanism")
}

// login ends a login, well or not.
func (c *session) login(ok bool, password string) error {
	for m, answer := range map[Misbehaviour]string{
		InUse: "-ERR [in-use] another session", LoginDelay: "-ERR [LOGIN-DELAY] wait", SysTemp: "-ERR [SYS/TEMP] disk trouble",
		SysPerm: "-ERR [SYS/PERM] no such disk", LockedPlain: "-ERR unable to lock maildrop",
		EchoesSecrets: "-ERR not " + password,
	} {
		if c.s.is(m) {
			return c.say(answer)
		}
	}
	if !ok {
		return c.say("-ERR wrong user or password")
	}
	c.s.record(func() { c.drop, c.rec.LoggedIn = slices.Clone(c.s.messages), true })
	_, err := io.WriteString(c.out, "+OK welcome\r\n")
	return err
}
