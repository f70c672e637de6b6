package pop3d

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
)

// session is one connection.
type session struct {
	s    *Server
	rec  *Connection
	conn net.Conn
	in   *bufio.Reader
	out  *output
	user string
	drop []Message // the maildrop as it was at the login
}

func newSession(s *Server, conn net.Conn, rec *Connection, n uint64, cut int64) *session {
	out := &output{s: s, rec: rec, conn: conn, rand: rand.New(rand.NewPCG(s.opts.Seed, n)), cut: cut, slow: s.is(Drips), lf: s.is(BareLF)}
	return &session{s: s, rec: rec, conn: conn, in: bufio.NewReader(conn), out: out}
}

// serve runs the conversation to its end. Its error is how it ended, which
// nobody needs to know.
func (c *session) serve() error {
	if c.s.opts.ImplicitTLS {
		if err := c.encrypt(); err != nil {
			return err
		}
	}
	if err := c.greet(); err != nil {
		return err
	}
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return err
		}
		verb, arg, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		verb = strings.ToUpper(verb)
		if err := c.command(verb, arg); err != nil {
			return err
		}
	}
}

func (c *session) greet() error {
	switch {
	case c.s.is(NeverGreets):
		return c.silence()
	case c.s.is(GarbageGreeting):
		return c.say("\x00\xff\x01 what? \x1b[31m")
	case c.s.is(IMAPGreeting):
		return c.say("* OK IMAP4rev1 ready")
	case c.s.is(SMTPGreeting):
		return c.say("220 mx.example ESMTP")
	case c.s.is(TurnsAway):
		return errors.Join(c.say("-ERR too many connections from your address"), io.EOF)
	case c.s.is(ClosesAtOnce):
		return io.EOF
	case c.s.is(EndlessLine):
		return c.repeat("+OK and so on ")
	}
	return c.say("+OK ready <1896.697170952@pop3d.example>")
}

// say sends one line.
func (c *session) say(line string) error {
	if c.s.is(AnswersTwice) && c.rec.LoggedIn {
		line += "\r\n+OK again"
	}
	_, err := io.WriteString(c.out, line+"\r\n")
	return err
}

// block sends a multi-line answer that needs no dots doubled.
func (c *session) block(lines []string) error {
	_, err := io.WriteString(c.out, strings.Join(append(lines, "."), "\r\n")+"\r\n")
	return err
}

func (c *session) command(verb, arg string) error {
	logged := arg
	if verb == "PASS" || verb == "AUTH" {
		logged, _, _ = strings.Cut(arg, " ")
		if verb == "PASS" {
			logged = ""
		}
	}
	c.s.record(func() { c.rec.Commands = append(c.rec.Commands, strings.TrimSpace(verb+" "+logged)) })
	switch verb {
	case "QUIT":
		return c.quit()
	case "CAPA":
		return c.capa()
	}
	if !c.rec.LoggedIn {
		return c.before(verb, arg)
	}
	switch {
	case c.s.is(NeverAnswers):
		return c.silence()
	case c.s.is(GarbageAnswers):
		return c.say("\x80\x81 +OK\x00")
	}
	return c.after(verb, arg)
}

// after are the commands of the transaction state (RFC 1939 §5).
func (c *session) after(verb, arg string) error {
	switch verb {
	case "STAT":
		var size int64
		left := c.left()
		for _, n := range left {
			size += c.size(n)
		}
		return c.say(fmt.Sprintf("+OK %d %d", len(left), size))
	case "LIST", "UIDL":
		return c.list(verb, arg)
	case "RETR":
		return c.retr(arg)
	case "DELE":
		n, ok := c.number(arg)
		if !ok || c.s.is(RefusesDELE) {
			return c.say("-ERR not deleted")
		}
		c.s.record(func() { c.rec.Asked = append(c.rec.Asked, c.drop[n-1].UID) })
		return c.say("+OK marked")
	case "RSET":
		c.s.record(func() { c.rec.Asked = nil })
		return c.say("+OK")
	case "NOOP":
		return c.say("+OK")
	}
	return c.say("-ERR what?")
}

