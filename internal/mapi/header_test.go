package mapi_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/mapi"
	"github.com/muniment/muniment/internal/message"
)

func bag(values map[uint16]any) *mapi.Properties {
	p := &mapi.Properties{}
	for id, v := range values {
		t := map[string]mapi.Type{"string": mapi.TypeUnicode, "int64": mapi.TypeInt32, "[]uint8": mapi.TypeBinary, "mapi.ANSI": mapi.TypeString8}[fmt.Sprintf("%T", v)]
		p.Add(mapi.NewTag(id, t), nil, v)
	}
	return p
}

// oneOff writes a one-off entry identifier in Unicode.
func oneOff(name, kind, addr string) []byte {
	b := append(make([]byte, 4), "\x81\x2b\x1f\xa4\xbe\xa3\x10\x19\x9d\x6e\x00\xdd\x01\x0f\x54\x02\x00\x00\x01\x90"...)
	for _, s := range []string{name, kind, addr} {
		for _, r := range s {
			b = binary.LittleEndian.AppendUint16(b, uint16(r))
		}
		b = append(b, 0, 0)
	}
	return b
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	m := letter()
	m.Recipients = nil
	for _, r := range []map[uint16]any{
		{mapi.IDRecipientType: int64(1), mapi.IDDisplayName: "Doe, John", mapi.IDAddressType: "EX", mapi.IDEmailAddress: "/O=A/CN=JDOE", mapi.IDSMTPAddress: "john@firma.example"},
		{mapi.IDRecipientType: int64(2), mapi.IDDisplayName: "Jane", mapi.IDAddressType: "EX", mapi.IDEmailAddress: "/O=A/CN=JANE"},
		{mapi.IDRecipientType: int64(2), mapi.IDDisplayName: "Nur Name"},
		{mapi.IDRecipientType: int64(0x10000003), mapi.IDEntryID: oneOff("Ägir", "SMTP", "ae@firma.example")},
		{mapi.IDRecipientType: int64(1), mapi.IDDisplayName: "K", mapi.IDAddressType: "EX", mapi.IDEmailAddress: "/O=A/CN=K", mapi.IDSearchKey: []byte("SMTP:K@FIRMA.EXAMPLE\x00")},
	} {
		m.Recipients = append(m.Recipients, bag(r))
	}
	_, f := write(t, m)
	want := []message.Party{
		{Role: "from", Name: "Müller, Jörg", Address: "joerg@firma.example"},
		{Role: "to", Name: "Doe, John", Address: "john@firma.example"}, {Role: "to", Name: "K", Address: "k@firma.example"},
		{Role: "cc", Name: "Jane", Address: "/o=a/cn=jane@ex.invalid"}, {Role: "cc", Name: "Nur Name"},
		{Role: "bcc", Name: "Ägir", Address: "ae@firma.example"},
	}
	if diff := cmp.Diff(want, f.Parties); diff != "" {
		t.Error(diff)
	}
}

func TestReplyTo(t *testing.T) {
	t.Parallel()
	entry := oneOff("Büro", "SMTP", "buero@firma.example")
	list := binary.LittleEndian.AppendUint32(nil, 1)
	list = binary.LittleEndian.AppendUint32(list, uint32(len(entry)+4))
	list = append(binary.LittleEndian.AppendUint32(list, uint32(len(entry))), entry...)
	m := letter()
	m.Add(mapi.NewTag(mapi.IDReplyEntries, mapi.TypeBinary), nil, list)
	_, f := write(t, m)
	if p := f.Parties[1]; p.Role != message.RoleReplyTo || p.Name != "Büro" || p.Address != "buero@firma.example" {
		t.Errorf("%+v", p)
	}
}

// TestInjection keeps foreign texts within their fields.
func TestInjection(t *testing.T) {
	t.Parallel()
	evil := "a\r\nX-Evil: 1\r\n\r\nbody\x00\x1b"
	m := &mapi.Message{Properties: *bag(map[uint16]any{
		mapi.IDSubject: evil, mapi.IDSenderName: evil, mapi.IDSenderAddress: "x@y.example\r\nX-Evil: 1", mapi.IDInternetMessageID: "<a@b>\r\nX-Evil: 1",
		mapi.IDMessageClass: "IPM.X\r\nX-Evil: 1", mapi.IDTransportHeaders: "", mapi.IDBody: "b",
	})}
	a := file("n\r\nX-Evil: 1.txt", "data")
	a.Add(mapi.NewTag(mapi.IDAttachContentID, mapi.TypeUnicode), nil, "c>\r\nX-Evil: 1")
	a.Add(mapi.NewTag(mapi.IDAttachMIMETag, mapi.TypeUnicode), nil, "text/plain\r\nX-Evil: 1")
	m.Attachments = append(m.Attachments, a)
	raw, _ := write(t, m)
	for line := range strings.SplitSeq(raw, "\r\n") {
		if strings.HasPrefix(line, "X-Evil") {
			t.Fatalf("a foreign text became a field:\n%s", raw)
		}
	}
}

