// Package oidcd is a provider of OpenID Connect for tests: it means well, and is badly
// wrong where a test asks for it. It is for tests only.
//
//	p := oidcd.New(t, oidcd.Options{})
//	p.Is(oidcd.Account{Subject: "1", Claims: …})  // whoever comes is this one
//	… a client that logs in at p.Issuer with p.ClientID and p.ClientSecret …
//
// With Ask, it shows a page with a button instead of sending browsers back at once.
//
//	oidcd.go  the provider as tests see it, its answers   token.go  tokens and keys
package oidcd

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// What a provider takes.
const (
	ClientID     = "muniment-test"
	ClientSecret = "Q~secret of a test"
)

// Misbehaviour is what is wrong with a provider.
type Misbehaviour string

// Misbehaviours.
const (
	AlgNone        Misbehaviour = "alg none"
	AlgHMAC        Misbehaviour = "signed with the client's secret"
	ForeignKey     Misbehaviour = "signed with a key of nobody"
	NoSignature    Misbehaviour = "a signature of another token"
	WrongIssuer    Misbehaviour = "issuer of the token"
	WrongDiscovery Misbehaviour = "issuer of the discovery document"
	SlashIssuer    Misbehaviour = "issuer with a slash"
	WrongAudience  Misbehaviour = "audience"
	ManyAudiences  Misbehaviour = "several audiences without azp"
	WrongParty     Misbehaviour = "azp"
	WrongNonce     Misbehaviour = "nonce"
	NoNonce        Misbehaviour = "no nonce"
	WrongState     Misbehaviour = "state"
	Expired        Misbehaviour = "expired"
	Future         Misbehaviour = "from the future"
	NoExpiry       Misbehaviour = "never expires"
	NoSubject      Misbehaviour = "no subject"
	NoToken        Misbehaviour = "no identity token"
	HugeDiscovery  Misbehaviour = "huge discovery document"
	Redirects      Misbehaviour = "redirects"
	Garbage        Misbehaviour = "garbage"
	Refuses        Misbehaviour = "refuses"
	Down           Misbehaviour = "answers 503"
	OtherUser      Misbehaviour = "userinfo of another subject"
	OtherIssuer    Misbehaviour = "answer of another issuer"
	PlainEndpoint  Misbehaviour = "an endpoint that is no address"
)

// Options choose what a provider is like.
type Options struct {
	Misbehave Misbehaviour
	Ask       bool // show a page with a button
}

// Account is who logs in.
type Account struct {
	Subject string
	Claims  map[string]any // besides, in the token
	Info    map[string]any // besides, only from the userinfo endpoint
}

// grant is a code that was given out.
type grant struct {
	account         Account
	nonce, redirect string
	challenge       string
}

// Server is a running provider. Its methods may be called concurrently.
type Server struct {
	Issuer, ClientID, ClientSecret string

	opts Options

	mu      sync.Mutex
	key     *ecdsa.PrivateKey
	kid     int
	account Account
	codes   map[string]grant
	n       int
}

// New starts a provider. It ends with the test.
func New(t testing.TB, opts Options) *Server {
	t.Helper()
	s := &Server{ClientID: ClientID, ClientSecret: ClientSecret, opts: opts, codes: map[string]grant{}}
	s.Rotate()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", s.discovery)
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("GET /keys", s.keys)
	mux.HandleFunc("GET /userinfo", s.userinfo)
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	s.Issuer = srv.URL
	return s
}

// Is sets who logs in from now on.
func (s *Server) Is(a Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account = a
}

func (s *Server) wrong(m Misbehaviour) bool { return s.opts.Misbehave == m }

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the client notices
}

