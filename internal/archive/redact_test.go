package archive

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRedacted(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(" x@example.com,\r\n", 20_000)
	for name, tc := range map[string]struct{ in, want string }{
		"nothing":           {"From: a\r\n\r\nBcc: text\r\n", "From: a\r\n\r\nBcc: text\r\n"},
		"folded":            {"From: a\nBCC: b,\n\tc\nTo: d\n\nx", "From: a\nTo: d\n\nx"},
		"space before :":    {"Bcc : b\nTo: d\n\n", "To: d\n\n"},
		"resent":            {"Resent-Bcc: b\nTo: d\n\n", "To: d\n\n"},
		"last":              {"To: d\nBcc: b", "To: d\n"},
		"blank lines first": {"\r\n\r\nTo: d\r\nBcc: b\r\n\r\nBcc: text", "\r\n\r\nTo: d\r\n\r\nBcc: text"},
		"many blank lines":  {"\r\n\r\n\r\nBcc: text", "\r\n\r\n\r\nBcc: text"},
		"mailbox":           {"From a@b Mon\nBcc: b\n>From x\n c\nTo: d\n\n", "From a@b Mon\nTo: d\n\n"},
		"very long":         {"Bcc:" + long + "To: d\r\n\r\nx", "To: d\r\n\r\nx"},
		"very long other":   {"To:" + long + "Bcc: b\r\n\r\nx", "To:" + long + "\r\nx"},
		"one long line":     {"Bcc: " + strings.Repeat("b, ", 100_000) + "\nTo: d\n\n", "To: d\n\n"},
		"empty":             {"", ""},
	} {
		got, err := io.ReadAll(newRedacted(io.NopCloser(strings.NewReader(tc.in)), false))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tc.want, string(got)); d != "" {
			t.Errorf("%s: (-want +got)\n%s", name, d)
		}
		names, err := newRedacted(io.NopCloser(strings.NewReader(tc.in)), false).names()
		if err != nil || names != (tc.in != tc.want) {
			t.Errorf("%s: names = %v, %v", name, names, err)
		}
	}
}

// A field without anybody in it is no reason to change a download.
func TestEmptyBccNamesNobody(t *testing.T) {
	t.Parallel()
	names, err := newRedacted(io.NopCloser(strings.NewReader("Bcc:\r\n \r\nTo: d\r\n\r\n")), false).names()
	if err != nil || names {
		t.Errorf("names = %v, %v", names, err)
	}
}
