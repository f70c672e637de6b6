package httpd_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
)

const sample = "From: Anna <anna@example.com>\r\nTo: Bernd <bernd@example.com>\r\nSubject: =?utf-8?q?Pr=C3=BCfung?=\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\n" +
	"Message-ID: <sample@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: multipart/related; boundary=r\r\n\r\n" +
	"--r\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Kirschbaum<script>alert(1)</script><img src=\"cid:logo\"><img src=\"https://tracker.example/x.png\"></p>\r\n" +
	"--r\r\nContent-Type: image/png\r\nContent-ID: <logo>\r\nContent-Disposition: inline\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--r--\r\n" +
	"--b\r\nContent-Type: text/html\r\nContent-Disposition: attachment; filename=\"evil.html\"\r\n\r\n<script>alert(2)</script>\r\n" +
	"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename*=utf-8''Pr%C3%BCf%0D%0ASet-Cookie%3A%20x.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n--b--\r\n"

func TestReadMessage(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.ingest(t, sample).String()
	b := s.as(t, "anna")
	var page api.SearchPage
	b.get(t, "/api/v1/search?q=kirschbaum").into(t, &page)
	if page.Total != 1 || page.Hits[0].ID != id || page.Hits[0].Subject != "Prüfung" || len(page.Hits[0].Snippet.Marks) != 1 {
		t.Fatalf("page = %+v", page)
	}
	var m api.Message
	b.get(t, "/api/v1/messages/"+id+"?q=kirschbaum").into(t, &m)
	sum := sha256.Sum256([]byte(sample))
	if m.SHA256 != hex.EncodeToString(sum[:]) || m.Size != int64(len(sample)) || !m.Integrity.Intact || !m.HasHTML || m.Remote != 1 ||
		len(m.TextMarks) != 1 || len(m.Attachments) < 2 || len(m.Why) != 1 || len(m.Captures) != 1 || m.BccHidden {
		t.Errorf("message = %+v", m)
	}
	var i api.Integrity
	b.do(t, "POST", "/api/v1/messages/"+id+"/check", nil).into(t, &i)
	if !i.Intact || i.CheckedAt.IsZero() {
		t.Errorf("integrity = %+v", i)
	}
	t.Run("raw", func(t *testing.T) {
		a := b.get(t, "/api/v1/messages/"+id+"/raw")
		if string(a.body) != sample || a.ContentLength != int64(len(sample)) || a.Header.Get("Content-Type") != "message/rfc822" {
			t.Errorf("%v %.100s", a.Header, a.body)
		}
		if d := a.Header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment;") || !strings.Contains(d, "filename*=UTF-8''2026-03-02%20Pr%C3%BCfung.eml") {
			t.Errorf("disposition %q", d)
		}
		a = b.get(t, "/api/v1/messages/"+id+"/raw?inline=1")
		if string(a.body) != sample || a.Header.Get("Content-Type") != "text/plain; charset=utf-8" || a.Header.Get("Content-Disposition") != "" || !strings.Contains(a.Header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%v %.100s", a.Header, a.body)
		}
	})
	t.Run("html", func(t *testing.T) {
		a := b.get(t, "/api/v1/messages/"+id+"/html")
		page, csp := string(a.body), a.Header.Get("Content-Security-Policy")
		if strings.Contains(page, "alert(1)") || strings.Contains(page, "tracker.example") || !strings.Contains(page, "data:image/png;base64,"+base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n"))) {
			t.Errorf("page = %s", page)
		}
		for _, want := range []string{"default-src 'none'", "img-src data:;", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'self'", "sandbox allow-popups allow-popups-to-escape-sandbox"} {
			if !strings.Contains(csp, want) {
				t.Errorf("policy %q lacks %q", csp, want)
			}
		}
		if strings.Contains(csp, "script") || strings.Contains(csp, "allow-same-origin") || a.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%v", a.Header)
		}
		a = b.get(t, "/api/v1/messages/"+id+"/html?remote=true")
		if !strings.Contains(string(a.body), "tracker.example") || !strings.Contains(a.Header.Get("Content-Security-Policy"), "img-src data: https: http:;") || strings.Contains(string(a.body), "alert(1)") {
			t.Errorf("%v %s", a.Header, a.body)
		}
	})
	t.Run("attachments", func(t *testing.T) {
		for _, at := range m.Attachments {
			a := b.get(t, "/api/v1/messages/"+id+"/attachments/"+itoa(at.No))
			if a.StatusCode != 200 || a.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(a.Header.Get("Content-Disposition"), "attachment;") ||
				!strings.Contains(a.Header.Get("Content-Security-Policy"), "sandbox") || a.Header.Get("Set-Cookie") != "" {
				t.Errorf("%+v: %d %v", at, a.StatusCode, a.Header)
			}
			if at.Type == "application/pdf" && string(a.body) != "%PDF-1.4\n" {
				t.Errorf("pdf = %q", a.body)
			}
		}
		for _, no := range []string{"0", "-1", "999", "x", "1e3", "%31%00"} {
			if a := b.get(t, "/api/v1/messages/"+id+"/attachments/"+no); a.StatusCode != 404 || a.code() != "not-found" {
				t.Errorf("attachment %s: %d %s", no, a.StatusCode, a.body)
			}
		}
	})
}

