package journal

import (
	"bufio"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/transform"
)

// The transfer encodings that change bytes (RFC 2045 §6).
const (
	base64Encoding  = "base64"
	quotedPrintable = "quoted-printable"
)

// identity reports whether a transfer encoding leaves the bytes as they are.
func identity(enc string) bool {
	switch enc {
	case "", "7bit", "8bit", "binary":
		return true
	}
	return false
}

// transferDecoder undoes a transfer encoding. One that is not known stays.
func transferDecoder(r io.Reader, enc string) io.Reader {
	switch enc {
	case base64Encoding:
		return base64.NewDecoder(base64.StdEncoding, noBlanks{r})
	case quotedPrintable:
		// the buffer is the longest line that the decoder can take
		return quotedprintable.NewReader(bufio.NewReaderSize(r, maxLine))
	default:
		return r
	}
}

// noBlanks leaves out blanks and tabs, which base64 text may have on its lines;
// the decoder passes over the line ends.
type noBlanks struct{ r io.Reader }

func (b noBlanks) Read(p []byte) (int, error) {
	for {
		n, err := b.r.Read(p)
		kept := p[:0]
		for _, c := range p[:n] {
			if c != ' ' && c != '\t' {
				kept = append(kept, c)
			}
		}
		if len(kept) > 0 || err != nil || len(p) == 0 {
			return len(kept), err
		}
	}
}

// charsetDecoder decodes a character set of the web (WHATWG) to UTF-8. ASCII,
// UTF-8 and what nobody knows are passed on; see line.
func charsetDecoder(r io.Reader, name string) io.Reader {
	enc, err := htmlindex.Get(strings.ToLower(strings.TrimSpace(name)))
	if err != nil || enc == encoding.Replacement || asciiOrUTF8(name) {
		return r
	}
	return transform.NewReader(r, enc.NewDecoder())
}

// asciiOrUTF8 picks out what may hold UTF-8. To the web, us-ascii is another
// name of windows-1252.
func asciiOrUTF8(name string) bool {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "", "us-ascii", "ascii", "utf-8", "utf8":
		return true
	}
	return false
}

// line makes a line of the record valid UTF-8. What is not is taken for
// windows-1252: addresses are ASCII almost always, so this concerns the subject.
func line(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	out, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return string(out)
}
