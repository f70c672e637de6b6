// Package oauthd is a log-in server of Microsoft's or Google's kind, and a Graph
// server, for tests: always a little odd, and badly wrong where a test asks for it.
// It knows what clients of this project need: client credentials, service accounts,
// device codes and refresh tokens; of Graph users, folders, messages and their
// MIME. It is for tests only.
//
//	s := oauthd.New(t, oauthd.Options{})
//	… a client that logs in at s.URL with s.ClientID and s.ClientSecret …
//	s.Approve(code)                  // somebody enters a device code
//	box := s.Mailbox("a@x.example")  // what Graph shows
//
// All answers carry members nobody asked for. What else can be wrong is in
// misbehave.go, one constant for each.
//
//	oauthd.go     the server as tests see it     misbehave.go  what can be wrong
//	token.go      tokens and codes               graph.go      users, folders, pages
//	message.go    MIME
package oauthd

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// What a server takes.
const (
	Directory    = "contoso.example"
	ClientID     = "11111111-2222-3333-4444-555555555555"
	ClientSecret = "Q~a-secret-of-a-test"
)

// Options choose what the server is like; the zero value means well.
type Options struct {
	Misbehave []Misbehaviour
	Lifetime  time.Duration // of access tokens; 0: an hour
	// Access makes the nth access token (from 1); nil: "access-n".
	Access func(n int) string
	Page   int // messages on a page of Graph's; 0: 3
}

// Server is a running server. Its methods may be called concurrently.
type Server struct {
	URL                               string
	Directory, ClientID, ClientSecret string

	opts Options

	mu       sync.Mutex
	wrong    map[Misbehaviour]int // how often still; negative: always
	asked    []string
	tokens   int
	valid    map[string]time.Time // access tokens
	refresh  map[string]bool      // refresh tokens that are taken
	codes    map[string]*code     // by device code
	boxes    []*Box
	rotation int
}

// New starts a server. It ends with the test.
func New(t testing.TB, opts Options) *Server {
	t.Helper()
	if opts.Lifetime == 0 {
		opts.Lifetime = time.Hour
	}
	if opts.Page == 0 {
		opts.Page = 3
	}
	s := &Server{Directory: Directory, ClientID: ClientID, ClientSecret: ClientSecret, opts: opts, wrong: map[Misbehaviour]int{},
		valid: map[string]time.Time{}, refresh: map[string]bool{}, codes: map[string]*code{}}
	for _, m := range opts.Misbehave {
		s.wrong[m] = times(m)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{directory}/oauth2/v2.0/token", s.token)
	mux.HandleFunc("POST /{directory}/oauth2/v2.0/devicecode", s.device)
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("POST /device/code", s.device)
	s.graph(mux)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.Method+" "+r.URL.Path)
		s.mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		h.CloseClientConnections()
		h.Close()
	})
	s.URL = h.URL
	return s
}

// Asked lists the requests so far: "POST /token".
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// Behave ends all misbehaviour.
func (s *Server) Behave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.wrong)
}

// Forget makes all access tokens so far worth nothing.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.valid)
}

// Revoke ends all log-ins of people.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.refresh)
}

// Grant makes a log-in of somebody and returns its refresh token.
func (s *Server) Grant() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newRefresh()
}

// Takes reports whether a refresh token still counts.
func (s *Server) Takes(refresh string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refresh[refresh]
}

// newRefresh needs the lock.
func (s *Server) newRefresh() string {
	s.rotation++
	r := fmt.Sprintf("refresh-token-%d", s.rotation)
	s.refresh[r] = true
	return r
}

// is reports whether something is to be done wrong now, and counts it.
func (s *Server) is(m Misbehaviour) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.wrong[m]
	if n > 0 {
		s.wrong[m] = n - 1
		if n == 1 {
			delete(s.wrong, m)
		}
	}
	return n != 0
}

func answer(w http.ResponseWriter, status int, v map[string]any) {
	v["odd_member"] = []any{nil, 1.5e3, map[string]any{"x": "ü"}}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}

// Misbehave begins something that is wrong.
func (s *Server) Misbehave(m Misbehaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong[m] = times(m)
}