func (s *Server) discovery(w http.ResponseWriter, r *http.Request) {
	switch {
	case s.wrong(Down):
		http.Error(w, "later", http.StatusServiceUnavailable)
		return
	case s.wrong(Garbage):
		fmt.Fprint(w, "<html>Welcome</html>")
		return
	case s.wrong(Redirects):
		http.Redirect(w, r, s.Issuer+"/.well-known/openid-configuration?again", http.StatusFound)
		return
	}
	d := map[string]any{"issuer": s.Issuer, "authorization_endpoint": s.Issuer + "/authorize", "token_endpoint": s.Issuer + "/token", "jwks_uri": s.Issuer + "/keys",
		"userinfo_endpoint": s.Issuer + "/userinfo", "response_types_supported": []string{"code"}, "subject_types_supported": []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"ES256", "none", "HS256"}, "code_challenge_methods_supported": []string{"S256"}}
	switch {
	case s.wrong(WrongDiscovery):
		d["issuer"] = "https://accounts.other.example"
	case s.wrong(SlashIssuer):
		d["issuer"] = s.Issuer + "/"
	case s.wrong(PlainEndpoint):
		d["token_endpoint"] = "nowhere"
	case s.wrong(HugeDiscovery):
		d["claims_supported"] = strings.Repeat("x", 8<<20)
	}
	answer(w, d)
}

// authorize is the page that a browser is sent to.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || q.Get("client_id") != s.ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || q.Get("state") == "" {
		http.Error(w, "invalid request", http.StatusBadRequest)
		return
	}
	if s.opts.Ask && !q.Has("yes") {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><title>Provider</title><h1>Log in?</h1><a id="yes" href="%s&amp;yes=1">Yes</a>`, html.EscapeString(r.URL.RequestURI()))
		return
	}
	s.mu.Lock()
	s.n++
	code := fmt.Sprintf("code-%d", s.n)
	s.codes[code] = grant{account: s.account, nonce: q.Get("nonce"), redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge")}
	s.mu.Unlock()
	to := url.Values{"code": {code}, "state": {q.Get("state")}}
	switch {
	case s.wrong(WrongState):
		to.Set("state", "another")
	case s.wrong(OtherIssuer):
		to.Set("iss", "https://accounts.other.example")
	case s.wrong(Refuses):
		to = url.Values{"error": {"access_denied"}, "error_description": {"<b>no</b>"}, "state": {q.Get("state")}}
	}
	back.RawQuery = to.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// token gives tokens for a code, once.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	refuse := func(code string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":%q,"error_description":"as a test wants"}`, code)
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	} else if u, err := url.QueryUnescape(secret); err == nil {
		secret = u
	}
	if id != s.ClientID || secret != s.ClientSecret {
		refuse("invalid_client")
		return
	}
	s.mu.Lock()
	g, ok := s.codes[r.PostFormValue("code")]
	delete(s.codes, r.PostFormValue("code"))
	s.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || g.redirect != r.PostFormValue("redirect_uri") || base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge {
		refuse("invalid_grant")
		return
	}
	out := map[string]any{"access_token": "access of " + g.account.Subject, "token_type": "Bearer", "expires_in": 300}
	if !s.wrong(NoToken) {
		out["id_token"] = s.identity(g)
	}
	answer(w, out)
}

func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]any{"sub": s.account.Subject}
	if s.wrong(OtherUser) {
		out["sub"] = "somebody else"
	}
	for k, v := range s.account.Info {
		out[k] = v
	}
	answer(w, out)
}

// claims are those of a token, with what is wrong with them.
func (s *Server) claims(g grant) map[string]any {
	now := time.Now()
	c := map[string]any{"iss": s.Issuer, "sub": g.account.Subject, "aud": s.ClientID, "exp": now.Add(5 * time.Minute).Unix(), "iat": now.Unix(), "nonce": g.nonce}
	for k, v := range g.account.Claims {
		c[k] = v
	}
	change := map[Misbehaviour]func(){
		WrongIssuer:   func() { c["iss"] = "https://accounts.other.example" },
		WrongAudience: func() { c["aud"] = "another" },
		ManyAudiences: func() { c["aud"] = []string{s.ClientID, "another"} },
		WrongParty:    func() { c["azp"] = "another" },
		WrongNonce:    func() { c["nonce"] = "another" },
		NoNonce:       func() { delete(c, "nonce") },
		Expired:       func() { c["exp"] = now.Add(-10 * time.Minute).Unix() },
		Future:        func() { c["iat"] = now.Add(time.Hour).Unix() },
		NoExpiry:      func() { delete(c, "exp") },
		NoSubject:     func() { delete(c, "sub") },
	}[s.opts.Misbehave]
	if change != nil {
		change()
	}
	return c
}