// What is damaged is told as such and never sent as if it were whole.
func TestDamagedMessage(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.ingest(t, sample).String()
	damage(t, filepath.Join(s.Dir, "blobs"))
	b := s.as(t, "anna")
	var m api.Message
	b.get(t, "/api/v1/messages/"+id).into(t, &m)
	if m.Integrity.Intact || m.Integrity.Problem == "" || m.Subject != "Prüfung" || m.Text != "" {
		t.Errorf("message = %+v", m)
	}
	for _, path := range []string{"/raw", "/raw?inline=1", "/html", "/attachments/1"} {
		if a := b.get(t, "/api/v1/messages/"+id+path); a.StatusCode != 500 || a.code() != "corrupt" || a.Header.Get("Content-Disposition") != "" {
			t.Errorf("%s: %d %v %.100s", path, a.StatusCode, a.Header, a.body)
		}
	}
	var i api.Integrity
	b.do(t, "POST", "/api/v1/messages/"+id+"/check", nil).into(t, &i)
	if i.Intact || i.Problem == "" {
		t.Errorf("integrity = %+v", i)
	}
}

// damage flips bytes in all segments below dir.
func damage(t *testing.T, dir string) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, "seg") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil || len(b) < 64 {
			return err
		}
		for i := len(b) / 4; i < 3*len(b)/4; i++ {
			b[i] ^= 0x55
		}
		n++
		if err := os.Chmod(path, 0o600); err != nil {
			return err
		}
		return os.WriteFile(path, b, 0o600)
	})
	if err != nil || n == 0 {
		t.Fatalf("%d files damaged, %v", n, err)
	}
}

