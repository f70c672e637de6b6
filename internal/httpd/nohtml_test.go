package httpd_test

import (
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
)

// A message without HTML is no fault of the server's.
func TestNoHTML(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := s.as(t, "anna")
	for _, rest := range []string{"\r\nplain\r\n", "Content-Type: text/html\r\n\r\n"} {
		id := s.ingest(t, "From: anna@example.com\r\nSubject: x\r\n"+rest).String()
		if a := b.get(t, "/api/v1/messages/"+id+"/html"); a.StatusCode != 404 || a.code() != "no-html" {
			t.Errorf("%q: %d %s", rest, a.StatusCode, a.body)
		}
		var m api.Message
		if b.get(t, "/api/v1/messages/"+id).into(t, &m); m.HasHTML {
			t.Errorf("%q has HTML", rest)
		}
	}
	if log := s.log.String(); strings.Contains(log, "level=ERROR") {
		t.Errorf("log: %s", log)
	}
}
