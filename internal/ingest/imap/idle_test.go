package imap

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/testkit/imapd"
)

func TestIdle(t *testing.T) {
	t.Parallel()
	s := imapd.New(t, imapd.Options{})
	fill(s, 3)
	c := selected(t, s, config(s, TLSNone))
	const long = time.Minute

	go s.Add("INBOX", mail(3))
	if news, err := c.Idle(t.Context(), long); !news || err != nil {
		t.Fatalf("%v, %v", news, err)
	}
	if news, err := c.Idle(t.Context(), 50*time.Millisecond); news || err != nil {
		t.Fatalf("%v, %v", news, err)
	}
	s.Remove("INBOX", 1) // is no news, and hides none
	go s.Add("INBOX", mail(4))
	if news, err := c.Idle(t.Context(), long); !news || err != nil {
		t.Fatalf("%v, %v", news, err)
	}
	s.Add("INBOX", mail(5))
	if err := c.Noop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if news, err := c.Idle(t.Context(), long); !news || err != nil {
		t.Fatalf("%v, %v", news, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if news, err := c.Idle(ctx, long); news || !errors.Is(err, context.Canceled) || !c.Usable() {
		t.Fatalf("%v, %v, usable %v", news, err, c.Usable())
	}
	all, err := listAll(t.Context(), c, 100)
	if err != nil || len(all) != 5 {
		t.Errorf("%d entries, %v", len(all), err)
	}
}

func TestIdleWithoutIDLE(t *testing.T) {
	t.Parallel()
	s := imapd.New(t, imapd.Options{Without: []string{"IDLE"}})
	c := selected(t, s, config(s, TLSNone))
	s.Add("INBOX", mail(0))
	if news, err := c.Idle(t.Context(), 50*time.Millisecond); news || err != nil {
		t.Errorf("%v, %v", news, err) // it asks only once a minute
	}
	if err := c.Noop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if news, err := c.Idle(t.Context(), 50*time.Millisecond); !news || err != nil {
		t.Errorf("%v, %v", news, err)
	}
}

func TestIdleEndsWithTheConnection(t *testing.T) {
	t.Parallel()
	s := imapd.New(t, imapd.Options{Misbehave: []imapd.Misbehaviour{}})
	s.Cut(1300) // somewhere in the chatter of IDLE
	cfg := config(s, TLSNone)
	cfg.Timeouts = brief()
	c, err := Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(t.Context(), s.User, s.Password); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select(t.Context(), "INBOX", false, 0); err != nil {
		t.Fatalf("the cut came too early: %v", err)
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
				s.Add("INBOX", mail(i))
			}
		}
	}()
	for range 1000 {
		if _, err := c.Idle(t.Context(), time.Minute); err != nil {
			if !errors.Is(err, ErrTemporary) || c.Usable() {
				t.Errorf("%v, usable %v", err, c.Usable())
			}
			return
		}
	}
	t.Error("the cut did not come")
}

// After a deletion the messages are counted anew: one new message is news,
// however many there were before.
func TestNewsAfterDelete(t *testing.T) {
	t.Parallel()
	s := imapd.New(t, imapd.Options{})
	fill(s, 6)
	c := selected(t, s, config(s, TLSNone))
	if left, err := c.Delete(t.Context(), []UID{1, 2, 3, 4, 5}); err != nil || len(left) > 0 {
		t.Fatalf("left %v, %v", left, err)
	}
	if news, err := c.Idle(t.Context(), 50*time.Millisecond); news || err != nil {
		t.Fatalf("%v, %v", news, err)
	}
	go s.Add("INBOX", mail(7))
	if news, err := c.Idle(t.Context(), time.Minute); !news || err != nil {
		t.Fatalf("%v, %v", news, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.exists != 2 {
		t.Errorf("%d messages are counted, there are 2", c.exists)
	}
}
