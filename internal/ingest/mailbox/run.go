package mailbox

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// running is a worker and what it was started for.
type running struct {
	stamp [32]byte
	stop  context.CancelFunc
	ended chan struct{}
}

// Run fetches all remote mailboxes that are not disabled, each at its interval,
// until ctx ends; it returns nil then, when nothing of it is at work any more. It
// notices new and changed sources within seconds. It begins with the histories that an
// earlier process had not ended.
func (f *Fetcher) Run(ctx context.Context) error {
	var workers sync.WaitGroup
	defer f.EndHistories()
	defer workers.Wait()
	f.resume(ctx)
	at := map[sourceKey]*running{}
	tick := time.NewTicker(f.timings.look)
	defer tick.Stop()
	for {
		if err := f.look(ctx, at, &workers); err != nil && ctx.Err() == nil {
			f.Log.Error("remote mailboxes cannot be listed", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-f.looked:
		}
	}
}

// look starts and stops workers as the sources have changed.
func (f *Fetcher) look(ctx context.Context, at map[sourceKey]*running, workers *sync.WaitGroup) error {
	list, err := f.Archive.RemoteMailboxes(ctx)
	if err != nil {
		return err
	}
	there := map[sourceKey]bool{}
	for i := range list {
		v := &list[i]
		k := sourceKey{v.Tenant, v.ID}
		if v.Disabled {
			continue
		}
		secret, err := f.Archive.SourceSecret(ctx, v.Tenant, v.ID)
		if err != nil {
			f.Log.Error("password of a remote mailbox cannot be read", "tenant", v.Tenant, "source", v.Name, "error", err)
		}
		there[k] = true
		stamp := stampOf(v, secret)
		if r := at[k]; r != nil {
			if r.stamp == stamp {
				continue
			}
			r.stop() // the new one waits for its lock
		}
		wctx, stop := context.WithCancel(ctx)
		r := &running{stamp: stamp, stop: stop, ended: make(chan struct{})}
		at[k] = r
		workers.Go(func() {
			defer close(r.ended)
			f.work(wctx, v)
		})
	}
	for k, r := range at {
		if !there[k] {
			r.stop()
			delete(at, k)
		}
	}
	return nil
}

// stampOf changes with everything that a worker depends on.
func stampOf(v *archive.SourceView, secret []byte) [32]byte {
	h := sha256.New()
	if g, ok := oauth.ParseGrant(secret); ok { // a log-in that is only renewed is the same
		secret = []byte(g.LogIn + "\x00" + g.ClientSecret)
	}
	for _, b := range [][]byte{v.Settings, secret, []byte(v.Name)} {
		sum := sha256.Sum256(b)
		h.Write(sum[:])
	}
	return [32]byte(h.Sum(nil))
}

// FetchNow makes Run fetch a source at once, or as soon as it can. ErrNoSource if
// there is none to be fetched.
func (f *Fetcher) FetchNow(tenant, source uid.ID) error {
	k := sourceKey{tenant, source}
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	if _, err := f.find(ctx, k); err != nil {
		return err
	}
	for _, c := range []chan struct{}{f.wake(k), f.looked} {
		select {
		case c <- struct{}{}:
		default: // it will be noticed already
		}
	}
	return nil
}

// Fetch fetches a source once, whatever its interval, and returns how that went.
// It waits for a fetch that is under way in this process. Everything that stays
// on the server is tried again.
func (f *Fetcher) Fetch(ctx context.Context, tenant, source uid.ID) (remote.State, error) {
	k := sourceKey{tenant, source}
	unlock, err := f.lock(ctx, k)
	if err != nil {
		return remote.State{}, err
	}
	defer unlock()
	v, err := f.find(ctx, k)
	if err != nil {
		return remote.State{}, err
	}
	src := newSource(v)
	err = f.fetch(ctx, v, src, true)
	src.hangUp(ctx)
	return src.state, err
}

// StateOf reads the state of a source; it is empty if there is none.
func StateOf(v *archive.SourceView) (s remote.State) {
	if json.Unmarshal(v.State, &s) != nil {
		return remote.State{}
	}
	return s
}
