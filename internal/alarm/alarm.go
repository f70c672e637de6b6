// Package alarm says what of an archive needs somebody's attention. It is a leaf and a
// pure function from figures to alarms: it reads nothing, sends nothing and remembers
// nothing. Dashboards show what it finds; what tells others of it compares two findings
// by their ids.
package alarm

import (
	"cmp"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/uid"
)

// Kind is what an alarm is about. For each the web interface has a sentence and a cure.
type Kind string

// Kinds.
const (
	SourceFailing  Kind = "source-failing"  // nothing comes in through a source; Code says why
	LimitNear      Kind = "limit-near"      // 80 % of a limit and more; Code names the limit
	LimitReached   Kind = "limit-reached"   // a limit and more; archiving goes on
	SealLate       Kind = "seal-late"       // objects wait longer for their time stamp than they may
	RenewalUnread  Kind = "renewal-unread"  // objects, or batches (Code), that a renewal could not read
	NoAuthority    Kind = "no-authority"    // nobody gives time stamps
	DiskLow        Kind = "disk-low"        // room for some time
	DiskFull       Kind = "disk-full"       // nearly no room: soon nothing can be archived
	BackupNever    Kind = "backup-never"    // no backup has been reported
	BackupFailed   Kind = "backup-failed"   // the last one reported that it failed
	BackupOverdue  Kind = "backup-overdue"  // the last one that did not fail is old
	IndexingBehind Kind = "indexing-behind" // what has arrived is not found by search yet
)

// Kinds lists all kinds.
func Kinds() []Kind {
	return []Kind{SourceFailing, LimitNear, LimitReached, SealLate, RenewalUnread, NoAuthority, DiskLow, DiskFull, BackupNever, BackupFailed, BackupOverdue, IndexingBehind}
}

// Severity is how much an alarm matters.
type Severity string

// Severities.
const (
	Notice  Severity = "notice"  // is as somebody has set it; good to know
	Warning Severity = "warning" // has time
	Alarm   Severity = "alarm"   // act now
)

// Finding is one alarm.
type Finding struct {
	// ID is the same as long as the alarm lasts, also if it gets worse, and in every
	// process.
	ID       string
	Kind     Kind
	Severity Severity
	Since    time.Time // zero: nobody knows
	Tenant   uid.ID    // zero: the installation or a reseller
	Reseller uid.ID    // of limits of a reseller
	Source   uid.ID
	Code     string
	Used, Of int64 // of a limit, or of the disk, or objects that wait (Used)
}

// Bounds.
const (
	// sourceGrace is how long a source may fail before somebody is told: servers are
	// restarted.
	sourceGrace = 15 * time.Minute
	// sourceLong is from when on it is more than a warning.
	sourceLong = 24 * time.Hour
	// backupEvery is how old the last backup may be: one a day, and one may be late.
	backupEvery = 48 * time.Hour
	// indexBacklog is how many messages may wait for the index: more than an import has
	// waiting for some seconds.
	indexBacklog = 10_000

	gib = 1 << 30
)

// Facts are figures of an installation, or of the part of it that somebody looks after.
// What is nil was not looked at.
type Facts struct {
	Now     time.Time
	Sources []Source
	Limits  []Limit
	Seal    *Seal
	Disk    *Disk
	Backup  *Backup
	Indexes []Index
	Unread  []Unread
}

// Source is a source that should work: neither it nor its tenant is switched off.
type Source struct {
	Tenant, Source uid.ID
	Problem        string    // code of the last attempt; empty: it went well
	OKAt           time.Time // the last one that went well; when it was made if there is none
}

// Limit is a limit and how far it is reached.
type Limit struct {
	Tenant, Reseller uid.ID // whose; one of them
	What             string // customers, mailboxes, storage
	Used, Of         int64
	Near, Reached    bool
	Since            time.Time
}

// Seal is how far sealing is behind.
type Seal struct {
	Authorities bool // somebody has set who gives time stamps
	Late        bool
	Since       time.Time // of Late
	Objects     int64     // without a time stamp
}

// Unread is what renewals of the proof could not read.
type Unread struct {
	Tenant  uid.ID // of the objects
	Since   time.Time
	Objects int64
	Batches int64 // with what proves them; of no tenant
}

// Disk is the room where the data are, in bytes.
type Disk struct{ Free, Total int64 }

