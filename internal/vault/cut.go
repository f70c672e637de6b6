package vault

import (
	"bytes"
	"encoding/base64"
)

// Limits of what is cut out of a message.
const (
	// minCut is the shortest decoded base64 body that is worth an operation.
	minCut = 96
	// minCutLine is the shortest line that can start a base64 body: shorter
	// ones are more likely words.
	minCutLine = 40
	// maxCutLine is the longest line looked at. A body without line breaks that
	// is longer stays as it is.
	maxCutLine = 64 << 10
	// maxCuts is the largest number of bodies cut out of one message: it bounds the
	// memory for a message made of nothing else. What follows stays as it is.
	maxCuts = 1 << 16
	// PartSize is the smallest decoded body that is stored once per tenant.
	PartSize = 16 << 10
)

// cut is a run of base64 in a message that its decoded bytes reproduce.
type cut struct {
	start, end int64 // in the original; end is after the last base64 character
	size       int64 // decoded bytes
	line       int64 // characters per line; the last line may be shorter
	crlf       bool  // what separates the lines
}

// chars returns the number of base64 characters of the run.
func (c cut) chars() int64 { return (c.size + 2) / 3 * 4 }

// eol returns the number of bytes that separate two lines.
func (c cut) eol() int64 {
	if c.crlf {
		return 2
	}
	return 1
}

// base64Bytes tells which bytes base64 lines are made of: 1 for the alphabet of
// RFC 4648 §4, and 3 for those of it that are no hexadecimal digits.
var base64Bytes = func() (t [256]byte) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = 3
	}
	for _, c := range []byte("0123456789abcdefABCDEF") {
		t[c] = 1
	}
	return t
}()

// cutter finds the base64 bodies of a message from its lines alone, whatever its
// headers say: a body in a nested, forwarded or damaged message is found too.
type cutter struct {
	found []cut

	on    bool // within a run
	run   cut  // size is not set before the end
	chars int64
	pad   int64 // '=' at the end
	other bool  // a character that is no hexadecimal digit was seen
	sep   int64 // bytes of the line break after the last line, 1 or 2
}

// line takes the next line: its offset, its content without line break, and the
// length of that break (0 at the end of the data or of a line over maxCutLine).
func (c *cutter) line(off int64, s []byte, eol int64) {
	if !c.on {
		if len(s) >= minCutLine {
			c.begin(off, s, eol)
		}
		return
	}
	n, pad, other, ok := classify(s)
	// Only the lines before this one must end alike: what follows the last
	// line is not part of the run.
	if !ok || n == 0 || int64(n+pad) > c.run.line || c.sep != c.run.eol() {
		c.finish()
		c.line(off, s, eol)
		return
	}
	c.chars += int64(n)
	c.pad = int64(pad)
	c.other = c.other || other
	c.run.end = off + int64(len(s))
	c.sep = eol
	if int64(n) < c.run.line || eol == 0 {
		c.finish()
	}
}

func (c *cutter) begin(off int64, s []byte, eol int64) {
	n, pad, other, ok := classify(s)
	if !ok || n == 0 {
		return
	}
	c.on = true
	c.run = cut{start: off, end: off + int64(len(s)), line: int64(len(s)), crlf: eol == 2}
	c.chars, c.pad, c.other, c.sep = int64(n), int64(pad), other, eol
	if pad > 0 || eol == 0 {
		c.finish()
	}
}

// classify counts the base64 characters and the padding of a line. ok is false
// if there is anything else in it.
func classify(s []byte) (n, pad int, other, ok bool) {
	all, any := byte(1), byte(0)
	for n < len(s) {
		t := base64Bytes[s[n]]
		if t == 0 {
			break
		}
		all &= t
		any |= t
		n++
	}
	for n+pad < len(s) && s[n+pad] == '=' {
		pad++
	}
	return n, pad, any&2 != 0, n+pad == len(s) && pad <= 2
}

// finish ends the run. What is no whole quantum, or is padded wrongly, stays out
// of it: the run then ends within a line.
func (c *cutter) finish() {
	c.on = false
	r, chars, pad := c.run, c.chars, c.pad
	if (chars+pad)%4 != 0 {
		chars -= chars % 4
		pad = 0
	}
	r.size = (chars+pad)/4*3 - pad
	if r.size < minCut || !c.other || len(c.found) == maxCuts {
		return
	}
	n := chars + pad
	r.end = r.start + n + (n-1)/r.line*r.eol()
	c.found = append(c.found, r)
}

// findCuts returns the base64 bodies of a message that is in memory, ascending.
// Whether they can be made again is yet to be proved: see decodeCut.
func findCuts(raw []byte) []cut {
	var c cutter
	for off := 0; off < len(raw); {
		s, eol := raw[off:], 0
		if i := bytes.IndexByte(s, '\n'); i >= 0 {
			s, eol = s[:i], 1
			if i > 0 && s[i-1] == '\r' {
				s, eol = s[:i-1], 2
			}
		}
		if len(s) <= maxCutLine {
			c.line(int64(off), s, int64(eol))
		} else if c.on {
			c.finish()
		}
		off += len(s) + eol
	}
	if c.on {
		c.finish()
	}
	return c.found
}

// decodeCut appends the decoded bytes of a run to dst. ok is false if they are
// not the canonical decoding, so that encoding could not give the run again.
func decodeCut(dst, run []byte, c cut) (out []byte, ok bool) {
	start := len(dst)
	chars := make([]byte, 0, c.chars())
	for p := run; len(p) > 0; {
		n := min(int64(len(p)), c.line)
		chars = append(chars, p[:n]...)
		p = p[n:]
		p = p[min(int64(len(p)), c.eol()):]
	}
	dst = append(dst, make([]byte, base64.StdEncoding.DecodedLen(len(chars)))...)
	n, err := base64.StdEncoding.Strict().Decode(dst[start:], chars)
	if err != nil || int64(n) != c.size {
		return dst[:start], false
	}
	return dst[:start+n], true
}
