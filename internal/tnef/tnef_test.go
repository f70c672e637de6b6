package tnef

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/mapi"
)

// encoder writes TNEF.
type encoder struct{ bytes.Buffer }

func (e *encoder) le(v any) { _ = binary.Write(e, binary.LittleEndian, v) }

func newEncoder() *encoder {
	e := &encoder{}
	e.le(uint32(signature))
	e.le(uint16(1))
	return e
}

func (e *encoder) attribute(level byte, id uint16, data []byte) *encoder {
	e.le(level)
	e.le(uint32(id))
	e.le(uint32(len(data)))
	e.Write(data)
	var sum uint16
	for _, c := range data {
		sum += uint16(c)
	}
	e.le(sum)
	return e
}

// sized writes the value of a property of any size.
func sized(values ...[]byte) []byte {
	e := &encoder{}
	e.le(uint32(len(values)))
	for _, v := range values {
		e.le(uint32(len(v)))
		e.Write(v)
		e.Write(make([]byte, padding(int64(len(v)))))
	}
	return e.Bytes()
}

func property(id uint16, t mapi.Type, value []byte) []byte {
	e := &encoder{}
	e.le(uint16(t))
	e.le(id)
	return append(e.Bytes(), value...)
}

// keywords is a named property with two values.
func keywords() []byte {
	e := &encoder{}
	e.le(uint16(mapi.TypeString8 | mapi.Multi))
	e.le(uint16(0x8001))
	set := mapi.SetPublicStrings()
	e.Write(set[:])
	e.le(uint32(1))
	e.le(uint32(18))
	for _, r := range "Keywords\x00" {
		e.le(uint16(r))
	}
	e.Write([]byte{0, 0})
	return append(e.Bytes(), sized([]byte("rot\x00"), []byte("blau\x00"))...)
}

func properties(list ...[]byte) []byte {
	e := &encoder{}
	e.le(uint32(len(list)))
	return append(e.Bytes(), bytes.Join(list, nil)...)
}

var rendering = append([]byte{1, 0}, make([]byte, 12)...)

// letter returns a message with a file and an attached message.
func letter() []byte {
	inner := newEncoder().attribute(ofMessage, attSubject, []byte("innen\x00")).Bytes()
	object := append([]byte(messageInterface), inner...)
	row := properties(property(mapi.IDRecipientType, mapi.TypeInt32, []byte{1, 0, 0, 0}), property(mapi.IDSMTPAddress, mapi.TypeString8, sized([]byte("erika@firma.example\x00"))))
	return newEncoder().
		attribute(ofMessage, attCodePage, []byte{0xe3, 4, 0, 0, 0, 0, 0, 0}). // 1251
		attribute(ofMessage, attMessageClass, []byte("IPM.Microsoft Mail.Note\x00")).
		attribute(ofMessage, attFrom, append([]byte{4, 0, 30, 0, 4, 0, 20, 0}, "Ich\x00SMTP:ich@a.example\x00"...)).
		attribute(ofMessage, attSubject, []byte("\xcf\xf0\xe8\xe2\xe5\xf2\x00")).
		attribute(ofMessage, attDateSent, []byte{0xea, 7, 3, 0, 1, 0, 12, 0, 30, 0, 5, 0, 0, 0}).
		attribute(ofMessage, attPriority, []byte{1, 0}).
		attribute(ofMessage, attProperties, properties(keywords(), property(0x0E1F, mapi.TypeBool, []byte{1, 0, 0, 0}))).
		attribute(ofMessage, attRecipients, append([]byte{1, 0, 0, 0}, row...)).
		attribute(ofAttachment, attRendering, rendering).
		attribute(ofAttachment, attAttachData, []byte("data")).
		attribute(ofAttachment, attAttachTitle, []byte("KURZ~1.TXT\x00")).
		attribute(ofAttachment, attAttachment, properties(property(mapi.IDAttachLongFilename, mapi.TypeString8, sized([]byte("kurz und l\xe0ng.txt\x00"))))).
		attribute(ofAttachment, attRendering, rendering).
		attribute(ofAttachment, attAttachment, properties(property(mapi.IDAttachMethod, mapi.TypeInt32, []byte{5, 0, 0, 0}), property(mapi.IDAttachData, mapi.TypeObject, sized(object)))).
		Bytes()
}

