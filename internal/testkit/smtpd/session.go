package smtpd

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// patience is how long a connection is kept on which nothing happens.
const patience = 30 * time.Second

// errClose ends a session.
var errClose = errors.New("closing")

type session struct {
	s    *Server
	conn net.Conn
	r    *bufio.Reader
	mail Mail
	rcpt int
}

func newSession(s *Server, conn net.Conn) *session {
	return &session{s: s, conn: conn, r: bufio.NewReader(conn)}
}

// say sends text, a byte at a time if the server drips.
func (c *session) say(format string, args ...any) error {
	text := fmt.Sprintf(format, args...) + "\r\n"
	if !c.s.is(Drips) {
		_, err := io.WriteString(c.conn, text)
		return err
	}
	for i := range len(text) {
		if _, err := io.WriteString(c.conn, text[i:i+1]); err != nil {
			return err
		}
		if err := c.wait(20 * time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// wait waits, but not beyond the end of the test.
func (c *session) wait(d time.Duration) error {
	select {
	case <-c.s.closed:
		return errClose
	case <-time.After(d):
		return nil
	}
}

// mute says nothing until the client leaves or the test ends.
func (c *session) mute() error {
	_, _ = io.Copy(io.Discard, c.conn)
	return errClose
}

// endless sends the same until the client leaves.
func (c *session) endless(text string) error {
	for {
		if _, err := io.WriteString(c.conn, text); err != nil {
			return err
		}
	}
}

func (c *session) serve() {
	if c.conn.SetDeadline(time.Now().Add(patience)) != nil {
		return
	}
	if c.s.opts.ImplicitTLS && !c.encrypt() {
		return
	}
	for err := c.greet(); err == nil; {
		var line string
		if line, err = c.r.ReadString('\n'); err == nil {
			err = c.command(strings.TrimRight(line, "\r\n"))
		}
	}
}

func (c *session) encrypt() bool {
	secure := tls.Server(c.conn, &tls.Config{Certificates: []tls.Certificate{c.s.who.TLS}, MinVersion: tls.VersionTLS12})
	if secure.Handshake() != nil {
		return false
	}
	c.conn, c.r, c.mail.Encrypted = secure, bufio.NewReader(secure), true
	return true
}

func (c *session) greet() error {
	switch {
	case c.s.is(NeverGreets):
		return c.mute()
	case c.s.is(ClosesAtOnce):
		return errClose
	case c.s.is(GarbageGreeting):
		return c.say("\x00\xff\x13garbage")
	case c.s.is(IMAPGreeting):
		return c.say("* OK IMAP4rev1 ready")
	case c.s.is(HugeGreeting):
		return c.endless("220 " + strings.Repeat("x", 1000))
	case c.s.is(EndlessGreeting):
		return c.endless(strings.Repeat("220-welcome\r\n", 100))
	case c.s.is(TurnsAway):
		return errors.Join(c.say("421 4.3.2 too many connections"), errClose)
	case c.s.is(NoService):
		return c.say("554 5.3.2 no service for you")
	}
	return c.say("220 smtpd.example ESMTP")
}

func (c *session) command(line string) error {
	verb, arg, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	if verb == "AUTH" {
		mech, _, _ := strings.Cut(arg, " ")
		c.s.note("AUTH " + mech)
	} else {
		c.s.note(line)
	}
	switch verb {
	case "EHLO":
		return c.ehlo()
	case "HELO":
		if c.s.is(RefusesEHLO) {
			return c.say("550 5.7.1 go away")
		}
		return c.say("250 smtpd.example")
	case "STARTTLS":
		return c.starttls()
	case "AUTH":
		return c.auth(arg)
	case "MAIL":
		return c.from(arg)
	case "RCPT":
		return c.to(arg)
	case "DATA":
		return c.data()
	case "QUIT":
		if c.s.is(MuteAtQuit) {
			return c.mute()
		}
		return errors.Join(c.say("221 bye"), errClose)
	case "RSET", "NOOP":
		return c.say("250 ok")
	}
	return c.say("500 5.5.1 what?")
}

func (c *session) ehlo() error {
	switch {
	case c.s.is(RefusesEHLO):
		return c.say("550 5.7.1 go away")
	case c.s.is(OldServer):
		return c.say("502 5.5.1 what is EHLO?")
	case c.s.is(CutsEHLO):
		_, err := io.WriteString(c.conn, "250-smtpd.example\r\n250-STAR")
		return errors.Join(err, errClose)
	case c.s.is(OddLines):
		return c.say("250-smtpd.example\r\n550-nonsense\r\n\r\nmore nonsense\r\n250 STARTTLS")
	}
	lines := []string{"smtpd.example", "8BITMIME", "SMTPUTF8", "PIPELINING"}
	if !c.mail.Encrypted && !c.s.is(NoSTARTTLS) {
		lines = append(lines, "STARTTLS")
	}
	if !c.s.is(NoAuth) {
		lines = append(lines, "AUTH "+c.s.opts.Auth)
	}
	size := "SIZE 20000000"
	if c.s.is(SmallSIZE) {
		size = "SIZE 10"
	}
	return c.say("250-%s\r\n250 %s", strings.Join(lines, "\r\n250-"), size)
}

func (c *session) starttls() error {
	switch {
	case c.s.is(STARTTLSRefused):
		return c.say("454 4.7.0 no TLS today")
	case c.s.is(STARTTLSCloses):
		return errClose
	case c.s.is(STARTTLSGarbage):
		return c.say("220 go ahead\r\n250 clear as day")
	case c.s.is(STARTTLSInject):
		// Nobody may take this for an answer over TLS.
		_, err := io.WriteString(c.conn, "220 go ahead\r\n250-evil.example\r\n250 AUTH PLAIN\r\n")
		if err != nil {
			return err
		}
	default:
		if err := c.say("220 go ahead"); err != nil {
			return err
		}
	}
	if !c.encrypt() {
		return errClose
	}
	return nil
}

// ask sends a question of AUTH and returns the answer.
func (c *session) ask(question string) (string, error) {
	if err := c.say("334 %s", base64.StdEncoding.EncodeToString([]byte(question))); err != nil {
		return "", err
	}
	line, err := c.r.ReadString('\n')
	b, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
	return string(b), err
}

func (c *session) auth(arg string) error {
	switch {
	case c.s.is(AuthLater):
		return c.say("454 4.7.0 ask again")
	case c.s.is(AuthCloses):
		return errClose
	}
	for c.s.is(AsksForever) {
		if _, err := c.ask("and?"); err != nil {
			return err
		}
	}
	var user, password string
	var err error
	mech, initial, _ := strings.Cut(arg, " ")
	switch strings.ToUpper(mech) {
	case "PLAIN":
		b, _ := base64.StdEncoding.DecodeString(initial)
		parts := strings.Split(string(b), "\x00")
		if len(parts) == 3 {
			user, password = parts[1], parts[2]
		}
	case "LOGIN":
		if user, err = c.ask("Username:"); err == nil {
			password, err = c.ask("Password:")
		}
	default:
		return c.say("504 5.5.4 unknown mechanism")
	}
	if err != nil {
		return err
	}
	if c.s.is(AuthRefused) || user != User || password != Password {
		return c.say("535 5.7.8 no, %s is not your password", password)
	}
	c.mail.LoggedIn = true
	return c.say("235 2.7.0 welcome")
}

func (c *session) from(arg string) error {
	switch {
	case c.s.is(WantsAuth), c.s.opts.NeedAuth && !c.mail.LoggedIn:
		return c.say("530 5.7.0 log in first")
	case c.s.is(SenderLater):
		return c.say("451 4.3.0 later")
	case c.s.is(SenderRefused):
		return c.say("553 5.7.1 you may not send as this")
	case c.s.is(SenderCloses):
		return errClose
	}
	c.mail.From, c.mail.To, c.rcpt = path(arg), nil, 0
	return c.say("250 2.1.0 ok")
}

// path takes the address out of FROM:<address> PARAMETERS.
func path(arg string) string {
	_, rest, _ := strings.Cut(arg, "<")
	address, _, _ := strings.Cut(rest, ">")
	return address
}

func (c *session) to(arg string) error {
	address := path(arg)
	c.rcpt++
	switch {
	case c.s.is(Greylists) && c.s.first(address):
		return c.say("450 4.2.0 greylisted, come again")
	case c.s.is(SomeRefused) && strings.HasPrefix(address, "x"), c.s.is(RcptRefused):
		return c.say("550 5.1.1 no such person")
	case c.s.is(RcptLater):
		return c.say("451 4.3.0 later")
	case c.s.is(RcptCloses):
		return errClose
	case c.s.is(Rcpt421):
		return errors.Join(c.say("421 4.3.2 shutting down"), errClose)
	case c.s.is(TooMany) && c.rcpt > 1:
		return c.say("552 5.5.3 too many recipients")
	}
	c.mail.To = append(c.mail.To, address)
	return c.say("250 2.1.5 ok")
}

func (c *session) data() error {
	switch {
	case len(c.mail.To) == 0:
		return c.say("503 5.5.1 nobody to send it to")
	case c.s.is(DataLater):
		return c.say("451 4.3.0 later")
	case c.s.is(DataRefused):
		return c.say("554 5.6.0 no")
	case c.s.is(DataCloses):
		return errClose
	}
	if err := c.say("354 go on"); err != nil {
		return err
	}
	if c.s.is(CutsData) {
		_, err := c.r.ReadString('\n')
		return errors.Join(err, errClose)
	}
	var err error
	if c.mail.Data, err = readData(c.r); err != nil {
		return err
	}
	switch {
	case c.s.is(EndLater):
		return c.say("451 4.3.0 later")
	case c.s.is(EndRefused):
		return c.say("554 5.7.1 looks like spam")
	case c.s.is(EndTooLarge):
		return c.say("552 5.3.4 too large")
	}
	c.s.take(c.mail)
	switch {
	case c.s.is(DropsAfterData):
		return errClose
	case c.s.is(MuteAfterData):
		return c.mute()
	case c.s.is(EndNonsense):
		return c.say("nonsense\r\n250-what\r\n\r\nfoo")
	}
	return c.say("250 2.0.0 queued as %d", len(c.s.Mails()))
}

// readData reads up to the line with a dot alone.
func readData(r *bufio.Reader) (string, error) {
	var b bytes.Buffer
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return "", err
		}
		if string(line) == ".\r\n" {
			return b.String(), nil
		}
		if line[0] == '.' {
			line = line[1:]
		}
		b.Write(line)
	}
}
