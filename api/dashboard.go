package api

import (
	"context"
	"net/http"
	"time"
)

// DashboardQuery says how the growth is shown.
type DashboardQuery struct {
	By string `query:"by" enum:"day,week,month,year" default:"day" doc:"How long the periods of the growth are"`
}

// Dashboard is what somebody sees at a glance of what he looks after: figures, and
// nothing of mail. Days are those of UTC.
type Dashboard struct {
	Of string    `json:"of" enum:"tenant,reseller,installation"`
	At time.Time `json:"at" doc:"When the figures were read"`

	TodayMessages int64 `json:"today_messages" doc:"Archived since midnight UTC"`
	TodayBytes    int64 `json:"today_bytes"`
	Messages      int64 `json:"messages"`
	RawBytes      int64 `json:"raw_bytes" doc:"Of the originals"`
	UnpackedBytes int64 `json:"unpacked_bytes" doc:"Before compression: what is there more than once counts once"`
	StoredBytes   int64 `json:"stored_bytes" doc:"As stored: compressed and encrypted"`

	Tenants *TenantCounts `json:"tenants,omitempty" doc:"Of those above the tenants"`
	Tenant  *TenantExtra  `json:"tenant,omitempty" doc:"Of a tenant"`
	Sources SourceCounts  `json:"sources"`
	Seal    SealBacklog   `json:"seal"`
	Log     LogFigures    `json:"log"`
	Limits  []LimitUse    `json:"limits" doc:"Of the tenant or of the reseller"`
	By      string        `json:"by" enum:"day,week,month,year"`
	Growth  []GrowthPoint `json:"growth" doc:"The oldest first; the last one is the current period"`
	Busiest []TenantTop   `json:"busiest" doc:"Tenants that have archived most today"`
	Largest []TenantTop   `json:"largest" doc:"Tenants that take most room"`
	Alarms  []Alarm       `json:"alarms" doc:"The worst first, and of these the oldest; at most 100"`
	// AlarmCount may be more than there are in Alarms.
	AlarmCount int `json:"alarm_count"`

	Installation *InstallationFigures `json:"installation,omitempty" doc:"Of operators"`
	Version      string               `json:"version"`
	StartedAt    time.Time            `json:"started_at" doc:"When this server was started"`
}

// TenantCounts are how many tenants there are, by state.
type TenantCounts struct {
	Active    int `json:"active"`
	Suspended int `json:"suspended"`
	Ended     int `json:"ended"`
}

// TenantExtra are figures that only a tenant has.
type TenantExtra struct {
	Users     int        `json:"users"`
	Unindexed int64      `json:"unindexed" doc:"Stored but not yet searchable"`
	FirstAt   *time.Time `json:"first_at,omitempty" doc:"First receipt"`
	LastAt    *time.Time `json:"last_at,omitempty" doc:"Last receipt"`
}

// SourceCounts is how the sources fare through which mail comes in by itself.
type SourceCounts struct {
	Working  int `json:"working" doc:"As far as anybody can tell: a journal address only waits"`
	Failing  int `json:"failing"`
	Disabled int `json:"disabled"`
}

// SealBacklog is what has no time stamp yet.
type SealBacklog struct {
	Objects     int64      `json:"objects"`
	Oldest      *time.Time `json:"oldest,omitempty" doc:"When the archive took the oldest of them"`
	Late        bool       `json:"late" doc:"It waits longer than it may"`
	Authorities bool       `json:"authorities" doc:"Somebody has set who gives time stamps"`
}

// LogFigures is how long the event logs are.
type LogFigures struct {
	Events      int64      `json:"events"`
	ReceiptSize int64      `json:"receipt_size,omitempty" doc:"Of a tenant: entries that the last receipt vouches for"`
	ReceiptAt   *time.Time `json:"receipt_at,omitempty"`
}

// GrowthPoint is what was archived in a period.
type GrowthPoint struct {
	From     string `json:"from" doc:"Its first day, such as 2026-11-26"`
	Messages int64  `json:"messages"`
	Bytes    int64  `json:"bytes" doc:"Of the originals"`
	Stored   int64  `json:"stored,omitempty" doc:"What the vault held at its end, in bytes; absent: nobody has looked"`
}

// TenantTop is a tenant in a list of the largest.
type TenantTop struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Messages int64  `json:"messages"`
	Bytes    int64  `json:"bytes" doc:"Of busiest: of the originals of today; of largest: as stored"`
}

// Alarm is something that needs attention.
type Alarm struct {
	ID         string     `json:"id" doc:"The same as long as the alarm lasts"`
	Kind       string     `json:"kind" enum:"source-failing,limit-near,limit-reached,seal-late,renewal-unread,no-authority,disk-low,disk-full,backup-never,backup-failed,backup-overdue,indexing-behind"`
	Severity   string     `json:"severity" enum:"notice,warning,alarm"`
	Since      *time.Time `json:"since,omitempty" doc:"Absent: nobody knows"`
	Tenant     string     `json:"tenant,omitempty" doc:"Id"`
	Reseller   string     `json:"reseller,omitempty" doc:"Id"`
	Source     string     `json:"source,omitempty" doc:"Id, for those of the tenant"`
	Name       string     `json:"name,omitempty" doc:"Of the source, for those of the tenant; else of the tenant or the reseller"`
	SourceKind string     `json:"source_kind,omitempty" doc:"Of the source: journal, mailbox, folder"`
	Code       string     `json:"code,omitempty" doc:"Of a source: what is wrong; of a limit: which"`
	Used       int64      `json:"used,omitempty"`
	Limit      int64      `json:"limit,omitempty"`
}

// InstallationFigures are for operators.
type InstallationFigures struct {
	Backup    *BackupReport `json:"backup,omitempty" doc:"Absent: none was reported"`
	DiskFree  int64         `json:"disk_free,omitempty" doc:"Of the data directory, bytes"`
	DiskTotal int64         `json:"disk_total,omitempty"`
}

// BackupReport is what a script has reported of backups, by the command line. The
// archive makes none by itself.
type BackupReport struct {
	At     time.Time  `json:"at"`
	Failed bool       `json:"failed"`
	OKAt   *time.Time `json:"ok_at,omitempty" doc:"The last one that did not fail"`
	Note   string     `json:"note,omitempty"`
}

// DashboardService shows figures.
type DashboardService interface {
	Dashboard(ctx context.Context, q DashboardQuery) (*Dashboard, error)
}

func dashboard(o operations, s Service) {
	add(o, op{id: "getDashboard", method: http.MethodGet, path: "/dashboard", tag: "administration",
		summary: "Figures and alarms of what one looks after: a tenant, a reseller's tenants, or the installation", problems: []Code{CodeRole}},
		func(ctx context.Context, in *DashboardQuery) (*body[Dashboard], error) {
			return reply(s.Dashboard(ctx, *in))
		})
}
