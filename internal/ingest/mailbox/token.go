package mailbox

import (
	"context"
	"errors"
	"time"

	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/remote"
)

// keeper has the access tokens of a source.
type keeper struct {
	made remote.Settings // what it was made for
	*oauth.Keeper
}

// keeperOf returns the keeper of a source, which lasts as long as the settings of
// the log-in: all who fetch it share its token.
func (f *Fetcher) keeperOf(k sourceKey, s remote.Settings) *oauth.Keeper {
	made := remote.Settings{OAuth: s.OAuth, Method: s.Method, Directory: s.Directory, ClientID: s.ClientID, Authority: s.Authority, User: s.User, Protocol: s.Protocol}
	f.mu.Lock()
	defer f.mu.Unlock()
	if old, ok := f.keepers[k]; ok && sameLogIn(old.made, made) {
		return old.Keeper
	}
	store := oauth.StoreFuncs{
		LoadFunc: func(ctx context.Context) ([]byte, error) {
			b, err := f.Archive.SourceSecret(ctx, k.tenant, k.source)
			return b, ours(err)
		},
		SwapFunc: func(ctx context.Context, old, secret []byte) (bool, error) {
			ok, err := f.Archive.SwapSourceSecret(ctx, k.tenant, k.source, old, secret)
			return ok, ours(err)
		},
	}
	now := keeper{made, f.OAuth.Keep(oauth.AppOf(s), s.Method, store)}
	f.keepers[k] = now
	return now.Keeper
}

// sameLogIn compares what keeperOf takes over.
func sameLogIn(a, b remote.Settings) bool {
	return a.OAuth == b.OAuth && a.Method == b.Method && a.Directory == b.Directory && a.ClientID == b.ClientID && a.Authority == b.Authority &&
		a.User == b.User && a.Protocol == b.Protocol
}

// credential makes t.secret what the server wants to see. Fresh says that there is
// no better one.
func (t *task) credential(ctx context.Context) (fresh bool, err error) {
	if t.set.Method == "" {
		return true, nil
	}
	token, fresh, err := t.f.keeperOf(t.src.key, t.set).Token(ctx)
	if err != nil {
		return false, err
	}
	t.secret = []byte(token)
	return fresh, nil
}

// enter logs in on a new connection. A token that is refused although it should
// count is fetched anew, and tried once more on another connection.
func (t *task) enter(ctx context.Context, c *client, fresh bool, most time.Duration) (*client, error) {
	err := c.login(ctx, t.set, t.secret)
	if err == nil {
		return c, nil
	}
	c.close()
	if fresh || code(err) != remote.CodeAuth {
		return nil, denied(t.set, err)
	}
	t.f.keeperOf(t.src.key, t.set).Drop(string(t.secret))
	if _, err := t.credential(ctx); err != nil {
		return nil, err
	}
	if c, err = t.f.dial(ctx, t.set, c.way, trust(t.set, func(string) {}), most); err != nil {
		return nil, err
	}
	if err := c.login(ctx, t.set, t.secret); err != nil {
		c.close()
		return nil, denied(t.set, err)
	}
	return c, nil
}

// denied says what it means that a server refuses a token that the provider has
// just given out: it is not about the token, but about the mailbox.
func denied(s remote.Settings, err error) error {
	if s.Method == "" || code(err) != remote.CodeAuth {
		return err
	}
	return &coded{remote.CodeNotAssigned, err}
}

// rest is how long a server wants to be left alone after err.
func rest(err error) time.Duration {
	var e *oauth.Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

// credential makes p.secret what the server wants to see.
func (p *probe) credential(ctx context.Context, store oauth.Store) error {
	secret, err := store.Load(ctx)
	if err != nil {
		return ours(err)
	}
	p.secret = secret
	if err := checkSecret(p.set, secret); err != nil || p.set.Method == "" {
		return err
	}
	token, _, err := p.f.OAuth.Keep(oauth.AppOf(p.set), p.set.Method, store).Token(ctx)
	if err != nil {
		return err
	}
	p.secret = []byte(token)
	p.ok("access token", "given by the log-in server")
	return nil
}
