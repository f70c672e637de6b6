package mailer

import (
	"bytes"
	"io"
	"net"
	"strings"
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
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { ln.Close() })
	set := remote.Smarthost{Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port, TLS: remote.NoTLS, User: "u", From: from}
	env := Envelope{From: from, To: []string{"anna@example.com"}}
	message := []byte("Subject: x\r\n\r\nx\r\n")
	s := quick()
	f.Fuzz(func(t *testing.T, answers []byte) {
		done := make(chan []byte)
		go func() {
			var heard bytes.Buffer
			defer func() { done <- heard.Bytes() }()
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(2 * time.Second)) // of a socket that is open
			go func() {
				_, _ = conn.Write(answers)
				_ = conn.(*net.TCPConn).CloseWrite() // the client may be gone
			}()
			_, _ = io.Copy(&heard, conn)
		}()
		r := s.Send(t.Context(), set, []byte("secret password"), env, message)
		heard := <-done
		if (r.Problem == nil) != (r.Answers[0].Outcome == Taken) {
			t.Errorf("%+v %+v", r.Problem, r.Answers)
		}
		if r.Answers[0].Outcome == Taken && !bytes.Contains(heard, []byte("\r\nx\r\n.\r\n")) {
			t.Errorf("taken, but never sent: %q", heard)
		}
		for _, step := range r.Steps {
			if len(step.Text) > 1100 || strings.Contains(step.Text, "secret password") || strings.ContainsAny(step.Text, "\r\n\x00") {
				t.Errorf("step %+v", step)
			}
		}
	})
}
