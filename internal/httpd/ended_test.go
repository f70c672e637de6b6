package httpd_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
)

// operation is one of the API's document.
type operation struct {
	ID           string       `json:"operationId"`
	Right        access.Right `json:"x-muniment-right"` // empty: anybody
	method, path string
}

func operations(t *testing.T) (out []operation) {
	t.Helper()
	spec, err := api.Spec()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]operation
	}
	if err := json.Unmarshal(spec, &doc); err != nil {
		t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		for method, o := range methods {
			o.method, o.path = strings.ToUpper(method), path
			out = append(out, o)
		}
	}
	return out
}

// TestEndedIsReadOnly tries every operation that is no GET on a tenant that has ended, as
// somebody of it who has the right: it is refused, or stands in api.EndedMay. An
// operation that is added later is tried as well.
func TestEndedIsReadOnly(t *testing.T) {
	t.Parallel()
	s := start(t)
	who := map[access.Role]*browser{access.RoleTenantAdmin: s.as(t, "bernd"), access.RoleUser: s.as(t, "anna")}
	if err := s.AsOperator().SetTenantState(t.Context(), s.tenant.ID, catalog.TenantEnded); err != nil {
		t.Fatal(err)
	}
	may, tried, known := api.EndedMay(), 0, map[string]bool{}
	parameter := regexp.MustCompile(`\{[^}]+\}`)
	for _, o := range operations(t) {
		known[o.ID] = true
		if o.method == http.MethodGet || o.Right == "" {
			continue
		}
		b := (*browser)(nil)
		for _, role := range slices.Sorted(maps.Keys(who)) {
			if (access.Actor{Tenant: s.tenant.ID, Role: role}).Check(o.Right) == nil {
				b = who[role]
			}
		}
		if b == nil {
			continue // of operators, resellers, auditors
		}
		tried++
		a := b.do(t, o.method, api.Base+parameter.ReplaceAllString(o.path, "x"), map[string]any{})
		_, allowed := may[o.ID]
		if refused := a.code() == "ended"; refused == allowed || refused && a.StatusCode != http.StatusConflict {
			t.Errorf("%s: %d %s; allowed: %v", o.ID, a.StatusCode, a.body, allowed)
		}
	}
	for id := range may {
		if !known[id] {
			t.Errorf("EndedMay names %s, which is no operation", id)
		}
	}
	if tried < 40 {
		t.Errorf("only %d operations were tried", tried)
	}
	if a := who[access.RoleUser].get(t, "/api/v1/search?q="); a.StatusCode != http.StatusOK {
		t.Errorf("search: %d %s", a.StatusCode, strings.TrimSpace(string(a.body)))
	}
}
