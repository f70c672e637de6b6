package archive

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/alarm"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// topTenants is how many tenants a list of the largest has.
const topTenants = 5

// Dashboard is what somebody sees at a glance of what he looks after: a tenant, a
// reseller's tenants, or all. It is figures, and nothing of mail.
type Dashboard struct {
	At     time.Time
	Today  TenantDay // all together, since midnight UTC
	Totals catalog.Totals
	Vault  catalog.VaultSize

	Tenants map[catalog.TenantState]int // of those above the tenants
	Users   int                         // of a tenant, like the two that follow
	// Unindexed is what search does not find yet.
	Unindexed                 int64
	FirstArrival, LastArrival time.Time

	Sources SourceCounts
	Seal    SealLag
	Log     LogSize
	Limits  []LimitUse // of the tenant, or of the reseller
	Growth  []GrowthPoint
	Busiest []TenantDay // today, those above the tenants only
	Largest []TenantSize
	Alarms  []alarm.Finding
	Names   map[uid.ID]string // of tenants, resellers and sources that alarms name
	Kinds   map[uid.ID]string // of the sources

	// Of operators only.
	Backup *Backup // nil: none was reported
	Disk   *alarm.Disk
}

// TenantDay is what a tenant has archived on a day.
type TenantDay struct {
	Tenant          uid.ID
	Name            string
	Messages, Bytes int64
}

// TenantSize is what the vault holds of a tenant.
type TenantSize struct {
	Tenant           uid.ID
	Name             string
	Messages, Stored int64
}

// LogSize is how long the event log is, and how far receipts of it were handed out.
type LogSize struct {
	Events      int64
	ReceiptSize int64     // entries that the last receipt vouches for
	ReceiptAt   time.Time // zero: there is none
}

// Dashboard returns the figures of what the actor looks after, the growth by a unit.
func (h *Handle) Dashboard(ctx context.Context, unit catalog.GrowthUnit) (*Dashboard, error) {
	if err := h.actor.Check(access.SeeDashboard); err != nil {
		return nil, err
	}
	if h.actor.Role.OfTenant() {
		return h.a.tenantDashboard(ctx, h.actor.Tenant, unit)
	}
	tenants, err := h.a.tenantViews(ctx)
	if err != nil {
		return nil, err
	}
	tenants = slices.DeleteFunc(tenants, func(v TenantView) bool { return !h.looksAfter(v.Care.Reseller) })
	resellers, err := h.a.resellerUses(ctx, tenants)
	if err != nil {
		return nil, err
	}
	resellers = slices.DeleteFunc(resellers, func(v ResellerView) bool { return !h.looksAfter(v.ID) })
	return h.a.dashboardOf(ctx, h.actor.Role == access.RoleOperator, tenants, resellers, unit)
}

// Alarms returns what needs attention in the whole installation: what an operator's
// dashboard shows. It is for what tells others of it.
func (a *Archive) Alarms(ctx context.Context) ([]alarm.Finding, error) {
	d, err := a.AsOperator().Dashboard(ctx, catalog.ByYear)
	if err != nil {
		return nil, err
	}
	return d.Alarms, nil
}

// dashboardOf is the dashboard of those above the tenants.
func (a *Archive) dashboardOf(ctx context.Context, operator bool, tenants []TenantView, resellers []ResellerView, unit catalog.GrowthUnit) (*Dashboard, error) {
	d := &Dashboard{At: a.now().UTC(), Tenants: map[catalog.TenantState]int{}, Names: map[uid.ID]string{}, Kinds: map[uid.ID]string{}}
	ids := make([]uid.ID, len(tenants))
	for i := range tenants {
		t := &tenants[i]
		ids[i] = t.ID
		d.Tenants[t.State]++
		d.Totals.Messages += t.Totals.Messages
		d.Totals.RawBytes += t.Totals.RawBytes
		d.Log.Events += t.Totals.Events
	}
	if err := a.addArrivals(ctx, d, unit, ids, tenants); err != nil {
		return nil, err
	}
	if err := a.addSizes(ctx, d, tenants); err != nil {
		return nil, err
	}
	facts := alarm.Facts{Now: d.At}
	sources, err := a.catalog.SourcesOfAll(ctx)
	if err := a.sound("sources", err); err != nil {
		return nil, err
	}
	states, err := a.catalog.SourceStatesOfAll(ctx)
	if err := a.sound("states of sources", err); err != nil {
		return nil, err
	}
	d.addSources(&facts, sources, states, tenants)
	for i := range tenants {
		facts.Limits = append(facts.Limits, limitFacts(tenants[i].ID, uid.ID{}, tenants[i].Limits, tenants[i].Care.WarnedAt)...)
	}
	for i := range resellers {
		facts.Limits = append(facts.Limits, limitFacts(uid.ID{}, resellers[i].ID, resellers[i].Limits, resellers[i].WarnedAt)...)
		if !operator {
			d.Limits = resellers[i].Limits
		}
	}
	if err := a.addSealing(ctx, d, &facts, operator, tenants); err != nil {
		return nil, err
	}
	if operator {
		if err := a.addInstallation(ctx, d, &facts); err != nil {
			return nil, err
		}
	}
	d.Alarms = alarm.Find(facts)
	d.name(tenants, resellers)
	return d, nil
}

