package message

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// patience is how long any input may take on a machine that is busy with other tests; what
// grows with the square of the input takes minutes.
const patience = 30 * time.Second

func bounded(t *testing.T, act func()) {
	t.Helper()
	start := time.Now()
	act()
	if d := time.Since(start); d > patience {
		t.Errorf("took %v", d)
	}
}

func seed(f *testing.F) {
	for _, s := range []string{
		"", "\n", "Subject: a\n\nb", "Subject: =?utf-8?q?=C3?= =?utf-8?q?=A4?=\n\n",
		"Content-Type: multipart/mixed; boundary=x\n\n--x\n\na\n--x\nContent-Transfer-Encoding: base64\n\nYQ\n--x--",
		"Content-Type: text/html\n\n<img src=http://a.example/x><form><script>a</script>",
		"Content-Transfer-Encoding: quoted-printable\n\n=E4=\n=3", "Content-Transfer-Encoding: x-uuencode\n\nbegin 644 a\n#86)C\nend",
	} {
		f.Add([]byte(s))
	}
}

func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		bounded(t, func() {
			facts := Parse(context.Background(), bytes.NewReader(raw))
			if !utf8.ValidString(facts.Text) || !utf8.ValidString(facts.Subject) {
				t.Error("text is not valid UTF-8")
			}
		})
	})
}

func FuzzOpenPart(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		bounded(t, func() {
			for _, p := range Parse(context.Background(), bytes.NewReader(raw)).Parts {
				if p.Offset < 0 || p.Length < 0 || p.Offset+p.Length > int64(len(raw)) {
					t.Fatalf("part %s lies outside the message", p.Path)
				}
				if _, err := io.Copy(io.Discard, OpenPart(bytes.NewReader(raw), p)); err != nil {
					t.Logf("part %s: %v", p.Path, err)
				}
			}
		})
	})
}

func FuzzSafeHTML(f *testing.F) {
	f.Add(hostile)
	f.Add("<svg><style><img src=x onerror=a>")
	f.Fuzz(func(t *testing.T, body string) {
		bounded(t, func() {
			v, ok := view(body)
			if low := strings.ToLower(v.HTML); ok && (strings.Contains(low, "<script") || strings.Contains(low, "<iframe") || strings.Contains(low, "<form")) {
				t.Errorf("active element in %q", v.HTML)
			}
		})
	})
}

func FuzzHeaderWords(f *testing.F) {
	for _, s := range []string{"=?utf-8?b?w6Q?=", "=?x?q?=", "a =?iso-8859-1?Q?=E4?=b", "\xe4\xff", "=?utf-7?q?+AOQ-?="} {
		f.Add(s, "utf-8")
	}
	f.Fuzz(func(t *testing.T, s, charset string) {
		bounded(t, func() {
			if out := decodeField(s, charset); !utf8.ValidString(out) {
				t.Errorf("%q is not valid UTF-8", out)
			}
			parseAddresses(s, charset, MaxParties)
		})
	})
}
