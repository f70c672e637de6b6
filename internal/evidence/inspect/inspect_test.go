package inspect

import (
	"bytes"
	"crypto/sha256"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/ers"
)

func sample() *Facts {
	at := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	return &Facts{
		Object:  Object{AOID: "06h1dsfrqssvzdsewz5zpn9xnc", Tenant: "t", Message: true, Subject: "Offer", From: "Anna <anna@example.com>", Date: at},
		Report:  &ers.Report{Verdict: evidence.Valid, Proven: at, Stamps: []ers.StampReport{{Hash: "SHA-256", Time: at, Signer: "CN=Unit", Qualified: "not determined", Why: "no-list"}}},
		Members: []Member{{Name: "original", File: "original.eml", Size: 1234567, SHA256: strings.Repeat("ab", 32), Covered: true}},
		Log:     &Log{Seq: 7, Event: "message.stored", Time: at, Size: 9, Signed: at},
		At:      at,
	}
}

func render(t testing.TB, p *Page) (html, pdf []byte) {
	t.Helper()
	var h, d bytes.Buffer
	if err := p.HTML(&h); err != nil {
		t.Fatal(err)
	}
	if err := p.PDF(&d, time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	return h.Bytes(), d.Bytes()
}

// The same facts give the same bytes, in both languages, for every verdict.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	for _, l := range Languages() {
		for _, v := range []evidence.Verdict{evidence.Valid, evidence.Invalid, evidence.Indeterminate} {
			f := sample()
			f.Report.Verdict = v
			h1, p1 := render(t, Of(f, l))
			h2, p2 := render(t, Of(f, l))
			if !bytes.Equal(h1, h2) || !bytes.Equal(p1, p2) {
				t.Errorf("%s, %v: two reports differ", l, v)
			}
			if !bytes.Contains(h1, []byte(in(l).verdict(v))) || bytes.Contains(h1, []byte(in(l).ProvenSince)) != (v == evidence.Valid) {
				t.Errorf("%s, %v: the verdict is not told", l, v)
			}
		}
	}
}

// The letters are those of the whole program: a report leaves them as they are.
func TestFontsStay(t *testing.T) {
	fonts := [][]byte{goregular.TTF, gobold.TTF, gomono.TTF}
	var before [][32]byte
	for _, f := range fonts {
		before = append(before, sha256.Sum256(f))
	}
	letters, err := letters()
	if err != nil {
		t.Fatal(err)
	}
	var buf sfnt.Buffer
	var all strings.Builder // every letter
	for r := rune(' '); r < 0xfffe; r++ {
		if i, err := letters.GlyphIndex(&buf, r); err == nil && i > 0 {
			all.WriteRune(r)
		}
	}
	render(t, &Page{Title: "T", Language: English, Sections: []Section{{Heading: all.String(), Text: []string{all.String()}, Rows: []Row{{Name: "N", Value: all.String(), Mono: true}}}}})
	for i, f := range fonts {
		if sha256.Sum256(f) != before[i] {
			t.Errorf("font %d was changed", i)
		}
	}
}

