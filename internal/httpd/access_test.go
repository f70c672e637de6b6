package httpd_test

import (
	"context"
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
