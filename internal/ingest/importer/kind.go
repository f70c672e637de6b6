package importer

import (
	"bytes"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/muniment/muniment/internal/ingest/mbox"
)

const (
	// sniffed is how much of a file is looked at to judge what it is.
	sniffed = 4096
	// sniffedFields is how many header fields are looked at for a known one.
	sniffedFields = 30
)

// kind is what a file is by its beginning.
type kind int

const (
	kindOther kind = iota // a message, or nothing that is known
	kindMbox
	kindEMLX
	kindCompound // of Microsoft: an Outlook message, or something else
	kindTNEF
	kindPST
	kindZIP
	kindTar
	kindGzip
	kindZstd
	kindBzip2
)

// container reports whether a kind holds files.
func (k kind) container() bool { return k >= kindZIP }

// kindOf judges the beginning of a file of that size (-1: not known).
func kindOf(head []byte, size int64) kind {
	for k, magic := range map[kind]string{
		kindCompound: "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", kindTNEF: "\x78\x9f\x3e\x22", kindPST: "!BDN",
		kindGzip: "\x1f\x8b\x08", kindZstd: "\x28\xb5\x2f\xfd",
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return k
		}
	}
	switch {
	case isBzip2(head):
		return kindBzip2
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return kindZIP
	case isTar(head):
		return kindTar
	case isMbox(head):
		return kindMbox
	}
	if _, ok := emlxLength(head, size); ok {
		return kindEMLX
	}
	return kindOther
}

// wants reports whether the format looks for files of kind k.
func (f Format) wants(k kind) bool {
	switch f {
	case Mbox:
		return k == kindMbox
	case EMLX:
		return k == kindEMLX
	case MSG:
		return k == kindCompound
	case TNEF:
		return k == kindTNEF
	case PST:
		return k == kindPST
	case Packed:
		return k.container()
	}
	return true
}

// isMbox reports whether a file that begins with head is an mbox file.
func isMbox(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	head = bytes.TrimLeft(head, "\r\n")
	return bytes.HasPrefix(head, []byte("From "))
}

// isBzip2 reports whether head begins as bzip2 does: with the size of its blocks,
// and a block or the end.
func isBzip2(head []byte) bool {
	const mark = len("BZh9")
	return len(head) >= mark+6 && string(head[:3]) == "BZh" && head[3] >= '1' && head[3] <= '9' &&
		(string(head[mark:mark+6]) == "1AY&SY" || string(head[mark:mark+6]) == "\x17\x72\x45\x38\x50\x90")
}

// isTar reports whether head begins with a header of tar: it has a checksum of
// its own, which also those from before ustar have (POSIX.1-1988 §10.1.1).
func isTar(head []byte) bool {
	const size, at, end = 512, 148, 156
	if len(head) < size {
		return false
	}
	want, err := strconv.ParseUint(strings.Trim(string(head[at:end]), " \x00"), 8, 32)
	if err != nil {
		return false
	}
	var sum uint64
	for i, c := range head[:size] {
		if i >= at && i < end {
			c = ' '
		}
		sum += uint64(c)
	}
	return sum == want
}

// emlxLength reads the first line of an .emlx file of Apple Mail: the length of
// the message behind it. It returns where the message begins and ends, if
// nothing but a property list follows that. The end may be behind that of the
// file: then the file is cut short, or the length is wrong.
func emlxLength(head []byte, size int64) ([2]int64, bool) {
	line, rest, found := bytes.Cut(head, []byte("\n"))
	if !found || len(line) > 20 {
		return [2]int64{}, false
	}
	n, err := strconv.ParseUint(string(bytes.TrimRight(line, " \r")), 10, 48)
	begin := int64(len(line) + 1)
	end := begin + int64(n)
	if err != nil || !looksLikeHeader(rest) {
		return [2]int64{}, false
	}
	if end < int64(len(head)) && !isTrailer(head[end:]) {
		return [2]int64{}, false
	}
	return [2]int64{begin, end}, true
}

// isTrailer reports whether b, which follows the message in an .emlx file, is the
// beginning of a property list, or nothing.
func isTrailer(b []byte) bool {
	b = bytes.TrimLeft(b, " \r\n")
	return len(b) == 0 || b[0] == '<'
}

// alwaysMessage reports whether the name alone says that a file is one message.
// macOS gives a file with attributes a second one, whose name begins with "._".
func alwaysMessage(name string) bool {
	return strings.EqualFold(filepath.Ext(name), ".eml") && !strings.HasPrefix(filepath.Base(name), "._")
}

// notMessage returns why a file with this name and beginning is no message, or
// "". It is generous: it asks for one well-known field in something like a
// header.
func notMessage(name string, head []byte) string {
	switch {
	case alwaysMessage(name):
		return ""
	case bytes.HasPrefix(head, []byte("\x00\x05\x16\x07")):
		return "attributes that macOS keeps of another file"
	case strings.EqualFold(filepath.Ext(name), ".msg") && bytes.IndexByte(head, 0) < 0:
		return ""
	case looksLikeHeader(head):
		return ""
	case filepath.Base(name) == "table_of_contents":
		return "list of what is in an mbox of Apple Mail"
	case besideMessage(name):
		return "attachment that Apple Mail keeps beside a message; give it to the archive as a document if it must be kept"
	}
	return "does not begin like a message"
}

// looksLikeHeader reports whether b begins with header fields, one of which is
// usual in mail. A byte order mark, blanks, empty lines and a "From " line may
// precede.
func looksLikeHeader(b []byte) bool {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	b = bytes.TrimLeft(b, " \t\r\n")
	if bytes.HasPrefix(bytes.TrimPrefix(b, []byte(">")), []byte("From ")) {
		_, b, _ = bytes.Cut(b, []byte("\n"))
	}
	for range sniffedFields {
		name := mbox.FieldName(b)
		switch {
		case mbox.KnownField(name):
			return true
		case name == "":
			return false
		}
		b = nextField(b)
	}
	return false
}

// nextField returns what follows the field at the start of b with its
// continuation lines.
func nextField(b []byte) []byte {
	for {
		_, b, _ = bytes.Cut(b, []byte("\n"))
		if len(b) == 0 || b[0] != ' ' && b[0] != '\t' {
			return b
		}
	}
}