// What the letters lack is told by numbers, those side by side in one pair of brackets.
func TestLettersThatLack(t *testing.T) {
	t.Parallel()
	f, err := letters()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"Größe, Πρόταση, цена":    "Größe, Πρόταση, цена",
		"\u4f60\u597d!":           "[U+4F60 U+597D]!",
		"a \u05e9 \u05dc\n\u4f60": "a [U+05E9] [U+05DC]\n[U+4F60]",
		"{nb} \U0001F4CE":         "{ nb } [U+1F4CE]",
	} {
		w := &pdfWriter{font: f}
		if got := w.known(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// No text lacks in a language.
func TestWordsAreComplete(t *testing.T) {
	t.Parallel()
	en, de := reflect.ValueOf(*english()), reflect.ValueOf(*german())
	for i := range en.NumField() {
		name := en.Type().Field(i).Name
		switch a, b := en.Field(i), de.Field(i); a.Kind() { //nolint:exhaustive // the kinds that there are
		case reflect.String:
			if a.String() == "" || b.String() == "" || strings.Count(a.String(), "%") != strings.Count(b.String(), "%") {
				t.Errorf("%s: %q and %q", name, a, b)
			}
		case reflect.Slice:
			if a.Len() == 0 || a.Len() != b.Len() {
				t.Errorf("%s has %d and %d texts", name, a.Len(), b.Len())
			}
		case reflect.Map:
			if b.Len() == 0 {
				t.Errorf("%s is empty", name)
			}
		default:
			t.Errorf("%s is of kind %v", name, a.Kind())
		}
	}
}

func TestReadHead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ head, subject, from string }{
		"plain":            {"Subject: A\r\n b\r\nFrom: x@example.com\r\n\r\nSubject: no\r\n", "A b", "x@example.com"},
		"encoded":          {"Subject: =?ISO-8859-15?Q?20_=A4?=\n\n", "20 €", ""},
		"bytes":            {"Subject: Gr\xfc\xdfe\r\n\r\n", "Grüße", ""},
		"broken header":    {"no header\nSubject: still there\nfrom : a@example.com\n\n", "still there", "a@example.com"},
		"unknown charset":  {"Subject: =?x-none?Q?a?=\r\n\r\n", "=?x-none?Q?a?=", ""},
		"nothing":          {"", "", ""},
		"header only":      {"Subject: A", "A", ""},
		"empty line first": {"\r\nSubject: A\r\n\r\n", "A", ""},
	} {
		var o Object
		o.ReadHead([]byte(c.head))
		if o.Subject != c.subject || o.From != c.from {
			t.Errorf("%s: %q, %q", name, o.Subject, o.From)
		}
	}
}

// Whatever a mail says: no markup, no invisible character, no endless text; and the PDF
// comes about.
func FuzzReport(f *testing.F) {
	f.Add([]byte("Subject: <script>alert(1)</script> \u202e{nb}\r\nFrom: =?UTF-8?B?8J+YgA==?=\r\n\r\n"))
	f.Add([]byte("Subject: " + strings.Repeat("W", 5000) + "\r\n\r\n"))
	f.Add([]byte("Subject: \u05e9\u05dc\u05d5\u05dd \u0634 \u4f60 a\u0301 \uffff \U0010ffff\r\n\r\n"))
	f.Fuzz(func(t *testing.T, head []byte) {
		x := sample()
		x.Object.ReadHead(head)
		html, pdf := render(t, Of(x, German))
		if s := clean(x.Object.Subject); utf8.RuneCountInString(s) > maxShown*10 || strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s) {
			t.Errorf("%q", s)
		}
		if bytes.Contains(html, []byte("<script")) || bytes.Contains(html, []byte("\u202e")) || !utf8.Valid(html) || !bytes.HasSuffix(bytes.TrimSpace(pdf), []byte("%%EOF")) {
			t.Errorf("%q breaks the report", head)
		}
	})
}

func TestSelection(t *testing.T) {
	t.Parallel()
	s := &Selection{Title: "messages found by: x", Objects: 3, Valid: 2, Unsure: 1, Checked: true, Rows: []SelectionRow{{AOID: "one", Subject: strings.Repeat("very long ", 100), Valid: true}, {AOID: "two", Unsure: true}},
		Beyond: 1, Left: []LeftOut{{"three", "it has no time stamp yet"}}, More: true}
	for _, l := range Languages() {
		html, pdf := render(t, OfSelection(s, l))
		for _, want := range []string{"three", "no time stamp", in(l).Unsure, in(l).Volume, "contents.csv"} {
			if !bytes.Contains(html, []byte(want)) {
				t.Errorf("%s lacks %q", l, want)
			}
		}
		if !bytes.HasPrefix(pdf, []byte("%PDF-")) {
			t.Error("no PDF")
		}
	}
}
