package archive

import (
	"context"
	"errors"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// sentAgain releases from quarantine what has come once more, if it would be archived
// now: its domain has been added since, or this copy names somebody of the tenant.
// Whoever was to get it would never see it otherwise, for the sender was told that it
// has arrived. What somebody has decided to keep there stays. It runs in the committer;
// if it fails, the message waits for somebody to release it, as it did before.
func (a *Archive) sentAgain(ctx context.Context, w *tenantWork, c *commit) {
	if len(c.again) == 0 {
		return
	}
	ids := make([]uid.ID, 0, len(c.again))
	for id := range c.again {
		ids = append(ids, id)
	}
	list, err := a.catalog.Quarantine(ctx, w.tenant, catalog.QuarantineFilter{States: []catalog.QuarantineState{catalog.Waiting}, Among: ids}, len(ids))
	if err == nil {
		err = a.releaseAgain(ctx, w, c, list)
	}
	if err != nil && !errors.Is(err, catalog.ErrTaken) { // somebody has just released it
		a.log.Warn("messages that came again wait in quarantine", "tenant", w.tenant, "error", err)
	}
}

func (a *Archive) releaseAgain(ctx context.Context, w *tenantWork, c *commit, list []*catalog.QuarantineEntry) error {
	bySource := map[uid.ID][]uid.ID{}
	for _, e := range list {
		sub := &c.again[e.AOID].sub
		v, err := a.verdict(ctx, sub, e.Parties)
		if err != nil {
			return err
		}
		if v.outcome == catalog.Stored {
			bySource[sub.Source] = append(bySource[sub.Source], e.AOID)
		}
	}
	now := a.now().UTC().Truncate(time.Millisecond)
	for source, ids := range bySource {
		d := decisionRecord{State: catalog.Released, By: actorSource + source.String(), At: now}
		if _, err := a.decideOnce(ctx, w.tenant, ids, d, ""); err != nil {
			return err
		}
		w.poke()
	}
	return nil
}
