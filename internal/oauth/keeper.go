package oauth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/remote"
)

// Store keeps the secret of one application or log-in. It is durable.
type Store interface {
	Load(ctx context.Context) ([]byte, error)
	// Swap puts new in the place of old. False: something else is there.
	Swap(ctx context.Context, old, new []byte) (bool, error)
}

// StoreFuncs is a Store made of two functions.
type StoreFuncs struct {
	LoadFunc func(ctx context.Context) ([]byte, error)
	SwapFunc func(ctx context.Context, old, new []byte) (bool, error)
}

// Load implements Store.
func (s StoreFuncs) Load(ctx context.Context) ([]byte, error) { return s.LoadFunc(ctx) }

// Swap implements Store.
func (s StoreFuncs) Swap(ctx context.Context, old, now []byte) (bool, error) {
	return s.SwapFunc(ctx, old, now)
}

// Memory is a Store that lasts as long as the process: of a log-in that belongs to
// no source yet. It may be used concurrently.
type Memory struct {
	mu     sync.Mutex
	secret []byte
}

// NewMemory makes a Store that holds a secret.
func NewMemory(secret []byte) *Memory { return &Memory{secret: secret} }

// Load implements Store.
func (m *Memory) Load(context.Context) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.secret, nil
}

// Swap implements Store.
func (m *Memory) Swap(_ context.Context, old, now []byte) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !bytes.Equal(m.secret, old) {
		return false, nil
	}
	m.secret = now
	return true, nil
}

const (
	// margin is how long before its end a token is renewed.
	margin = 5 * time.Minute
	// storeTime bounds the storing of a renewed log-in, which goes on when the
	// caller does not.
	storeTime = 30 * time.Second
	// repent is how long a failure is told again before the server is asked again.
	repent = 2 * time.Second
)

// Keeper has a valid token at any time. Whoever asks while one is being fetched
// waits for that one. It may be used concurrently.
//
// A renewed log-in is stored before its token is handed out: whatever happens
// then, the log-in that the server now wants is the one that is kept. Where it
// cannot be stored it stays in memory, and that is tried first the next time.
type Keeper struct {
	client *Client
	app    App
	method string
	store  Store

	turn    chan struct{} // capacity 1: whoever holds it works on what follows
	sum     [32]byte      // of the secret that token is from
	token   Token
	renewAt time.Time
	pending *pending
	failure error
	until   time.Time // failure is told again until then
}

// pending is a renewed log-in that is not stored yet.
type pending struct {
	old, new []byte
	token    Token
}

// Keep makes a Keeper. method is remote.ByClient or remote.ByDevice.
func (c *Client) Keep(a App, method string, s Store) *Keeper {
	return &Keeper{client: c, app: a, method: method, store: s, turn: make(chan struct{}, 1)}
}

// Token returns a valid token. Fresh says that it was fetched for this call. Errors
// are *Error, or those of the store and of ctx.
func (k *Keeper) Token(ctx context.Context) (token string, fresh bool, err error) {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return "", false, ctx.Err()
	}
	secret, err := k.store.Load(ctx)
	if err != nil {
		return "", false, err
	}
	now := k.client.cfg.Now()
	if sum := sha256.Sum256(secret); sum != k.sum {
		k.sum, k.token, k.failure = sum, Token{}, nil // somebody has logged in anew
	}
	if k.pending != nil {
		if _, err := k.settle(ctx, k.pending); err != nil {
			return "", false, err
		}
		if secret, err = k.store.Load(ctx); err != nil {
			return "", false, err
		}
	}
	if k.token.Access != "" && now.Before(k.renewAt) {
		return k.token.Access, false, nil
	}
	if k.failure != nil && now.Before(k.until) {
		return "", false, k.failure
	}
	token, err = k.fetch(ctx, secret)
	k.failure = nil
	var e *Error
	if errors.As(err, &e) {
		k.failure, k.until = err, now.Add(max(repent, e.RetryAfter))
	}
	return token, true, err
}

// Drop forgets a token that a server has refused.
func (k *Keeper) Drop(token string) {
	k.turn <- struct{}{}
	defer func() { <-k.turn }()
	if k.token.Access == token {
		k.token = Token{}
	}
}

// fetch asks the log-in server.
func (k *Keeper) fetch(ctx context.Context, secret []byte) (string, error) {
	if len(secret) == 0 {
		return "", &Error{Code: remote.CodeToken}
	}
	if k.method == remote.ByClient {
		t, err := k.client.ByClient(ctx, k.app, secret)
		if err != nil {
			return "", err
		}
		k.keep(secret, t)
		return t.Access, nil
	}
	token, err := k.renew(ctx, secret)
	var e *Error
	if !errors.As(err, &e) || e.Code != remote.CodeRevoked {
		return token, err
	}
	// Another process may have renewed the log-in a moment ago, and the server
	// takes the old one no more.
	again, lerr := k.store.Load(ctx)
	if lerr != nil || bytes.Equal(again, secret) {
		return "", err
	}
	return k.renew(ctx, again)
}

// renew gets a token for a log-in, and stores the log-in if it is another one now.
func (k *Keeper) renew(ctx context.Context, secret []byte) (string, error) {
	g, ok := ParseGrant(secret)
	if !ok {
		return "", &Error{Code: remote.CodeToken}
	}
	t, err := k.client.Renew(ctx, k.app, g)
	if err != nil {
		return "", err
	}
	if t.Refresh == "" || t.Refresh == g.Refresh {
		k.keep(secret, t)
		return t.Access, nil
	}
	g.Refresh = t.Refresh
	token, err := k.settle(ctx, &pending{old: secret, new: g.Encode(), token: t})
	if err == nil && token == "" {
		err = &Error{Code: remote.CodeUnavailable, Detail: "the log-in has been changed meanwhile"}
	}
	return token, err
}

// settle stores a renewed log-in. It returns "" and no error if another one has
// taken its place meanwhile.
func (k *Keeper) settle(ctx context.Context, p *pending) (string, error) {
	k.pending = p
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	ok, err := k.store.Swap(ctx, p.old, p.new)
	if err != nil {
		return "", err
	}
	k.pending = nil
	if !ok {
		return k.superseded(ctx, p)
	}
	k.keep(p.new, p.token)
	return p.token.Access, nil
}

// superseded is for a log-in whose place something else has taken: another process
// has renewed the same one, and then our token is as good, or somebody has changed
// what is kept, and then it counts for nothing.
func (k *Keeper) superseded(ctx context.Context, p *pending) (string, error) {
	now, err := k.store.Load(ctx)
	if err != nil {
		return "", err
	}
	theirs, ok := ParseGrant(now)
	ours, _ := ParseGrant(p.new)
	if !ok || theirs.LogIn != ours.LogIn {
		return "", nil
	}
	k.keep(now, p.token)
	return p.token.Access, nil
}

// keep remembers a token and what it was got with.
func (k *Keeper) keep(secret []byte, t Token) {
	now := k.client.cfg.Now()
	life := t.Expires.Sub(now)
	k.sum, k.token, k.renewAt = sha256.Sum256(secret), t, t.Expires.Add(-min(margin, life/4))
}
