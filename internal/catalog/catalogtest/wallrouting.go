package catalogtest

import (
	"context"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// withRouting gives the tenant domains, a selection, and a message in quarantine.
func (e *env) withRouting(t *testing.T, tenant uid.ID, of *theirs) {
	t.Helper()
	ctx := t.Context()
	held := quarantined(tenant, 1)
	held.Captures[0].Origin, held.Captures[0].Source = "theirs.msg", of.source.ID
	of.strange = e.commit(t, tenant, held).Messages[0].AOID
	if list := got(e.QuarantinedFrom(ctx, tenant, of.source.ID, []string{"theirs.msg"}))(t); len(list) != 1 {
		t.Fatalf("%d messages in quarantine from there", len(list))
	}
	must(t, e.AddDomain(ctx, &catalog.Domain{Name: "theirs.example", Tenant: tenant, CreatedAt: at(0)}))
	must(t, e.SetSelection(ctx, &catalog.Selection{Tenant: tenant, Enabled: true, ChangedAt: at(0)}, events(0, 1)[0]))
}

// routingAttempts are the methods about the rules of routing and what they hold back.
func routingAttempts() map[string]struct {
	answer string
	call   attempt
} {
	return map[string]struct {
		answer string
		call   attempt
	}{
		"DomainsOf": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.DomainsOf(ctx, t) }},
		"RemoveDomain": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return nil, e.RemoveDomain(ctx, t, "theirs.example")
		}},
		"Selection": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Selection(ctx, t) }},
		"Quarantine": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.Quarantine(ctx, t, catalog.QuarantineFilter{}, 9)
		}},
		"QuarantinedMessage": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.QuarantinedMessage(ctx, t, of.strange)
		}},
		"QuarantinedFrom": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.QuarantinedFrom(ctx, t, of.source.ID, []string{"theirs.msg"})
		}},
		"CountQuarantine": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.CountQuarantine(ctx, t) }},
		"Decide": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.Decide(ctx, t, catalog.Decisions{List: []catalog.Decision{{AOID: of.strange, State: catalog.Released}}})
		}},
	}
}
