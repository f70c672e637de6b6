package httpd_test

import (
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
)

// Neither the view of a message nor a list of results nor a search by size tells
// how long the blind copies are that a reader may not see.
func TestSizeTellsNoBlindCopies(t *testing.T) {
	t.Parallel()
	s := start(t)
	const rest = "To: bernd@example.com\r\nSubject: x\r\n\r\nbody\r\n"
	head := "From: anna@example.com\r\n"
	raw := head + "Bcc: dieter.mueller@example.com,\r\n eva@example.com\r\n" + rest
	id := s.ingest(t, raw).String()
	for login, want := range map[string]int{"anna": len(raw), "bernd": 0} {
		b := s.as(t, login)
		var m api.Message
		b.get(t, "/api/v1/messages/"+id).into(t, &m)
		var page api.SearchPage
		b.get(t, "/api/v1/search?q=body").into(t, &page)
		if m.Size != int64(want) || page.Hits[0].Size != int64(want) {
			t.Errorf("%s: size %d, in results %d; want %d", login, m.Size, page.Hits[0].Size, want)
		}
	}
	open := len(head + rest)
	for q, want := range map[string]int{"larger:" + itoa(open): 0, "larger:" + itoa(open-1): 1} {
		var page api.SearchPage
		if s.as(t, "bernd").get(t, "/api/v1/search?q="+escape(q)).into(t, &page); page.Total != want {
			t.Errorf("%s finds %d, want %d", q, page.Total, want)
		}
	}
}

// A query string that cannot be read is refused: without it everything would be
// found.
func TestMalformedQueryString(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.ingest(t, sample).String()
	b := s.as(t, "anna")
	for _, path := range []string{"/search?q=%zz", "/search?q=a&limit=%", "/search/facets?q=%zz", "/search/suggest?q=%zz", "/messages/" + id + "?q=%zz", "/messages/" + id + "/html?remote=%zz", "/status?%zz"} {
		if a := b.get(t, "/api/v1"+path); a.StatusCode != 400 || a.code() != "malformed" || !strings.Contains(string(a.body), "query string") {
			t.Errorf("%s: %d %.200s", path, a.StatusCode, a.body)
		}
	}
	var page api.SearchPage
	if b.get(t, "/api/v1/search?q=a;b").into(t, &page); page.Query != "a;b" {
		t.Errorf("understood as %s", page.Query)
	}
	if a := b.get(t, "/?q=%zz"); a.StatusCode != 200 {
		t.Errorf("the web interface: %d", a.StatusCode)
	}
}
