package mbox

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// line returns the next line with its end, or a piece of it, as ReadSlice does.
func (r *Reader) line() ([]byte, error) {
	if !r.cr {
		return r.in.ReadSlice('\n')
	}
	if _, err := r.in.Peek(1); err != nil {
		return nil, err
	}
	b, err := r.in.Peek(r.in.Buffered())
	if err != nil {
		return nil, err
	}
	at := bytes.IndexAny(b, "\r\n")
	switch {
	case at < 0:
		err = bufio.ErrBufferFull // the line goes on
		at = len(b)
	case b[at] == '\n':
		at++
	case at > 0 && at+1 == len(b): // whether LF follows, the next piece tells
		err = bufio.ErrBufferFull
	default:
		if b, err = r.in.Peek(at + 2); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		err = nil
		at += lineEnd(b[at:])
	}
	b = b[:at]
	_, derr := r.in.Discard(at) // the bytes stay until the next reading
	return b, errors.Join(err, derr)
}

// newline returns the length of the line end that b begins with, or 0.
func newline(b []byte) int {
	switch {
	case len(b) > 0 && b[0] == '\n':
		return 1
	case len(b) > 1 && b[0] == '\r' && b[1] == '\n':
		return 2
	default:
		return 0
	}
}

// lineEnd is newline where CR alone ends a line too.
func lineEnd(b []byte) int {
	if n := newline(b); n > 0 || len(b) == 0 || b[0] != '\r' {
		return n
	}
	return 1
}

// endsEmpty reports whether b, which may begin anywhere, ends with an empty
// line.
func endsEmpty(b []byte) bool {
	return bytes.HasSuffix(b, []byte("\n\n")) || bytes.HasSuffix(b, []byte("\n\r\n"))
}
