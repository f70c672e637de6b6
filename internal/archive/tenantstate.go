package archive

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// ErrTenantEnded is returned (wrapped) when new mail or a document is offered for a
// tenant that has ended: nobody will ever take it.
var ErrTenantEnded = errors.New("the archive of this customer has ended and takes nothing more")

// stateFresh is how long a state is believed without looking whether another process
// has changed it. Changes of this process hold at once.
const stateFresh = 5 * time.Second

// tenantStates are the states of tenants that were asked for.
type tenantStates struct {
	mu   sync.Mutex
	of   map[uid.ID]knownState
	turn int // counts changes of this process
}

type knownState struct {
	state  catalog.TenantState
	loaded time.Time
}

func (s *tenantStates) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn++
	clear(s.of)
}

// Takes returns ErrTenantEnded if a tenant takes no new mail.
func (a *Archive) Takes(ctx context.Context, tenant uid.ID) error {
	s := &a.hierarchy.states
	s.mu.Lock()
	k, turn := s.of[tenant], s.turn
	s.mu.Unlock()
	if time.Since(k.loaded) > stateFresh {
		t, err := a.catalog.Tenant(ctx, tenant)
		switch {
		case len(rowErrors(err)) > 0: // a damaged row must not keep mail out
			return nil
		case err != nil:
			return err
		}
		k = knownState{t.State, time.Now()}
		s.mu.Lock()
		if s.turn == turn {
			if s.of == nil {
				s.of = map[uid.ID]knownState{}
			}
			s.of[tenant] = k
		}
		s.mu.Unlock()
	}
	if k.state == catalog.TenantEnded {
		return ErrTenantEnded
	}
	return nil
}

// SetTenantState suspends, ends or resumes a tenant that the actor looks after. A
// suspended tenant's users cannot log in, but its mail is archived; one that has ended
// can be read, and takes nothing more. That it is in the state already is no error.
func (h *Handle) SetTenantState(ctx context.Context, id uid.ID, state catalog.TenantState) error {
	if err := h.mine(ctx, access.ManageTenants, id); err != nil {
		return err
	}
	actions := map[catalog.TenantState]string{catalog.TenantActive: "tenant.resumed", catalog.TenantSuspended: "tenant.suspended", catalog.TenantEnded: "tenant.ended"}
	if actions[state] == "" {
		return wrongField("state", "want active, suspended or ended")
	}
	if _, err := h.a.catalog.Deletion(ctx, id); err == nil {
		return wrongField("state", "the tenant is being deleted")
	} else if !errors.Is(err, catalog.ErrNotFound) {
		return err
	}
	err := h.a.catalog.ChangeTenant(ctx, id, func(t *catalog.Tenant, k *catalog.Care) ([]*catalog.Event, error) {
		if t.State == state {
			return nil, nil
		}
		e := h.event(actions[state], id.String(), map[string]string{"before.state": string(t.State), "after.state": string(state)})
		t.State, k.Since = state, h.a.now().UTC().Truncate(time.Millisecond)
		return []*catalog.Event{e}, nil
	})
	h.a.hierarchy.states.forget()
	if err != nil {
		return err
	}
	return h.a.describeTenant(ctx, id)
}

// takingTenants lists the tenants that take new mail.
func (a *Archive) takingTenants(ctx context.Context) ([]*catalog.Tenant, error) {
	tenants, err := a.Tenants(ctx)
	var out []*catalog.Tenant
	for _, t := range tenants {
		if t.State != catalog.TenantEnded {
			out = append(out, t)
		}
	}
	return out, err
}
