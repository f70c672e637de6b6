package journal

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

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
		if s := newSource(raw); !s.mayClaim() {
			if _, err := s.message(0, s.size, 0); !errors.Is(err, ErrNotReport) {
				t.Errorf("what claims nothing is read as %v", err)
			}
		}
		if d := time.Since(started); d > 5*time.Second {
			t.Errorf("took %v", d)
		}
	})
}

func newSource(raw []byte) *source { return &source{raw: bytes.NewReader(raw), size: int64(len(raw))} }

// A quick look finds every header that the whole reading takes for one of a report.
func TestClaims(t *testing.T) {
	t.Parallel()
	parts := []string{"X-MS-Journal-Report", "x-ms-exchange-organization-journal-report", "Content-Identifier", "X-WM-Journal-Report", "Content-Type",
		"content-identifer", //nolint:misspell // by Exchange
		"From", "K", "\u212a", ":", ": ", " ", "\t", "multipart/report", "Multipart/Re(x)port", "multi(a)part/report", "multipart/mixed", "ExJournalReport", "journal", "\r\n", "\n", "\r\n\r\n", "\n ", strings.Repeat("x", 9000), strings.Repeat("y", 140000), "ü", "; boundary=a"}
	rapid.Check(t, func(t *rapid.T) {
		raw := strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 0, 12).Draw(t, "parts"), "")
		s := newSource([]byte(raw))
		_, err := s.message(0, s.size, 0)
		if !s.mayClaim() && !errors.Is(err, ErrNotReport) {
			t.Fatalf("%q is read as %v", raw, err)
		}
	})
	for raw, want := range map[string]bool{"": false, "From: a\n\nX-MS-Journal-Report: 1": false, "From: a\r\nContent-Type: text/plain\r\n\r\n": false, "X-MS-Journal-Report:\n\n": true,
		"Content-Type: multipart/report\n\n": true, "From: " + strings.Repeat("x", 9000) + "\n\n": false, "From: " + strings.Repeat("x", 9000) + "\nX-WM-Journal-Report: journal\n\n": true, "From: " + strings.Repeat("x", 140000) + "\n\n": true} {
		if got := newSource([]byte(raw)).mayClaim(); got != want {
			t.Errorf("%.60q: %v, want %v", raw, got, want)
		}
	}
}
