package message

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// photo is a mail with one HTML part and one picture; fields are those of the
// picture.
func photo(html, fields string) string {
	return "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n" + html +
		"\r\n--b\r\nContent-Type: image/jpeg; name=IMG_0815.jpeg\r\n" + fields + "\r\nAAAA\r\n--b--\r\n"
}

// TestPhotos tells photos that were sent from pictures of the text.
func TestPhotos(t *testing.T) {
	t.Parallel()
	const phone = "Content-Disposition: inline; filename=IMG_0815.jpeg\r\nContent-Id: <ph@x>\r\n"
	for _, c := range []struct {
		name, raw          string
		attachment, inline bool
	}{
		{"phone, plain text", strings.Replace(photo("See you", phone), "text/html", "text/plain", 1), true, false},
		{"phone, HTML without a reference", photo("<p>See you", phone), true, false},
		{"another reference", photo("<img src=cid:ph>", phone), true, false},
		{"only a link", photo("<a href='cid:ph@x'>see</a>", phone), true, false},
		{"reference in HTML that is attached", strings.Replace(photo("<img src=cid:ph@x>", phone), "text/html", "text/html\r\nContent-Disposition: attachment", 1), true, false},
		{"reference", photo("<img src=cid:ph@x>", phone), false, true},
		{"reference in capitals", photo("<IMG SRC='CID:ph@x'>", phone), false, true},
		{"reference, percent-encoded", photo("<img src='cid:ph%40x'>", phone), false, true},
		{"background", photo("<table background='cid:ph@x'>", phone), false, true},
		{"style", photo("<p style='background: URL( \"cid:ph@x\" )'>", phone), false, true},
		{"style sheet", photo("<style>p{color:rgb(0,0,0);background:url(cid:ph@x)}</style>", phone), false, true},
		{"location", photo("<img src='pics/1.jpeg'>", "Content-Location: pics/1.jpeg\r\n"), false, true},
		{"another location", photo("<img src='pics/2.jpeg'>", "Content-Location: pics/1.jpeg\r\n"), true, false},
		{"reference, but sent as an attachment", photo("<img src=cid:ph@x>", "Content-Disposition: attachment\r\nContent-Id: <ph@x>\r\n"), true, false},
		{"reference to a document", strings.Replace(photo("<img src=cid:ph@x>", phone), "image/jpeg", "application/pdf", 1), true, false},
		{"no Content-ID", photo("<img src=cid:>", "Content-Id: <>\r\n"), true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := parse(c.raw)
			if len(f.Parts) != 2 {
				t.Fatalf("parts = %+v", f.Parts)
			}
			if p := f.Parts[1]; p.Attachment != c.attachment || p.Inline != c.inline {
				t.Errorf("attachment %v, inline %v; want %v, %v", p.Attachment, p.Inline, c.attachment, c.inline)
			}
			if files := f.Files(); files[len(files)-1].No != 1 {
				t.Errorf("it is not among the files: %+v", files)
			}
		})
	}
}

// TestFilesOrder lists attachments before the pictures of the text.
func TestFilesOrder(t *testing.T) {
	t.Parallel()
	f := parse(strings.Replace(photo("<img src=cid:ph@x>", "Content-Id: <ph@x>\r\n"), "--b--", "--b\r\nContent-Type: application/pdf\r\n\r\nx\r\n--b--", 1))
	var got []string
	for _, p := range f.Files() {
		got = append(got, p.Type)
	}
	if diff := cmp.Diff([]string{"application/pdf", "image/jpeg"}, got); diff != "" || len(f.Attachments()) != 1 {
		t.Error(diff)
	}
}

// TestManyReferences takes HTML that is nothing but references in bounded time.
func TestManyReferences(t *testing.T) {
	t.Parallel()
	for _, html := range []string{"<p style='" + strings.Repeat("url(", 200_000) + "'>", "<style>" + strings.Repeat("url(a)", 500_000), strings.Repeat("<img src=cid:a>", 200_000)} {
		bounded(t, func() { Parse(context.Background(), strings.NewReader(photo(html, ""))) })
	}
}
