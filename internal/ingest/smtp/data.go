package smtp

import (
	"bufio"
	"errors"
	"io"

	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/uid"
)

// discardLimit is how much data is read and thrown away after it is clear that
// the message will not be taken, so that the peer can read the reply; one that
// sends more is cut off.
const discardLimit = 1 << 30

var errTooMuchDiscarded = errors.New("far too much data")

// data is DATA (RFC 5321 §4.1.1.4).
func (c *session) data(arg string) {
	switch {
	case arg != "":
		c.complain("501 5.5.4 DATA takes no argument")
		return
	case c.tx == nil || len(c.tx.rcpts) == 0:
		c.complain("503 5.5.1 no valid recipients")
		return
	case c.tx.chunked:
		c.complain("503 5.5.1 BDAT has begun")
		return
	case c.tx.binary:
		c.complain("503 5.5.1 BINARYMIME needs BDAT")
		return
	}
	if !c.begin() {
		return
	}
	c.reply("354 end with <CR><LF>.<CR><LF>")
	c.phase(c.s.cfg.Limits.DataIdle, c.s.cfg.Limits.Data, false)
	sink := &sink{dst: c.tx.body}
	if err := copyData(sink, c.in); err != nil {
		c.brokenOff(err)
		return
	}
	c.finish(sink)
}

// bdat is BDAT (RFC 3030 §2). The chunk follows its command whatever the reply
// will be, so it is always read.
func (c *session) bdat(arg string) {
	size, last, ok := parseChunk(arg)
	if !ok {
		// It is unknown where the next command begins.
		c.closing = true
		c.reply("501 5.5.4 cannot read that: BDAT size [LAST]")
		return
	}
	c.phase(c.s.cfg.Limits.DataIdle, c.s.cfg.Limits.Data, false)
	valid := c.tx != nil && len(c.tx.rcpts) > 0
	if !valid || !c.tx.chunked && !c.begin() {
		if err := c.skip(size); err != nil {
			c.brokenOff(err)
		} else if !valid {
			// Not a mistake to be counted: chunks may be on their way when an
			// earlier one is refused.
			c.reply("503 5.5.1 no valid recipients")
		}
		return
	}
	c.tx.chunked = true
	sink := &sink{dst: c.tx.body, n: c.tx.body.Size()}
	n, err := io.CopyN(sink, c.in, size)
	if err != nil || n != size {
		c.brokenOff(err)
		return
	}
	switch {
	case last:
		c.finish(sink)
	case sink.err != nil:
		// The message cannot become whole; later chunks get 503 (RFC 3030 §2).
		c.reply(c.refusal(sink))
		c.reset()
	default:
		c.reply("250 2.0.0 chunk taken")
	}
}

// begin makes room for the data of the transaction, or answers why not.
func (c *session) begin() bool {
	tenants := map[uid.ID]bool{}
	var slots []uid.ID
	for _, s := range c.tx.sources() {
		if !tenants[s.Tenant] {
			tenants[s.Tenant] = true
			slots = append(slots, s.Tenant)
		}
	}
	if !c.s.limiter.receive(slots) {
		c.s.stats.throttled.Add(1)
		c.reply("451 4.7.1 too many messages at once for this recipient, try again later")
		c.reset()
		return false
	}
	c.tx.slots = slots
	c.tx.body = c.s.cfg.Spool.NewBuffer(c.s.cfg.MaxMessage)
	return true
}

// finish answers the end of the data.
func (c *session) finish(s *sink) {
	defer c.reset()
	if s.err != nil {
		c.answerAll(c.refusal(s))
		return
	}
	c.deliver()
}

// refusal counts a message that could not be taken into the spool and returns
// the reply.
func (c *session) refusal(s *sink) string {
	if errors.Is(s.err, spool.ErrLimit) {
		c.tooLarge(c.tx.sources(), s.n)
		return c.tooLargeReply()
	}
	c.s.stats.deferred.Add(1)
	c.log.Error("smtp: spool failed", "error", s.err)
	if errors.Is(s.err, spool.ErrFull) {
		return "452 4.3.1 no space now, try again later"
	}
	return "451 4.3.0 trouble here, try again later"
}

// brokenOff ends a session whose data did not come whole. Nothing of it is
// kept: the peer has no acknowledgement and will offer it again.
func (c *session) brokenOff(err error) {
	c.s.stats.brokenOff.Add(1)
	c.log.Info("smtp: data broke off", "error", err)
	c.closing = true
	c.reply("421 4.4.2 data broke off")
}

func (c *session) skip(size int64) error {
	if size > discardLimit {
		return errTooMuchDiscarded
	}
	_, err := io.CopyN(io.Discard, c.in, size)
	return err
}

// sink writes to dst until that fails, and then only counts, so that the rest
// of the data is still read.
type sink struct {
	dst       io.Writer
	err       error // first failure of dst
	n         int64 // bytes offered
	discarded int64
}

func (s *sink) Write(p []byte) (int, error) {
	s.n += int64(len(p))
	if s.err == nil {
		_, s.err = s.dst.Write(p)
	}
	if s.err != nil {
		if s.discarded += int64(len(p)); s.discarded > discardLimit {
			return 0, errTooMuchDiscarded
		}
	}
	return len(p), nil
}

// copyData copies mail data to dst with dot-stuffing undone (RFC 5321 §4.5.2)
// and returns nil at the end of data. A line ends with CR LF and nothing else;
// a line that begins with a dot loses the dot, and if nothing follows it but
// CR LF, it is the end. So bare CR and LF, in any combination with dots, are
// content and come through as they are (there is no second way to end the
// data that one server could see and another not). The error is that of r, or
// of dst.
func copyData(dst io.Writer, r *bufio.Reader) error {
	lineStart := true // the next byte begins a line
	afterCR := false  // the byte before was CR
	for {
		s, err := r.ReadSlice('\n') // up to 64 KiB: longer lines come in pieces
		if lineStart && len(s) > 0 && s[0] == '.' {
			if string(s) == ".\r\n" {
				return nil
			}
			s = s[1:]
			afterCR = false
		}
		if len(s) > 0 {
			if _, werr := dst.Write(s); werr != nil {
				return werr
			}
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
		lineStart, afterCR = endsLine(s, afterCR)
	}
}

// endsLine reports whether s, which came after a CR or not, ends with CR LF,
// and whether it ends with CR.
func endsLine(s []byte, afterCR bool) (line, cr bool) {
	n := len(s)
	switch {
	case n == 0:
		return false, afterCR
	case s[n-1] == '\n':
		return n > 1 && s[n-2] == '\r' || n == 1 && afterCR, false
	default:
		return false, s[n-1] == '\r'
	}
}
