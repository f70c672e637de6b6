package archive

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/vault"
)

// bccField reports whether a header field names blind recipients (RFC 5322
// §3.6.3 and §3.6.6).
func bccField(name string) bool {
	name = strings.ToLower(strings.TrimSpace(name))
	return name == "bcc" || name == "resent-bcc"
}

func withoutBcc(headers []message.Header) []message.Header {
	return slices.DeleteFunc(slices.Clone(headers), func(h message.Header) bool { return bccField(h.Name) })
}

// redacted streams a message without the header fields that name blind
// recipients. It works line by line and passes everything else unchanged.
type redacted struct {
	c    *vault.Content
	r    *bufio.Reader
	out  bytes.Buffer
	skip bool // within a field that is left out
	body bool
	long bool // the previous piece did not end its line
}

func newRedacted(c *vault.Content) *redacted {
	return &redacted{c: c, r: bufio.NewReaderSize(c, 64<<10)}
}

func (r *redacted) Close() error { return r.c.Close() }

func (r *redacted) Read(p []byte) (int, error) {
	for !r.body && r.out.Len() == 0 {
		line, err := r.r.ReadSlice('\n')
		r.line(line)
		r.long = err == bufio.ErrBufferFull
		if err != nil && !r.long {
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

// line decides on one line of the header, or on a piece of a very long one.
func (r *redacted) line(line []byte) {
	if !r.long {
		switch {
		case len(bytes.TrimRight(line, "\r\n")) == 0:
			r.skip, r.body = false, len(line) > 0
		case line[0] == ' ' || line[0] == '\t': // continues the field
		default:
			name, _, found := bytes.Cut(line, []byte(":"))
			r.skip = found && bccField(string(name))
		}
	}
	if !r.skip {
		r.out.Write(line)
	}
}

var _ io.ReadCloser = (*redacted)(nil)
