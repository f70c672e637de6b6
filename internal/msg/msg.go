// Package msg reads the message files of Outlook, .msg [MS-OXMSG]: a compound
// file [MS-CFB] with a storage for the message and for each recipient, attachment
// and attached message in it. It reads and never writes, and it keeps nothing of
// the data of attachments in memory.
//
// Damage ends neither the message nor the program: what could be read is there,
// and the warnings of the message say what could not.
//
//	msg.go      Read, messages         property.go  properties of a storage
//	storage.go  the tree of storages   name.go      names of properties
//	guard.go    what is checked first  compound.go  OLE objects as files
package msg

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/mapi"
)

// ErrNotMSG is returned for what is no compound file, or none with a message.
var ErrNotMSG = errors.New("is no Outlook message file")

// Names of streams and storages [MS-OXMSG] §2.
const (
	propertyStream = "__properties_version1.0"
	valuePrefix    = "__substg1.0_"
	namesStorage   = "__nameid_version1.0"
	recipientName  = "__recip_version1.0_"
	attachmentName = "__attach_version1.0_"
	objectName     = "__substg1.0_3701000D" // an attached message or OLE object
	dataName       = "__substg1.0_37010102" // an attached file
)

// Read returns the message in the size bytes of r. The attachments read from r
// when they are opened. The error is ErrNotMSG, one that is mapi.ErrDamaged if
// nothing could be read, or that of r.
func Read(r io.ReaderAt, size int64) (m *mapi.Message, err error) {
	defer func() {
		if p := recover(); p != nil { // of the library that reads compound files
			m, err = nil, fmt.Errorf("message file: %v: %w", p, mapi.ErrDamaged)
		}
	}()
	src := &source{r: r, size: size}
	root, warnings, err := open(src)
	if err != nil {
		return nil, fmt.Errorf("message file: %w", err)
	}
	if !root.message() {
		return nil, ErrNotMSG
	}
	f := &file{}
	f.names = f.readNames(root.children[namesStorage], &warnings)
	m, err = f.message(root, topHeader, place{})
	if err != nil {
		return nil, fmt.Errorf("message file: %w", err)
	}
	for _, w := range warnings {
		m.Warn("%s", w)
	}
	return m, nil
}

// file is an open message file.
type file struct {
	names map[uint16]*mapi.Name
}

// place says what is around a message: messages, and the bytes of their values.
type place struct {
	depth int
	held  int64
}

// message reads the message of a storage.
func (f *file) message(s *storage, header int, at place) (*mapi.Message, error) {
	if at.depth >= mapi.MaxDepth {
		return nil, fmt.Errorf("messages are nested more than %d deep: %w", mapi.MaxDepth, mapi.ErrDamaged)
	}
	m := &mapi.Message{}
	p := &reader{file: f, m: m, total: at.held}
	if err := p.properties(s, header, &m.Properties); err != nil {
		return nil, err
	}
	for _, c := range s.order {
		switch {
		case strings.HasPrefix(c.name, recipientName):
			if len(m.Recipients) >= mapi.MaxRecipients {
				m.Warn("there are more than %d recipients; the rest is left out", mapi.MaxRecipients)
				continue
			}
			r := &mapi.Properties{}
			if err := p.properties(c, partHeader, r); err != nil {
				return nil, err
			}
			m.Recipients = append(m.Recipients, r)
		case strings.HasPrefix(c.name, attachmentName):
			if len(m.Attachments) >= mapi.MaxAttachments {
				m.Warn("there are more than %d attachments; the rest is left out", mapi.MaxAttachments)
				continue
			}
			a, err := p.attachment(c, at.depth)
			if err != nil {
				return nil, err
			}
			m.Attachments = append(m.Attachments, a)
		}
	}
	m.ShareCodePage()
	return m, nil
}

// attachment reads the properties of an attachment and finds its data.
func (p *reader) attachment(s *storage, depth int) (*mapi.Attachment, error) {
	a := &mapi.Attachment{Size: -1}
	if err := p.properties(s, partHeader, &a.Properties); err != nil {
		return nil, err
	}
	f := p.file
	object, data := s.children[objectName], s.children[dataName]
	switch {
	case object != nil && object.message():
		a.OpenMessage = func() (m *mapi.Message, err error) {
			defer rescue(&err)
			return f.message(object, innerHeader, place{depth + 1, p.total})
		}
	case object != nil && len(object.order) > 0:
		a.Open = func() (io.Reader, error) { return compound(object), nil }
	case data != nil && data.stream():
		a.Size = data.size
		a.Open = func() (io.Reader, error) { return data.open(), nil }
	case object != nil && object.stream():
		a.Size = object.size
		a.Open = func() (io.Reader, error) { return object.open(), nil }
	}
	return a, nil
}

// rescue turns a panic of the library into an error.
func rescue(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("message file: %v: %w", p, mapi.ErrDamaged)
	}
}

// message reports whether a storage is one of a message.
func (s *storage) message() bool {
	return s.children[propertyStream] != nil || slices.ContainsFunc(s.order, func(c *storage) bool {
		return strings.HasPrefix(c.name, valuePrefix) || strings.HasPrefix(c.name, recipientName)
	})
}
