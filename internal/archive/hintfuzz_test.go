package archive

import (
	"bytes"
	"strings"
	"testing"
)

// Hints come from bytes that anybody may have written: they are bounded, and each is
// one address.
func FuzzHeaderHints(f *testing.F) {
	for _, s := range []string{
		"X-Envelope-To: <a@x.example>, b@x.example\r\nDelivered-To: c@x.example\r\n\r\nX-Envelope-To: d@x.example\r\n",
		"X-Envelope-From: <>\n\n", "X-Original-To: a@\r\n b@c\r\n\r\n", "Delivered-To: =?utf-8?q?a@b?=\r\n\r\n", "X-RCPT-TO:", "",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		h := headerHints(t.Context(), bytes.NewReader(raw))
		if h == nil {
			return
		}
		if len(h.To) > maxHints || len(h.From) > maxHints || len(h.To)+len(h.From) == 0 {
			t.Errorf("%d and %d hints", len(h.From), len(h.To))
		}
		for _, a := range append(h.To, h.From...) {
			if !strings.Contains(a, "@") || strings.ContainsAny(a, " \t\r\n") {
				t.Errorf("hint %q", a)
			}
		}
	})
}
