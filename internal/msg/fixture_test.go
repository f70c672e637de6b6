package msg

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"testing"
	"unicode/utf16"

	"github.com/muniment/muniment/internal/mapi"
)

// folder returns a storage with streams and storages in it.
func folder(name string, in ...*storage) *storage {
	s := &storage{name: name, children: map[string]*storage{}, order: in}
	for _, c := range in {
		s.children[c.name] = c
	}
	return s
}

func stream(name string, b []byte) *storage {
	return &storage{name: name, size: int64(len(b)), open: func() io.Reader { return bytes.NewReader(b) }}
}

// value returns the stream of a value.
func value(id uint16, t mapi.Type, b []byte) *storage {
	return stream(fmt.Sprintf("%s%04X%04X", valuePrefix, id, uint16(t)), b)
}

func wide(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// fixed returns a property stream.
func fixed(header int, values map[mapi.Tag]uint64) *storage {
	b := make([]byte, header)
	for tag, v := range values {
		b = binary.LittleEndian.AppendUint32(b, uint32(tag))
		b = binary.LittleEndian.AppendUint32(b, 6)
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return stream(propertyStream, b)
}

// number makes the tag of a number.
func number(id uint16) mapi.Tag { return mapi.NewTag(id, mapi.TypeInt32) }

// letter returns a message in a file: an ANSI subject, a recipient, a file, an
// attached message, an OLE object, a named property.
func letter(big []byte) *storage {
	names := folder(namesStorage,
		stream("__substg1.0_00020102", make([]byte, 0)),
		stream("__substg1.0_00030102", []byte{0, 0, 0, 0, 5, 0, 0, 0}), // text 0 of the public strings
		stream("__substg1.0_00040102", append([]byte{16, 0, 0, 0}, wide("Keywords")...)))
	inner := folder(objectName, fixed(innerHeader, nil), value(mapi.IDSubject, mapi.TypeUnicode, wide("innen")), value(mapi.IDBody, mapi.TypeUnicode, wide("Text innen")))
	return folder("", names,
		fixed(topHeader, map[mapi.Tag]uint64{number(mapi.IDMessageCodepage): 1251}),
		value(mapi.IDSubject, mapi.TypeString8, []byte("\xcf\xf0\xe8\xe2\xe5\xf2")),
		value(mapi.IDBody, mapi.TypeUnicode, wide("Hallo Welt")),
		value(0x8000, mapi.TypeUnicode|mapi.Multi, []byte{8, 0, 0, 0, 8, 0, 0, 0}),
		stream("__substg1.0_8000101F-00000000", wide("rot")),
		stream("__substg1.0_8000101F-00000001", wide("blau")),
		folder(recipientName+"#00000000", fixed(partHeader, map[mapi.Tag]uint64{number(mapi.IDRecipientType): 1}),
			value(mapi.IDDisplayName, mapi.TypeUnicode, wide("Erika")), value(mapi.IDSMTPAddress, mapi.TypeUnicode, wide("erika@firma.example"))),
		folder(attachmentName+"#00000000", fixed(partHeader, map[mapi.Tag]uint64{number(mapi.IDAttachMethod): 1}),
			stream(dataName, big), value(mapi.IDAttachLongFilename, mapi.TypeUnicode, wide("groß.bin"))),
		folder(attachmentName+"#00000001", fixed(partHeader, map[mapi.Tag]uint64{number(mapi.IDAttachMethod): 5}), inner),
		folder(attachmentName+"#00000002", fixed(partHeader, map[mapi.Tag]uint64{number(mapi.IDAttachMethod): 6}),
			folder(objectName, stream("\x01Ole", []byte("klein")), folder("Teil", stream("CONTENTS", big)))))
}

// pack writes the file.
func pack(t testing.TB, s *storage) []byte {
	t.Helper()
	b, err := io.ReadAll(compound(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
