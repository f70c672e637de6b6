package smtp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"

	"github.com/muniment/muniment/internal/archive"
)

// withTLS gives the door a self-made certificate.
func withTLS(t *testing.T) func(*Config) {
	t.Helper()
	conf, selfMade, err := ServerTLS(CertificateConfig{Dir: filepath.Join(t.TempDir(), "tls"), Hostname: "mx.test"})
	if err != nil || !selfMade {
		t.Fatalf("certificate: %v, self-made %v", err, selfMade)
	}
	return func(c *Config) { c.TLS = conf }
}

// trusting is what a client needs to talk to a self-made certificate.
func trusting() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// The client of a library, written by others, gets along with the door.
func TestLibraryClient(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	tlsOn := withTLS(t)
	_, addr := start(t, f, func(c *Config) {
		tlsOn(c)
		c.RequireTLS = true
		c.Authenticate = Passwords(map[string]string{"relay": "open sesame"})
	})
	c, err := gosmtp.DialStartTLS(addr, trusting())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Auth(sasl.NewPlainClient("", "relay", "open sesame")); err != nil {
		t.Fatal(err)
	}
	want := "Subject: grüß\r\n\r\n.leading dot\r\n..two\r\n" + strings.Repeat("long ", 30_000) + "\r\n"
	if err := c.Mail("jürgen@müller.example", &gosmtp.MailOptions{UTF8: true, Body: gosmtp.Body8BitMIME, Size: int64(len(want))}); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt(alice, nil); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(want)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), c.Quit()); err != nil {
		t.Fatal(err)
	}
	if m := only(t, f); string(m.data) != want || m.sub.EnvelopeFrom != "jürgen@müller.example" {
		t.Errorf("stored %.100q from %q", m.data, m.sub.EnvelopeFrom)
	}
}

func TestLibraryClientSpeaksLMTP(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	f.ingest = func(_ context.Context, s archive.Submission) error {
		if s.Source == f.sources[bob].ID {
			return archive.ErrBusy
		}
		return nil
	}
	_, addr := start(t, f, func(c *Config) { c.LMTP = true })
	c := gosmtp.NewClientLMTP(dial(t, addr).conn)
	if err := errors.Join(c.Mail("a@b.example", nil), c.Rcpt(alice, nil), c.Rcpt(bob, nil)); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x\r\n")); err != nil {
		t.Fatal(err)
	}
	var failed gosmtp.LMTPDataError
	if _, err := w.CloseWithLMTPResponse(); !errors.As(err, &failed) || len(failed) != 1 || failed[bob].Code != 452 {
		t.Errorf("failed %v", err)
	}
	if m := only(t, f); m.sub.Source != f.sources[alice].ID {
		t.Errorf("stored for %v", m.sub.Source)
	}
}

// secure says STARTTLS and returns the protected connection.
func secure(t *testing.T, c *talk) *talk {
	t.Helper()
	c.cmd("STARTTLS", "220 ")
	conn := tls.Client(c.conn, trusting())
	if err := conn.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return over(t, conn)
}

func TestStartTLS(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	tlsOn := withTLS(t)
	_, addr := start(t, f, func(c *Config) { tlsOn(c); c.RequireTLS = true })
	c := hello(t, addr)
	c.cmd("MAIL FROM:<a@b>", "530 5.7.0")
	c.cmd("STARTTLS now", "501")
	s := secure(t, c)
	s.cmd("MAIL FROM:<a@b>", "503 5.5.1 say hello") // what was said before does not count
	if got := s.cmd("EHLO x", "250 "); strings.Contains(got, "STARTTLS") {
		t.Errorf("offered again: %q", got)
	}
	s.cmd("STARTTLS", "503")
	s.envelope(alice)
	s.cmd("DATA", "354 ")
	s.cmd("x\r\n.", "250 ")
	if m := only(t, f); string(m.data) != "x\r\n" {
		t.Errorf("stored %q", m.data)
	}
}

// Commands that were sent before the handshake in the clear must not be obeyed
// after it.
func TestNothingMayFollowStartTLS(t *testing.T) {
	t.Parallel()
	_, addr := start(t, newFakeArchive(), withTLS(t))
	c := hello(t, addr)
	c.send("STARTTLS\r\nMAIL FROM:<evil@example.org>\r\n")
	c.expect("421 4.7.0")
	c.expectEnd()
}

func TestFailedHandshakeEndsTheConnection(t *testing.T) {
	t.Parallel()
	_, addr := start(t, newFakeArchive(), withTLS(t))
	c := hello(t, addr)
	c.cmd("STARTTLS", "220 ")
	c.send("MAIL FROM:<in the clear>\r\n")
	var rest bytes.Buffer
	rest.ReadFrom(c.r) //nolint:errcheck // a reset is an end as well
	if strings.Contains(rest.String(), "250") {
		t.Errorf("answered %q", rest.String())
	}
}

func TestImplicitTLS(t *testing.T) {
	t.Parallel()
	tlsOn := withTLS(t)
	_, addr := start(t, newFakeArchive(), func(c *Config) { tlsOn(c); c.ImplicitTLS = true })
	conn, err := tls.Dial("tcp", addr, trusting())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := over(t, conn)
	c.expect("220 ")
	if got := c.cmd("EHLO x", "250 "); strings.Contains(got, "STARTTLS") {
		t.Errorf("offered: %q", got)
	}
}

