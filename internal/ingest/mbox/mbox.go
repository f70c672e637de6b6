// Package mbox takes mailbox files of the mbox family apart without touching a
// byte of the messages in them. It reads and never writes, and it knows
// nothing of the archive.
//
// # Format
//
// A file is a sequence of: a separator line that begins with "From " (five
// bytes), the message, an empty line. Lines end with LF or CR LF, also mixed.
// Where the separator line ends with CR alone, as programs of the classic
// Macintosh wrote it, those of the message may too; Content-Length does not
// count in it.
//
// What is called "mbox" differs in how a message line that looks like a
// separator is protected:
//
//	mboxrd   `^>*From ` gets one ">" more           (undone: one ">" less)
//	mboxo    `^From ` gets a ">", `^>From ` does not (undone: `^>From ` loses it)
//	mboxcl   as mboxo, and Content-Length tells the length of the stored body
//	mboxcl2  nothing, Content-Length alone tells where the message ends
//
// # Which bytes are the message
//
// Everything after the line end of the separator, up to the next separator or
// the end of the file, less one empty line directly before that (if there is
// one), with only the quoting of the variant undone. Line ends stay as they
// are. The format itself cannot keep whether a message ended without a line
// end: the writer had to add one.
//
// # What is a separator
//
// The first line of the file, after empty lines and a byte order mark at most.
// Then a line `^From ` of at most 1024 bytes
//   - after an empty line, if it has a date as asctime writes it (a weekday, a
//     month, a time of day and a year, in any order, after any sender: "-",
//     "???@???", "user at host"), or if a well-known header field follows;
//   - after another line (files joined without the empty line), only if it has
//     such a date and a header field follows.
//
// So a sentence that begins with "From " does not cut a message in two.
//
// # Variant Auto
//
// Quoting is undone as for mboxrd: for one level of quoting mboxo and mboxrd
// agree, and only for `>>From ` in an mboxo file does this take one ">" too
// many; say O if you know. Content-Length is used only if it lands exactly on
// the empty line before a separator, or on the end of the file; quoting is then
// not undone. It may carry the reader over lines that are separators in every
// respect only in files where all messages so far had such a Content-Length
// and the message it leads to has one too: one forged header field must not
// swallow its neighbours.
package mbox

import (
	"errors"
	"fmt"
)

// ErrNotMbox is returned by Next if the file does not begin with a separator.
var ErrNotMbox = errors.New("does not begin with an mbox separator line")

// Variant is a member of the family.
type Variant uint8

// The variants, see the package's documentation.
const (
	Auto Variant = iota
	RD
	O
	CL
	CL2
)

var names = [...]string{Auto: "auto", RD: "mboxrd", O: "mboxo", CL: "mboxcl", CL2: "mboxcl2"}

// String returns the name of v as ParseVariant takes it.
func (v Variant) String() string {
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("variant %d", uint8(v))
}

// ParseVariant reads "auto", "mboxrd", "mboxo", "mboxcl" or "mboxcl2".
func ParseVariant(s string) (Variant, error) {
	for v, n := range names {
		if s == n {
			return Variant(v), nil
		}
	}
	return Auto, fmt.Errorf("mbox variant %.20q: want auto, mboxrd, mboxo, mboxcl or mboxcl2", s)
}

// unquote returns how many bytes quoting has put before the line.
func (v Variant) unquote(line []byte) int {
	if len(line) == 0 || line[0] != '>' {
		return 0
	}
	n := 1
	if v == RD || v == Auto {
		for n < len(line) && line[n] == '>' {
			n++
		}
	}
	if v != CL2 && hasFrom(line[n:]) {
		return 1
	}
	return 0
}

// lengths reports whether Content-Length counts.
func (v Variant) lengths() bool { return v == Auto || v == CL || v == CL2 }
