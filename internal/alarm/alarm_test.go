package alarm

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/uid"
)

var now = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// TestFind has for every kind what is alarming, and what is just not.
func TestFind(t *testing.T) {
	t.Parallel()
	tenant, source := uid.ID{1}, uid.ID{2}
	failing := func(age time.Duration) Facts {
		return Facts{Sources: []Source{{Tenant: tenant, Source: source, Problem: "auth", OKAt: ago(age)}}}
	}
	room := func(free, total int64) Facts { return Facts{Disk: &Disk{Free: free, Total: total}} }
	backed := func(b Backup) Facts { return Facts{Backup: &b} }
	for name, c := range map[string]struct {
		facts Facts
		want  string // kind and severity; empty: nothing
	}{
		"nothing looked at": {Facts{}, ""},

		"source that works":        {Facts{Sources: []Source{{Tenant: tenant, Source: source, OKAt: ago(time.Hour)}}}, ""},
		"source that fails at all": {failing(14 * time.Minute), ""},
		"source that fails":        {failing(15 * time.Minute), "source-failing warning"},
		"source that fails long":   {failing(24 * time.Hour), "source-failing alarm"},

		"limit that is free":    {Facts{Limits: []Limit{{Tenant: tenant, What: "storage", Used: 79, Of: 100}}}, ""},
		"limit that is near":    {Facts{Limits: []Limit{{Tenant: tenant, What: "storage", Used: 80, Of: 100, Near: true}}}, "limit-near warning"},
		"limit that is reached": {Facts{Limits: []Limit{{Tenant: tenant, What: "storage", Used: 100, Of: 100, Reached: true}}}, "limit-reached warning"},

		"sealed":            {Facts{Seal: &Seal{Authorities: true, Objects: 5}}, ""},
		"seal is late":      {Facts{Seal: &Seal{Authorities: true, Late: true, Since: ago(time.Hour)}}, "seal-late alarm"},
		"no authority":      {Facts{Seal: &Seal{}}, "no-authority notice"},
		"room enough":       {room(11*gib, 100*gib), ""},
		"room in a vast":    {room(200*gib, 9000*gib), ""},
		"room is low":       {room(9*gib, 100*gib), "disk-low warning"},
		"room is low here":  {room(4*gib, 8*gib), "disk-low warning"},
		"room is out":       {room(1*gib, 100*gib), "disk-full alarm"},
		"room is unknown":   {room(0, 0), ""},
		"no backup":         {backed(Backup{}), "backup-never notice"},
		"backup":            {backed(Backup{At: ago(48 * time.Hour), OKAt: ago(48 * time.Hour)}), ""},
		"backup is old":     {backed(Backup{At: ago(49 * time.Hour), OKAt: ago(49 * time.Hour)}), "backup-overdue warning"},
		"backup has failed": {backed(Backup{At: ago(time.Hour), OKAt: ago(25 * time.Hour), Failed: true}), "backup-failed alarm"},
		"index":             {Facts{Indexes: []Index{{tenant, 10_000}}}, ""},
		"index is behind":   {Facts{Indexes: []Index{{tenant, 10_001}}}, "indexing-behind warning"},
	} {
		c.facts.Now = now
		got := ""
		for _, x := range Find(c.facts) {
			got += string(x.Kind) + " " + string(x.Severity)
			if x.ID == "" || !slices.Contains(Kinds(), x.Kind) {
				t.Errorf("%s: %+v", name, x)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestIDs keeps the id of an alarm that gets worse, and tells others apart.
func TestIDs(t *testing.T) {
	t.Parallel()
	ids := func(f Facts) (list []string) {
		f.Now = now
		for _, x := range Find(f) {
			list = append(list, x.ID)
		}
		slices.Sort(list)
		return list
	}
	facts := func(long time.Duration, reached bool, free int64) Facts {
		return Facts{
			Sources: []Source{{uid.ID{1}, uid.ID{2}, "auth", ago(long)}, {uid.ID{1}, uid.ID{3}, "dns", ago(long)}},
			Limits: []Limit{{Tenant: uid.ID{1}, What: "storage", Near: !reached, Reached: reached}, {Tenant: uid.ID{1}, What: "mailboxes", Near: !reached, Reached: reached},
				{Reseller: uid.ID{4}, What: "storage", Near: !reached, Reached: reached}},
			Disk: &Disk{free, 100 * gib},
		}
	}
	first, worse := ids(facts(time.Hour, false, 9*gib)), ids(facts(48*time.Hour, true, gib/2))
	if diff := cmp.Diff(first, worse); diff != "" {
		t.Errorf("ids change: %s", diff)
	}
	if n := len(slices.Compact(slices.Clone(first))); n != 6 {
		t.Errorf("%d ids, want 6: %v", n, first)
	}
}

// TestOrder puts the worst first, and the oldest of these.
func TestOrder(t *testing.T) {
	t.Parallel()
	var got []Kind
	for _, x := range Find(Facts{Now: now, Seal: &Seal{}, Backup: &Backup{At: ago(time.Hour), Failed: true},
		Sources: []Source{{uid.ID{1}, uid.ID{2}, "auth", ago(time.Hour)}, {uid.ID{1}, uid.ID{3}, "auth", ago(72 * time.Hour)}}}) {
		got = append(got, x.Kind)
	}
	if diff := cmp.Diff([]Kind{SourceFailing, BackupFailed, SourceFailing, NoAuthority}, got); diff != "" {
		t.Error(diff)
	}
}
