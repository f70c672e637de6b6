package journal

import (
	"testing"
	"time"

	"github.com/muniment/muniment/internal/journal/journaltest"
)

// FuzzRead: whatever comes in, the answer comes soon, pieces are the whole and
// messages can be read.
func FuzzRead(f *testing.F) {
	for _, o := range []journaltest.Options{
		{}, {EOL: "\n"}, {Marker: journaltest.Exchange2003, List: true, Alternative: true}, {Marker: journaltest.Piler, Encoding: "base64"}, {NDR: 2},
		{Subject: "Größe", Charset: "iso-8859-1", Encoding: "quoted-printable"}, {InnerEncoding: "base64"}, {InnerEncoding: "quoted-printable", Inner: [][]byte{[]byte("a"), []byte("b")}},
		{Recipients: []journaltest.Recipient{{Key: "Bcc", Address: `"a, b" <SMTP:a@b>`, Redirection: "Expanded", RedirectionAddress: "EX:/o=x"}}},
	} {
		f.Add(journaltest.Build(o))
	}
	f.Add([]byte(made(good, mail)))
	f.Add([]byte(made(good, mail, mail)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		started := time.Now()
		if rep, err := read(t, raw); err == nil {
			for _, in := range rep.Inner {
				inner(t, raw, in)
			}
			if len(rep.Recipients) == 0 {
				t.Error("no recipient")
			}
		}
		if d := time.Since(started); d > 5*time.Second {
			t.Errorf("took %v", d)
		}
	})
}
