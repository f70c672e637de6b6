package pop3

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/muniment/muniment/internal/testkit/pop3d"
)

// ready is a client that has logged in, and the listing of n letters.
func ready(t *testing.T, n int) (*pop3d.Server, *Client, []Message, [][]byte) {
	t.Helper()
	s := pop3d.New(t, pop3d.Options{})
	var raw [][]byte
	for i := range n {
		raw = append(raw, fmt.Appendf(nil, "Subject: %d\r\n\r\n%s\r\n..\r\n", i, bytes.Repeat([]byte("x"), i)))
	}
	s.Add(raw...)
	c := enter(t, s)
	list, err := c.UIDL(t.Context())
	if err != nil || len(list) != n {
		t.Fatalf("%d messages, %v", len(list), err)
	}
	return s, c, list, raw
}

func take(t *testing.T, c *Client, m Message, want []byte) {
	t.Helper()
	var b bytes.Buffer
	if _, err := c.Retrieve(t.Context(), m.Number, &b, 0); err != nil || !bytes.Equal(b.Bytes(), want) {
		t.Fatalf("message %d: %q, %v; want %q", m.Number, b.Bytes(), err, want)
	}
}

// What was asked for ahead is not in the way of anything else.
func TestAheadOfOtherThings(t *testing.T) {
	t.Parallel()
	const n = 100
	_, c, list, raw := ready(t, n)
	c.Plan(list)
	take(t, c, list[0], raw[0])
	take(t, c, list[1], raw[1])
	if c.sent == 0 {
		t.Fatal("nothing was asked for ahead")
	}
	take(t, c, list[50], raw[50]) // not in the plan's order
	if err := c.Noop(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Plan(list[10:])
	take(t, c, list[10], raw[10])
	if count, _, err := c.Stat(t.Context()); err != nil || count != n {
		t.Fatalf("%d messages, %v", count, err)
	}
	c.Plan(list)
	for i, m := range list {
		take(t, c, m, raw[i])
	}
	if c.sent != 0 {
		t.Errorf("%d more were asked for", c.sent)
	}
	no, err := c.DeleteAll(t.Context(), []int{1, 2, 2, 3, n + 1})
	if err != nil || len(no) != 2 || !errors.Is(no[2], ErrPermanent) || !errors.Is(no[n+1], ErrPermanent) || c.asked != 3 {
		t.Errorf("refused %v, %v; %d asked for", no, err, c.asked)
	}
	if err := c.Quit(t.Context()); err != nil {
		t.Error(err)
	}
}

// A message that is refused in the middle of a plan is that one only.
func TestRefusedAhead(t *testing.T) {
	t.Parallel()
	_, c, list, raw := ready(t, 40)
	if err := c.Delete(t.Context(), list[3].Number); err != nil {
		t.Fatal(err)
	}
	c.Plan(list)
	for i, m := range list {
		if i != 3 {
			take(t, c, m, raw[i])
			continue
		}
		if _, err := c.Retrieve(t.Context(), m.Number, &bytes.Buffer{}, 0); !errors.Is(err, ErrPermanent) || errors.Is(err, ErrClosed) {
			t.Fatalf("a deleted message: %v", err)
		}
	}
}

// A server that does not announce it gets one command at a time.
func TestNotAhead(t *testing.T) {
	t.Parallel()
	_, c, list, raw := ready(t, 40)
	delete(c.caps, "PIPELINING")
	c.Plan(list)
	for i, m := range list {
		take(t, c, m, raw[i])
		if c.sent != 0 {
			t.Fatal("something was asked for ahead")
		}
	}
}

// Large messages are not asked for by the dozen.
func TestAheadIsBounded(t *testing.T) {
	t.Parallel()
	_, c, list, raw := ready(t, 10)
	for i := range list {
		list[i].Size = aheadBytes / 3
	}
	c.Plan(list)
	for i, m := range list {
		take(t, c, m, raw[i])
		if c.sent > 3 {
			t.Fatalf("%d were asked for ahead", c.sent)
		}
	}
}