func TestCertificateIsKeptAndRenewed(t *testing.T) {
	t.Parallel()
	cfg := CertificateConfig{Dir: t.TempDir(), Hostname: "mx.test"}
	serial := func(cfg CertificateConfig) string {
		t.Helper()
		conf, _, err := ServerTLS(cfg)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := conf.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return cert.Leaf.SerialNumber.String()
	}
	first := serial(cfg)
	if second := serial(cfg); second != first {
		t.Error("a valid certificate was replaced")
	}
	cfg.Hostname = "other.test"
	if third := serial(cfg); third == first {
		t.Error("the certificate of another host name was kept")
	}
	if _, _, err := ServerTLS(CertificateConfig{CertFile: "/does/not/exist", KeyFile: "/neither"}); err == nil {
		t.Error("no error for missing files")
	}
}

func TestAuth(t *testing.T) {
	t.Parallel()
	broken := errors.New("no directory")
	users := Passwords(map[string]string{"relay": "secret", "nul": ""})
	s, addr := start(t, newFakeArchive(), func(c *Config) {
		c.Authenticate = func(ctx context.Context, user, password string) (bool, error) {
			if user == "down" {
				return false, broken
			}
			return users(ctx, user, password)
		}
	})
	plain := func(s string) string { return "AUTH PLAIN " + base64String(s) }
	tests := []struct {
		name   string
		script []string
	}{
		{"needed", []string{"MAIL FROM:<a@b>", "530 5.7.0"}},
		{"plain at once", []string{plain("\x00relay\x00secret"), "235 ", "MAIL FROM:<a@b>", "250 "}},
		{"plain asked", []string{"AUTH PLAIN", "334 ", base64String("\x00relay\x00secret"), "235 "}},
		{"login", []string{"AUTH login", "334 VXNlcm5hbWU6", base64String("relay"), "334 UGFzc3dvcmQ6", base64String("secret"), "235 "}},
		{"wrong password", []string{plain("\x00relay\x00Secret"), "535 5.7.8", "MAIL FROM:<a@b>", "530 "}},
		{"wrong user", []string{plain("\x00nobody\x00secret"), "535 5.7.8"}},
		{"unknown user, empty password", []string{plain("\x00nobody\x00"), "535 5.7.8"}},
		{"no user", []string{plain("\x00\x00"), "535 5.7.8"}},
		{"cancelled", []string{"AUTH PLAIN", "334 ", "*", "501 5.5.2", "NOOP", "250 "}},
		{"not base64", []string{"AUTH PLAIN ?", "501 5.5.2"}},
		{"too few parts", []string{plain("relay"), "501 5.5.2"}},
		{"unknown mechanism", []string{"AUTH CRAM-MD5", "504 5.5.4"}},
		{"twice", []string{plain("\x00relay\x00secret"), "235 ", plain("\x00relay\x00secret"), "503 "}},
		{"trouble is temporary", []string{plain("\x00down\x00x"), "454 4.7.0", plain("\x00relay\x00secret"), "235 "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := hello(t, addr)
			for i := 0; i < len(tt.script); i += 2 {
				c.cmd(tt.script[i], tt.script[i+1])
			}
		})
	}
	if st := s.Stats(); st.AuthFailed != 4 {
		t.Errorf("stats %+v", st)
	}
}

// Guessing passwords ends the connection.
func TestGuessingIsCutOff(t *testing.T) {
	t.Parallel()
	_, addr := start(t, newFakeArchive(), func(c *Config) {
		c.Authenticate = Passwords(nil)
		c.Limits.Errors = 3
	})
	c := hello(t, addr)
	guess := "AUTH PLAIN " + base64String("\x00relay\x00guess")
	c.cmd(guess, "535 ")
	c.cmd(guess, "535 ")
	c.cmd(guess, "421 4.7.0 too many errors")
	c.expectEnd()
}

// A password must not be asked for in the clear by anybody but this machine.
func TestAuthNeedsTLS(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Archive: newFakeArchive(), Spool: testSpool(t), Hostname: "x", Authenticate: Passwords(nil)})
	if err != nil {
		t.Fatal(err)
	}
	for peer, want := range map[string]bool{"192.0.2.1": false, "2001:db8::1": false, "127.0.0.1": true, "::1": true} {
		c := &session{s: s, peer: netip.MustParseAddr(peer)}
		if got := c.mayAuth(); got != want {
			t.Errorf("%s: %v", peer, got)
		}
		c.tls = true
		if !c.mayAuth() {
			t.Errorf("%s: not even over TLS", peer)
		}
	}
}

func TestShutdownLetsAMessageBeFinished(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	s, addr := start(t, f, nil)
	busy, idle := hello(t, addr), hello(t, addr)
	busy.envelope(alice)
	busy.cmd("DATA", "354 ")
	busy.send("first half\r\n")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(ctx) }()
	idle.expect("421 4.3.2")
	idle.expectEnd()
	busy.send("second half\r\n.\r\n")
	busy.expect("250 ")
	busy.expect("421 4.3.2")
	if err := <-down; err != nil {
		t.Error(err)
	}
	if m := only(t, f); string(m.data) != "first half\r\nsecond half\r\n" {
		t.Errorf("stored %q", m.data)
	}
}

func TestShutdownThatLosesPatienceAcknowledgesNothing(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	started := make(chan struct{})
	f.ingest = func(ctx context.Context, _ archive.Submission) error {
		close(started)
		<-ctx.Done()
		return ctx.Err()
	}
	s, addr := start(t, f, nil)
	c := hello(t, addr)
	c.envelope(alice)
	c.cmd("DATA", "354 ")
	c.send("x\r\n.\r\n")
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown returned %v", err)
	}
	var rest bytes.Buffer
	rest.ReadFrom(c.r) //nolint:errcheck // a reset is an end as well
	if strings.Contains(rest.String(), "250") || len(f.take()) != 0 {
		t.Errorf("answered %q", rest.String())
	}
}
