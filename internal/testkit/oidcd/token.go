package oidcd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
)

// Rotate makes a new key, and forgets the old one.
func (s *Server) Rotate() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // does not happen: crypto/rand ends the program instead
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key, s.kid = key, s.kid+1
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (s *Server) keys(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	point, err := s.key.PublicKey.Bytes()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, map[string]any{"keys": []any{map[string]any{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": fmt.Sprint(s.kid),
		"x": encode(point[1:33]), "y": encode(point[33:])}}})
}

// identity makes an identity token (RFC 7519).
func (s *Server) identity(g grant) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	alg := map[Misbehaviour]string{AlgNone: "none", AlgHMAC: "HS256"}[s.opts.Misbehave]
	if alg == "" {
		alg = "ES256"
	}
	header, err1 := json.Marshal(map[string]any{"alg": alg, "typ": "JWT", "kid": fmt.Sprint(s.kid)})
	body, err2 := json.Marshal(s.claims(g))
	if err1 != nil || err2 != nil {
		return ""
	}
	signed := encode(header) + "." + encode(body)
	switch s.opts.Misbehave {
	case AlgNone:
		return signed + "."
	case AlgHMAC:
		mac := hmac.New(sha256.New, []byte(s.ClientSecret))
		mac.Write([]byte(signed))
		return signed + "." + encode(mac.Sum(nil))
	case NoSignature:
		return signed + "." + encode(s.sign(s.key, "another"))
	case ForeignKey:
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return ""
		}
		return signed + "." + encode(s.sign(key, signed))
	}
	return signed + "." + encode(s.sign(s.key, signed))
}

// sign is ES256 (RFC 7518 §3.4).
func (*Server) sign(key *ecdsa.PrivateKey, text string) []byte {
	sum := sha256.Sum256([]byte(text))
	r, v, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return nil
	}
	out := make([]byte, 64)
	r.FillBytes(out[:32])
	v.FillBytes(out[32:])
	return out
}
