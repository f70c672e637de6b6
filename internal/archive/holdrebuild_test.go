package archive_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/uid"
)

// Holds and settings survive the loss of the catalog, and a hold that was lifted stays
// lifted.
func TestHoldsSurviveRebuild(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	until := o.now.time().Add(24 * time.Hour)
	stays := must(o.as("dpo").PlaceHold(ctx, archive.NewHold{Name: "stays", Reason: why, Messages: []uid.ID{o.mails["own"]}}))(t)
	o.now.pass(time.Minute)
	goes := must(o.as("dpo").PlaceHold(ctx, archive.NewHold{Name: "goes", Reason: why, All: true}))(t)
	must(o.as("admin").DecideAccess(ctx, must(o.as("dpo").RequestLift(ctx, goes.ID, why, until))(t).ID, true, ""))(t)
	o.now.pass(time.Hour)
	must(o.as("admin").DecideAccess(ctx, must(o.as("dpo").RequestShorter(ctx, archive.NewRetention{Years: 6, Reason: why}, until))(t).ID, true, ""))(t)
	o.now.pass(time.Hour)
	o.arrives("short")
	lost := o.lostCatalog(t)
	out := must(lost.Rebuild(ctx, nil))(t)
	if len(out.Damaged) > 0 {
		t.Fatal(out.Damaged)
	}
	list := must(lost.HoldsOf(ctx, o.tenant.ID))(t)
	if len(list) != 2 || list[0].ID != goes.ID || list[0].InForce() || list[0].LiftReason != why || list[1].ID != stays.ID || !list[1].InForce() || list[1].Reason != why || !slices.Equal(list[1].Scope.Messages, stays.Scope.Messages) {
		t.Errorf("restored: %+v", list)
	}
	tenant := must(lost.Catalog.Tenant(ctx, o.tenant.ID))(t)
	auditor := lost.User(t, tenant, "auditor", access.RoleAuditor, "auditor@acme.example")
	for mail, year := range map[string]int{"own": 2036, "short": 2032} {
		v := must(lost.As(auditor).Message(ctx, o.mails[mail]))(t)
		if got := v.Retention.LastDay; got != fmt.Sprintf("%d-12-31", year) || len(v.Retention.Holds) != map[string]int{"own": 1}[mail] {
			t.Errorf("%s: kept until %s, held by %d", mail, got, len(v.Retention.Holds))
		}
	}
	sound(t, lost)
}

// Settings that only the catalog has lost are not forgotten by the vault at the next start,
// and rebuild restores them.
func TestLostRetentionIsRestored(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	must(o.as("admin").SetRetention(ctx, archive.NewRetention{Years: 30, Reason: why}))(t)
	dir := o.Dir
	o.Close()
	db := openSQL(t, dir+"/catalog.db")
	if _, err := db.ExecContext(ctx, "DELETE FROM retention_setting"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	e := archivetest.New(t, archivetest.Options{Dir: dir, Now: o.now.time})
	e.DescribeTenants(ctx)
	var found []archive.Finding
	must(e.Fsck(ctx, archive.FsckOptions{Report: func(f archive.Finding) { found = append(found, f) }}))(t)
	if !slices.ContainsFunc(found, func(x archive.Finding) bool {
		return x.Severity == archive.Damage && x.Object == "retention of tenant "+o.tenant.ID.String() && strings.Contains(x.What, "30 years")
	}) {
		t.Errorf("fsck does not tell that the setting is lost: %+v", found)
	}
	for range 2 { // the second time there is nothing to restore
		if out := must(e.Rebuild(ctx, nil))(t); len(out.Damaged) > 0 {
			t.Fatal(out.Damaged)
		}
		if v := must(e.RetentionOfTenant(ctx, o.tenant.ID))(t); v.Current.Years != 30 || len(v.Set) != 1 {
			t.Errorf("restored: %+v", v)
		}
	}
	sound(t, e)
}

// lostCatalog opens the archive anew, without its catalog.
func (o *office) lostCatalog(t *testing.T) *archivetest.Env {
	t.Helper()
	dir := o.Dir
	o.Close()
	for _, f := range []string{"catalog.db", "catalog.db-wal", "catalog.db-shm"} {
		if err := os.Remove(dir + "/" + f); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	return archivetest.New(t, archivetest.Options{Dir: dir, Now: o.now.time})
}
