package message

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"unicode/utf8"
)

// OpenPart streams the decoded bytes of a part. Damaged encodings do not stop
// it: what cannot be decoded is skipped. Errors are those of reading raw.
func OpenPart(raw Raw, p Part) io.Reader {
	body := io.NewSectionReader(raw, p.Offset, p.Length)
	switch p.Encoding {
	case "base64":
		return &base64Decoder{r: body}
	case "quoted-printable":
		return &quotedPrintable{r: bufio.NewReaderSize(body, 32<<10)}
	case "uuencode", "x-uuencode", "x-uue", "uue":
		return &uuDecoder{r: bufio.NewReaderSize(body, 32<<10)}
	}
	return body
}

// decodedSize estimates the size of a part without reading it.
func decodedSize(p Part) int64 {
	switch p.Encoding {
	case "base64":
		return max(p.Length*57/78, 0) // lines of 76 characters and their end hold 57 bytes
	case "uuencode", "x-uuencode", "x-uue", "uue":
		return p.Length * 45 / 62
	}
	return p.Length
}

// base64Decoder decodes base64 (RFC 2045 §6.8), skipping what is not of its
// alphabet. Padding in the middle, as programs write that encode in pieces,
// ends a group; the next character begins another.
type base64Decoder struct {
	r    io.Reader
	in   [16 << 10]byte
	out  []byte // decoded, not yet read
	buf  [12 << 10]byte
	bits uint32
	n    int // characters in bits
	err  error

	good, strange int // characters of the alphabet, and others but white space and "="
	spaces        int // white space other than line ends
}

func (d *base64Decoder) Read(p []byte) (int, error) {
	for len(d.out) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		var m int
		m, d.err = d.r.Read(d.in[:])
		d.out = d.decode(d.buf[:0], d.in[:m])
		if d.err != nil {
			d.out = d.flush(d.out)
		}
	}
	n := copy(p, d.out)
	d.out = d.out[n:]
	return n, nil
}

func (d *base64Decoder) decode(out, in []byte) []byte {
	for _, c := range in {
		v := sextet(c)
		if v > 63 {
			switch c {
			case '=':
				out = d.flush(out)
			case ' ', '\t':
				d.spaces++
			case '\r', '\n', 0:
			default:
				d.strange++
			}
			continue
		}
		d.good++
		d.bits = d.bits<<6 | uint32(v)
		if d.n++; d.n == 4 {
			out = append(out, byte(d.bits>>16), byte(d.bits>>8), byte(d.bits))
			d.bits, d.n = 0, 0
		}
	}
	return out
}

// flush writes the bytes of an unfinished group.
func (d *base64Decoder) flush(out []byte) []byte {
	switch d.n {
	case 2:
		out = append(out, byte(d.bits>>4))
	case 3:
		out = append(out, byte(d.bits>>10), byte(d.bits>>2))
	}
	d.bits, d.n = 0, 0
	return out
}

func sextet(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c - 'A'
	case c >= 'a' && c <= 'z':
		return c - 'a' + 26
	case c >= '0' && c <= '9':
		return c - '0' + 52
	case c == '+' || c == '-':
		return 62
	case c == '/' || c == '_':
		return 63
	}
	return 255
}

// quotedPrintable decodes RFC 2045 §6.7; what is no escape stays as it is.
type quotedPrintable struct {
	r   *bufio.Reader
	out bytes.Buffer
	err error
	bad int // "=" that begin no escape
}

func (q *quotedPrintable) Read(p []byte) (int, error) {
	for q.out.Len() == 0 {
		if q.err != nil {
			return 0, q.err
		}
		line, err := q.r.ReadSlice('\n')
		full := err == bufio.ErrBufferFull
		if err != nil && !full {
			q.err = err
		}
		q.line(line, full)
	}
	return q.out.Read(p)
}

func (q *quotedPrintable) line(line []byte, piece bool) {
	text := bytes.TrimRight(line, "\r\n")
	end := line[len(text):]
	if !piece {
		text = bytes.TrimRight(text, " \t")
		if bytes.HasSuffix(text, []byte("=")) { // a soft line break
			text, end = text[:len(text)-1], nil
		}
	}
	for {
		i := bytes.IndexByte(text, '=')
		if i < 0 {
			break
		}
		q.out.Write(text[:i])
		if i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]) {
			hi, _ := unhex(text[i+1])
			lo, _ := unhex(text[i+2])
			q.out.WriteByte(hi<<4 | lo)
			text = text[i+3:]
			continue
		}
		text = text[i+1:]
		if len(text) > 0 && text[0] == '\r' { // a soft line break before a lone CR
			text = text[1:]
			continue
		}
		q.bad++
		q.out.WriteByte('=')
	}
	q.out.Write(text)
	q.out.Write(end)
}

