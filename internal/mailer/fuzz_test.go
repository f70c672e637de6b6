package mailer

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/remote"
)

// FuzzAnswers lets a server say anything at all: the sender comes to an end, says
// what is wrong, and takes a message for sent only if the server has said 250 after
// it.
func FuzzAnswers(f *testing.F) {
	good := "220 x\r\n250-x\r\n250-SIZE 1000000\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n235 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n221 bye\r\n"
	for _, s := range []string{good, strings.Replace(good, "250 queued", "451 later", 1), strings.Replace(good, "235 ok", "334 !!\r\n334 eA==", 1), "220-\r\n", "220", "\x00\xff", "250 x\r\n", ""} {
		f.Add([]byte(s))
	}
	set := remote.Smarthost{Host: "127.0.0.1", TLS: remote.NoTLS, User: "u", From: from}
	env := Envelope{From: from, To: []string{"anna@example.com"}}
	message := []byte("Subject: x\r\n\r\nx\r\n")
	f.Fuzz(func(t *testing.T, answers []byte) {
		client, server := net.Pipe()
		var both sync.WaitGroup
		var heard bytes.Buffer
		both.Go(func() {
			_, _ = server.Write(answers) // fails when the client has left
			_ = server.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		})
		both.Go(func() { _, _ = io.Copy(&heard, server); _ = server.Close() })
		s := quick()
		s.timings.command, s.timings.message, s.timings.bye = 50*time.Millisecond, 50*time.Millisecond, 10*time.Millisecond
		s.dial = func(context.Context, string, string) (net.Conn, error) { return client, nil }
		r := s.Send(t.Context(), set, []byte("secret password"), env, message)
		_ = client.Close()
		both.Wait()
		if (r.Problem == nil) != (r.Answers[0].Outcome == Taken) {
			t.Errorf("%+v %+v", r.Problem, r.Answers)
		}
		if r.Answers[0].Outcome == Taken && !bytes.Contains(heard.Bytes(), []byte("\r\nx\r\n.\r\n")) {
			t.Errorf("taken, but never sent: %q", heard.Bytes())
		}
		for _, step := range r.Steps {
			if len(step.Text) > 1100 || strings.Contains(step.Text, "secret password") || strings.ContainsAny(step.Text, "\r\n\x00") {
				t.Errorf("step %+v", step)
			}
		}
	})
}
