package pop3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Bounds of what is asked for ahead. The commands fit the buffers of any connection
// many times over, so that neither side waits for the other to read.
const (
	aheadCommands = 32
	aheadBytes    = 8 << 20 // of messages, as the server lists them
)

// pipelining reports whether the server takes commands before it has answered the
// ones before (RFC 2449 §6.6).
func (c *Client) pipelining() bool { return c.caps.Has("PIPELINING", "") }

// Plan tells for which messages Retrieve will be called next, in this order. If the
// server takes commands ahead (PIPELINING), some messages are asked for before they
// are due; otherwise Plan does nothing. Any other call is still possible: what
// was asked for is read and thrown away first.
func (c *Client) Plan(messages []Message) {
	if c.pipelining() && c.sent == 0 {
		c.plan = slices.Clone(messages)
	}
}

// ask returns how to run the exchange that fetches message n, and how to begin it.
func (c *Client) ask(n int) (run func(context.Context, string, time.Duration, func() error) error, begin func() error) {
	if len(c.plan) == 0 || c.plan[0].Number != n {
		return c.do, func() error {
			_, err := c.command(fmt.Sprintf("RETR %d", n))
			return err
		}
	}
	run = c.do
	if c.sent > 0 {
		run = c.exchange
	}
	return run, func() error {
		if err := c.sendAhead(); err != nil {
			return err
		}
		c.plan, c.sent = c.plan[1:], c.sent-1
		_, err := c.status()
		return err
	}
}

// sendAhead asks for the next messages of the plan, once half of those that were
// asked for have come.
func (c *Client) sendAhead() error {
	if c.sent > aheadCommands/2 {
		return nil
	}
	var size int64
	for _, m := range c.plan[:c.sent] {
		size += max(m.Size, 0)
	}
	var commands bytes.Buffer
	n := c.sent
	for ; n < min(len(c.plan), aheadCommands); n++ {
		if size += max(c.plan[n].Size, 0); n > 0 && size > aheadBytes {
			break
		}
		fmt.Fprintf(&commands, "RETR %d\r\n", c.plan[n].Number)
	}
	if commands.Len() == 0 {
		return nil
	}
	c.sent = n // also if the write fails: then the connection has ended
	if _, err := c.conn.Write(commands.Bytes()); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// drain reads what was asked for ahead and throws it away.
func (c *Client) drain() error {
	for ; c.sent > 0; c.sent-- {
		if _, err := c.status(); refused(err) {
			continue
		} else if err != nil {
			return err
		}
		d := &decoder{in: c.in, out: io.Discard, limit: DefaultLimit}
		if err := d.explain(d.run()); err != nil {
			return err
		}
	}
	c.plan = nil
	return nil
}

// DeleteAll is Delete for many messages, several in one go where the server takes
// that. Refused are those that the server does not delete, with what it says. After
// an error of the whole the session is broken, and the server must delete none.
func (c *Client) DeleteAll(ctx context.Context, numbers []int) (refused map[int]error, err error) {
	some := 1
	if c.pipelining() {
		some = aheadCommands
	}
	refused = map[int]error{}
	for chunk := range slices.Chunk(numbers, some) {
		if err := c.deleteSome(ctx, chunk, refused); err != nil {
			return refused, err
		}
	}
	return refused, nil
}

func (c *Client) deleteSome(ctx context.Context, numbers []int, no map[int]error) error {
	doing := fmt.Sprintf("delete message %d", numbers[0])
	var commands bytes.Buffer
	for _, n := range numbers {
		if err := checkNumber(n, doing); err != nil {
			return err
		}
		fmt.Fprintf(&commands, "DELE %d\r\n", n)
	}
	return c.do(ctx, doing, c.cfg.Command, func() error {
		c.asked += len(numbers) // also if the answers never come
		if _, err := c.conn.Write(commands.Bytes()); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		for _, n := range numbers {
			_, err := c.status()
			var e *Error
			switch {
			case refused(err) && errors.As(err, &e):
				c.asked--
				no[n] = within(fmt.Sprintf("delete message %d", n), meaning(err, ErrPermanent, "the mail server does not delete the message"))
			case err != nil:
				return err
			}
		}
		return nil
	})
}
