package httpd

import (
	"context"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/alarm"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
)

// maxAlarms bounds the alarms of an answer. Where there are more, something common is
// wrong, and a longer list would not say what.
const maxAlarms = 100

// Dashboard implements api.Service.
func (s *Server) Dashboard(ctx context.Context, q api.DashboardQuery) (*api.Dashboard, error) {
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	d, err := s.cfg.Archive.As(a.Actor).Dashboard(ctx, catalog.GrowthUnit(q.By))
	if err != nil {
		return nil, err
	}
	out := &api.Dashboard{Of: "installation", At: d.At, TodayMessages: d.Today.Messages, TodayBytes: d.Today.Bytes, Messages: d.Totals.Messages, RawBytes: d.Totals.RawBytes,
		UnpackedBytes: d.Vault.Unpacked, StoredBytes: d.Vault.Stored, Sources: api.SourceCounts(d.Sources),
		Seal: api.SealBacklog{Objects: d.Seal.Waiting + d.Seal.Pending, Oldest: known(d.Seal.Oldest), Late: d.Seal.Alarm, Authorities: d.Seal.Authorities},
		Log:  api.LogFigures{Events: d.Log.Events, ReceiptSize: d.Log.ReceiptSize, ReceiptAt: known(d.Log.ReceiptAt)}, Limits: describeLimits(d.Limits),
		By: q.By, Growth: make([]api.GrowthPoint, 0, len(d.Growth)), Busiest: []api.TenantTop{}, Largest: []api.TenantTop{}, Version: s.cfg.Version, StartedAt: s.started}
	for _, p := range d.Growth {
		out.Growth = append(out.Growth, api.GrowthPoint(p))
	}
	switch a.Actor.Role {
	case access.RoleOperator:
		out.Installation = describeInstallation(d)
	case access.RoleReseller:
		out.Of = "reseller"
	default:
		out.Of = "tenant"
		out.Tenant = &api.TenantExtra{Users: d.Users, Unindexed: d.Unindexed, FirstAt: known(d.FirstArrival), LastAt: known(d.LastArrival)}
	}
	if out.Tenant == nil {
		addTenants(out, d)
	}
	out.AlarmCount = len(d.Alarms)
	out.Alarms = make([]api.Alarm, 0, min(len(d.Alarms), maxAlarms))
	for _, x := range d.Alarms[:min(len(d.Alarms), maxAlarms)] {
		out.Alarms = append(out.Alarms, describeAlarm(d, x, out.Tenant != nil))
	}
	return out, nil
}

// addTenants adds what those above the tenants see.
func addTenants(out *api.Dashboard, d *archive.Dashboard) {
	out.Tenants = &api.TenantCounts{Active: d.Tenants[catalog.TenantActive], Suspended: d.Tenants[catalog.TenantSuspended], Ended: d.Tenants[catalog.TenantEnded]}
	for _, t := range d.Busiest {
		out.Busiest = append(out.Busiest, api.TenantTop{ID: t.Tenant.String(), Name: t.Name, Messages: t.Messages, Bytes: t.Bytes})
	}
	for _, t := range d.Largest {
		out.Largest = append(out.Largest, api.TenantTop{ID: t.Tenant.String(), Name: t.Name, Messages: t.Messages, Bytes: t.Stored})
	}
}

func describeInstallation(d *archive.Dashboard) *api.InstallationFigures {
	out := &api.InstallationFigures{}
	if b := d.Backup; b != nil {
		out.Backup = &api.BackupReport{At: b.At, Failed: b.Failed, OKAt: known(b.OKAt), Note: b.Note}
	}
	if d.Disk != nil {
		out.DiskFree, out.DiskTotal = d.Disk.Free, d.Disk.Total
	}
	return out
}

// describeAlarm names a source only to those of its tenant: its name is often the
// address of a person, and its id leads nowhere for others.
func describeAlarm(d *archive.Dashboard, x alarm.Finding, own bool) api.Alarm {
	out := api.Alarm{ID: x.ID, Kind: string(x.Kind), Severity: string(x.Severity), Since: known(x.Since), SourceKind: d.Kinds[x.Source], Code: x.Code, Used: x.Used, Limit: x.Of}
	switch {
	case own && !x.Source.IsZero():
		out.Source, out.Name = x.Source.String(), d.Names[x.Source]
	case !x.Tenant.IsZero():
		out.Tenant, out.Name = x.Tenant.String(), d.Names[x.Tenant]
	case !x.Reseller.IsZero():
		out.Reseller, out.Name = x.Reseller.String(), d.Names[x.Reseller]
	}
	return out
}
