package archive

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/message"
)

// bccField reports whether a header field names blind recipients (RFC 5322
// §3.6.3 and §3.6.6); with hints, also those in which a mail server keeps the
// recipients of the envelope.
func bccField(name string, hints bool) bool {
	name = strings.ToLower(strings.TrimSpace(name))
	return name == "bcc" || name == "resent-bcc" || hints && hintFields()[name] == roleEnvelopeTo
}

// withoutBcc leaves the fields out that name blind recipients, and reports
// whether one of them named anybody.
func withoutBcc(headers []message.Header, hints bool) (open []message.Header, named bool) {
	open = slices.DeleteFunc(slices.Clone(headers), func(h message.Header) bool {
		named = named || bccField(h.Name, hints) && strings.TrimSpace(h.Value) != ""
		return bccField(h.Name, hints)
	})
	return open, named
}

// redacted streams a message without the header fields that name blind
// recipients. It works line by line and passes everything else unchanged.
type redacted struct {
	c     io.ReadCloser
	hints bool // leave out the fields of hints as well
	r     *bufio.Reader
	out   bytes.Buffer
	skip  bool // within a field that is left out
	body  bool
	long  bool  // the previous piece did not end its line
	blank bool  // nothing but blank lines so far
	at    int64 // where the line begins
	any   bool  // a field that names somebody was left out
}

func newRedacted(c io.ReadCloser, hints bool) *redacted {
	return &redacted{c: c, hints: hints, r: bufio.NewReaderSize(c, 64<<10), blank: true}
}

// names reads the header of a message and reports whether a redacted copy of it
// lacks anything.
func (r *redacted) names() (bool, error) {
	for !r.body && !r.any {
		err := r.step()
		r.out.Reset()
		if err == io.EOF {
			break
		}
		if err != nil {
			return false, err
		}
	}
	return r.any, nil
}

func (r *redacted) Close() error { return r.c.Close() }

func (r *redacted) Read(p []byte) (int, error) {
	for !r.body && r.out.Len() == 0 {
		if err := r.step(); err != nil {
			if r.out.Len() > 0 {
				break
			}
			return 0, err
		}
	}
	if r.out.Len() > 0 {
		return r.out.Read(p)
	}
	return r.r.Read(p)
}

// step takes one line of the header, or a piece of a very long one.
func (r *redacted) step() error {
	line, err := r.r.ReadSlice('\n')
	r.line(line)
	r.at += int64(len(line))
	if r.long = err == bufio.ErrBufferFull; r.long {
		return nil
	}
	return err
}

// blankBefore is how far blank lines before the header go, in bytes; package
// message reads over as many.
const blankBefore = 4

// line decides on one line of the header, or on a piece of a very long one. What
// it takes for header is never less than what package message does.
func (r *redacted) line(line []byte) {
	value := line
	if !r.long {
		switch {
		case len(line) == 0: // the end
		case len(bytes.TrimRight(line, "\r\n")) == 0:
			r.skip = false
			r.body = r.at >= blankBefore || !r.blank
		case line[0] == ' ' || line[0] == '\t': // continues the field
		case bytes.HasPrefix(line, []byte(">From ")): // is part of no field and ends none
		default:
			name, rest, found := bytes.Cut(line, []byte(":"))
			r.skip, value = found && bccField(string(name), r.hints), rest
		}
		r.blank = r.blank && r.at < blankBefore && len(bytes.TrimRight(line, "\r\n")) == 0
	}
	if !r.skip {
		r.out.Write(line)
		return
	}
	r.any = r.any || len(bytes.TrimSpace(value)) > 0
}

var _ io.ReadCloser = (*redacted)(nil)
