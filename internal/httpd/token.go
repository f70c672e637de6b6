package httpd

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/uid"
)

// Requests that one token may make within a window.
const (
	tokenRequests = 600
	tokenWindow   = time.Minute
	maxPaces      = 10_000 // tokens in memory
)

// scopeOf tells which scope a token needs for a route. Routes that are not here are
// closed to tokens: none lets mail of people be read, and none makes tokens.
func scopeOf(pattern string) (archive.Scope, bool) {
	method, path, _ := strings.Cut(pattern, " ")
	if strings.HasPrefix(path, api.Base+"/preservation/") {
		return archive.ScopePreserve, true
	}
	scope, ok := map[string]archive.Scope{
		"GET /tenants": archive.ScopeTenantsRead, "GET /tenants/{id}": archive.ScopeTenantsRead,
		"PATCH /tenants/{id}": archive.ScopeTenantsWrite, "POST /tenants/{id}/state": archive.ScopeTenantsWrite, "POST /provisioning/tenants": archive.ScopeTenantsWrite,
		"GET /usage": archive.ScopeUsageRead, "GET /usage.csv": archive.ScopeUsageRead,
		"GET /resellers": archive.ScopeResellersRead, "GET /resellers/{id}": archive.ScopeResellersRead,
		"POST /resellers": archive.ScopeResellersWrite, "PATCH /resellers/{id}": archive.ScopeResellersWrite,
		"GET /statistics": archive.ScopeReportsRead, "GET /sources": archive.ScopeReportsRead, "GET /completeness": archive.ScopeReportsRead,
	}[method+" "+strings.TrimPrefix(path, api.Base)]
	return scope, ok
}

// bearer returns the token of a request (RFC 6750 §2.1); ok says that there is one.
func bearer(r *http.Request) (token string, ok bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer")
}

// authenticateToken finds the account of a token that may be used for this route.
func (s *Server) authenticateToken(ctx context.Context, q *request) (*archive.Account, error) {
	a, scopes, err := s.cfg.Archive.TokenAccount(ctx, q.bearer, q.peer)
	if errors.Is(err, archive.ErrToken) {
		// Only what failed is counted: a program may send many requests at once. To guess
		// 200 bits is hopeless in any case; this keeps the log short.
		if wait := s.throttle.take(q.peer, archive.TokenPrefix); wait > 0 {
			return nil, tooManyForToken(wait)
		}
		return nil, api.NewProblem(api.CodeToken, "")
	}
	if err != nil {
		return nil, err
	}
	if wait := s.paces.take(a.User.ID); wait > 0 {
		return nil, tooManyForToken(wait)
	}
	scope, open := scopeOf(q.pattern)
	if !open {
		return nil, api.NewProblem(api.CodeRole, "A token cannot be used for this.")
	}
	if !slices.Contains(scopes, scope) {
		return nil, api.NewProblem(api.CodeRole, "The token lacks the scope "+string(scope)+".")
	}
	return a, nil
}

func tooManyForToken(wait time.Duration) *api.Problem {
	p := api.NewProblem(api.CodeTooMany, "Too many requests with this token, or from your network; wait and try again.")
	p.RetryAfter = wait
	return p
}

// paces count the requests of tokens.
type paces struct {
	now func() time.Time

	mu sync.Mutex
	of map[uid.ID]*counter
}

func newPaces() *paces { return &paces{now: time.Now, of: map[uid.ID]*counter{}} }

// take counts a request, and returns 0 or how long it has to wait.
func (p *paces) take(token uid.ID) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	c := p.of[token]
	if c == nil || !now.Before(c.until) {
		if len(p.of) >= maxPaces {
			clear(p.of)
		}
		c = &counter{until: now.Add(tokenWindow)}
		p.of[token] = c
	}
	if c.failures >= tokenRequests {
		return c.until.Sub(now)
	}
	c.failures++
	return 0
}
