package httpd

import (
	"mime"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDisposition(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"invoice.pdf":                         "invoice.pdf",
		"Prüfbericht Müller.pdf":              "Prüfbericht Müller.pdf",
		"請求書.pdf":                             "請求書.pdf",
		`a"b.txt`:                             `a"b.txt`,
		"50% off.txt":                         "50% off.txt",
		"a\r\nSet-Cookie: x=1":                "a__Set-Cookie: x=1",
		"../../etc/passwd":                    ".._.._etc_passwd",
		`..\..\boot.ini`:                      ".._.._boot.ini",
		"gpj.\u202eexe":                       "gpj._exe",
		"":                                    "attachment",
		"..":                                  "attachment",
		".":                                   "attachment",
		"bad\xff\xfeutf8":                     "bad_utf8",
		"nul\x00.txt":                         "nul_.txt",
		"c1\u0085.txt":                        "c1_.txt",
		`"; filename*=UTF-8''evil.exe; x="`:   `"; filename*=UTF-8''evil.exe; x="`,
		"a'b.txt":                             "a'b.txt",
		strings.Repeat("ä", 500) + ".docx":    strings.Repeat("ä", 115) + ".docx",
		strings.Repeat("b", 500):              strings.Repeat("b", 120),
		"x." + strings.Repeat("longest", 100): "x." + strings.Repeat("longest", 16) + "longes",
	} {
		got := disposition(in)
		for _, r := range got {
			if r < 0x20 || r > 0x7e {
				t.Errorf("%q: %q holds %q", in, got, r)
			}
		}
		kind, params, err := mime.ParseMediaType(got)
		if err != nil || kind != "attachment" || params["filename"] != want || !utf8.ValidString(params["filename"]) {
			t.Errorf("%q: %s is read as %s %q, %v, want %q", in, got, kind, params, err, want)
		}
		plain := got[:strings.LastIndex(got, "; filename*=")]
		if kind, params, err := mime.ParseMediaType(plain); err != nil || kind != "attachment" || len(params) != 1 {
			t.Errorf("%q: without RFC 8187 %s is read as %q, %v", in, plain, params, err)
		}
	}
}

func TestMediaType(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"application/pdf":              "application/pdf",
		"text/html; charset=utf-7":     "text/html",
		"":                             "application/octet-stream",
		"html":                         "application/octet-stream",
		"text/html\r\nX: y":            "application/octet-stream",
		"a/b/c":                        "application/octet-stream",
		"text/html, application/x":     "application/octet-stream",
		"text/" + "ä":                  "application/octet-stream",
		"multipart/mixed; boundary=\"": "application/octet-stream",
	} {
		if got := mediaType(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