// left returns the numbers of the messages not asked to be deleted.
func (c *session) left() (numbers []int) {
	for i, m := range c.drop {
		if !slices.Contains(c.rec.Asked, m.UID) {
			numbers = append(numbers, i+1)
		}
	}
	return numbers
}

// number reads the number of a message that is there.
func (c *session) number(arg string) (int, bool) {
	n, err := strconv.Atoi(arg)
	return n, err == nil && slices.Contains(c.left(), n)
}

// size is what the server says it is.
func (c *session) size(n int) int64 {
	size := c.drop[n-1].Size
	switch {
	case c.s.is(SizesTooSmall):
		return size / 3
	case c.s.is(SizesTooLarge):
		return size*3 + 100
	}
	return size
}

func (c *session) list(verb, arg string) error {
	if verb == "UIDL" && c.s.opts.NoUIDL {
		return c.say("-ERR unknown command")
	}
	if arg != "" {
		n, ok := c.number(arg)
		if !ok {
			return c.say("-ERR no such message")
		}
		return c.say("+OK " + c.entry(verb, n))
	}
	if err := c.say("+OK here they are"); err != nil {
		return err
	}
	if c.s.is(EndlessList) {
		return c.repeat("1 1\r\n")
	}
	numbers := c.left()
	if c.s.is(MissingUIDs) && verb == "UIDL" && len(numbers) > 0 {
		numbers = numbers[:len(numbers)-1]
	}
	if c.s.is(Descending) {
		slices.Reverse(numbers)
	}
	var lines []string
	for _, n := range numbers {
		lines = append(lines, c.entry(verb, n))
	}
	if c.s.is(DuplicateNumbers) && len(lines) > 0 {
		lines = append(lines, lines[0])
	}
	if c.s.is(CutsList) {
		_, err := io.WriteString(c.out, strings.Join(lines, "\r\n"))
		return errors.Join(err, io.EOF)
	}
	return c.block(lines)
}

// entry is the line of a listing for a message.
func (c *session) entry(verb string, n int) string {
	value := strconv.FormatInt(c.size(n), 10)
	switch {
	case verb == "UIDL" && c.s.is(EqualUIDs):
		value = "all-the-same"
	case verb == "UIDL" && c.s.is(LongUIDs):
		value = strings.Repeat("u", 1000)
	case verb == "UIDL":
		value = c.drop[n-1].UID
	case c.s.is(GarbageSizes):
		value = "many"
	}
	if c.s.is(NegativeNumbers) {
		n = -n
	}
	return fmt.Sprintf("%d %s", n, value)
}

func (c *session) retr(arg string) error {
	n, ok := c.number(arg)
	if !ok || c.s.is(RefusesRETR) {
		return c.say("-ERR no such message")
	}
	m := c.drop[n-1]
	if err := c.say(fmt.Sprintf("+OK %d octets", c.size(n))); err != nil {
		return err
	}
	if c.s.is(EndlessMessage) {
		return c.repeat("on and on and on\r\n")
	}
	body := m.open()
	if c.s.is(CutsMessage) {
		return errors.Join(stuff(c.out, io.LimitReader(body, m.Size/2), true), io.EOF)
	}
	if err := stuff(c.out, body, !c.s.is(NeverStuffs)); err != nil {
		return err
	}
	end := ".\r\n"
	switch {
	case c.s.is(NeverEnds):
		return c.silence()
	case c.s.is(EndsWithDotLF):
		end = ".\n"
	case c.s.is(EndsAfterLF):
		end = "\n.\r\n"
	case c.s.is(MoreThanMessage):
		end = ".\r\nand another thing\r\n.\r\n"
	}
	_, err := io.WriteString(c.out, end)
	return err
}

// quit is the update state (RFC 1939 §6).
func (c *session) quit() error {
	switch {
	case !c.rec.LoggedIn:
	case c.s.is(RefusesQUIT):
		return errors.Join(c.say("-ERR some deleted messages not removed"), io.EOF)
	case c.s.is(IgnoresQUIT):
		return io.EOF
	case c.s.is(SilentAtQUIT):
		return c.silence()
	default:
		c.s.commit(c.rec)
		if c.s.is(CommitsMutely) {
			return io.EOF
		}
	}
	return errors.Join(c.say("+OK bye"), io.EOF)
}
