package archive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// Kinds of trouble that is remembered.
const (
	troubleSource     = "source"
	troubleSealing    = "sealing"
	troubleQuarantine = "quarantine"
)

// troubleKey names a trouble.
type troubleKey struct {
	tenant       uid.ID
	kind, object string
}

// found are the troubles of now, with what is told of each; judged are the things that
// could be looked at: what could not stays as it was.
type found struct {
	now    map[troubleKey]map[string]string
	judged map[troubleKey]bool
}

func (f *found) judge(k troubleKey, bad bool, details map[string]string) {
	if f.judged[k] = true; bad {
		f.now[k] = details
	}
}

// WatchTroubles writes into the event logs what has begun and what has stopped going
// wrong since the last time: sources that bring nothing, objects that wait too long for
// a time stamp, quarantine with something in it. What goes wrong for one tenant does not
// keep the others from being looked at.
func (a *Archive) WatchTroubles(ctx context.Context) error {
	f := &found{now: map[troubleKey]map[string]string{}, judged: map[troubleKey]bool{}}
	errs := []error{a.watchSealing(ctx, f)}
	tenants, err := a.takingTenants(ctx)
	errs = append(errs, err)
	for _, t := range tenants {
		if err := a.watchTenant(ctx, t.ID, f); err != nil {
			errs = append(errs, fmt.Errorf("tenant %s: %w", t.Slug, err))
		}
	}
	known, err := a.catalog.Troubles(ctx)
	if err := a.sound("troubles", err); err != nil {
		return errors.Join(append(errs, err)...)
	}
	begun := map[troubleKey]bool{}
	for _, t := range known {
		k := troubleKey{t.Tenant, t.Kind, t.Object}
		if begun[k] = true; f.now[k] != nil || !f.judged[k] && !a.sourceGone(ctx, k) {
			continue
		}
		err := a.catalog.EndTrouble(ctx, t, a.troubleEvents(k, "recovered", map[string]string{"since": t.Since.Format(time.RFC3339)})...)
		if !errors.Is(err, catalog.ErrNotFound) { // else another process was faster
			errs = append(errs, err)
		}
	}
	for k, details := range f.now {
		if begun[k] {
			continue
		}
		t := &catalog.Trouble{Tenant: k.tenant, Kind: k.kind, Object: k.object, Since: a.now().UTC().Truncate(time.Millisecond)}
		err := a.catalog.BeginTrouble(ctx, t, a.troubleEvents(k, "failing", details)...)
		if !errors.Is(err, catalog.ErrTaken) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// sourceGone reports whether a trouble is of a source that there is no more.
func (a *Archive) sourceGone(ctx context.Context, k troubleKey) bool {
	id, err := uid.Parse(k.object)
	if k.kind != troubleSource || err != nil {
		return false
	}
	_, err = a.catalog.Source(ctx, k.tenant, id)
	return errors.Is(err, catalog.ErrNotFound)
}

// troubleEvents are the events of a change; that a quarantine is empty again is none.
func (a *Archive) troubleEvents(k troubleKey, what string, details map[string]string) []*catalog.Event {
	action := k.kind + "." + what
	if k.kind == troubleQuarantine {
		if action = "quarantine.filled"; what != "failing" {
			return nil
		}
	}
	return []*catalog.Event{{At: a.now().UTC(), Actor: "system", Action: action, Object: k.object, Details: details}}
}

func (a *Archive) watchSealing(ctx context.Context, f *found) error {
	l, err := a.SealLag(ctx, a.now())
	if err != nil {
		return fmt.Errorf("backlog of sealing: %w", err)
	}
	f.judge(troubleKey{kind: troubleSealing}, l.Alarm, map[string]string{"waiting": fmt.Sprint(l.Waiting + l.Pending), "oldest_seconds": fmt.Sprint(int64(l.Age.Seconds()))})
	return nil
}

func (a *Archive) watchTenant(ctx context.Context, tenant uid.ID, f *found) error {
	counts, err := a.catalog.CountQuarantine(ctx, tenant)
	if err != nil {
		return err
	}
	waiting := counts[catalog.Waiting]
	f.judge(troubleKey{tenant, troubleQuarantine, ""}, waiting > 0, map[string]string{"waiting": fmt.Sprint(waiting)})
	list, err := a.sourceViews(ctx, tenant, "")
	if err != nil {
		return err
	}
	for i := range list {
		v := &list[i]
		x := sourceFact(&v.Source, v.State)
		f.judge(troubleKey{tenant, troubleSource, v.ID.String()}, !v.Disabled && fails(x, a.now()), map[string]string{"problem": x.Problem})
	}
	return nil
}
