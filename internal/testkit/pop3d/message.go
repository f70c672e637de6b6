package pop3d

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Sent returns a message as a client that makes no mistake receives it: with a
// CR LF at its end, if it had none.
func Sent(raw []byte) []byte {
	if len(raw) == 0 || bytes.HasSuffix(raw, []byte("\r\n")) {
		return raw
	}
	return append(bytes.Clone(raw), '\r', '\n')
}

// stuff writes a message with its dots doubled and without the line that ends
// it. A line begins after CR LF, and only there (RFC 1939 §3).
func stuff(w io.Writer, r io.Reader, doubled bool) error {
	in := bufio.NewReaderSize(r, 32<<10)
	out := bufio.NewWriterSize(w, 32<<10)
	begin, cr := true, false // at the beginning of a line; after a CR
	empty := true
	for {
		b, err := in.ReadByte()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if begin && b == '.' && doubled {
			out.WriteByte('.') //nolint:errcheck // Flush tells
		}
		out.WriteByte(b) //nolint:errcheck // Flush tells
		begin, cr, empty = cr && b == '\n', b == '\r', false
	}
	if !begin && !empty {
		out.WriteString("\r\n") //nolint:errcheck // Flush tells
	}
	return out.Flush()
}
