package sealing

import (
	"context"
	"encoding/json"
	"time"

	"github.com/muniment/muniment/internal/evidence/tspclient"
	"github.com/muniment/muniment/internal/seal"
)

// quota is how many time stamps of an authority may be spent.
func quota(a seal.Authority) tspclient.Quota {
	return tspclient.Quota{Limit: a.Quota, Period: tspclient.Monthly}
}

// states reads how authorities behave, and what they have cost; fresh forgets their
// failures. What cannot be read counts as nothing known: sealing goes on.
func (s *Sealer) states(ctx context.Context, fresh bool) map[string]tspclient.State {
	rows, err := s.cfg.Archive.AuthorityStates(ctx)
	if err != nil {
		s.cfg.Log.Error("states of time-stamp authorities", "error", err)
	}
	out := map[string]tspclient.State{}
	for name, text := range rows {
		var st tspclient.State
		if err := json.Unmarshal(text, &st); err != nil {
			s.cfg.Log.Error("state of a time-stamp authority", "authority", name, "error", err)
			continue
		}
		if fresh {
			st.Failures, st.NextTry = 0, time.Time{}
		}
		out[name] = st
	}
	return out
}

// remember stores how authorities behave and what they have cost, so that a restart
// spends no more than is allowed.
func (s *Sealer) remember(ctx context.Context, pool *tspclient.Pool) error {
	for name, st := range pool.States() {
		text, err := json.Marshal(st)
		if err != nil {
			return err
		}
		if err := s.cfg.Archive.SetAuthorityState(ctx, name, text); err != nil {
			return err
		}
	}
	return nil
}

// Spent tells it of all authorities in the settings.
func (s *Sealer) Spent(ctx context.Context) ([]seal.Spent, error) {
	set, err := s.cfg.Archive.SealSetting(ctx)
	if err != nil {
		return nil, err
	}
	states, now := s.states(ctx, false), s.cfg.Now()
	var out []seal.Spent
	for _, a := range set.Authorities {
		st := states[a.Name]
		out = append(out, seal.Spent{Name: a.Name, Spent: st.SpentNow(now, quota(a)), Remaining: st.Remaining(now, quota(a))})
	}
	return out, nil
}