func TestSearchAndSuggest(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i := range 5 {
		s.ingest(t, strings.ReplaceAll(strings.ReplaceAll(sample, "sample@", itoa(i)+"@"), "2 Mar", itoa(i+1)+" Mar"))
	}
	b := s.as(t, "anna")
	var page, next api.SearchPage
	b.get(t, "/api/v1/search?q=kirschbaum&limit=2").into(t, &page)
	if page.Total != 5 || !page.TotalExact || len(page.Hits) != 2 || page.Next == "" {
		t.Fatalf("page = %+v", page)
	}
	b.get(t, "/api/v1/search?q=kirschbaum&limit=2&cursor="+page.Next).into(t, &next)
	if next.Total != 0 || next.TotalExact || len(next.Hits) != 2 || !next.Hits[0].Date.Before(page.Hits[1].Date) {
		t.Errorf("next = %+v", next)
	}
	for _, cursor := range []string{page.Next[1:], page.Next + "A", strings.ToUpper(page.Next), strings.Repeat("%ff", 20)} {
		if a := b.get(t, "/api/v1/search?q=kirschbaum&cursor="+cursor); a.StatusCode != 422 || a.code() != "cursor" {
			t.Errorf("cursor %s: %d %s", cursor, a.StatusCode, a.body)
		}
	}
	if a := s.as(t, "anna").get(t, "/api/v1/search?q=kirschbaum&cursor="+page.Next); a.code() != "cursor" {
		t.Errorf("cursor of another session: %d %s", a.StatusCode, a.body)
	}
	if a := b.get(t, "/api/v1/search?q=other&cursor="+page.Next); a.code() != "cursor" {
		t.Errorf("cursor of another search: %d %s", a.StatusCode, a.body)
	}
	b.get(t, "/api/v1/search?q=kirschbaum&limit=1&order=oldest").into(t, &page)
	if page.Hits[0].Date.Day() != 1 {
		t.Errorf("oldest = %v", page.Hits[0].Date)
	}
	var f api.Facets
	b.get(t, "/api/v1/search/facets?q=kirschbaum").into(t, &f)
	if len(f.Years) != 1 || f.Years[0].Count != 5 || len(f.Senders) != 1 || f.HasAttachment[0].Count != 5 {
		t.Errorf("facets = %+v", f)
	}
	if f.Senders[0].Label == "" || f.Senders[0].Value == "" || strings.Contains(f.Senders[0].Label, "@") {
		t.Errorf("sender = %+v, want a name to show", f.Senders[0])
	}
	var people api.Suggestions
	b.get(t, "/api/v1/search/suggest?q=from%3A").into(t, &people)
	if len(people.Suggestions) == 0 || people.Suggestions[0].Kind != "person" || people.Suggestions[0].Start != 5 {
		t.Errorf("suggested after from: %+v", people)
	}
	for _, bucket := range append(append(f.Years, f.Senders...), f.HasAttachment...) { // each selects what it counted
		b.get(t, "/api/v1/search?q="+escape(bucket.Query)).into(t, &page)
		if page.Total != bucket.Count {
			t.Errorf("%q finds %d, counted %d", bucket.Query, page.Total, bucket.Count)
		}
	}
	for lang, want := range map[string]string{"de-AT,de;q=0.9": "von:", "en-GB": "from:", "fr": "from:", "*": "from:", strings.Repeat("x-", 3000): "from:"} {
		b.header.Set("Accept-Language", lang)
		a := b.get(t, "/api/v1/search/suggest?q=")
		if !strings.Contains(string(a.body), `"insert":"`+want+`"`) {
			t.Errorf("%.20s: %.300s", lang, a.body)
		}
	}
	b.header.Set("Accept-Language", "de")
	var su api.Suggestions
	b.get(t, "/api/v1/search/suggest?q="+escape("kirschbaum von:be")).into(t, &su)
	if len(su.Suggestions) != 1 || su.Suggestions[0].Insert != "bernd@example.com" || su.Suggestions[0].Kind != "person" || su.Suggestions[0].Start != 15 {
		t.Errorf("suggestions = %+v", su)
	}
	b.get(t, "/api/v1/search/suggest?q="+escape("date:20")).into(t, &su)
	var p api.SearchProblem
	a := b.get(t, "/api/v1/search?q="+escape("ä before:30.02.2024"))
	a.StatusCode = 200
	a.into(t, &p)
	if p.Code != "query" || p.Start != 9 || p.End != 19 || p.Detail == "" {
		t.Errorf("problem = %+v", p)
	}
	b.header.Set("Accept-Language", "en")
	if en := b.get(t, "/api/v1/search?q="+escape("ä before:30.02.2024")); en.code() != "query" || strings.Contains(string(en.body), p.Detail) {
		t.Errorf("English and German say the same: %s", en.body)
	}
}

// Whatever is typed, the answer is results or a problem of the client's.
func TestHostileQueries(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.ingest(t, sample)
	b := s.as(t, "anna")
	for _, q := range []string{"%ff%fe", "%00", "a%00b", "%22", "%27%20OR%201=1--", "*", "**", "a*b*c*", "(((((((((", strings.Repeat("(", 4096), strings.Repeat("a%20OR%20", 500),
		strings.Repeat("-", 4096), strings.Repeat("%F0%9F%98%80", 4096), "NEAR/99999999999999999999", "a%20NEAR/0%20b", "size:%3E99999999999999999999GB", "from:" + strings.Repeat("a", 4000),
		"before:99999999999-01-01", "date:0000", "%EF%B7%BA", "ıİſß", "from:(((", "col:x%20AND%20{a%20b}:c", "^a", "a%20+%20b", "%22a%22*", "=a", "from:%22%22", "subject:*"} {
		for _, path := range []string{"/api/v1/search?q=", "/api/v1/search/facets?q=", "/api/v1/search/suggest?q="} {
			a := b.get(t, path+q)
			if a.StatusCode != 200 && a.code() != "query" && a.code() != "invalid" {
				t.Errorf("%s%.60s: %d %s", path, q, a.StatusCode, a.body)
			}
		}
	}
}
