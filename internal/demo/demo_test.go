package demo

import (
	"bytes"
	"io"
	"io/fs"
	"mime"
	"net/mail"
	"testing"
)

// TestSamples reads every sample as a strict reader would: all have a date, a
// sender and a Message-ID of their own.
func TestSamples(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(samples, "samples/*.eml")
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 20 {
		t.Errorf("%d samples, want 20 or more", len(names))
	}
	seen := map[string]string{}
	for _, name := range names {
		raw, err := samples.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := m.Header.Date(); err != nil {
			t.Errorf("%s: date: %v", name, err)
		}
		if id := m.Header.Get("Message-ID"); id == "" || seen[id] != "" {
			t.Errorf("%s: Message-ID %q is missing or that of %s", name, id, seen[id])
		} else {
			seen[id] = name
		}
		if _, _, err := mime.ParseMediaType(m.Header.Get("Content-Type")); err != nil {
			t.Errorf("%s: content type: %v", name, err)
		}
		if b, err := io.ReadAll(m.Body); err != nil || len(b) == 0 {
			t.Errorf("%s: %d bytes of body, %v", name, len(b), err)
		}
	}
}
