package interop

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/testkit/need"
)

// TestPython delivers with Python's smtplib and with its bare sockets.
func TestPython(t *testing.T) {
	t.Parallel()
	python := need.Program(t, "python3")
	r := receive(t, archivetest.Options{}, nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if out, err := exec.CommandContext(ctx, python, "testdata/client.py", r.smtp, r.lmtp, r.first).CombinedOutput(); err != nil {
		t.Fatalf("client: %v\n%s", err, out)
	}
	for mark, want := range map[string]string{
		"python plain":     "Subject: python plain\r\n\r\n.dot\r\n..\r\nend\r\n",
		"python grüße":     "Subject: python grüße\r\n\r\nüber TLS, 8 bit\r\n",
		"python lmtp":      "Subject: python lmtp\r\n\r\nx\r\n",
		"python large":     "Subject: python large\r\n\r\n" + strings.Repeat("0123456789", 7) + "\r\n" + strings.Repeat(strings.Repeat("x", 998)+"\r\n", 20000),
		"python pipelined": "Subject: python pipelined\r\n\r\nx\r\n",
		"python chunked":   "Subject: python chunked\r\n\r\n.\r\n\x00bare\nLF bare\rCR\r\n.\r\nno line end",
	} {
		if got := r.containing(t, mark); got != want {
			t.Errorf("%s: %d bytes %.100q, want %d bytes", mark, len(got), got, len(want))
		}
	}
}

// TestOpenSSL speaks through the STARTTLS of openssl s_client.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	openssl := need.Program(t, "openssl")
	r := receive(t, archivetest.Options{}, nil)
	for kind, addr := range map[string]string{"smtp": r.smtp, "lmtp": r.lmtp} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		hello := map[string]string{"smtp": "EHLO", "lmtp": "LHLO"}[kind]
		cmd := exec.CommandContext(ctx, openssl, "s_client", "-connect", addr, "-starttls", kind, "-quiet", "-ign_eof")
		// The door is asked to take all of it in one piece, as PIPELINING allows
		// but for the end: what follows DATA waits for nothing here, too.
		cmd.Stdin = strings.NewReader(hello + " x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<" + r.first + ">\r\nDATA\r\n" +
			"Subject: openssl " + kind + "\r\n\r\nx\r\n.\r\nQUIT\r\n")
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil || !strings.Contains(string(out), "\n250 2.0.0 archived as ") {
			t.Errorf("%s: %v\n%s%s", kind, err, out, errs.String())
		}
		want := "Subject: openssl " + kind + "\r\n\r\nx\r\n"
		if got := r.containing(t, "openssl "+kind); got != want {
			t.Errorf("stored %q", got)
		}
	}
}
