package oauthd

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// code is a device code.
type code struct {
	user               string
	approved, declined bool
}

// Approve is somebody who enters a code and agrees. False: there is none.
func (s *Server) Approve(user string) bool {
	return s.decide(user, func(c *code) { c.approved = true })
}

// Decline is somebody who enters a code and says no.
func (s *Server) Decline(user string) bool {
	return s.decide(user, func(c *code) { c.declined = true })
}

func (s *Server) decide(user string, do func(*code)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.codes {
		if c.user == user {
			do(c)
			return true
		}
	}
	return false
}

// refuse says no in Microsoft's way.
func refuse(w http.ResponseWriter, word string, m Misbehaviour) {
	answer(w, http.StatusBadRequest, map[string]any{"error": word,
		"error_description": fmt.Sprintf("%s: as the test wants it. Trace ID: 0815", m), "error_codes": []string{strings.TrimPrefix(string(m), "AADSTS")}})
}

// token is the token endpoint.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if s.troubled(w, r) {
		return
	}
	for m, word := range map[Misbehaviour]string{WrongSecret: "invalid_client", ExpiredSecret: "invalid_client", NoConsent: "invalid_grant",
		UnknownDirectory: "invalid_request", UnknownClient: "unauthorized_client", NoExchange: "invalid_resource", NotAssigned: "invalid_grant", InvalidScope: "invalid_scope"} {
		if s.is(m) {
			refuse(w, word, m)
			return
		}
	}
	if d := r.PathValue("directory"); d != "" && d != s.Directory && d != "organizations" {
		refuse(w, "invalid_request", UnknownDirectory)
		return
	}
	switch r.FormValue("grant_type") {
	case "client_credentials":
		if r.FormValue("client_id") != s.ClientID || r.FormValue("client_secret") != s.ClientSecret || !strings.HasSuffix(r.FormValue("scope"), "/.default") {
			refuse(w, "invalid_client", WrongSecret)
			return
		}
		s.issue(w, "")
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		if strings.Count(r.FormValue("assertion"), ".") != 2 {
			refuse(w, "invalid_grant", "no assertion")
			return
		}
		s.issue(w, "")
	case "refresh_token":
		s.renew(w, r)
	case "urn:ietf:params:oauth:grant-type:device_code":
		s.poll(w, r)
	default:
		refuse(w, "unsupported_grant_type", "no such grant")
	}
}

// troubled is trouble that does not depend on the question.
func (s *Server) troubled(w http.ResponseWriter, r *http.Request) bool {
	if err := r.ParseForm(); err != nil { // also lets the server see that a client has gone
		http.Error(w, "no form", http.StatusBadRequest)
		return true
	}
	switch {
	case s.anything(w, r, HugeAnswer, Redirects):
	case s.is(Silent):
		select {
		case <-r.Context().Done():
		case <-time.After(30 * time.Second):
		}
	case s.is(SlowDrip):
		drip(w, r)
	case s.is(HTMLForGood), s.is(HTMLOnce):
		html(w)
	case s.is(Throttles):
		w.Header().Set("Retry-After", "1")
		answer(w, http.StatusTooManyRequests, map[string]any{"error": "temporarily_unavailable"})
	case s.is(Unavailable):
		http.Error(w, "try later", http.StatusServiceUnavailable)
	case s.is(CutOff):
		w.Header().Set("Content-Type", "application/json")
		half(w, []byte(`{"access_token":"a","token_type":"Bearer","expires_in":3600,"refresh_token":"b"}`))
	case s.is(NoToken):
		answer(w, http.StatusOK, map[string]any{"token_type": "Bearer"})
	default:
		return false
	}
	return true
}

func (s *Server) issue(w http.ResponseWriter, refresh string) {
	life := s.opts.Lifetime
	if s.is(ShortLived) {
		life = -time.Minute
	}
	s.mu.Lock()
	s.tokens++
	access := fmt.Sprintf("access-%d", s.tokens)
	if s.opts.Access != nil {
		access = s.opts.Access(s.tokens)
	}
	s.valid[access] = time.Now().Add(max(life, time.Minute))
	s.mu.Unlock()
	out := map[string]any{"token_type": "bearer", "access_token": access, "expires_in": int(life.Seconds()), "ext_expires_in": 7}
	if refresh != "" && !s.is(NoRefresh) {
		out["refresh_token"] = refresh
	}
	answer(w, http.StatusOK, out)
}

// renew hands out another refresh token with each access token, as Microsoft does.
func (s *Server) renew(w http.ResponseWriter, r *http.Request) {
	old := r.FormValue("refresh_token")
	if !s.Takes(old) {
		refuse(w, "invalid_grant", "AADSTS70008")
		return
	}
	once := s.is(RotatesAtOnce)
	s.mu.Lock()
	if once {
		delete(s.refresh, old)
	}
	fresh := s.newRefresh()
	s.mu.Unlock()
	s.issue(w, fresh)
}

// device is the device endpoint.
func (s *Server) device(w http.ResponseWriter, r *http.Request) {
	if s.troubled(w, r) {
		return
	}
	if d := r.PathValue("directory"); d != "" && d != s.Directory && d != "organizations" {
		refuse(w, "invalid_request", UnknownDirectory)
		return
	}
	if r.FormValue("client_id") != s.ClientID {
		refuse(w, "unauthorized_client", UnknownClient)
		return
	}
	s.mu.Lock()
	n := len(s.codes) + 1
	c := &code{user: fmt.Sprintf("ABCD-%04d", n)}
	s.codes[fmt.Sprintf("device-%d", n)] = c
	s.mu.Unlock()
	out := map[string]any{"device_code": fmt.Sprintf("device-%d", n), "user_code": c.user, "verification_uri": "https://login.example/device", "expires_in": 900, "interval": 1}
	switch {
	case s.is(NoCode):
		delete(out, "device_code")
	case s.is(EvilURL):
		out["verification_uri"] = "javascript:alert(1)"
	case s.is(LongCode):
		out["expires_in"], out["interval"] = 315_360_000, 31_536_000
	}
	answer(w, http.StatusOK, out)
}

func (s *Server) poll(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	c := s.codes[r.FormValue("device_code")]
	var approved, declined bool
	if c != nil {
		approved, declined = c.approved, c.declined
	}
	s.mu.Unlock()
	switch {
	case c == nil:
		refuse(w, "invalid_grant", "AADSTS70018")
	case s.is(SlowsDown):
		answer(w, http.StatusBadRequest, map[string]any{"error": "slow_down"})
	case s.is(Declines) || declined:
		refuse(w, "authorization_declined", Declines)
	case s.is(CodeExpires):
		refuse(w, "expired_token", CodeExpires)
	case approved:
		s.mu.Lock()
		fresh := s.newRefresh()
		s.mu.Unlock()
		s.issue(w, fresh)
	default:
		answer(w, http.StatusBadRequest, map[string]any{"error": "authorization_pending", "error_description": "AADSTS70016: still waiting"})
	}
}
