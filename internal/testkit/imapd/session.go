package imapd

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"
)

// session is one connection. It belongs to one goroutine.
type session struct {
	s    *Server
	wire *wire
	in   *bufio.Reader
	out  *bufio.Writer
	rnd  *rand.Rand

	number   int // of the connection
	tls      bool
	loggedIn bool
	folder   string // selected
	readOnly bool
	view     []uint32 // the UIDs by sequence number, as this client knows them
	version  int      // of the folder, in view
	told     map[string]bool
	over     bool
}

func newSession(s *Server, conn net.Conn, number int, cut int64) *session {
	c := &session{s: s, number: number, told: map[string]bool{}, rnd: rand.New(rand.NewPCG(1, uint64(number)))}
	c.wire = &wire{Conn: conn, left: cut}
	if !s.opts.Polite {
		c.wire.rnd = rand.New(rand.NewPCG(2, uint64(number)))
	}
	c.attach(c.wire)
	return c
}

func (c *session) attach(conn net.Conn) {
	c.in, c.out = bufio.NewReader(conn), bufio.NewWriterSize(conn, 32<<10)
}

// startTLS does the handshake. The wire goes on top, so that cuts are counted
// in bytes of IMAP.
func (c *session) startTLS() bool {
	raw := c.wire.Conn
	conn := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{c.s.who().TLS}})
	if err := conn.Handshake(); err != nil {
		return false
	}
	c.wire.Conn, c.tls = conn, true
	c.attach(c.wire)
	return true
}

func (c *session) sayf(format string, args ...any) { fmt.Fprintf(c.out, format+c.eol(), args...) }

// eol is how a line ends.
func (c *session) eol() string {
	if c.s.is(BareLF) {
		return "\n"
	}
	return "\r\n"
}

func (c *session) flush() {
	if err := c.out.Flush(); err != nil {
		c.over = true
	}
}

// word varies the case of a word that may be in any.
func (c *session) word(w string) string {
	if c.s.is(OddSpacing) {
		return strings.ToLower(w)
	}
	if c.s.opts.Polite || c.rnd.IntN(2) == 0 {
		return w
	}
	if c.rnd.IntN(2) == 0 {
		return strings.ToLower(w)
	}
	return w[:1] + strings.ToLower(w[1:])
}

// chatter says something nobody asked for, now and then.
func (c *session) chatter() {
	if c.loggedIn && c.s.is(UnknownResponses) {
		c.sayf("* VANISHED (EARLIER) 41,43:116")
		c.sayf("* 7 MOVED {5}\r\n(\"x\r\n \"where\" (")
		c.sayf("* X-GM-NEWS \"unbalanced ( quotes")
		c.sayf("* LSUB () \"/\" #news.comp")
		c.sayf("* OK [X-ODD no end of it")
	}
	if c.s.opts.Polite {
		return
	}
	switch c.rnd.IntN(6) {
	case 0:
		c.sayf("* %s Still here", c.word("OK"))
	case 1:
		c.sayf("* %s [%s] (this is {5} only \"text)", c.word("OK"), c.word("ALERT"))
	case 2:
		if c.folder != "" {
			c.sayf("* %d %s", len(c.view), c.word("EXISTS"))
		}
	case 3:
		if n := len(c.view); c.folder != "" && n > 0 {
			c.sayf("* %d %s (%s (\\Recent))", 1+c.rnd.IntN(n), c.word("FETCH"), c.word("FLAGS"))
		}
	}
}

// run speaks until one side ends the connection.
func (c *session) run() {
	if c.s.opts.ImplicitTLS && !c.startTLS() {
		return
	}
	if !c.greet() {
		return
	}
	for !c.over {
		cmd, err := c.read()
		if err != nil {
			return
		}
		c.s.record(cmd.words())
		if c.spoil(cmd) {
			continue
		}
		c.chatter()
		c.dispatch(cmd)
		c.flush()
	}
}

// wait keeps the connection open until the client closes it.
func (c *session) wait() {
	c.flush()
	for c.over = true; ; {
		if _, err := c.in.ReadByte(); err != nil {
			return
		}
	}
}

func (c *session) greet() bool {
	switch {
	case c.s.is(SilentGreeting):
		c.wait()
		return false
	case c.s.is(NotIMAP):
		c.sayf("220 mx.example ESMTP ready")
		c.wait()
		return false
	case c.s.is(GarbageGreeting):
		fmt.Fprint(c.out, strings.Repeat("garbage ", 1<<17))
		c.wait()
		return false
	case c.s.is(ByeGreeting):
		c.sayf("* BYE Server is overloaded, try again later")
		c.flush()
		return false
	case c.s.is(PreAuth):
		c.sayf("* PREAUTH welcome home")
	default:
		c.sayf("* %s imapd of a test", c.word("OK"))
	}
	c.flush()
	return !c.over
}

// spoil does what is wrong with all commands after the log-in.
func (c *session) spoil(cmd *command) bool {
	if !c.loggedIn || cmd.name == "LOGOUT" || cmd.name == "CAPABILITY" {
		return false
	}
	is := c.s.is
	switch {
	case is(Silent):
		c.wait()
	case is(Unavailable):
		c.sayf("%s NO [%s] Backend is asleep", cmd.tag, c.word("UNAVAILABLE"))
	case is(Throttled):
		c.sayf("* BYE [LIMIT] You are throttled")
		c.over = true
	case is(Garbage):
		c.sayf("* 1 %s (UID )(\x00 \xff }{", c.word("FETCH"))
	case is(WrongTag):
		c.sayf("Z99 OK done")
	case is(HugeLine):
		c.sayf("* OK %s", strings.Repeat("x", 8<<20))
		return false
	case is(EndlessLine):
		for junk := bytes.Repeat([]byte("* LIST"), 4096); !c.over; {
			if _, err := c.out.Write(junk); err != nil {
				c.over = true
			}
		}
	case is(Drip):
		for !c.over {
			fmt.Fprint(c.out, "*")
			c.flush()
			time.Sleep(5 * time.Millisecond) // this is what it is about
		}
	default:
		return false
	}
	c.flush()
	return true
}

