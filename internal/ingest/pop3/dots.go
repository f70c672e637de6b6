package pop3

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Retrieved says what has come.
type Retrieved struct {
	// Size of the message in bytes, as written.
	Size int64
	// LoneDots counts lines that begin with one dot and go on: no server may
	// send those. The dots were kept. A message of such a server may have ended
	// too early, at a line of one dot.
	LoneDots int64
}

// decoder takes the doubled dots from a message and finds its end.
type decoder struct {
	in    *bufio.Reader
	out   io.Writer
	limit int64
	got   Retrieved
	// alike is set after a line that a server who takes LF for a line end would
	// end a message with.
	alike bool
}

var (
	errTooLong = errors.New("longer than the limit")
	errWriting = errors.New("write")
)

// run copies one message. Of a message that is too long, no more than the limit
// was written.
func (d *decoder) run() error {
	for {
		end, err := d.lineStart()
		if end || err != nil {
			return err
		}
		if err := d.line(); err != nil {
			return err
		}
	}
}

// lineStart is called where a line begins. It takes the first of two dots, or
// the whole line that ends the message.
func (d *decoder) lineStart() (end bool, err error) {
	b, err := d.in.Peek(1)
	if err != nil {
		return false, err
	}
	d.alike = false // what looked like an end was none
	if b[0] != '.' {
		return false, nil
	}
	if b, err = d.in.Peek(2); err != nil {
		return false, err
	}
	switch b[1] {
	case '.':
		_, err = d.in.Discard(1)
		return false, err
	case '\r':
		if b, err = d.in.Peek(3); err != nil {
			return false, err
		}
		if b[2] == '\n' {
			_, err = d.in.Discard(3)
			return err == nil, err
		}
	}
	d.got.LoneDots++
	return false, nil
}

// line copies up to and including the next CR LF.
func (d *decoder) line() error {
	cr, whole := false, true // the last byte was a CR; nothing since the last LF
	for {
		piece, err := d.in.ReadSlice('\n')
		if len(piece) > 0 {
			if err := d.write(piece); err != nil {
				return err
			}
			ends := bytes.HasSuffix(piece, []byte("\r\n")) || cr && len(piece) == 1 && piece[0] == '\n'
			d.alike = whole && (string(piece) == ".\n" || string(piece) == ".\r\n")
			cr, whole = piece[len(piece)-1] == '\r', err == nil
			// ".\r\n" after a lone LF looks like an end, and what follows it
			// decides: lineStart waits for that with alike set.
			if ends {
				return nil
			}
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

func (d *decoder) write(p []byte) error {
	if d.got.Size+int64(len(p)) > d.limit {
		return errTooLong
	}
	n, err := d.out.Write(p)
	d.got.Size += int64(n)
	if err != nil {
		return fmt.Errorf("%w: %w", errWriting, err)
	}
	return nil
}
