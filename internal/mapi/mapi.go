// Package mapi holds a message as Outlook and Exchange keep it, whichever file
// it comes from (TNEF, .msg, PST), and writes it as a message of RFC 5322. It
// reads no file format, opens nothing by itself and knows nothing of the
// archive; what it cannot make sense of it tells in warnings.
//
// A message is a bag of properties [MS-OXCDATA], a table of recipients and a
// list of attachments [MS-OXCMSG]. Readers fill a Message; WriteEML turns it
// into bytes, the same bytes every time. The data of attachments are read
// through Open, when they are written and not before.
//
//	mapi.go      Message, Attachment      body.go      which bodies a message has
//	property.go  tags, names, the bag     smime.go     S/MIME bodies
//	value.go     values from bytes        lzfu.go      compressed RTF
//	ids.go       numbers of properties    rtf.go       text and HTML out of RTF
//	codepage.go  code pages               rtfword.go   control words of RTF
//	eml.go       WriteEML, structure      item.go      contacts, tasks, … as text
//	header.go    header fields            address.go   addresses, entry identifiers
//	attach.go    attachments as parts     field.go     folding, encoded words
//	mime.go      parts, transfer encodings
package mapi

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// Limits. Readers of file formats keep to them; WriteEML relies on them.
const (
	MaxValue       = 64 << 20 // bytes of one value in memory; more is damage
	MaxTotal       = 80 << 20 // bytes of all values of a message and of those around it
	MaxProperties  = 20_000   // of one bag
	MaxRecipients  = 50_000   // of one message
	MaxAttachments = 10_000   // of one message
	MaxDepth       = 20       // messages within messages
	maxWarnings    = 50       // of one message
)

// ErrDamaged is what errors are that come from the bytes of a message, not from
// reading them: another attempt will not help.
var ErrDamaged = errors.New("damaged")

// Message is a message. It is for one goroutine.
type Message struct {
	Properties
	Recipients  []*Properties // in the order of the table
	Attachments []*Attachment // in the order of the file

	// Warnings tell what could not be read or was not as it should be.
	Warnings []string
}

// Attachment is an attachment. At most one of Open and OpenMessage is set; with
// neither there is nothing but properties (a reference to a file, for example).
type Attachment struct {
	Properties

	// Size of the data in bytes, -1 if it is not known before they are read.
	Size int64

	// Open returns the data from their first byte, for a file or an OLE object.
	// It may be called more than once, one reader being used at a time. An error
	// of it or its reader that is ErrDamaged ends the data, any other the work.
	Open func() (io.Reader, error)

	// OpenMessage returns the embedded message, under the same conditions.
	OpenMessage func() (*Message, error)
}

// Warn adds a warning, once. Control characters in foreign texts are quoted.
func (m *Message) Warn(format string, args ...any) {
	w := oneLine(fmt.Sprintf(format, args...))
	if len(m.Warnings) < maxWarnings && !slices.Contains(m.Warnings, w) {
		m.Warnings = append(m.Warnings, w)
	}
}

// ShareCodePage tells the recipients and attachments the code page of the
// message, as far as they have none of their own. Readers call it last.
func (m *Message) ShareCodePage() {
	cp := m.codePage()
	for _, r := range m.Recipients {
		if r.CodePage == 0 {
			r.CodePage = cp
		}
	}
	for _, a := range m.Attachments {
		if a.CodePage == 0 {
			a.CodePage = cp
		}
	}
}

// Class returns the message class, e.g. "IPM.Note".
func (m *Message) Class() string { return m.Text(IDMessageClass) }

// Subject returns the subject with its prefix.
func (m *Message) Subject() string {
	s := m.Text(IDSubject)
	if r := []rune(s); len(r) >= 2 && r[0] == 1 {
		s = string(r[2:]) // in a PST: 1, and the length of the prefix plus one
	}
	if s == "" {
		s = m.Text(IDSubjectPrefix) + m.Text(IDNormalizedSubject)
	}
	return s
}

// Name returns the file name of the attachment, the long one if there is one. It
// may be empty and is no safe file name.
func (a *Attachment) Name() string {
	for _, id := range []uint16{IDAttachLongFilename, IDAttachFilename, IDDisplayName} {
		if s := oneLine(a.Text(id)); s != "" {
			return s
		}
	}
	return ""
}
