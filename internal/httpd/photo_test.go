package httpd_test

import (
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
)

// photo is a mail as phones send it: the picture has a Content-ID, whether the
// text refers to it or not.
func photo(kind, text string) string {
	return "From: anna@example.com\r\nTo: bernd@example.com\r\nSubject: Photo\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/" + kind + "\r\n\r\n" + text + "\r\n" +
		"--b\r\nContent-Type: image/jpeg; name=IMG_0815.jpeg\r\nContent-Disposition: inline; filename=IMG_0815.jpeg\r\nContent-Id: <ph>\r\nContent-Transfer-Encoding: base64\r\n\r\n/9j/\r\n--b--\r\n"
}

// A photo is an attachment unless the text shows it; it can be saved in any case.
func TestPhotoOfPhone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, raw string
		count     int
	}{
		{"plain text", photo("plain", "See you"), 1},
		{"HTML without a reference", photo("html", "<p>See you"), 1},
		{"HTML with a reference", photo("html", "<p>See you<img src='cid:ph'>"), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			id := s.ingest(t, c.raw).String()
			b := s.as(t, "anna")
			var m api.Message
			b.get(t, "/api/v1/messages/"+id).into(t, &m)
			if len(m.Attachments) != 1 || m.Attachments[0].Inline != (c.count == 0) || m.Attachments[0].Name != "IMG_0815.jpeg" {
				t.Fatalf("attachments = %+v", m.Attachments)
			}
			if a := b.get(t, "/api/v1/messages/"+id+"/attachments/"+itoa(m.Attachments[0].No)); a.StatusCode != 200 || !strings.HasPrefix(string(a.body), "\xff\xd8\xff") {
				t.Errorf("download: %d %q", a.StatusCode, a.body)
			}
			var page api.SearchPage
			b.get(t, "/api/v1/search?q=").into(t, &page)
			if page.Hits[0].Attachments != c.count {
				t.Errorf("%d attachments counted, want %d", page.Hits[0].Attachments, c.count)
			}
			for _, q := range []string{"filename:IMG_0815.jpeg", "type:image", "has:attachment", "has:image"} {
				b.get(t, "/api/v1/search?q="+escape(q)).into(t, &page)
				if page.Total != c.count {
					t.Errorf("%s finds %d, want %d", q, page.Total, c.count)
				}
			}
		})
	}
}
