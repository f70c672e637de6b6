package mbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// buffer is how much of the file is held in memory. Lines may be longer.
const buffer = 64 << 10

// Message tells where a message is in its file.
type Message struct {
	No        int    // 1, 2, 3 …
	Offset    int64  // of its separator line in the file
	Separator string // the line without its end
}

// Reader takes a file apart. Call Next for the first message and every further
// one; in between, Read gives the bytes of the present one up to io.EOF. It
// uses the same small memory for files and messages of any size. It is for one
// goroutine.
type Reader struct {
	file    io.ReaderAt
	size    int64
	variant Variant
	in      *bufio.Reader
	pos     int64 // of the next byte of in
	err     error // other than io.EOF: sticks

	no        int
	open      bool   // there is a present message, not at its end
	out       []byte // of the present message, not yet given out
	lineStart bool   // in is at the start of a line
	cr        bool   // lines of the present message may end with CR alone
	held      []byte // an empty line: content, unless a separator follows it
	header    bool   // in the header of the present message
	length    int64  // its Content-Length; -1: none
	end       int64  // of its body as Content-Length has it, confirmed; -1: none
	trusted   bool   // end holds whatever is in between
	confirmed int    // messages so far whose Content-Length was confirmed
}

// NewReader returns a reader for the size bytes of file.
func NewReader(file io.ReaderAt, size int64, v Variant) *Reader {
	return &Reader{
		file: file, size: size, variant: v, lineStart: true, end: -1, length: -1,
		in: bufio.NewReaderSize(io.NewSectionReader(file, 0, size), buffer),
	}
}

// Pos returns how many bytes of the file have been read.
func (r *Reader) Pos() int64 { return r.pos }

// Next skips the rest of the present message and returns the next one. The
// error is io.EOF after the last, ErrNotMbox before a first that is none, else
// that of the file.
func (r *Reader) Next() (*Message, error) {
	for r.open {
		r.out = r.out[:0]
		r.fill()
	}
	if r.err != nil {
		return nil, r.err
	}
	if r.no == 0 {
		if err := r.skipLead(); err != nil {
			return nil, err
		}
	}
	b, err := r.peek(maxSeparator + lookBehind)
	if err != nil {
		return nil, err
	}
	if len(b) == 0 {
		return nil, io.EOF
	}
	if r.no == 0 { // CR before any LF: a file of the classic Macintosh
		c, ok := judgeCR(b)
		r.cr = ok && (c.dated || c.known || c.isLast)
	}
	c, ok := judge(b, r.cr)
	if !ok {
		return nil, ErrNotMbox // cannot be but for the first
	}
	r.cr = c.cr
	m := &Message{No: r.no + 1, Offset: r.pos, Separator: strings.TrimRight(string(b[:c.line]), "\r\n")}
	if err := r.discard(c.line); err != nil {
		return nil, err
	}
	r.no++
	r.open, r.lineStart, r.header = true, true, r.variant.lengths() && !r.cr
	r.out, r.held = r.out[:0], r.held[:0]
	r.length, r.end, r.trusted = -1, -1, false
	return m, nil
}

// skipLead passes a byte order mark and empty lines.
func (r *Reader) skipLead() error {
	b, err := r.peek(3)
	if err != nil {
		return err
	}
	if string(b) == "\xef\xbb\xbf" {
		if err := r.discard(3); err != nil {
			return err
		}
	}
	for {
		b, err := r.peek(2)
		if err != nil {
			return err
		}
		n := lineEnd(b)
		if n == 0 {
			return nil
		}
		if err := r.discard(n); err != nil {
			return err
		}
	}
}

// Read implements io.Reader over the present message. It fills p whole as long
// as there is something.
func (r *Reader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if len(r.out) > 0 {
			m := copy(p[n:], r.out)
			r.out = r.out[m:]
			n += m
			continue
		}
		if r.err != nil || !r.open {
			break
		}
		r.fill()
	}
	switch {
	case n > 0 || len(p) == 0:
		return n, nil
	case r.err != nil:
		return 0, r.err
	default:
		return 0, io.EOF
	}
}

// fill reads the next piece of the message into out, or ends the message.
func (r *Reader) fill() {
	if err := r.step(); err != nil {
		r.open = false
		if !errors.Is(err, io.EOF) {
			r.err = fmt.Errorf("read mbox at %d: %w", r.pos, err)
		}
	}
}

// step does the work of fill; io.EOF means that the message has ended.
func (r *Reader) step() error {
	r.out = r.out[:0]
	if r.end >= 0 && r.pos >= r.end {
		if len(r.held) > 0 { // it was content: the length says so
			r.out = append(r.out, r.held...)
			r.held = r.held[:0]
			return nil
		}
		return r.pastEnd()
	}
	if r.lineStart {
		switch over, err := r.atSeparator(); {
		case err != nil:
			return err
		case over:
			return io.EOF
		}
	}
	start := r.pos
	piece, err := r.line()
	r.pos += int64(len(piece))
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
	case errors.Is(err, io.EOF):
		if len(piece) == 0 {
			return io.EOF // the held line was the one after the last message
		}
	case err != nil:
		return err
	}
	wasStart := r.lineStart
	last := piece[len(piece)-1]
	r.lineStart = last == '\n' || last == '\r' && r.cr
	if r.end >= 0 && r.pos > r.end {
		piece = piece[:r.end-start]
	}
	r.take(piece, wasStart)
	return nil
}

