package importer

import (
	"bytes"
	"path/filepath"
	"strings"

	"github.com/muniment/muniment/internal/ingest/mbox"
)

const (
	// sniffed is how much of a file is looked at to judge what it is.
	sniffed = 4096
	// sniffedFields is how many header fields are looked at for a known one.
	sniffedFields = 30
)

// isMbox reports whether a file that begins with head is an mbox file.
func isMbox(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	head = bytes.TrimLeft(head, "\r\n")
	return bytes.HasPrefix(head, []byte("From "))
}

// alwaysMessage reports whether the name alone says that a file is one message.
func alwaysMessage(name string) bool {
	return strings.EqualFold(filepath.Ext(name), ".eml")
}

// notMessage returns why a file with this name and beginning is no message, or
// "". It is generous: it asks for one well-known field in something like a
// header.
func notMessage(name string, head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		return "binary file of Microsoft Office or Outlook"
	case alwaysMessage(name):
		return ""
	case strings.EqualFold(filepath.Ext(name), ".msg") && bytes.IndexByte(head, 0) < 0:
		return ""
	case looksLikeHeader(head):
		return ""
	default:
		return "does not begin like a message"
	}
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
