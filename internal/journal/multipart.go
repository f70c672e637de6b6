package journal

import (
	"bytes"
	"fmt"
	"io"
)

const (
	// searched is how much is read at once when a boundary is looked for.
	searched = 256 << 10
	// maxPadding is how many blanks may follow a boundary on its line.
	maxPadding = 100
)

// eol is how a line ends.
type eol uint8

const (
	noEOL eol = iota // with the text
	lf
	crlf
)

// part is a body part between two boundary lines.
type part struct {
	start          int64 // after the line of the opening boundary
	crlfEnd, lfEnd int64 // before the line break of the next one, taken as CR LF where possible, and as LF
	open, close    eol   // how these lines end
}

// end returns where the body of the part ends; h is its header.
func (p part) end(h *header) int64 {
	if p.open == lf && h.blank == lf && p.close != crlf {
		return p.lfEnd
	}
	return p.crlfEnd
}

// body is a multipart body, taken apart.
type body struct {
	parts    []part
	preamble int64 // bytes before the first boundary
	closed   bool
	after    int64 // offset after the closing boundary
}

// parts finds the parts of the multipart body that begins at start, which is
// the start of a line; at most limit of them. Without a closing boundary the last
// one reaches to the end.
func (s *source) parts(start, end int64, boundary string, limit int) (body, error) {
	b := body{preamble: end - start}
	at, open := start, noEOL
	for first := true; ; first = false {
		d, err := s.delimiter(at, end, boundary)
		if err != nil {
			return b, err
		}
		if first {
			b.preamble = d.at - start
		} else {
			p := part{start: at, open: open, close: d.eol, crlfEnd: max(d.crlf, at), lfEnd: max(d.lf, at)}
			b.parts = append(b.parts, p)
		}
		if !d.found || d.close || len(b.parts) == limit {
			b.closed, b.after = d.close, d.after
			return b, nil
		}
		at, open = d.after, d.eol
	}
}

// delimiter is a boundary line.
type delimiter struct {
	found, close bool
	at           int64 // of the line
	lf, crlf     int64 // of the line break before it, taken as LF or CR LF
	after        int64 // of the next line
	eol          eol
}

// delimiter returns the first boundary line in a range that begins with a line.
// Only a line that is the boundary and nothing else counts.
func (s *source) delimiter(start, end int64, boundary string) (delimiter, error) {
	pattern := []byte("\n--" + boundary)
	for at := start - 1; ; at++ {
		var err error
		if at, err = s.find(pattern, at, end); err != nil {
			return delimiter{}, err
		}
		if at < 0 {
			return delimiter{at: end, lf: end, crlf: end, after: end}, nil
		}
		need := min(int64(len(pattern)+maxPadding+4), end-at)
		line, err := s.peek(at, need)
		if err != nil {
			return delimiter{}, err
		}
		d := delimiter{found: true, at: at + 1, lf: at, crlf: at}
		n, ok := d.judge(line[len(pattern):need])
		if !ok {
			continue
		}
		d.after = at + int64(len(pattern)+n)
		if at > start {
			before, err := s.peek(at-1, 1)
			if err != nil {
				return delimiter{}, err
			}
			if before[0] == '\r' {
				d.crlf--
			}
		}
		return d, nil
	}
}

// judge looks at what follows the boundary on its line, and returns how many
// bytes it is with the line end. The range may end without one, also between
// CR and LF.
func (d *delimiter) judge(rest []byte) (int, bool) {
	n := 0
	if bytes.HasPrefix(rest, []byte("--")) {
		d.close = true
		n = 2
	}
	for n < len(rest) && (rest[n] == ' ' || rest[n] == '\t') {
		n++
	}
	whole := len(rest) < maxPadding+4 // it reaches to the end of the range
	switch tail := rest[n:]; {
	case len(tail) == 0:
		return n, whole
	case tail[0] == '\n':
		d.eol = lf
		return n + 1, true
	case bytes.HasPrefix(tail, []byte("\r\n")):
		d.eol = crlf
		return n + 2, true
	default:
		return n + 1, whole && len(tail) == 1 && tail[0] == '\r'
	}
}

// find returns the offset of the first pattern in a range, or -1.
func (s *source) find(pattern []byte, start, end int64) (int64, error) {
	overlap := int64(len(pattern) - 1)
	for at := start; end-at > overlap; {
		w, err := s.peek(at, overlap+1)
		if err != nil {
			return 0, err
		}
		w = w[:min(int64(len(w)), end-at)]
		if i := bytes.Index(w, pattern); i >= 0 {
			return at + int64(i), nil
		}
		at += int64(len(w)) - overlap
	}
	return -1, nil
}

// peek returns at least n bytes at an offset, and as many more as are at hand.
// They are valid until the next call.
func (s *source) peek(off, n int64) ([]byte, error) {
	if i := off - s.windowAt; i >= 0 && i+n <= int64(len(s.window)) {
		return s.window[i:], nil
	}
	if s.window == nil {
		s.window = make([]byte, 0, min(searched, s.size))
	}
	s.windowAt = off
	s.window = s.window[:min(int64(cap(s.window)), s.size-off)]
	if _, err := s.ReadAt(s.window, off); err != nil && err != io.EOF {
		s.window = s.window[:0]
		return nil, err
	}
	return s.window, nil
}

// ReadAt reads from the message, and remembers what went wrong with it. That it
// is shorter than it says is wrong, too.
func (s *source) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.raw.ReadAt(p, off)
	if n < len(p) && (err == nil || err == io.EOF) && off+int64(n) < s.size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		err = fmt.Errorf("read message at %d: %w", off, err)
		s.failed = err
	}
	return n, err
}

// decoded tells from err, with which reading what is encoded has ended, whether
// the message could not be read or what it says has no meaning.
func (s *source) decoded(err error) error {
	switch {
	case err == nil:
		return nil
	case s.failed != nil:
		return s.failed
	default:
		return incomplete("what is encoded in it cannot be decoded: %v", err)
	}
}
