package archive

import (
	"context"
	"encoding/json"
	"time"

	"github.com/muniment/muniment/internal/alarm"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// tenantDashboard is the dashboard of one tenant.
func (a *Archive) tenantDashboard(ctx context.Context, tenant uid.ID, unit catalog.GrowthUnit) (*Dashboard, error) {
	t, err := a.catalog.Tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	of := &TenantDetail{TenantView: TenantView{Tenant: *t, Care: catalog.Care{Tenant: tenant}}}
	if err := a.addFigures(ctx, of); err != nil {
		return nil, err
	}
	view := []TenantView{of.TenantView}
	d := &Dashboard{At: a.now().UTC(), Totals: of.Totals, Limits: of.Limits, Names: map[uid.ID]string{tenant: t.Name}, Kinds: map[uid.ID]string{}}
	if err := a.addArrivals(ctx, d, unit, []uid.ID{tenant}, view); err != nil {
		return nil, err
	}
	d.Busiest = nil
	s, err := a.catalog.TenantSize(ctx, tenant)
	if err != nil {
		return nil, err
	}
	d.Vault, d.FirstArrival, d.LastArrival = s.Vault, s.FirstReceived, s.LastReceived
	d.storedNow()
	if d.Users, err = a.catalog.CountUsers(ctx, tenant); err != nil {
		return nil, err
	}
	if d.Unindexed, err = a.Unindexed(ctx, tenant); err != nil {
		return nil, err
	}
	facts := alarm.Facts{Now: d.At, Limits: limitFacts(tenant, uid.ID{}, of.Limits, of.Care.WarnedAt), Indexes: []alarm.Index{{Tenant: tenant, Waiting: d.Unindexed}}}
	sources, err := a.catalog.Sources(ctx, tenant)
	if err := a.sound("sources", err); err != nil {
		return nil, err
	}
	states, err := a.catalog.SourceStates(ctx, tenant)
	if err := a.sound("states of sources", err); err != nil {
		return nil, err
	}
	d.addSources(&facts, sources, states, view)
	for _, s := range sources {
		d.Names[s.ID] = s.Name // the tenant's own; those above it learn none
	}
	if err := a.addSealing(ctx, d, &facts, false, view); err != nil {
		return nil, err
	}
	if err := a.addLog(ctx, d, tenant); err != nil {
		return nil, err
	}
	d.Alarms = alarm.Find(facts)
	return d, nil
}

func (a *Archive) addLog(ctx context.Context, d *Dashboard, tenant uid.ID) error {
	d.Log.Events = d.Totals.Events
	list, err := a.catalog.Receipts(ctx, tenant, "", 1)
	if err := a.sound("receipts", err); err != nil {
		return err
	}
	if len(list) > 0 {
		d.Log.ReceiptSize, d.Log.ReceiptAt = list[0].Size, list[0].MadeAt
	}
	return nil
}

// addPending adds what waits for a time stamp in batches, of some tenants.
func (a *Archive) addPending(ctx context.Context, b *SealBacklog, own func(uid.ID) bool) error {
	pending, err := a.catalog.PendingSeals(ctx)
	if err := a.sound("batches", err); err != nil {
		return err
	}
	for _, p := range pending {
		trees, err := a.catalog.SealTrees(ctx, p.ID)
		if err := a.sound("trees", err); err != nil {
			return err
		}
		there := false
		for _, t := range trees {
			if own(t.Tenant) {
				there = true
				b.Pending += t.Leaves
			}
		}
		if there {
			b.Batches++
			b.older(p.Oldest)
		}
	}
	return nil
}

// SourceCounts is how the sources fare through which mail comes in by itself: journal
// addresses, remote mailboxes and watched folders.
type SourceCounts struct {
	// Working: as far as anybody can tell. A journal address only waits, and one attempt
	// that fails is told of on the source's page alone.
	Working  int
	Failing  int // those of which there is an alarm
	Disabled int
}

// fares is how a remote mailbox or a watched folder fares, as both keep it.
type fares struct {
	LastOKAt time.Time `json:"last_ok_at"`
	Problem  *struct {
		Code string `json:"code"`
	} `json:"problem"`
}

// sourceFact is what an alarm needs to know of a source and of the state that it has
// told; nil: none.
func sourceFact(s *catalog.Source, state []byte) alarm.Source {
	x := alarm.Source{Tenant: s.Tenant, Source: s.ID, OKAt: s.CreatedAt}
	var f fares
	if s.Kind == KindJournal || json.Unmarshal(state, &f) != nil {
		return x
	}
	if f.Problem != nil {
		x.Problem = f.Problem.Code
	}
	if f.LastOKAt.After(x.OKAt) {
		x.OKAt = f.LastOKAt
	}
	return x
}

// fails reports whether a source fails: there is one rule for the dashboard, the event
// log and whoever is told.
func fails(x alarm.Source, now time.Time) bool {
	return len(alarm.Find(alarm.Facts{Now: now, Sources: []alarm.Source{x}})) > 0
}

// addSources counts how the sources of tenants fare. What has ended takes nothing.
func (d *Dashboard) addSources(facts *alarm.Facts, sources []*catalog.Source, states map[uid.ID]*catalog.SourceState, tenants []TenantView) {
	taking := make(map[uid.ID]bool, len(tenants))
	for i := range tenants {
		taking[tenants[i].ID] = tenants[i].State != catalog.TenantEnded
	}
	for _, s := range sources {
		if !taking[s.Tenant] || s.Kind != KindJournal && s.Kind != KindMailbox && s.Kind != KindFolder {
			continue
		}
		if s.Disabled {
			d.Sources.Disabled++
			continue
		}
		var told []byte
		if state := states[s.ID]; state != nil {
			told = state.State
		}
		x := sourceFact(s, told)
		d.Kinds[s.ID] = s.Kind
		facts.Sources = append(facts.Sources, x)
		if fails(x, d.At) {
			d.Sources.Failing++
		} else {
			d.Sources.Working++
		}
	}
}
