package httpd_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/httpd"
)

// letters keeps what is queued.
type letters struct {
	mu   sync.Mutex
	list []httpd.Letter
}

func (l *letters) Queue(_ context.Context, x httpd.Letter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, x)
	return nil
}

// Those who may decide, and nobody else, are written to, and not what about.
func TestDecidersAreTold(t *testing.T) {
	t.Parallel()
	post := &letters{}
	s := start(t, func(c *httpd.Config) { c.Post = post })
	s.User(t, s.tenant, "dora", access.RoleDPO, "dora@example.com", "second@example.com")
	s.User(t, s.tenant, "dieter", access.RoleDPO) // without an address
	s.User(t, s.tenant, "rita", access.RoleAuditor, "rita@example.com")
	gone := s.User(t, s.tenant, "doro", access.RoleDPO, "doro@example.com")
	if a := s.as(t, "bernd").do(t, http.MethodPatch, "/api/v1/users/"+gone.User.String(), map[string]any{"expires_on": "2020-01-01"}); a.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	post.list = nil
	wanted := map[string]any{"kind": "mailbox", "addresses": []string{"anna@example.com"}, "reason": "Geheimer Verdacht", "until": time.Now().Add(time.Hour).UTC()}
	if a := s.as(t, "rita").do(t, http.MethodPost, "/api/v1/access-requests", wanted); a.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	var to []string
	for _, l := range post.list {
		to = append(to, l.To...)
		if all := l.Subject + l.Text; strings.Contains(all, "Geheimer") || strings.Contains(all, "anna") || !strings.Contains(all, "Zugriff") || l.Key == "" || l.Tenant != s.tenant.ID {
			t.Errorf("letter %+v", l)
		}
	}
	slices.Sort(to)
	if want := []string{"bernd@example.com", "dora@example.com"}; !slices.Equal(to, want) {
		t.Errorf("written to %v, want %v", to, want)
	}
}

// TestAccessRequestNamesEveryMistake: whoever corrects a form learns all at once, each at
// its field, in the own language.
func TestAccessRequestNamesEveryMistake(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.User(t, s.tenant, "rita", access.RoleAuditor)
	rita := s.as(t, "rita")
	ask := func(change map[string]any) *answer {
		wanted := map[string]any{"kind": "session", "addresses": []string{"anna@example.com"}, "reason": "Verdacht auf Betrug", "until": time.Now().Add(time.Hour).UTC()}
		for k, v := range change {
			if wanted[k] = v; v == nil {
				delete(wanted, k)
			}
		}
		return rita.do(t, http.MethodPost, "/api/v1/access-requests", wanted)
	}
	at := func(a *answer) string {
		var p struct {
			Errors []struct{ Location string }
		}
		if err := json.Unmarshal(a.body, &p); err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, e := range p.Errors {
			out = append(out, strings.TrimPrefix(e.Location, "body."))
		}
		return strings.Join(out, " ")
	}
	for want, change := range map[string]map[string]any{
		"addresses[1] addresses[2] reason covert until from to query": {"addresses": []string{"anna@example.com", "anna", "b@"}, "reason": "kurz", "covert": "§ 1", "until": nil,
			"from": "gestern", "to": "31.12.2026", "query": "before:xyz"},
		"addresses to": {"addresses": []string{}, "from": "2026-02-01", "to": "2026-01-01"},
		"addresses":    {"kind": "mailbox", "addresses": []string{"a@example.com", "b@example.com"}},
		"until":        {"until": time.Now().Add(100 * 24 * time.Hour).UTC()},
	} {
		if a := ask(change); a.StatusCode != http.StatusUnprocessableEntity || a.code() != "invalid" || at(a) != want {
			t.Errorf("%d %s\n got %s\nwant %s", a.StatusCode, a.body, at(a), want)
		}
	}
	rita.header.Set("Accept-Language", "de")
	if a := ask(map[string]any{"query": "before:xyz", "reason": "kurz"}); !strings.Contains(string(a.body), "Zeichen 8") || !strings.Contains(string(a.body), "mindestens 10 Zeichen") {
		t.Errorf("in German: %s", a.body)
	}
	if a := ask(map[string]any{"query": "before:xyz"}); a.code() != "query" {
		t.Errorf("a query alone: %d %s", a.StatusCode, a.body)
	}
	if a := ask(nil); a.StatusCode != http.StatusCreated {
		t.Errorf("what is right: %d %s", a.StatusCode, a.body)
	}
}