// TestTransportHeaders takes the header that came with the message, without its
// MIME structure and the headers of body parts behind it.
func TestTransportHeaders(t *testing.T) {
	t.Parallel()
	m := letter()
	m.Add(mapi.NewTag(mapi.IDTransportHeaders, mapi.TypeUnicode), nil, "Microsoft Mail Internet Headers Version 2.0\r\n"+
		"Received: from a.example\r\n\tby b.example; Mon, 2 Mar 2026 10:00:00 +0100\r\nFrom: Ä <a@a.example>\r\nSubject: Original\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: multipart/mixed;\r\n\tboundary=x\r\nno field\r\nX-Last: 1\r\n\r\n--x\r\nContent-Type: text/plain\r\nX-Part: 1\r\n")
	raw, f := write(t, m)
	head, _, _ := strings.Cut(raw, "\r\n\r\n")
	for _, want := range []string{"Received: from a.example\r\n\tby b.example; Mon, 2 Mar 2026 10:00:00 +0100\r\n", "From: Ä <a@a.example>\r\n", "Subject: Original\r\n", "X-Last: 1\r\n", "To: Erika <erika@firma.example>\r\n"} {
		if !strings.Contains(head, want) {
			t.Errorf("%q is missing in\n%s", want, head)
		}
	}
	for _, no := range []string{"boundary=x", "Microsoft", "X-Part", "joerg"} {
		if strings.Contains(head, no) {
			t.Errorf("%q is in\n%s", no, head)
		}
	}
	if f.Subject != "Original" || len(m.Warnings) != 1 || !strings.Contains(m.Warnings[0], "no field") {
		t.Errorf("subject %q, warnings %q", f.Subject, m.Warnings)
	}
}

// TestStructure looks at the parts of a message with everything.
func TestStructure(t *testing.T) {
	t.Parallel()
	m := letter()
	m.Add(mapi.NewTag(mapi.IDHTML, mapi.TypeBinary), nil, []byte("<p>Hallo <img src=cid:bild@x> \xe4</p>"))
	m.Add(mapi.NewTag(mapi.IDInternetCodepage, mapi.TypeInt32), nil, int64(28591))
	picture := file("b.png", "PNG")
	picture.Add(mapi.NewTag(mapi.IDAttachContentID, mapi.TypeUnicode), nil, "bild@x")
	inner := letter()
	inner.Attachments = append(inner.Attachments, file("innen.txt", "x"))
	eml := "Subject: alt\r\n\r\nText\r\n"
	m.Attachments = append(m.Attachments, file("a.pdf", "PDF"), picture,
		&mapi.Attachment{OpenMessage: func() (*mapi.Message, error) { return inner, nil }}, file("m.eml", eml), file("bad.eml", "a\nb"))
	raw, f := write(t, m)
	var got []string
	for _, p := range f.Parts {
		got = append(got, p.Path+" "+p.Type+" "+p.Name)
	}
	want := []string{
		"1.1.1 text/plain ", "1.1.2.1 text/html ", "1.1.2.2 image/png b.png", "1.2 application/pdf a.pdf", "1.3 message/rfc822 Grüße aus Köln.eml",
		"1.3.1 text/plain ", "1.3.2 text/plain innen.txt", "1.4 message/rfc822 m.eml", "1.4 text/plain ", "1.5 application/octet-stream bad.eml",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%s", diff, raw)
	}
	if !strings.Contains(raw, eml) || !strings.Contains(raw, "charset=iso-8859-1") {
		t.Errorf("the attached message is not as it was\n%s", raw)
	}
}

// TestUnreadable tells damage, which is a warning, from an error of reading.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	disk := errors.New("disk")
	for _, err := range []error{fmt.Errorf("x: %w", mapi.ErrDamaged), disk} {
		for _, a := range []*mapi.Attachment{
			{Open: func() (io.Reader, error) { return nil, err }},
			{Open: func() (io.Reader, error) { return io.MultiReader(strings.NewReader("abc"), failing{err}), nil }},
			{OpenMessage: func() (*mapi.Message, error) { return nil, err }},
		} {
			m := letter()
			m.Attachments = append(m.Attachments, a)
			got := mapi.WriteEML(io.Discard, m)
			if errors.Is(err, disk) != errors.Is(got, disk) || errors.Is(err, mapi.ErrDamaged) != (got == nil && len(m.Warnings) == 1) {
				t.Errorf("%v becomes %v, warnings %q", err, got, m.Warnings)
			}
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestSigned keeps a clear-signed body as it is.
func TestSigned(t *testing.T) {
	t.Parallel()
	m := &mapi.Message{Properties: *bag(map[uint16]any{mapi.IDMessageClass: "IPM.Note.SMIME.MultipartSigned", mapi.IDSubject: "s"})}
	body := "Content-Type: multipart/signed; boundary=x; protocol=\"application/pkcs7-signature\"\r\n\r\n--x\r\n\r\nText  \r\n--x\r\nContent-Type: application/pkcs7-signature\r\n\r\nAAAA\r\n--x--\r\n"
	m.Attachments = append(m.Attachments, file("smime.p7m", body))
	if raw, f := write(t, m); !strings.HasSuffix(raw, body) || !f.Signed {
		t.Errorf("signed %v\n%s", f.Signed, raw)
	}
	m = &mapi.Message{Properties: *bag(map[uint16]any{mapi.IDMessageClass: "IPM.Note.SMIME"})}
	m.Attachments = append(m.Attachments, file("smime.p7m", "\x30\x80"))
	if raw, f := write(t, m); !f.Encrypted {
		t.Errorf("not encrypted\n%s", raw)
	}
}
