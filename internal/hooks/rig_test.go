package hooks

import (
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/pgtest"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/webhook"
)

// clock is the time that a test sets; archive and hooks share it.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// got is a message as a receiver has it.
type got struct {
	id, path string
	webhook.Payload
	header http.Header
	body   []byte
}

// rig is an archive with a tenant of a reseller, and a receiver.
type rig struct {
	*archivetest.Env
	*clock
	hooks    *Hooks
	url      string
	tenant   uid.ID
	reseller uid.ID

	mu     sync.Mutex
	status int
	got    []got
}

func newRig(t *testing.T, dsn string) *rig {
	t.Helper()
	r := &rig{clock: &clock{at: time.Now().Truncate(time.Millisecond)}, status: http.StatusNoContent}
	networks := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	r.Env = archivetest.New(t, archivetest.Options{DSN: dsn, Now: r.now, WebhookNetworks: networks})
	s := httptest.NewTLSServer(r)
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	r.url = s.URL
	var err error
	if r.hooks, err = New(Config{Archive: r.Archive, Now: r.now, Sending: webhook.Config{Networks: networks, Roots: roots}}); err != nil {
		t.Fatal(err)
	}
	x, err := r.As(operator()).CreateReseller(t.Context(), archive.NewReseller{Slug: "nord", Name: "Nord", Limits: &catalog.Limits{Customers: 1}})
	if err != nil {
		t.Fatal(err)
	}
	r.reseller = x.ID
	return r
}

func operator() access.Actor { return access.Actor{User: uid.ID{1}, Role: access.RoleOperator} }

func (r *rig) seller() access.Actor {
	return access.Actor{User: uid.ID{2}, Role: access.RoleReseller, Reseller: r.reseller}
}

func (r *rig) admin() access.Actor {
	return access.Actor{User: uid.ID{3}, Role: access.RoleTenantAdmin, Tenant: r.tenant}
}

// ServeHTTP is the receiver.
func (r *rig) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	g := got{id: q.Header.Get("webhook-id"), path: q.URL.Path, header: q.Header, body: body}
	r.mu.Lock()
	defer r.mu.Unlock()
	if json.Unmarshal(body, &g.Payload) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.got = append(r.got, g)
	w.WriteHeader(r.status)
}

// take returns what has come to a path since the last time.
func (r *rig) take(path string) (out []got) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = slices.DeleteFunc(r.got, func(g got) bool {
		if g.path == path {
			out = append(out, g)
		}
		return g.path == path
	})
	return out
}

func (r *rig) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// hook makes a webhook that is told of everything that its owner can choose.
func (r *rig) hook(t *testing.T, a access.Actor, path string) (*archive.WebhookView, string) {
	t.Helper()
	h := r.As(a)
	var kinds []string
	for _, k := range h.WebhookKinds() {
		kinds = append(kinds, string(k))
	}
	v, secret, err := h.CreateWebhook(t.Context(), archive.WebhookDraft{URL: r.url + path, Description: path, Kinds: kinds})
	if err != nil {
		t.Fatal(err)
	}
	return v, secret
}

// provision makes the tenant.
func (r *rig) provision(t *testing.T) {
	t.Helper()
	p, err := r.As(r.seller()).Provision(t.Context(), archive.Order{Name: "Acme", Slug: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	r.tenant = p.Tenant
}

func (r *rig) state(t *testing.T, s catalog.TenantState) {
	t.Helper()
	if err := r.As(operator()).SetTenantState(t.Context(), r.tenant, s); err != nil {
		t.Fatal(err)
	}
}

func kinds(list []got) (out []string) {
	for _, g := range list {
		out = append(out, string(g.Type))
	}
	slices.Sort(out)
	return out
}

func onBoth(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); f(t, "") })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); f(t, pgtest.DSN(t)) })
}