func read1(t *testing.T, b []byte) *mapi.Message {
	t.Helper()
	m, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMessage(t *testing.T) {
	t.Parallel()
	m := read1(t, letter())
	if len(m.Warnings) > 0 {
		t.Errorf("warnings %q", m.Warnings)
	}
	sent := time.Date(2026, 3, 1, 12, 30, 5, 0, time.UTC)
	if m.Class() != "IPM.Note" || m.Subject() != "Привет" || !m.Time(mapi.IDClientSubmitTime).Equal(sent) || m.Int(mapi.IDImportance) != 2 || !m.Bool(0x0E1F) {
		t.Errorf("class %q, subject %q, %v", m.Class(), m.Subject(), m.List)
	}
	if m.Text(mapi.IDSenderName) != "Ich" || m.Text(mapi.IDSenderType) != "SMTP" || m.Text(mapi.IDSenderAddress) != "ich@a.example" {
		t.Errorf("sender %q %q %q", m.Text(mapi.IDSenderName), m.Text(mapi.IDSenderType), m.Text(mapi.IDSenderAddress))
	}
	if diff := cmp.Diff([]mapi.ANSI{mapi.ANSI("rot"), mapi.ANSI("blau")}, m.NamedText(mapi.SetPublicStrings(), "Keywords")); diff != "" {
		t.Error(diff)
	}
	if len(m.Recipients) != 1 || m.Recipients[0].Text(mapi.IDSMTPAddress) != "erika@firma.example" {
		t.Errorf("recipients %+v", m.Recipients)
	}
	if len(m.Attachments) != 2 {
		t.Fatalf("%d attachments", len(m.Attachments))
	}
	r, err := m.Attachments[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); string(b) != "data" || err != nil || m.Attachments[0].Name() != "kurz und lаng.txt" {
		t.Errorf("attachment %q: %q %v", m.Attachments[0].Name(), b, err)
	}
	inner, err := m.Attachments[1].OpenMessage()
	if err != nil || inner.Subject() != "innen" {
		t.Errorf("attached message %v: %v", inner, err)
	}
}

func TestDamage(t *testing.T) {
	t.Parallel()
	wrong := newEncoder().attribute(ofMessage, attSubject, []byte("a\x00"))
	wrong.Bytes()[wrong.Len()-1]++
	big := newEncoder()
	big.le(byte(ofAttachment))
	big.le(uint32(attAttachData))
	big.le(uint32(1000))
	big.WriteString("abc")
	for name, c := range map[string]struct {
		in   []byte
		want string
	}{
		"checksum":     {wrong.Bytes(), "wrong checksum"},
		"rest":         {append(newEncoder().attribute(ofMessage, attSubject, []byte("a\x00")).Bytes(), "garbage"...), "no attribute"},
		"cut":          {big.Bytes(), "1000 bytes, 3 are there"},
		"many values":  {newEncoder().attribute(ofMessage, attProperties, properties(property(1, mapi.TypeBinary, []byte{255, 255, 255, 127}))).Bytes(), "values"},
		"unknown type": {newEncoder().attribute(ofMessage, attProperties, properties(property(1, 0x77, nil))).Bytes(), "unknown type"},
	} {
		m := read1(t, c.in)
		if !strings.Contains(strings.Join(m.Warnings, "\n"), c.want) {
			t.Errorf("%s: warnings %q, want %q", name, m.Warnings, c.want)
		}
	}
	if m := read1(t, append(letter(), "\r\n"...)); len(m.Warnings) > 0 {
		t.Errorf("a line end at the end: %q", m.Warnings)
	}
	if m := read1(t, wrong.Bytes()); m.Subject() != "a" {
		t.Errorf("subject %q", m.Subject())
	}
	if _, err := Read(strings.NewReader("Subject: a"), 10); !errors.Is(err, ErrNotTNEF) {
		t.Errorf("%v, want ErrNotTNEF", err)
	}
}

// TestDeep ends messages within messages.
// Values that are too large together are left out, and that is told.
func TestManyLargeValues(t *testing.T) {
	t.Parallel()
	large := sized(make([]byte, mapi.MaxTotal/2+1))
	m := read1(t, newEncoder().attribute(ofMessage, attProperties, properties(
		property(0x3FF0, mapi.TypeBinary, large), property(0x3FF1, mapi.TypeBinary, large), property(0x3FF2, mapi.TypeInt32, []byte{1, 0, 0, 0}))).Bytes())
	if m.Get(0x3FF0) == nil || m.Get(0x3FF1) != nil || m.Int(0x3FF2) != 1 || len(m.Warnings) != 1 {
		t.Errorf("%d properties, warnings %q", len(m.List), m.Warnings)
	}
}

func TestDeep(t *testing.T) {
	t.Parallel()
	b := letter()
	for range mapi.MaxDepth + 2 {
		object := append([]byte(messageInterface), b...)
		b = newEncoder().attribute(ofAttachment, attAttachment, properties(property(mapi.IDAttachData, mapi.TypeObject, sized(object)))).Bytes()
	}
	m := read1(t, b)
	if err := mapi.WriteEML(io.Discard, m); err != nil || !strings.Contains(strings.Join(m.Warnings, ""), "nested") {
		t.Errorf("%v, warnings %q", err, m.Warnings)
	}
}

// broken fails like a disk.
type broken struct {
	io.ReaderAt
	from int64
}

var errDisk = errors.New("disk")

func (b broken) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > b.from {
		return 0, errDisk
	}
	return b.ReaderAt.ReadAt(p, off)
}

func TestDiskError(t *testing.T) {
	t.Parallel()
	b := letter()
	for from := range int64(len(b)) {
		if _, err := Read(broken{bytes.NewReader(b), from}, int64(len(b))); !errors.Is(err, errDisk) {
			t.Errorf("fails from %d on: %v", from, err)
		}
	}
}

func use(t *testing.T, b []byte) {
	t.Helper()
	start := time.Now()
	m, err := Read(bytes.NewReader(b), int64(len(b)))
	if err == nil {
		if err := mapi.WriteEML(io.Discard, m); err != nil {
			t.Errorf("write: %v", err)
		}
	} else if !errors.Is(err, ErrNotTNEF) {
		t.Errorf("%v, want ErrNotTNEF or nothing", err)
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("took %v", d)
	}
}

// TestMutations reads a damaged stream in many ways.
func TestMutations(t *testing.T) {
	t.Parallel()
	b, rnd := letter(), rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		c := bytes.Clone(b)
		for range 1 + rnd.IntN(8) {
			c[6+rnd.IntN(len(c)-6)] = byte(rnd.IntN(256))
		}
		use(t, c)
	}
	for n := range b {
		use(t, b[:n])
	}
}

func FuzzRead(f *testing.F) {
	f.Add(letter())
	f.Add(newEncoder().attribute(ofMessage, attBody, []byte("Text\x00")).attribute(ofAttachment, attAttachMeta, []byte("x")).Bytes())
	f.Fuzz(func(t *testing.T, b []byte) { use(t, b) })
}
