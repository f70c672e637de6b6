package archive

import (
	"context"
	"errors"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/retention"
	"github.com/muniment/muniment/internal/uid"
)

// Retained is what stands in the way of deleting a message.
type Retained struct {
	Class string
	Due   time.Time // the first instant at which its retention is over
	Holds []uid.ID  // those in force that cover it
}

// retained says of each message of a list that exists until when it is kept and which
// holds are on it. The only path of deletion asks it before anything is deleted. If a
// row of a hold or of a setting is damaged, it fails: nobody can tell then what may go.
func (a *Archive) retained(ctx context.Context, tenant uid.ID, list []uid.ID) (map[uid.ID]Retained, error) {
	rows, err := a.catalog.Messages(ctx, tenant, list)
	if err != nil {
		return nil, err
	}
	k, err := a.keeping(ctx, tenant)
	if err != nil {
		return nil, err
	}
	holds, err := a.holdsInForce(ctx, tenant)
	if err != nil {
		return nil, err
	}
	out := make(map[uid.ID]Retained, len(rows))
	for id, row := range rows {
		r := Retained{Class: row.Class}
		r.Due, _ = k.due(row)
		if r.Holds, err = a.holdsOn(ctx, holds, row); err != nil {
			return nil, err
		}
		out[id] = r
	}
	return out, nil
}

// keeping is how long a tenant keeps what nothing classifies.
type keeping struct {
	history retention.History
	zone    string // the tenant's
	rows    []*catalog.RetentionSetting
}

func (a *Archive) keeping(ctx context.Context, tenant uid.ID) (*keeping, error) {
	t, err := a.catalog.Tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	k := &keeping{zone: t.Zone}
	if k.rows, err = a.catalog.Retentions(ctx, tenant); err != nil {
		return nil, err
	}
	for _, r := range k.rows {
		k.history = append(k.history, settingOf(r))
	}
	return k, nil
}

func settingOf(r *catalog.RetentionSetting) retention.Setting {
	return retention.Setting{From: r.ValidFrom, Years: r.Years, Jurisdiction: retention.Jurisdiction(r.Jurisdiction), YearEnd: r.YearEnd, Zone: r.Zone}
}

// due returns when the retention of a message is over, and by which setting. It counts
// from the archive's own receipt, never from the date that the message claims (RET-4).
// No rules assign classes yet: everything is kept as what nothing classifies.
func (k *keeping) due(row *catalog.Message) (time.Time, retention.Setting) {
	return k.history.Due(row.ReceivedAt, k.zone)
}

// RetentionOf is what a message page says of how long the message is kept.
type RetentionOf struct {
	Class    string
	Received time.Time // by the archive: what the period counts from
	Due      time.Time // the first instant at which it may be deleted
	LastDay  string    // 2006-01-02, in the tenant's legal time zone: it is kept until then
	Years    int
	Law      retention.Jurisdiction
	// Holds that are on it; nil for those who may not see them.
	Holds []HoldView
	// Unknown says that rows are damaged: then nothing of this can be told, and nothing
	// is deleted.
	Unknown bool
}

// retentionOf is that of a row which the actor may see.
func (h *Handle) retentionOf(ctx context.Context, row *catalog.Message) (*RetentionOf, error) {
	out := &RetentionOf{Class: row.Class, Received: row.ReceivedAt}
	k, err := h.a.keeping(ctx, row.Tenant)
	if len(rowErrors(err)) > 0 {
		out.Unknown = true
		return out, h.a.sound("settings of retention", err)
	} else if err != nil {
		return nil, err
	}
	due, by := k.due(row)
	out.Due, out.LastDay, out.Years, out.Law = due, by.Calendar().LastDay(due), by.Years, by.Jurisdiction
	if !h.seesHolds() {
		return out, nil
	}
	holds, err := h.a.holdsInForce(ctx, row.Tenant)
	if len(rowErrors(err)) > 0 || errors.Is(err, errScope) {
		out.Unknown = true
		h.a.log.Error("rows of holds are damaged; muniment fsck tells more", "tenant", row.Tenant, "error", err)
		return out, nil
	} else if err != nil {
		return nil, err
	}
	on, err := h.a.holdsOn(ctx, holds, row)
	if err != nil {
		return nil, err
	}
	out.Holds = []HoldView{}
	for _, id := range on {
		for _, x := range holds {
			if x.ID == id {
				out.Holds = append(out.Holds, HoldView{Hold: x.Hold, Scope: x.scope})
			}
		}
	}
	return out, nil
}
