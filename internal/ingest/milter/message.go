package milter

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/muniment/muniment/internal/ingest/wire"
	"github.com/muniment/muniment/internal/spool"
)

const (
	// maxEnvelope is the most bytes of recipients' addresses of one message.
	maxEnvelope = 4 << 20
	// maxWord is the most bytes of a name that the MTA tells of its client.
	maxWord = 255
	// writeBuffer gathers small pieces before they go to the spool.
	writeBuffer = 32 << 10
)

var errTooManyRecipients = errors.New("too many recipients")

// client is who the MTA talks to.
type client struct{ address, helo string }

// macros are what the MTA tells beside the commands.
type macros struct {
	host  string // j: name of the MTA
	queue string // i: queue id of the message
	auth  string // {auth_authen}: who authenticated to the MTA
}

// transaction is one message on its way, from MAIL to the answer to its end.
type transaction struct {
	from     string
	to       []string
	envelope int           // bytes of the addresses in to
	body     *spool.Buffer // nil before the content
	w        *bufio.Writer // into body
	until    time.Time     // the content must have come by then
	ended    bool          // the header
	size     int64         // bytes put, also after a failure
	err      error         // first reason why the message cannot be stored
}

func (tx *transaction) fail(err error) {
	if tx.err == nil {
		tx.err = err
	}
}

// put appends to the message; what comes after a failure is dropped, so that the
// rest of the content is still read.
func (tx *transaction) put(b []byte) {
	tx.size += int64(len(b))
	if tx.err == nil {
		_, tx.err = tx.w.Write(b)
	}
}

// finish makes everything that was put readable.
func (tx *transaction) finish() error {
	if tx.err == nil {
		tx.err = tx.w.Flush()
	}
	return tx.err
}

func (tx *transaction) close(log *slog.Logger) {
	if tx.body == nil {
		return
	}
	if err := tx.body.Close(); err != nil {
		log.Warn("milter: release spool", "error", err)
	}
}

// mail is MAIL FROM; one without a word for the end of the former message gives
// that up.
func (c *session) mail(data []byte) error {
	from, ok := firstString(data)
	if !ok {
		return fmt.Errorf("MAIL: %w", errMalformed)
	}
	if c.tx != nil {
		m := c.macros
		c.drop()
		c.macros = m // they came before this command and are its own
	}
	c.tx = &transaction{from: address(from)}
	return c.proceed(noReplyMail)
}

// rcpt is RCPT TO, as the MTA's client said it and the MTA allowed it.
func (c *session) rcpt(data []byte) error {
	to, ok := firstString(data)
	if !ok || c.tx == nil || c.tx.body != nil {
		return fmt.Errorf("RCPT: %w", c.misplaced(ok))
	}
	tx := c.tx
	if tx.envelope += len(to); !wire.Within(len(tx.to), c.s.cfg.Limits.Recipients) || tx.envelope > maxEnvelope {
		tx.fail(errTooManyRecipients)
	} else {
		tx.to = append(tx.to, address(to))
	}
	return c.proceed(noReplyRcpt)
}

func (c *session) misplaced(readable bool) error {
	if !readable {
		return errMalformed
	}
	return errors.New("not now")
}

// begin makes room for the content.
func (c *session) begin() {
	if c.tx.body == nil {
		c.tx.body = c.s.cfg.Spool.NewBuffer(c.s.cfg.MaxMessage)
		c.tx.w = bufio.NewWriterSize(c.tx.body, writeBuffer)
		c.tx.until = time.Now().Add(c.s.cfg.Limits.Data)
	}
}

// header is one header field. Lines within its value are separated by LF.
func (c *session) header(data []byte) error {
	name, value, err := parseHeader(data)
	if err != nil || c.tx == nil || c.tx.ended {
		return fmt.Errorf("header field: %w", c.misplaced(err == nil))
	}
	c.begin()
	tx := c.tx
	tx.put(name)
	tx.put([]byte{':'})
	if c.deal.protocol&leadingSpace == 0 && (len(value) == 0 || value[0] != '\t' && value[0] != '\n') {
		tx.put([]byte{' '}) // the one that the MTA takes away; before TAB and LF there rarely is one
	}
	for rest, more := value, true; more; {
		var line []byte
		line, rest, more = bytes.Cut(rest, []byte{'\n'})
		tx.put(line)
		tx.put([]byte("\r\n"))
	}
	return c.proceed(noReplyHeader)
}

func (c *session) endOfHeader() error {
	if c.tx == nil || c.tx.ended {
		return fmt.Errorf("end of the header: %w", c.misplaced(true))
	}
	c.begin()
	c.tx.ended = true
	c.tx.put([]byte("\r\n"))
	return c.proceed(noReplyEOH)
}

func (c *session) body(data []byte) error {
	if c.tx == nil || !c.tx.ended {
		return fmt.Errorf("body: %w", c.misplaced(true))
	}
	c.tx.put(data)
	return c.proceed(noReplyBody)
}

// origin names the message within its source, so that one which the MTA offers
// again under the same queue id is no second capture. Queue ids are used again
// in time, so the envelope is a part of it: under a key that nobody knows, for a
// recipient could otherwise try who else was one. Without a queue id every
// arrival is its own.
func (c *session) origin(tx *transaction) string {
	if c.macros.queue == "" || c.macros.queue == "NOQUEUE" {
		return ""
	}
	h := hmac.New(sha256.New, c.s.secret[:])
	for _, s := range append([]string{c.macros.host, c.macros.queue, tx.from}, tx.to...) {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return fmt.Sprintf("%s %s %x", word(c.macros.host), word(c.macros.queue), h.Sum(nil)[:8])
}

// peer describes the MTA's client for Submission.Peer.
func (c *session) peer() string {
	p := "local"
	if a := strings.TrimPrefix(c.client.address, "IPv6:"); a != "" {
		p = word(a)
		if ip, err := netip.ParseAddr(a); err == nil {
			p = ip.Unmap().String()
		}
	}
	if c.client.helo != "" {
		p += ", HELO " + word(c.client.helo)
	}
	if c.macros.auth != "" {
		p += ", user " + word(c.macros.auth)
	}
	return p
}

// address takes the brackets off a path.
func address(path []byte) string {
	if n := len(path); n >= 2 && path[0] == '<' && path[n-1] == '>' {
		path = path[1 : n-1]
	}
	return valid(string(path))
}

// valid writes bytes that are no UTF-8 as \xNN, for they could not be stored.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[0])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// word makes a short printable word of what a peer said.
func word(s string) string {
	if len(s) > maxWord {
		s = s[:maxWord]
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || r == ' ' {
			return '?'
		}
		return r
	}, valid(s))
}
