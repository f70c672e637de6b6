package webhook

import (
	"context"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/remote"
)

// The signature of the example in the Standard Webhooks specification's reference
// libraries.
func TestSignatureIsThatOfTheSpecification(t *testing.T) {
	t.Parallel()
	const secret, id = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
	body := []byte(`{"test": 2432232314}`)
	at := time.Unix(1614265330, 0)
	got, err := Sign([]string{secret}, id, at, body)
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; err != nil || got != want {
		t.Errorf("signature %s, want %s; %v", got, want, err)
	}
	two, err := Sign([]string{NewSecret(), secret}, id, at, body)
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(secret, id, "1614265330", two, body, at.Add(time.Minute)); err != nil {
		t.Errorf("the second of two: %v", err)
	}
	for name, err := range map[string]error{
		"another secret": Verify(NewSecret(), id, "1614265330", two, body, at),
		"another id":     Verify(secret, "msg_x", "1614265330", two, body, at),
		"another body":   Verify(secret, id, "1614265330", two, body[1:], at),
		"too old":        Verify(secret, id, "1614265330", two, body, at.Add(Tolerance+time.Second)),
		"of the future":  Verify(secret, id, "1614265330", two, body, at.Add(-Tolerance-time.Second)),
		"another time":   Verify(secret, id, "1614265331", two, body, at),
		"no time":        Verify(secret, id, "now", two, body, at),
		"another form":   Verify(secret, id, "1614265330", strings.ReplaceAll(two, "v1,", "v2,"), body, at),
	} {
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := Sign(nil, id, at, body); err == nil {
		t.Error("signed without a secret")
	}
}

// Addresses that would turn the archive against its surroundings are refused by their
// text, or when they are connected to.
func TestReach(t *testing.T) {
	t.Parallel()
	inside := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for raw, want := range map[string]struct{ open, inside bool }{
		"https://shop.example.com/hook": {true, true}, "https://192.0.2.7:8443/": {true, true}, "https://[2001:db8::1]/": {true, true},
		"http://shop.example.com/": {false, true}, // judged when it is connected to
		"http://192.0.2.7/":        {false, false}, "http://10.1.2.3/": {false, true}, "https://10.1.2.3/": {false, true}, "https://192.168.1.1/": {false, false},
		"https://127.0.0.1/": {false, false}, "https://[::1]/": {false, false}, "https://[::ffff:10.1.2.3]/": {false, true}, "https://[::ffff:127.0.0.1]/": {false, false},
		"https://localhost/": {false, true}, "https://169.254.169.254/latest/meta-data": {false, false}, "https://[64:ff9b::a9fe:a9fe]/": {false, false},
		"https://[64:ff9b::10.1.2.3]/": {false, false}, "https://[64:ff9b:1::10.1.2.3]/": {false, false}, "https://metadata.google.internal/": {false, false},
		"https://0.0.0.0/": {false, false}, "https://user:pass@shop.example.com/": {false, false}, "ftp://shop.example.com/": {false, false}, "file:///etc/passwd": {false, false},
		"https:///x": {false, false}, "https://shop.example.com/#x": {false, false}, "https://shop.example.com/a b": {false, false}, "https://shop.example.com/\r\nX: y": {false, false},
		"": {false, false}, "shop.example.com": {false, false}, "https://shop.example.com/" + strings.Repeat("x", maxURL): {false, false}, "https:shop.example.com": {false, false},
	} {
		if err := CheckURL(raw, nil); (err == nil) != want.open {
			t.Errorf("%.60q: %v", raw, err)
		}
		if err := CheckURL(raw, inside); (err == nil) != want.inside {
			t.Errorf("%.60q with 10.0.0.0/8 allowed: %v", raw, err)
		}
	}
}

// A receiver on this machine is reached only if that is allowed, whatever name leads
// there.
func TestSendJudgesTheAddressItConnectsTo(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 9)
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{} }))
	defer s.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "https://"), ":")
	m := Message{URL: "https://localhost:" + port + "/", Secrets: []string{NewSecret()}, ID: "x", Body: []byte(`{}`)}
	for _, networks := range [][]netip.Prefix{nil, {netip.MustParsePrefix("10.0.0.0/8")}} {
		r := NewSender(Config{Networks: networks}).Send(t.Context(), m, time.Now())
		if r.OK || r.Problem.Code != remote.CodeForbidden || strings.Contains(r.Problem.Detail, "127.0.0.1") || len(asked) > 0 {
			t.Errorf("with %v: %+v", networks, r.Problem)
		}
		// Of a name that nothing is known of, what it leads to is judged.
		for _, encrypted := range []bool{true, false} {
			_, err := Config{Networks: networks}.client(encrypted).Get(m.URL) //nolint:bodyclose,noctx // there is no answer
			if err == nil || code(err) != remote.CodeForbidden || len(asked) > 0 {
				t.Errorf("with %v: %v", networks, err)
			}
		}
	}
}

