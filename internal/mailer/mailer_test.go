package mailer

import (
	"bytes"
	"errors"
	"mime"
	"net"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/setting"
	"github.com/muniment/muniment/internal/testkit/smtpd"
)

// What is sent arrives byte for byte, and envelope and From are what is set.
func TestSend(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options smtpd.Options
		tls     string
		change  func(*smtpd.Server, *remote.Smarthost)
	}{
		"STARTTLS with a CA":       {smtpd.Options{}, remote.StartTLS, nil},
		"TLS from the first byte":  {smtpd.Options{ImplicitTLS: true, NeedAuth: true}, remote.Implicit, nil},
		"LOGIN":                    {smtpd.Options{Auth: "LOGIN", NeedAuth: true}, remote.StartTLS, nil},
		"without TLS":              {smtpd.Options{NeedAuth: true}, remote.NoTLS, nil},
		"without a log-in":         {smtpd.Options{}, remote.StartTLS, func(_ *smtpd.Server, s *remote.Smarthost) { s.User = "" }},
		"by name":                  {smtpd.Options{}, remote.StartTLS, func(_ *smtpd.Server, s *remote.Smarthost) { s.Host = "localhost" }},
		"a pinned certificate":     {smtpd.Options{Misbehave: []smtpd.Misbehaviour{smtpd.Expired}}, remote.StartTLS, func(x *smtpd.Server, s *remote.Smarthost) { s.CA, s.Pin = "", x.Pin() }},
		"pinned, for another host": {smtpd.Options{ImplicitTLS: true, Misbehave: []smtpd.Misbehaviour{smtpd.WrongHost}}, remote.Implicit, func(x *smtpd.Server, s *remote.Smarthost) { s.CA, s.Pin = "", strings.ToUpper(x.Pin()) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := smtpd.New(t, c.options)
			set := settings(t, server, c.tls)
			if c.change != nil {
				c.change(server, &set)
			}
			env := Envelope{From: from, To: []string{"anna@example.com", "bernd@example.com"}}
			message := letter(t, set, env.To...)
			r := quick().Send(t.Context(), set, []byte(smtpd.Password), env, message)
			if r.Problem != nil || !r.Reached || r.Answers[1].Outcome != Taken || r.Answers[1].Text != "2.0.0 queued as 1" {
				t.Fatalf("%+v %+v", r.Problem, r)
			}
			got := server.Mails()
			if len(got) != 1 || got[0].Data != string(message) || got[0].From != from || !slices.Equal(got[0].To, env.To) {
				t.Errorf("the server has %+v", got)
			}
			if got[0].Encrypted != (c.tls != remote.NoTLS) || got[0].LoggedIn != (set.User != "") {
				t.Errorf("encrypted %v, logged in %v", got[0].Encrypted, got[0].LoggedIn)
			}
			if (r.Certificate != "") != (c.tls != remote.NoTLS) || r.Certificate != "" && r.Certificate != server.Pin() {
				t.Errorf("certificate %q", r.Certificate)
			}
		})
	}
}