// take appends a piece of the message to out, and holds back an empty line.
func (r *Reader) take(piece []byte, lineStart bool) {
	empty := lineStart && len(piece) > 0 && (newline(piece) == len(piece) || r.cr && lineEnd(piece) == len(piece))
	r.out = append(r.out, r.held...)
	r.held = r.held[:0]
	if r.header && lineStart {
		r.headerLine(piece, empty)
	}
	if empty && !r.trusted {
		r.held = append(r.held, piece...)
		return
	}
	if lineStart && (r.end < 0 || r.variant == CL) {
		piece = piece[r.variant.unquote(piece):]
	}
	r.out = append(r.out, piece...)
}

// pastEnd ends a message whose length was told, and passes the empty line.
func (r *Reader) pastEnd() error {
	for range 2 {
		b, err := r.peek(2)
		if err != nil {
			return err
		}
		if err := r.discard(newline(b)); err != nil {
			return err
		}
	}
	return io.EOF
}

// atSeparator reports whether a separator ends the present message here.
func (r *Reader) atSeparator() (bool, error) {
	b, err := r.peek(5)
	if err != nil || !hasFrom(b) || r.trusted {
		return false, err
	}
	if b, err = r.peek(maxSeparator + lookBehind); err != nil {
		return false, err
	}
	c, ok := judge(b, r.cr)
	if !ok {
		return false, nil
	}
	afterEmpty := len(r.held) > 0
	if r.end < 0 {
		return c.separates(afterEmpty), nil
	}
	if !c.complete(afterEmpty) {
		return false, nil
	}
	r.confirmed = -1 // the lengths in this file are not to be trusted
	return true, nil
}

// headerLine looks for Content-Length, and at the end of the header for where
// it leads.
func (r *Reader) headerLine(line []byte, empty bool) {
	if !empty {
		name := FieldName(line)
		if r.length < 0 && strings.EqualFold(name, "Content-Length") {
			_, value, _ := bytes.Cut(line, []byte(":"))
			n, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 62)
			if err == nil {
				r.length = int64(n)
			}
		}
		return
	}
	r.header = false
	if r.length < 0 || r.length > r.size-r.pos || !r.leads(r.pos+r.length) {
		r.confirmed = -1
		return
	}
	r.end = r.pos + r.length
	r.trusted = r.variant != Auto || r.confirmed == r.no-1 && r.carriesLength(r.end)
	if r.confirmed >= 0 {
		r.confirmed++
	}
}

// leads reports whether a message may end at p: after a line end, and followed
// by an empty line and a separator, or by the end of the file. If the variant
// is known to have lengths, the writer may also have added the line end, or
// have left out the empty line.
func (r *Reader) leads(p int64) bool {
	b := r.at(p, maxSeparator+lookBehind+4)
	before := r.at(p-1, 1)
	atLine := len(before) == 1 && before[0] == '\n'
	n := newline(b)
	if r.variant == Auto {
		if !atLine || n == 0 && len(b) > 0 || len(b) == 0 && endsEmpty(r.at(p-4, 4)) && r.length > 0 {
			return false
		}
	} else if !atLine {
		n += newline(b[n:])
		if n == 0 && len(b) > 0 {
			return false
		}
	}
	if n == len(b) {
		return true
	}
	c, ok := judge(b[n:], false)
	return ok && c.separates(true)
}

// carriesLength reports whether the message that follows the body end has a
// Content-Length too. The end of the file counts if there were others before.
func (r *Reader) carriesLength(end int64) bool {
	const enough = 4 << 10
	b := r.at(end, enough)
	b = b[newline(b):]
	if len(b) == 0 {
		return r.confirmed > 0
	}
	for len(b) > 0 {
		line, rest, found := bytes.Cut(b, []byte("\n"))
		if !found || len(bytes.TrimRight(line, "\r")) == 0 {
			return false
		}
		if strings.EqualFold(FieldName(b), "Content-Length") {
			return true
		}
		b = rest
	}
	return false
}

// at returns up to n bytes of the file at p; fewer at its ends or if it cannot
// be read, which the reading in order will find.
func (r *Reader) at(p int64, n int) []byte {
	if p < 0 {
		n += int(p)
		p = 0
	}
	b := make([]byte, max(0, min(int64(n), r.size-p)))
	m, _ := r.file.ReadAt(b, p)
	return b[:m]
}

// peek returns the next n bytes, or fewer at the end of the file.
func (r *Reader) peek(n int) ([]byte, error) {
	b, err := r.in.Peek(n)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read mbox at %d: %w", r.pos, err)
	}
	return b, nil
}

func (r *Reader) discard(n int) error {
	m, err := r.in.Discard(n)
	r.pos += int64(m)
	if err != nil {
		return fmt.Errorf("read mbox at %d: %w", r.pos, err)
	}
	return nil
}
