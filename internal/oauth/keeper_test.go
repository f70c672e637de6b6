package oauth

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/oauthd"
)

func grant(s *oauthd.Server) *memory {
	return &memory{secret: Grant{LogIn: "first", Refresh: s.Grant()}.Encode()}
}

func stored(t *testing.T, m *memory) Grant {
	t.Helper()
	b, _ := m.Load(t.Context())
	g, ok := ParseGrant(b)
	if !ok {
		t.Fatalf("stored is %q", b)
	}
	return g
}

func TestManyAskOnce(t *testing.T) {
	t.Parallel()
	s := oauthd.New(t, oauthd.Options{Misbehave: []oauthd.Misbehaviour{oauthd.RotatesAtOnce}})
	m := grant(s)
	k := brief().Keep(appOf(s), remote.ByDevice, m)
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if token, _, err := k.Token(t.Context()); err != nil || token != "access-1" {
				t.Error(token, err)
			}
		})
	}
	wait.Wait()
	if n := len(s.Asked()); n != 1 || m.swaps != 1 || !s.Takes(stored(t, m).Refresh) {
		t.Errorf("%d requests, %d times stored, %+v", n, m.swaps, stored(t, m))
	}
}

// A token that is near its end, or was refused, is renewed; the others are not.
func TestRenewal(t *testing.T) {
	t.Parallel()
	s := oauthd.New(t, oauthd.Options{})
	var ahead atomic.Int64
	c := New(Config{AllowPrivate: true, Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	m := &memory{secret: []byte(s.ClientSecret)}
	k := c.Keep(appOf(s), remote.ByClient, m)
	ask := func(want string, fresh bool) {
		t.Helper()
		if got, isFresh, err := k.Token(t.Context()); err != nil || got != want || isFresh != fresh {
			t.Errorf("%q, %v, %v; want %q, %v", got, isFresh, err, want, fresh)
		}
	}
	ask("access-1", true)
	ask("access-1", false)
	ahead.Store(int64(54 * time.Minute))
	ask("access-1", false)
	ahead.Store(int64(56 * time.Minute))
	ask("access-2", true)
	k.Drop("access-1") // that of another time
	ask("access-2", false)
	k.Drop("access-2")
	ask("access-3", true)
	m.secret = []byte("another, which is wrong")
	if _, _, err := k.Token(t.Context()); codeOf(t, err) != remote.CodeClientSecret {
		t.Errorf("the secret was changed: %v", err)
	}
}

// The renewed log-in that cannot be stored is not lost and not used.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	s := oauthd.New(t, oauthd.Options{Misbehave: []oauthd.Misbehaviour{oauthd.RotatesAtOnce}})
	m := grant(s)
	k := brief().Keep(appOf(s), remote.ByDevice, m)
	m.fails = errors.New("disk full")
	for range 3 {
		if token, _, err := k.Token(t.Context()); !errors.Is(err, m.fails) || token != "" {
			t.Fatalf("%q, %v", token, err)
		}
	}
	m.fails = nil
	if token, _, err := k.Token(t.Context()); err != nil || token != "access-1" {
		t.Errorf("%q, %v", token, err)
	}
	if n := len(s.Asked()); n != 1 || !s.Takes(stored(t, m).Refresh) {
		t.Errorf("%d requests, %+v", n, stored(t, m))
	}
}

// Two processes share a log-in whose refresh token counts once.
func TestAnotherProcess(t *testing.T) {
	t.Parallel()
	s := oauthd.New(t, oauthd.Options{Misbehave: []oauthd.Misbehaviour{oauthd.RotatesAtOnce}, Lifetime: time.Second})
	m := grant(s)
	one, two := brief().Keep(appOf(s), remote.ByDevice, m), brief().Keep(appOf(s), remote.ByDevice, m)
	var wait sync.WaitGroup
	for _, k := range []*Keeper{one, two} {
		wait.Go(func() {
			for range 10 {
				token, _, err := k.Token(t.Context())
				if err != nil && codeOf(t, err) != remote.CodeRevoked { // the other one is between its answer and its store
					t.Error(err)
				}
				k.Drop(token)
			}
		})
	}
	wait.Wait()
	time.Sleep(repent)
	if _, _, err := one.Token(t.Context()); err != nil || !s.Takes(stored(t, m).Refresh) {
		t.Errorf("%v, %+v", err, stored(t, m))
	}
}

// Somebody logs in anew while the old log-in is being renewed.
func TestSuperseded(t *testing.T) {
	t.Parallel()
	s := oauthd.New(t, oauthd.Options{})
	m := grant(s)
	k := brief().Keep(appOf(s), remote.ByDevice, m)
	fresh := Grant{LogIn: "second", Refresh: s.Grant()}
	k.turn <- struct{}{}
	old, _ := m.Load(t.Context())
	m.secret = fresh.Encode()
	if token, err := k.renew(t.Context(), old); codeOf(t, err) != remote.CodeUnavailable || token != "" {
		t.Errorf("%q, %v", token, err)
	}
	<-k.turn
	if got := stored(t, m); got != fresh {
		t.Errorf("the new log-in was overwritten: %+v", got)
	}
	if _, _, err := k.Token(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRevoked(t *testing.T) {
	t.Parallel()
	s := oauthd.New(t, oauthd.Options{})
	m := grant(s)
	s.Revoke()
	k := brief().Keep(appOf(s), remote.ByDevice, m)
	for range 5 {
		if _, _, err := k.Token(t.Context()); codeOf(t, err) != remote.CodeRevoked {
			t.Error(err)
		}
	}
	if n := len(s.Asked()); n != 1 {
		t.Errorf("a server that says no was asked %d times", n)
	}
	m.secret = nil
	if _, _, err := k.Token(t.Context()); codeOf(t, err) != remote.CodeToken {
		t.Error(err)
	}
}

func TestNothingAsksWhileThrottled(t *testing.T) {
	t.Parallel()
	s := oauthd.New(t, oauthd.Options{Misbehave: []oauthd.Misbehaviour{oauthd.Throttles}})
	k := brief().Keep(appOf(s), remote.ByClient, &memory{secret: []byte(s.ClientSecret)})
	for range 10 {
		if _, _, err := k.Token(t.Context()); codeOf(t, err) != remote.CodeThrottled {
			t.Error(err)
		}
	}
	if n := len(s.Asked()); n != 1 {
		t.Errorf("%d requests", n)
	}
}