// name names those whom alarms are about.
func (d *Dashboard) name(tenants []TenantView, resellers []ResellerView) {
	about := map[uid.ID]bool{}
	for _, x := range d.Alarms {
		about[x.Tenant], about[x.Reseller] = true, true
	}
	for i := range tenants {
		if about[tenants[i].ID] {
			d.Names[tenants[i].ID] = tenants[i].Name
		}
	}
	for i := range resellers {
		if about[resellers[i].ID] {
			d.Names[resellers[i].ID] = resellers[i].Name
		}
	}
}

func (a *Archive) addArrivals(ctx context.Context, d *Dashboard, unit catalog.GrowthUnit, ids []uid.ID, tenants []TenantView) error {
	x, err := a.arrivals(ctx, unit, ids)
	if err != nil {
		return err
	}
	d.Growth = x.points
	for i := range tenants {
		t := &tenants[i]
		day := TenantDay{Tenant: t.ID, Name: t.Name, Messages: x.today[t.ID], Bytes: x.bytes[t.ID]}
		d.Today.Messages += day.Messages
		d.Today.Bytes += day.Bytes
		if day.Messages > 0 {
			d.Busiest = append(d.Busiest, day)
		}
	}
	slices.SortStableFunc(d.Busiest, func(x, y TenantDay) int { return cmp.Compare(y.Messages, x.Messages) })
	d.Busiest = d.Busiest[:min(len(d.Busiest), topTenants)]
	return nil
}

func (a *Archive) addSizes(ctx context.Context, d *Dashboard, tenants []TenantView) error {
	sizes, err := a.catalog.VaultSizes(ctx)
	if err != nil {
		return err
	}
	for i := range tenants {
		t := &tenants[i]
		v := sizes[t.ID]
		d.Vault.Stored += v.Stored
		d.Vault.Unpacked += v.Unpacked
		if v.Stored > 0 {
			d.Largest = append(d.Largest, TenantSize{Tenant: t.ID, Name: t.Name, Messages: t.Totals.Messages, Stored: v.Stored})
		}
	}
	slices.SortStableFunc(d.Largest, func(x, y TenantSize) int { return cmp.Compare(y.Stored, x.Stored) })
	d.Largest = d.Largest[:min(len(d.Largest), topTenants)]
	d.storedNow()
	return nil
}

// storedNow sets what the vault holds at the end of the curve, which is now.
func (d *Dashboard) storedNow() {
	if n := len(d.Growth); n > 0 {
		d.Growth[n-1].Stored = d.Vault.Stored
	}
}

func limitFacts(tenant, reseller uid.ID, uses []LimitUse, since map[string]time.Time) []alarm.Limit {
	out := make([]alarm.Limit, 0, len(uses))
	for _, u := range uses {
		out = append(out, alarm.Limit{Tenant: tenant, Reseller: reseller, What: u.What, Used: u.Used, Of: u.Limit, Near: u.Level == Near, Reached: u.Level == Reached, Since: since[u.What]})
	}
	return out
}

// addSealing adds what has no time stamp yet. That it is late is for operators to know,
// who can do something about it; a tenant and its reseller see how much waits.
func (a *Archive) addSealing(ctx context.Context, d *Dashboard, facts *alarm.Facts, operator bool, tenants []TenantView) error {
	set, err := a.SealSetting(ctx)
	if err != nil {
		return err
	}
	marks, err := a.catalog.SealMarks(ctx)
	if err := a.sound("marks of sealing", err); err != nil {
		return err
	}
	var b SealBacklog
	own := make(map[uid.ID]bool, len(tenants))
	for i := range tenants {
		own[tenants[i].ID] = true
		if id := tenants[i].ID; tenants[i].Totals.Messages > marks[id] {
			if err := a.addWaiting(ctx, id, &b); err != nil {
				return err
			}
		}
	}
	if err := a.addPending(ctx, &b, func(t uid.ID) bool { return own[t] }); err != nil {
		return err
	}
	d.Seal = lag(set, b, d.At)
	if err := a.addUnread(ctx, facts, operator, own); err != nil {
		return err
	}
	if operator {
		facts.Seal = &alarm.Seal{Authorities: d.Seal.Authorities, Late: d.Seal.Alarm, Objects: b.Waiting + b.Pending}
		if d.Seal.Alarm {
			facts.Seal.Since = b.Oldest.Add(max(2*set.Every(), leastAlarm))
		}
	}
	return nil
}

// addUnread adds what renewals could not read: objects to those whose they are, and to
// operators; batches to operators.
func (a *Archive) addUnread(ctx context.Context, facts *alarm.Facts, operator bool, own map[uid.ID]bool) error {
	list, err := a.unread(ctx, uid.ID{})
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(x Unread) bool { return !own[x.Tenant] })
	var batches []UnreadBatch
	if operator {
		batches = a.unreadable.list()
	}
	facts.Unread = unreadFacts(list, batches)
	return nil
}

func (a *Archive) addInstallation(ctx context.Context, d *Dashboard, facts *alarm.Facts) (err error) {
	d.Backup, err = a.Backup(ctx)
	if err := a.sound("settings of the installation", err); err != nil {
		return err
	}
	facts.Backup = &alarm.Backup{}
	if b := d.Backup; b != nil {
		*facts.Backup = alarm.Backup{At: b.At, OKAt: b.OKAt, Failed: b.Failed}
	}
	if a.disk == nil {
		return nil
	}
	room, err := a.disk()
	if err != nil { // the other figures are worth showing
		a.log.Error("free space of the data directory", "error", err)
		return nil
	}
	d.Disk, facts.Disk = &room, &room
	return nil
}