func TestWrongPin(t *testing.T) {
	t.Parallel()
	server := smtpd.New(t, smtpd.Options{})
	set := settings(t, server, remote.StartTLS)
	set.Pin = strings.Repeat("ab", 32)
	r := quick().Test(t.Context(), Trial{Set: set, Secret: []byte(smtpd.Password)})
	if r.OK || r.Problem.Code != remote.CodeCertificate || r.Certificate != server.Pin() {
		t.Errorf("%+v %+v", r, r.Problem)
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	ln.Close()
	for code, set := range map[string]remote.Smarthost{
		remote.CodeConnect:  {Host: "127.0.0.1", Port: port, TLS: remote.StartTLS, From: from},
		remote.CodeDNS:      {Host: "nobody.invalid", TLS: remote.StartTLS, From: from},
		remote.CodeInternal: {Host: "x", TLS: remote.StartTLS, From: "not an address"},
	} {
		r := quick().Test(t.Context(), Trial{Set: set, To: "anna@example.com", ID: "x"})
		if r.OK || r.Problem.Code != code || r.Problem.Text == "" {
			t.Errorf("%s: %+v", code, r.Problem)
		}
	}
}

func TestTrial(t *testing.T) {
	t.Parallel()
	server := smtpd.New(t, smtpd.Options{})
	set := settings(t, server, remote.StartTLS)
	if r := quick().Test(t.Context(), Trial{Set: set, Secret: []byte(smtpd.Password)}); !r.OK || len(server.Mails()) != 0 {
		t.Errorf("without a mail: %+v, %d mails", r, len(server.Mails()))
	}
	r := quick().Test(t.Context(), Trial{Set: set, Secret: []byte(smtpd.Password), To: "anna@example.com", Language: "de", ID: "test1", At: time.Now()})
	var steps []string
	for _, s := range r.Steps {
		steps = append(steps, s.What)
	}
	if got := strings.Join(steps, " "); !r.OK || got != "connect greeting tls login sender recipient message" {
		t.Errorf("%+v; steps %s", r, got)
	}
	if m := server.Mails(); len(m) != 1 || !strings.Contains(m[0].Data, "Subject: Testnachricht von Muniment\r\n") || !strings.Contains(m[0].Data, "Message-ID: <test1@firma.example>\r\n") {
		t.Errorf("mails: %+v", m)
	}
}

func TestCompose(t *testing.T) {
	t.Parallel()
	set := remote.Smarthost{Host: "x", TLS: remote.StartTLS, From: from, Name: "Müller, Archiv"}
	raw := letter(t, set, "anna@example.com", "bernd@example.com")
	if !bytes.Equal(raw, letter(t, set, "anna@example.com", "bernd@example.com")) {
		t.Error("the same letter makes other bytes")
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	list, err := m.Header.AddressList("From")
	if err != nil || len(list) != 1 || list[0].Address != from || list[0].Name != set.Name {
		t.Errorf("From: %v, %v", list, err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "Grüße" || m.Header.Get("Message-Id") != "<id1@firma.example>" || m.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("header: %v", m.Header)
	}
}

// Nobody can put a header field in, whatever a letter says: it is an error, or it is
// text.
func TestInjection(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"\r\n", "\n", "\r", "Bcc: evil@example.com", "\x00", "a@example.com", "é", "<", ">", " ", "\"", "\r\n\r\n", "=?utf-8?q?=0D=0ABcc:?="}))
		text := func(name string) string { return strings.Join(rapid.SliceOfN(piece, 0, 5).Draw(t, name), "") }
		set := remote.Smarthost{Host: "x", TLS: remote.StartTLS, From: from, Name: text("name")}
		to := []string{"anna@example.com"}
		if rapid.Bool().Draw(t, "odd recipient") {
			to = []string{text("to")}
		}
		raw, err := Compose(set, Letter{ID: "id1", Date: time.Unix(0, 0), To: to, Subject: text("subject"), Text: text("text")})
		if err != nil {
			return
		}
		m, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("%v in %q", err, raw)
		}
		want := []string{"Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}
		for field := range m.Header {
			if !slices.Contains(want, field) {
				t.Fatalf("field %s in %q", field, raw)
			}
		}
		if list, err := m.Header.AddressList("From"); err != nil || len(list) != 1 || list[0].Address != from {
			t.Fatalf("From is %v, %v in %q", list, err, raw)
		}
		if err := CheckMessage(Envelope{From: from, To: to}, raw); err != nil {
			t.Fatal(err)
		}
	})
}

func TestCheckMessage(t *testing.T) {
	t.Parallel()
	good := Envelope{From: from, To: []string{"anna@example.com"}}
	many := Envelope{From: from}
	for range MaxRecipients + 1 {
		many.To = append(many.To, "anna@example.com")
	}
	for name, c := range map[string]struct {
		env     Envelope
		message string
	}{
		"bare LF":             {good, "Subject: x\n\r\n\r\n"},
		"bare CR":             {good, "Subject: x\r\r\n"},
		"NUL":                 {good, "Subject: x\x00\r\n"},
		"8 bit":               {good, "Subject: é\r\n"},
		"no end":              {good, "Subject: x"},
		"long line":           {good, strings.Repeat("x", maxLine+1) + "\r\n"},
		"too large":           {good, strings.Repeat("x\r\n", MaxMessage/3+1)},
		"nobody":              {Envelope{From: from}, "x\r\n"},
		"too many":            {many, "x\r\n"},
		"odd recipient":       {Envelope{From: from, To: []string{"anna@example.com> BODY=8BITMIME\r\nRCPT TO:<x@example.com"}}, "x\r\n"},
		"recipient with name": {Envelope{From: from, To: []string{"Anna <anna@example.com>"}}, "x\r\n"},
		"umlaut":              {Envelope{From: from, To: []string{"änna@example.com"}}, "x\r\n"},
		"no sender":           {Envelope{To: good.To}, "x\r\n"},
	} {
		if err := CheckMessage(c.env, []byte(c.message)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := CheckMessage(good, []byte("Subject: x\r\n\r\n"+strings.Repeat("x", maxLine)+"\r\n")); err != nil {
		t.Error(err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	good := remote.Smarthost{Host: "mail.example.com", TLS: remote.StartTLS, From: from}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for field, change := range map[string]func(*remote.Smarthost){
		"host": func(s *remote.Smarthost) { s.Host = "mail:25" }, "port": func(s *remote.Smarthost) { s.Port = 70000 },
		"tls": func(s *remote.Smarthost) { s.TLS = remote.Auto }, "pin": func(s *remote.Smarthost) { s.Pin = "abc" },
		"ca": func(s *remote.Smarthost) { s.CA = "x" }, "user": func(s *remote.Smarthost) { s.User = "a\r\nb" },
		"from": func(s *remote.Smarthost) { s.From = "Archiv <a@example.com>" }, "name": func(s *remote.Smarthost) { s.Name = "a\nb" },
	} {
		bad := good
		change(&bad)
		var e *setting.Error
		if err := bad.Check(); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
