package oauth

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/oauthd"
)

// brief is a client for servers that do not answer.
func brief() *Client { return New(Config{AllowPrivate: true, Timeout: 500 * time.Millisecond}) }

func appOf(s *oauthd.Server) App {
	return App{Provider: remote.Microsoft, Directory: s.Directory, ClientID: s.ClientID, Authority: s.URL, Scopes: []string{"https://outlook.office365.com/.default"}}
}

// memory is a Store.
type memory struct {
	mu     sync.Mutex
	secret []byte
	fails  error
	swaps  int
}

func (m *memory) Load(context.Context) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.secret), nil
}

func (m *memory) Swap(_ context.Context, old, now []byte) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails != nil {
		return false, m.fails
	}
	if !bytes.Equal(m.secret, old) {
		return false, nil
	}
	m.swaps++
	m.secret = bytes.Clone(now)
	return true, nil
}

func codeOf(t *testing.T, err error) string {
	t.Helper()
	var e *Error
	if err != nil && !errors.As(err, &e) {
		t.Fatalf("%v is no *Error", err)
	}
	if e == nil {
		return ""
	}
	if strings.Contains(e.Error(), oauthd.ClientSecret) {
		t.Errorf("%v holds the secret", e)
	}
	return e.Code
}

// Whatever the log-in server does, there is a token or a plain code, soon, and what
// passes is waited out by asking again.
func TestTokenMisbehaviour(t *testing.T) {
	t.Parallel()
	for m, want := range map[oauthd.Misbehaviour]string{
		"":                      "",
		oauthd.WrongSecret:      remote.CodeClientSecret,
		oauthd.ExpiredSecret:    remote.CodeClientSecret,
		oauthd.NoConsent:        remote.CodeConsent,
		oauthd.UnknownDirectory: remote.CodeDirectory,
		oauthd.UnknownClient:    remote.CodeClient,
		oauthd.NoExchange:       remote.CodeLicence,
		oauthd.NotAssigned:      remote.CodeNotAssigned,
		oauthd.InvalidScope:     remote.CodeScope,
		oauthd.Redirects:        remote.CodeAuthority,
		oauthd.NoToken:          remote.CodeAuthority,
		oauthd.HTMLForGood:      remote.CodeAuthority,
		oauthd.HugeAnswer:       remote.CodeAuthority,
		oauthd.SlowDrip:         remote.CodeTimeout,
		oauthd.Silent:           remote.CodeTimeout,
		oauthd.Throttles:        remote.CodeThrottled,
		oauthd.Unavailable:      remote.CodeUnavailable,
		oauthd.HTMLOnce:         remote.CodeAuthority,
		oauthd.CutOff:           remote.CodeConnect,
		oauthd.ShortLived:       "",
	} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			s := oauthd.New(t, oauthd.Options{Misbehave: []oauthd.Misbehaviour{m}})
			began := time.Now()
			_, err := brief().ByClient(t.Context(), appOf(s), []byte(s.ClientSecret))
			if got := codeOf(t, err); got != want {
				t.Errorf("%q (%v), want %q", got, err, want)
			}
			if d := time.Since(began); d > 5*time.Second {
				t.Errorf("it took %v", d)
			}
			var e *Error
			if errors.As(err, &e) && e.Passing() {
				s.Behave()
				if _, err := brief().ByClient(t.Context(), appOf(s), []byte(s.ClientSecret)); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			}
		})
	}
}

func TestWrongSettings(t *testing.T) {
	t.Parallel()
	s := oauthd.New(t, oauthd.Options{})
	a := appOf(s)
	for name, c := range map[string]struct {
		client *Client
		change func(*App)
		secret string
		want   string
	}{
		"wrong secret":      {brief(), func(*App) {}, "another", remote.CodeClientSecret},
		"wrong client":      {brief(), func(a *App) { a.ClientID = "x" }, s.ClientSecret, remote.CodeClientSecret},
		"another directory": {brief(), func(a *App) { a.Directory = "fabrikam.example" }, s.ClientSecret, remote.CodeDirectory},
		"private network":   {New(Config{}), func(*App) {}, s.ClientSecret, remote.CodeAuthority},
		"nobody there":      {brief(), func(a *App) { a.Authority = "http://127.0.0.1:1" }, s.ClientSecret, remote.CodeConnect},
		"metadata":          {brief(), func(a *App) { a.Authority = "https://169.254.169.254" }, s.ClientSecret, remote.CodeAuthority},
		"no https":          {brief(), func(a *App) { a.Authority = "http://login.example" }, s.ClientSecret, remote.CodeAuthority},
		"no service account": {brief(), func(a *App) { a.Provider = remote.Google },
			"just a word", remote.CodeClientSecret},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mine := a
			c.change(&mine)
			_, err := c.client.ByClient(t.Context(), mine, []byte(c.secret))
			if got := codeOf(t, err); got != c.want {
				t.Errorf("%q (%v), want %q", got, err, c.want)
			}
		})
	}
}

func TestDeviceCode(t *testing.T) {
	t.Parallel()
	for m, want := range map[oauthd.Misbehaviour]string{
		"": "", oauthd.Declines: remote.CodeCodeDeclined, oauthd.CodeExpires: remote.CodeCodeExpired, oauthd.NoRefresh: remote.CodeScope,
		oauthd.SlowsDown: "", oauthd.NoCode: remote.CodeAuthority, oauthd.EvilURL: remote.CodeAuthority,
	} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			s := oauthd.New(t, oauthd.Options{Misbehave: []oauthd.Misbehaviour{m}})
			code, err := brief().Begin(t.Context(), appOf(s), "")
			if err == nil {
				s.Approve(code.Code)
				var g Grant
				if g, _, err = brief().Await(t.Context(), code); err == nil && !s.Takes(g.Refresh) {
					t.Errorf("grant %+v", g)
				}
			}
			if got := codeOf(t, err); got != want {
				t.Errorf("%q (%v), want %q", got, err, want)
			}
		})
	}
}

// Trouble while somebody types the code does not end the log-in.
func TestTroubleWhileWaiting(t *testing.T) {
	t.Parallel()
	for _, m := range []oauthd.Misbehaviour{oauthd.Throttles, oauthd.Unavailable, oauthd.HTMLOnce, oauthd.CutOff} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			s := oauthd.New(t, oauthd.Options{})
			code, err := brief().Begin(t.Context(), appOf(s), "")
			if err != nil {
				t.Fatal(err)
			}
			s.Misbehave(m)
			s.Approve(code.Code)
			ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
			defer stop()
			if g, _, err := brief().Await(ctx, code); err != nil || !s.Takes(g.Refresh) {
				t.Error(g, err)
			}
		})
	}
}

func TestCodeIsBounded(t *testing.T) {
	t.Parallel()
	s := oauthd.New(t, oauthd.Options{Misbehave: []oauthd.Misbehaviour{oauthd.LongCode}})
	code, err := brief().Begin(t.Context(), appOf(s), "")
	if err != nil || time.Until(code.Expires) > longestCode || code.answer.Interval > longestInterval {
		t.Errorf("%+v, %v", code, err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, _, err := brief().Await(ctx, code); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for v, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "-3": 0, "99999999": time.Hour, "Sun, 01 Mar 2026 12:00:30 GMT": 30 * time.Second,
		"Sun, 01 Mar 2026 11:00:30 GMT": 0, "soon": 0, "99999999999999999999": 0} {
		if got := RetryAfter(map[string][]string{"Retry-After": {v}}, now); got != want {
			t.Errorf("%q is %v, want %v", v, got, want)
		}
	}
}