func (c *session) dispatch(cmd *command) {
	before := map[string]func(*command){
		"CAPABILITY": c.capability, "NOOP": c.noop, "LOGOUT": c.logout,
		"STARTTLS": c.upgrade, "LOGIN": c.login, "AUTHENTICATE": c.authenticate,
	}
	after := map[string]func(*command){
		"LIST": c.list, "STATUS": c.status, "SELECT": c.selectFolder, "EXAMINE": c.selectFolder,
	}
	selected := map[string]func(*command){
		"UID FETCH": c.fetch, "UID STORE": c.store, "UID SEARCH": c.search,
		"EXPUNGE": c.expunge, "UID EXPUNGE": c.expunge, "IDLE": c.idle,
	}
	f := before[cmd.name]
	if f == nil && c.loggedIn {
		f = after[cmd.name]
	}
	if f == nil && c.folder != "" {
		f = selected[cmd.name]
	}
	if f == nil {
		c.sayf("%s BAD %s cannot be said now", cmd.tag, cmd.name)
		return
	}
	f(cmd)
}

func (c *session) done(cmd *command) { c.sayf("%s %s done", cmd.tag, c.word("OK")) }

func (c *session) offers() []string {
	caps := []string{"IMAP4rev1", "IMAP4rev2", "SASL-IR", "LITERAL+"}
	switch {
	case c.s.is(LoginDisabled) && !c.loggedIn:
		caps = append(caps, "LOGINDISABLED")
	case !c.loggedIn:
		caps = append(caps, "AUTH=PLAIN", "AUTH=XOAUTH2")
	default:
		caps = append(caps, "UIDPLUS", "IDLE", "SPECIAL-USE", "LIST-EXTENDED")
	}
	if !c.tls {
		caps = append(caps, "STARTTLS")
	}
	return slices.DeleteFunc(caps, func(n string) bool {
		return slices.ContainsFunc(c.s.opts.Without, func(w string) bool { return strings.EqualFold(w, n) })
	})
}

func (c *session) capability(cmd *command) {
	c.sayf("* %s %s", c.word("CAPABILITY"), strings.Join(c.offers(), " "))
	c.done(cmd)
}

func (c *session) noop(cmd *command) {
	c.sync()
	c.done(cmd)
}

func (c *session) logout(cmd *command) {
	c.sayf("* %s see you", c.word("BYE"))
	c.done(cmd)
	c.over = true
	c.flush()
}

func (c *session) upgrade(cmd *command) {
	switch {
	case c.s.is(StartTLSSilent):
		c.wait()
		return
	case c.s.is(StartTLSRefused) || c.tls:
		c.sayf("%s NO no TLS today", cmd.tag)
		return
	}
	c.wire.rnd = nil // in one packet
	c.sayf("%s OK go ahead", cmd.tag)
	if c.s.is(StartTLSInjection) {
		c.sayf("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN X-EVIL] from somebody else")
	}
	c.flush()
	c.over = c.over || !c.startTLS()
}

func (c *session) login(cmd *command) {
	c.judge(cmd, c.s.opts.Without == nil || !slices.Contains(c.s.opts.Without, "LOGIN"), cmd.arg(0) == c.s.User && cmd.arg(1) == c.s.Password)
}

func (c *session) judge(cmd *command, offered, right bool) {
	switch {
	case c.s.is(LoginUnavailable):
		c.sayf("%s NO [%s] user database is asleep", cmd.tag, c.word("UNAVAILABLE"))
	case c.s.is(LoginThrottled):
		c.sayf("* BYE Too many simultaneous connections")
		c.over = true
	case !offered:
		c.sayf("%s BAD not offered", cmd.tag)
	case !right:
		c.sayf("%s NO [%s] wrong name or password", cmd.tag, c.word("AUTHENTICATIONFAILED"))
	default:
		c.loggedIn = true
		c.done(cmd)
	}
}

func (c *session) authenticate(cmd *command) {
	answer := cmd.arg(1)
	if answer == "" {
		answer = c.ask("")
	}
	raw, _ := base64.StdEncoding.DecodeString(answer) // else wrong
	switch strings.ToUpper(cmd.arg(0)) {
	case "PLAIN":
		c.judge(cmd, true, string(raw) == "\x00"+c.s.User+"\x00"+c.s.Password)
	case "XOAUTH2":
		right := string(raw) == "user="+c.s.User+"\x01auth=Bearer "+c.s.Token+"\x01\x01"
		if !right {
			if c.ask(`{"status":"400","schemes":"Bearer","scope":"https://mail.example/"}`) != "" {
				c.sayf("%s BAD an empty line was awaited", cmd.tag)
				return
			}
		}
		c.judge(cmd, true, right)
	default:
		c.sayf("%s NO no such mechanism", cmd.tag)
	}
}

func (c *session) ask(challenge string) string {
	c.sayf("+ %s", base64.StdEncoding.EncodeToString([]byte(challenge)))
	c.flush()
	line, err := c.in.ReadString('\n')
	if err != nil {
		c.over = true
	}
	return strings.TrimSpace(line)
}
