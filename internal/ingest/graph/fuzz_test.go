package graph

import (
	"net/http"
	"testing"

	"github.com/muniment/muniment/internal/spool"
)

func FuzzRefusal(f *testing.F) {
	f.Add(403, []byte(`{"error":{"code":"ErrorAccessDenied","message":"no"}}`))
	f.Add(404, []byte(`{"error":{"code":"MailboxNotEnabledForRESTAPI","message":null}}`))
	f.Add(500, []byte("<html>"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := refusal(status, body)
		if text := e.Error(); len(e.Word) > 700 || len(e.Text) > 700 || text == "" {
			t.Errorf("%q", text)
		}
		if status == http.StatusTooManyRequests && e.Code == "" {
			t.Error("no code")
		}
	})
}

func FuzzLooksCut(f *testing.F) {
	dir, err := spool.Open(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(letter(1))
	f.Add([]byte("Content-Type: multipart/x; boundary=\"\r\n\r\n--"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		one, two := dir.NewBuffer(1<<20), dir.NewBuffer(1<<20)
		defer closeAll(one)
		defer closeAll(two)
		for _, b := range []*spool.Buffer{one, two} {
			if _, err := b.Write(raw); err != nil {
				t.Skip()
			}
		}
		looksCut(one)
		if !same(one, two) {
			t.Error("a message is not like itself")
		}
	})
}