// receiver answers as its handler says.
func receiver(t *testing.T, f http.HandlerFunc) (*httptest.Server, *Sender) {
	t.Helper()
	s := httptest.NewTLSServer(f)
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s, NewSender(Config{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Roots: roots, Version: "1"})
}

func TestSend(t *testing.T) {
	t.Parallel()
	now := time.Now()
	m := Message{Secrets: []string{NewSecret(), NewSecret()}, ID: "06ed", Body: []byte(`{"type":"webhook.test"}`)}
	s, sender := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		for _, secret := range m.Secrets {
			if err := Verify(secret, r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), r.Header.Get("webhook-signature"), body, now); err != nil {
				t.Error(err)
			}
		}
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("User-Agent") != "Muniment 1" || string(body) != string(m.Body) {
			t.Errorf("%s %v %s", r.Method, r.Header, body)
		}
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, "thank\x00 you\r\n\x1b[31m") //nolint:errcheck // the test sees it
	})
	m.URL = s.URL + "/hook?a=b"
	r := sender.Send(t.Context(), m, now)
	if !r.OK || r.Status != http.StatusAccepted || r.Answer != "thank you [31m" {
		t.Errorf("%+v", r)
	}
}

func TestSendMeetsTrouble(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   string
		status int
		after  time.Duration
	}{
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		}, CodeRedirect, 302, 0},
		"redirect307": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, CodeRedirect, 307, 0},
		"refused": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, CodeRefused, 403, 0},
		"gone":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) }, CodeGone, 410, 0},
		"broken":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, remote.CodeUnavailable, 500, 0},
		"busy": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(429)
		}, remote.CodeUnavailable, 429, 2 * time.Minute},
		"far": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "99999999")
			w.WriteHeader(503)
		}, remote.CodeUnavailable, 503, MaxRetryAfter},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, remote.CodeConnect, 0, 0},
		"endless": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}, "", 200, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, sender := receiver(t, c.answer)
			r := sender.Send(t.Context(), Message{URL: s.URL, Secrets: []string{NewSecret()}, ID: "x", Body: []byte(`{}`)}, time.Now())
			code := ""
			if r.Problem != nil {
				code = r.Problem.Code
			}
			if code != c.code || r.Status != c.status || r.RetryAfter != c.after || r.OK != (c.code == "") || code != "" && r.Problem.Text == "" {
				t.Errorf("%+v, problem %+v", r, r.Problem)
			}
		})
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	networks := Config{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	defer tls.Close()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for url, want := range map[string]string{
		"https://" + strings.TrimPrefix(plain.URL, "http://"): remote.CodeTLS, tls.URL: remote.CodeCertificate, plain.URL: CodeRefused,
		"https://nowhere.invalid/": remote.CodeDNS,
	} {
		r := NewSender(networks).Send(t.Context(), Message{URL: url, Secrets: []string{NewSecret()}, ID: "x"}, time.Now())
		if r.OK || r.Problem.Code != want {
			t.Errorf("%s: %+v, want %s", url, r.Problem, want)
		}
	}
	if r := NewSender(networks).Send(ended, Message{URL: plain.URL, Secrets: []string{NewSecret()}, ID: "x"}, time.Now()); r.OK {
		t.Error("sent after the end")
	}
}

func TestPauses(t *testing.T) {
	t.Parallel()
	var all, last time.Duration
	n := 1
	for ; ; n++ {
		p, more := Pause(n)
		if !more {
			break
		}
		if p < last {
			t.Errorf("pause %d is shorter than the one before", n)
		}
		all, last = all+p, p
	}
	if all < 3*24*time.Hour || all > 4*24*time.Hour {
		t.Errorf("%d attempts in %s", n, all)
	}
	if _, more := Pause(0); more {
		t.Error("a pause before the first attempt")
	}
}

// FuzzAnswer: whatever a receiver answers, what is kept is one short printable line.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{"", "ok", "\x00\xff\r\n", strings.Repeat("ä", 400)} {
		f.Add([]byte(s), s)
	}
	f.Fuzz(func(t *testing.T, body []byte, header string) {
		s := shown(body)
		if len([]rune(s)) > answerShown+1 || strings.ContainsAny(s, "\r\n\x00\x1b") {
			t.Errorf("%q", s)
		}
		if d := retryAfter(header, time.Now()); d < 0 || d > MaxRetryAfter {
			t.Errorf("Retry-After %q: %s", header, d)
		}
	})
}
