package httpd

import (
	"fmt"
	"testing"
	"time"
)

func TestThrottle(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	th := newThrottle()
	th.now = func() time.Time { return now }
	for i := range failuresPerLogin {
		if w := th.take("192.0.2.1", "anna"); w != 0 {
			t.Fatalf("attempt %d waits %v", i, w)
		}
	}
	if w := th.take("192.0.2.1", " Anna "); w != throttleWindow {
		t.Errorf("one more waits %v", w)
	}
	if w := th.take("192.0.2.2", "anna"); w != 0 {
		t.Errorf("anna elsewhere waits %v", w)
	}
	now = now.Add(throttleWindow)
	if w := th.take("192.0.2.1", "anna"); w != 0 {
		t.Errorf("after the window: %v", w)
	}
}

func TestThrottleCountsNetworks(t *testing.T) {
	t.Parallel()
	th := newThrottle()
	for i := range failuresPerNetwork {
		if w := th.take(fmt.Sprintf("2001:db8::%x", i), fmt.Sprint("user", i)); w != 0 {
			t.Fatalf("attempt %d waits %v", i, w)
		}
	}
	if th.take("2001:db8::ffff", "another") == 0 {
		t.Error("a network tries one user after the other")
	}
	if w := th.take("2001:db8:0:1::1", "another"); w != 0 {
		t.Errorf("another network waits %v", w)
	}
	if w := th.take("::ffff:192.0.2.1", "a"); w != 0 {
		t.Errorf("IPv4 in IPv6: %v", w)
	}
	if _, ok := th.counters["192.0.2.1/32"]; !ok {
		t.Error("IPv4 in IPv6 is counted as something else")
	}
}

func TestThrottleForgivesAfterSuccess(t *testing.T) {
	t.Parallel()
	th := newThrottle()
	for range 10 * failuresPerNetwork {
		if w := th.take("192.0.2.1", "anna"); w != 0 {
			t.Fatalf("a user with the right password waits %v", w)
		}
		th.succeeded("192.0.2.1", "anna")
	}
	for range 10 * failuresPerNetwork {
		if w := th.take("192.0.2.1", "anna"); w != 0 {
			t.Fatalf("a user who was not tried waits %v", w)
		}
		th.giveBack("192.0.2.1", "anna")
	}
}

func TestThrottleMemoryIsBounded(t *testing.T) {
	t.Parallel()
	th := newThrottle()
	for i := range 3 * maxThrottled {
		th.take(fmt.Sprintf("2001:db8:%x:%x::1", i>>16, i&0xffff), "anna")
		if len(th.counters) > maxThrottled {
			t.Fatalf("%d counters after %d attempts", len(th.counters), i)
		}
	}
}
