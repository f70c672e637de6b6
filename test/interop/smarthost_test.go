package interop

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/mailer"
	"github.com/muniment/muniment/internal/outbox"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/dovecot"
	"github.com/muniment/muniment/internal/testkit/need"
)

// smarthostCF takes mail by TLS from those who log in, and hands it all to a sink.
const smarthostCF = `mynetworks = 192.0.2.0/24
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = %[1]s/cert.pem
smtpd_tls_key_file = %[1]s/key.pem
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = %[1]s/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
default_transport = smtp:[127.0.0.1]:%[2]s
`

// startSmarthost runs a Postfix that is a smarthost; Dovecot knows the passwords.
func startSmarthost(t *testing.T, s *sink) (*postfix, remote.Smarthost) {
	t.Helper()
	openssl := need.Program(t, "openssl")
	dir, err := os.MkdirTemp("", "sh") // the path of a socket has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil { // Postfix and Dovecot are different users
		t.Fatal(err)
	}
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	out, err := exec.Command(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout", key, "-out", cert,
		"-subj", "/CN=relay.example", "-addext", "subjectAltName=IP:127.0.0.1").CombinedOutput()
	if err != nil {
		t.Fatalf("certificate: %v\n%s", err, out)
	}
	dovecot.New(t, dovecot.Options{Settings: fmt.Sprintf("service auth {\n  unix_listener %s/auth {\n    mode = 0666\n  }\n}\n", dir)})
	_, port, _ := net.SplitHostPort(s.addr)
	p := runPostfix(t, fmt.Sprintf(smarthostCF, dir, port))
	ca, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	host, listen, _ := net.SplitHostPort(p.listen)
	n, err := strconv.Atoi(listen)
	if err != nil {
		t.Fatal(err)
	}
	return p, remote.Smarthost{Host: host, Port: n, TLS: remote.StartTLS, CA: string(ca), User: dovecot.User, From: "archiv@firma.example", Name: "Müller, Archiv"}
}

// TestSmarthost sends through a real Postfix that wants TLS and a log-in: what was
// sent arrives byte for byte behind its trace field, with the envelope as it was
// set, and what Postfix refuses is explained.
func TestSmarthost(t *testing.T) {
	t.Parallel()
	s := openSink(t)
	p, set := startSmarthost(t, s)
	sender := mailer.New("archive.example")
	text := ".\n..\n.dot\n\nGrüße aus München — ✓\n" + strings.Repeat("lange Zeile ", 200) + "\n\tTab am Anfang, Leerzeichen am Ende \n\n\n"
	to := []string{"anna@kunde.example", "bernd@kunde.example"}
	message, err := mailer.Compose(set, mailer.Letter{ID: "interop1", Date: time.Now(), To: to, Subject: "Prüfung " + strings.Repeat("ü", 100), Text: text})
	if err != nil {
		t.Fatal(err)
	}
	r := sender.Send(t.Context(), set, []byte(dovecot.Password), mailer.Envelope{From: set.From, To: to}, message)
	if r.Problem != nil || r.Answers[1].Outcome != mailer.Taken {
		t.Fatalf("%+v\n%+v\n%s", r.Problem, r, p.read())
	}
	until(t, "postfix to deliver", func() bool { return len(s.all()) == 1 })
	got := s.all()[0]
	if got.from != set.From || strings.Join(got.to, " ") != strings.Join(to, " ") {
		t.Errorf("envelope: %q to %q", got.from, got.to)
	}
	if !strings.HasPrefix(got.data, "Received: ") || !strings.HasSuffix(got.data, "\r\n"+string(message)) {
		t.Errorf("came as\n%q\nwas\n%q", got.data, message)
	}

	r = sender.Send(t.Context(), set, []byte("wrong password"), mailer.Envelope{From: set.From, To: to}, message)
	if r.Problem == nil || r.Problem.Code != remote.CodeAuth {
		t.Errorf("wrong password: %+v", r.Problem)
	}
	for code, change := range map[string]func(*remote.Smarthost){
		remote.CodeRecipient:   func(x *remote.Smarthost) { x.User = "" }, // relay access denied
		remote.CodeCertificate: func(x *remote.Smarthost) { x.CA = "" },
		remote.CodeTLS:         func(x *remote.Smarthost) { x.TLS = remote.Implicit },
		remote.CodeAuth:        func(x *remote.Smarthost) { x.TLS, x.User = remote.NoTLS, "" }, // 530 Must issue STARTTLS
	} {
		other := set
		change(&other)
		r := sender.Send(t.Context(), other, []byte(dovecot.Password), mailer.Envelope{From: set.From, To: to}, message)
		if r.Problem == nil || r.Problem.Code != code {
			t.Errorf("want %s: %+v", code, r.Problem)
		}
	}
}

// TestOutboxThroughPostfix queues mail and has the worker send it while Postfix is
// there; the program's own commands send a test mail.
func TestOutboxThroughPostfix(t *testing.T) {
	t.Parallel()
	s := openSink(t)
	_, set := startSmarthost(t, s)
	e := archivetest.New(t, archivetest.Options{})
	if err := e.SetSmarthost(t.Context(), archive.SmarthostDraft{Smarthost: set, Secret: []byte(dovecot.Password)}); err != nil {
		t.Fatal(err)
	}
	o, err := outbox.New(outbox.Config{Archive: e.Archive, Hello: "archive.example"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); o.Run(ctx) }()
	for i := range 5 {
		l := outbox.Letter{Kind: "test", Key: fmt.Sprint(i), To: []string{"anna@kunde.example"}, Subject: fmt.Sprintf("Nummer %d", i), Text: "Text\n"}
		for range 2 { // a job that runs twice
			if _, err := o.Queue(t.Context(), l); err != nil {
				t.Fatal(err)
			}
		}
	}
	until(t, "the outbox to become empty", func() bool {
		n, err := e.Catalog.OutboxCounts(t.Context())
		return err == nil && n.Sent == 5
	})
	stop()
	<-ended
	until(t, "postfix to deliver", func() bool { return len(s.all()) >= 5 })
	if n := len(s.all()); n != 5 {
		t.Errorf("%d mails arrived, want 5", n)
	}

	i := install(t)
	dir := t.TempDir()
	password, ca := filepath.Join(dir, "password"), filepath.Join(dir, "ca.pem")
	put(t, password, dovecot.Password+"\n")
	put(t, ca, set.CA)
	for _, args := range [][]string{
		{"smarthost", "set", "--host", set.Host, "--port", fmt.Sprint(set.Port), "--from", set.From, "--user", set.User, "--ca", ca, "--password-file", password},
		{"smarthost", "test", "bernd@kunde.example"},
	} {
		if r := i.run(args...); r.code != 0 {
			t.Fatalf("%s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.out, r.err)
		}
	}
	until(t, "the test mail", func() bool { return len(s.all()) == 6 })
	if got := s.all()[5]; got.from != set.From || got.to[0] != "bernd@kunde.example" {
		t.Errorf("test mail: %+v", got)
	}
}