// uuDecoder decodes the lines between "begin" and "end".
type uuDecoder struct {
	r     *bufio.Reader
	out   bytes.Buffer
	begun bool
	err   error
}

func (u *uuDecoder) Read(p []byte) (int, error) {
	for u.out.Len() == 0 {
		if u.err != nil {
			return 0, u.err
		}
		line, err := u.r.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			u.err = err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case !u.begun:
			u.begun = bytes.HasPrefix(line, []byte("begin "))
		case string(line) == "end":
			u.err = io.EOF
		case len(line) > 1:
			u.line(line)
		}
	}
	return u.out.Read(p)
}

func (u *uuDecoder) line(line []byte) {
	n := int(line[0]-' ') & 63
	line = line[1:]
	for i := 0; i < len(line) && n > 0; i += 4 {
		var q [4]byte
		for j := range q {
			if i+j < len(line) {
				q[j] = (line[i+j] - ' ') & 63
			}
		}
		for _, b := range []byte{q[0]<<2 | q[1]>>4, q[1]<<4 | q[2]>>2, q[2]<<6 | q[3]} {
			if n > 0 {
				u.out.WriteByte(b)
				n--
			}
		}
	}
}

// readText reads and decodes a text part, at most limit bytes. problem says what
// is wrong with it, if anything is: then the text may lack something.
func readText(raw Raw, p Part, limit int64) (s, problem string, cut bool) {
	in := OpenPart(raw, p)
	b, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		problem = "cannot be read"
	}
	if int64(len(b)) > limit {
		b, cut = b[:limit], true
	}
	switch d := in.(type) {
	case *base64Decoder:
		if d.strange > 0 || d.spaces*50 > d.good {
			problem = "base64 is damaged"
		}
		if (d.strange+d.spaces)*16 > d.good { // words and no base64 at all
			b, err = io.ReadAll(io.LimitReader(io.NewSectionReader(raw, p.Offset, p.Length), limit))
			problem, cut = "base64 is declared, but it is not", err != nil || p.Length > limit
		}
	case *quotedPrintable:
		if d.bad > 0 {
			problem = "quoted-printable is damaged"
		}
	case *uuDecoder:
	default:
		if !plainEncoding(p.Encoding) {
			problem = "unknown transfer encoding " + p.Encoding
		}
	}
	set := p.Charset
	if alias(strings.ToLower(set)) == "" && strings.EqualFold(p.Type, "text/html") {
		set = metaCharset(b)
	}
	if set == "" && bytes.IndexByte(b, 0x1b) >= 0 {
		set = "iso-2022-jp"
	}
	if cut && strings.EqualFold(alias(strings.ToLower(set)), "utf-8") || set == "" {
		b = wholeRunes(b)
	}
	text, ok := toUTF8(b, set)
	if !ok && problem == "" {
		problem = "is not of the character set it declares: " + set
	}
	return text, problem, cut
}

// wholeRunes takes the beginning of a character from the end of b.
func wholeRunes(b []byte) []byte {
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if c := b[len(b)-i]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(b[len(b)-i:]) {
				return b[:len(b)-i]
			}
			break
		}
	}
	return b
}

// plainEncoding reports whether a transfer encoding changes nothing, in the
// right and wrong spellings.
func plainEncoding(e string) bool {
	return identity(e) || strings.HasPrefix(e, "7") || strings.HasPrefix(e, "8") || e == "none" || e == "bit"
}

// metaCharset finds the character set that an HTML text declares itself.
func metaCharset(b []byte) string {
	head := bytes.ToLower(b[:min(len(b), 2048)])
	i := bytes.Index(head, []byte("charset="))
	if i < 0 || !bytes.Contains(head[:i], []byte("<meta")) {
		return ""
	}
	v := bytes.TrimLeft(head[i+8:], `"' `)
	if j := bytes.IndexFunc(v, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"';/<>[]", r) }); j >= 0 {
		v = v[:j]
	}
	return string(v)
}
