package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/muniment/muniment/internal/remote"
)

// Bounds of an attempt.
const (
	// SendTime is how long an attempt may take in all.
	SendTime    = 20 * time.Second
	maxHeaders  = 32 << 10 // bytes of the headers of an answer
	maxAnswer   = 4 << 10  // bytes of an answer that are read
	answerShown = 300      // characters of it that are kept
	// MaxRetryAfter is how far an answer can put the next attempt off.
	MaxRetryAfter = 12 * time.Hour
)

// Config says where a Sender may send.
type Config struct {
	// Networks may be reached although they are private, and without TLS.
	Networks []netip.Prefix
	Roots    *x509.CertPool // nil: those of the system
	Version  string         // of this program, for receivers
}

// Sender sends. Its methods may be called concurrently.
type Sender struct {
	cfg    Config
	secure *http.Client
	inside *http.Client // for http
}

// NewSender makes a Sender. It uses no proxy, follows no redirects and checks every
// address when it connects.
func NewSender(c Config) *Sender {
	return &Sender{cfg: c, secure: c.client(true), inside: c.client(false)}
}

func (c Config) client(encrypted bool) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("address %q: %w", address, err)
		}
		if err := checkAddr(a.Addr(), encrypted, c.Networks); err != nil {
			return &coded{remote.CodeForbidden, err}
		}
		return nil
	}}
	t := &http.Transport{
		DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.Roots},
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: SendTime, MaxResponseHeaderBytes: maxHeaders,
		DisableCompression: true, DisableKeepAlives: true,
	}
	return &http.Client{Transport: t, Timeout: SendTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Message is what is sent.
type Message struct {
	URL     string
	Secrets []string // each signs
	ID      string   // the same for every attempt
	Body    []byte
}

// Result is what became of an attempt.
type Result struct {
	OK         bool
	Status     int    // of the answer; 0: there was none
	Answer     string // begin of the answer, printable
	Took       time.Duration
	RetryAfter time.Duration // the receiver wants to be left alone for so long; 0: it does not say
	Problem    *remote.Problem
}

// Send makes one attempt. at is the time of the attempt.
func (s *Sender) Send(ctx context.Context, m Message, at time.Time) Result {
	begin := time.Now()
	r, err := s.send(ctx, m, at)
	r.Took = time.Since(begin)
	if err != nil {
		r.Problem = problem(code(err), detail(err))
	}
	r.OK = r.Problem == nil
	return r
}

func (s *Sender) send(ctx context.Context, m Message, at time.Time) (r Result, err error) {
	if err := CheckURL(m.URL, s.cfg.Networks); err != nil {
		return r, &coded{remote.CodeForbidden, err}
	}
	ctx, cancel := context.WithTimeout(ctx, SendTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return r, err
	}
	signature, err := Sign(m.Secrets, m.ID, at, m.Body)
	if err != nil {
		return r, &coded{remote.CodeInternal, err}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", strings.TrimSpace("Muniment "+s.cfg.Version))
	req.Header.Set("webhook-id", m.ID)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	req.Header.Set("webhook-signature", signature)
	client := s.secure
	if req.URL.Scheme == "http" {
		client = s.inside
	}
	res, err := client.Do(req)
	if err != nil {
		return r, err
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer)) // what is said beside the status is for people
	r.Status, r.Answer = res.StatusCode, shown(body)
	r.RetryAfter = retryAfter(res.Header.Get("Retry-After"), at)
	r.Problem = judge(res)
	return r, nil
}

// judge tells what an answer means; nil: it was taken.
func judge(res *http.Response) *remote.Problem {
	switch c := res.StatusCode; {
	case c >= 200 && c < 300:
		return nil
	case c >= 300 && c < 400:
		return problem(CodeRedirect, res.Status+": "+shown([]byte(res.Header.Get("Location"))))
	case c == http.StatusGone:
		return problem(CodeGone, res.Status)
	case c >= 500 || c == http.StatusTooManyRequests:
		return problem(remote.CodeUnavailable, res.Status)
	}
	return problem(CodeRefused, res.Status)
}

// retryAfter reads the header (RFC 9110 §10.2.3).
func retryAfter(v string, now time.Time) time.Duration {
	var d time.Duration
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		d = time.Duration(n) * time.Second
	} else if t, err := http.ParseTime(v); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), MaxRetryAfter)
}

// shown keeps the begin of an answer, as one printable line.
func shown(b []byte) string {
	s := strings.Map(func(r rune) rune {
		switch {
		case r == unicode.ReplacementChar, unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(b), "?"))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > answerShown {
		return string(r[:answerShown]) + "…"
	}
	return s
}
