package mapi_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/mapi"
	"github.com/muniment/muniment/internal/message"
)

// write returns m as a message and what our parser finds in it.
func write(t *testing.T, m *mapi.Message) (string, *message.Facts) {
	t.Helper()
	var out bytes.Buffer
	if err := mapi.WriteEML(&out, m); err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := mapi.WriteEML(&again, m); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Error("the same message gives other bytes the second time")
	}
	f := message.Parse(t.Context(), bytes.NewReader(out.Bytes()))
	for _, w := range f.Warnings {
		t.Errorf("our parser warns: %s", w)
	}
	return out.String(), f
}

func file(name, data string) *mapi.Attachment {
	a := &mapi.Attachment{Size: int64(len(data)), Open: func() (io.Reader, error) { return strings.NewReader(data), nil }}
	a.Add(mapi.NewTag(mapi.IDAttachLongFilename, mapi.TypeUnicode), nil, name)
	return a
}

func letter() *mapi.Message {
	m := &mapi.Message{}
	add := func(id uint16, t mapi.Type, v any) { m.Add(mapi.NewTag(id, t), nil, v) }
	add(mapi.IDMessageClass, mapi.TypeUnicode, "IPM.Note")
	add(mapi.IDSubject, mapi.TypeUnicode, "Grüße aus Köln")
	add(mapi.IDSenderName, mapi.TypeUnicode, "Müller, Jörg")
	add(mapi.IDSenderSMTP, mapi.TypeUnicode, "joerg@firma.example")
	add(mapi.IDBody, mapi.TypeUnicode, "Hallo,\r\nwie geht's?\r\n")
	add(mapi.IDClientSubmitTime, mapi.TypeTime, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	to := &mapi.Properties{}
	to.Add(mapi.NewTag(mapi.IDRecipientType, mapi.TypeInt32), nil, int64(mapi.RecipientTo))
	to.Add(mapi.NewTag(mapi.IDDisplayName, mapi.TypeUnicode), nil, "Erika")
	to.Add(mapi.NewTag(mapi.IDSMTPAddress, mapi.TypeUnicode), nil, "erika@firma.example")
	m.Recipients = append(m.Recipients, to)
	return m
}

func TestSimpleLetter(t *testing.T) {
	t.Parallel()
	m := letter()
	m.Attachments = append(m.Attachments, file("Übersicht der sehr vielen Rechnungen des Jahres, mit langem Namen.pdf", "%PDF"))
	raw, f := write(t, m)
	if f.Subject != "Grüße aus Köln" || !strings.Contains(f.Text, "wie geht's?") || f.Date.Hour() != 12 {
		t.Errorf("subject %q, text %q, date %v\n%s", f.Subject, f.Text, f.Date, raw)
	}
	want := []message.Party{{Role: "from", Name: "Müller, Jörg", Address: "joerg@firma.example"}, {Role: "to", Name: "Erika", Address: "erika@firma.example"}}
	if len(f.Parties) != 2 || f.Parties[0] != want[0] || f.Parties[1] != want[1] {
		t.Errorf("parties %v", f.Parties)
	}
	if a := f.Attachments(); len(a) != 1 || a[0].Name != "Übersicht der sehr vielen Rechnungen des Jahres, mit langem Namen.pdf" || a[0].Type != "application/pdf" {
		t.Errorf("attachments %+v", a)
	}
}