// Backup is what was reported of backups.
type Backup struct {
	At     time.Time // the last report; zero: none
	OKAt   time.Time // the last one of success
	Failed bool      // the last one is of a failure
}

// Index is how many messages of a tenant cannot be found yet.
type Index struct {
	Tenant  uid.ID
	Waiting int64
}

// Find returns the alarms, the worst first, and of these the oldest.
func Find(f Facts) []Finding {
	out := slices.Concat(sources(f), limits(f), sealing(f), disk(f), backup(f), indexes(f), unread(f))
	weight := map[Severity]int{Alarm: 0, Warning: 1, Notice: 2}
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(weight[a.Severity], weight[b.Severity]), a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID))
	})
	return out
}

func sources(f Facts) (out []Finding) {
	for _, s := range f.Sources {
		age := f.Now.Sub(s.OKAt)
		if s.Problem == "" || age < sourceGrace {
			continue
		}
		x := Finding{ID: id(SourceFailing, s.Source), Kind: SourceFailing, Severity: Warning, Since: s.OKAt, Tenant: s.Tenant, Source: s.Source, Code: s.Problem}
		if age >= sourceLong {
			x.Severity = Alarm
		}
		out = append(out, x)
	}
	return out
}

func limits(f Facts) (out []Finding) {
	for _, l := range f.Limits {
		if !l.Near && !l.Reached {
			continue
		}
		whose := l.Tenant
		if whose.IsZero() {
			whose = l.Reseller
		}
		x := Finding{ID: id("limit", whose) + ":" + l.What, Kind: LimitNear, Severity: Warning, Since: l.Since, Tenant: l.Tenant, Reseller: l.Reseller, Code: l.What, Used: l.Used, Of: l.Of}
		if l.Reached {
			x.Kind = LimitReached
		}
		out = append(out, x)
	}
	return out
}

func sealing(f Facts) []Finding {
	switch s := f.Seal; {
	case s == nil:
	case !s.Authorities:
		return []Finding{{ID: string(NoAuthority), Kind: NoAuthority, Severity: Notice, Used: s.Objects}}
	case s.Late:
		return []Finding{{ID: string(SealLate), Kind: SealLate, Severity: Alarm, Since: s.Since, Used: s.Objects}}
	}
	return nil
}

func disk(f Facts) []Finding {
	d := f.Disk
	if d == nil || d.Total <= 0 {
		return nil
	}
	x := Finding{ID: "disk", Used: d.Total - d.Free, Of: d.Total}
	below := func(part, most int64) bool { return d.Free < d.Total/part && d.Free < most }
	switch {
	case d.Free < gib || below(50, 20*gib):
		x.Kind, x.Severity = DiskFull, Alarm
	case d.Free < 5*gib || below(10, 100*gib):
		x.Kind, x.Severity = DiskLow, Warning
	default:
		return nil
	}
	return []Finding{x}
}

func backup(f Facts) []Finding {
	b := f.Backup
	if b == nil {
		return nil
	}
	x := Finding{ID: "backup"}
	switch {
	case b.At.IsZero():
		x.Kind, x.Severity = BackupNever, Notice
	case b.Failed:
		x.Kind, x.Severity, x.Since = BackupFailed, Alarm, b.At
	case f.Now.Sub(b.OKAt) > backupEvery:
		x.Kind, x.Severity, x.Since = BackupOverdue, Warning, b.OKAt
	default:
		return nil
	}
	return []Finding{x}
}

func indexes(f Facts) (out []Finding) {
	for _, i := range f.Indexes {
		if i.Waiting > indexBacklog {
			out = append(out, Finding{ID: id(IndexingBehind, i.Tenant), Kind: IndexingBehind, Severity: Warning, Tenant: i.Tenant, Used: i.Waiting})
		}
	}
	return out
}

func unread(f Facts) (out []Finding) {
	for _, u := range f.Unread {
		x := Finding{ID: id(RenewalUnread, u.Tenant), Kind: RenewalUnread, Severity: Alarm, Since: u.Since, Tenant: u.Tenant, Code: "objects", Used: u.Objects}
		if u.Batches > 0 {
			x.Code, x.Used = "batches", u.Batches
		}
		out = append(out, x)
	}
	return out
}

func id(kind Kind, of uid.ID) string { return string(kind) + ":" + of.String() }
