package archive

import (
	"context"
	"time"

	"github.com/muniment/muniment/internal/uid"
)

// retainedYears is how many calendar years after that of its arrival a message is kept.
const retainedYears = 10

// Retained says until when a message must stay.
type Retained struct {
	Class string
	Due   time.Time // end of its retention, exclusive; zero: it has none
	Holds []uid.ID  // that keep it without limit
}

// retained tells until when messages must stay. What is not there is missing.
func (a *Archive) retained(ctx context.Context, tenant uid.ID, list []uid.ID) (map[uid.ID]Retained, error) {
	t, err := a.catalog.Tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(t.Zone)
	if err != nil {
		return nil, err
	}
	rows, err := a.catalog.Messages(ctx, tenant, list)
	if err != nil {
		return nil, err
	}
	out := map[uid.ID]Retained{}
	for id, m := range rows {
		out[id] = Retained{Class: m.Class, Due: time.Date(m.ReceivedAt.In(zone).Year()+retainedYears+1, 1, 1, 0, 0, 0, 0, zone)}
	}
	return out, nil
}
