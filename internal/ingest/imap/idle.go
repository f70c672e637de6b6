package imap

import (
	"context"
	"time"
)

const (
	maxIdle = 28 * time.Minute // RFC 9051 §6.3.13: servers may hang up after 30
	polling = time.Minute      // between questions to a server without IDLE
)

// Idle waits until there are new messages in the selected folder, for at most
// the given time and never more than 28 minutes, and reports whether there are.
// On a server without IDLE it asks once a minute. It returns soon after the
// context ends, with its error and a usable connection.
func (c *Conn) Idle(ctx context.Context, most time.Duration) (news bool, err error) {
	const op = "wait for news"
	if err := c.ready(ctx, op); err != nil {
		return false, err
	}
	most = min(most, maxIdle)
	deadline := time.NewTimer(most)
	defer deadline.Stop()
	for !c.takeNews() {
		if !c.Capability("IDLE") {
			if over, err := c.pause(ctx, deadline.C); err != nil || over {
				return false, err
			}
			if err := c.Noop(ctx); err != nil {
				return false, err
			}
			continue
		}
		over := false
		// The context must not cut the connection: DONE ends the waiting well.
		err := c.within(context.WithoutCancel(ctx), op, ErrRefused, c.cfg.Timeouts.Command, func() (err error) {
			over, err = c.idle(ctx, deadline.C, most)
			return err
		})
		switch {
		case err != nil:
			return false, err
		case ctx.Err() != nil:
			return false, cancelled(op, ctx)
		case over:
			return c.takeNews(), nil
		}
	}
	return true, nil
}

// idle is one IDLE. It ends when there is a sign of news, or when the time or
// the context is over.
func (c *Conn) idle(ctx context.Context, deadline <-chan time.Time, most time.Duration) (over bool, err error) {
	cmd, err := c.client.Idle()
	if err != nil {
		return false, err
	}
	wait := most + c.cfg.Timeouts.Silence
	c.wire.phase(wait, wait)
	select {
	case <-c.news:
	case <-ctx.Done():
	case <-deadline:
		over = true
	case <-c.client.Closed():
	}
	c.wire.phase(c.cfg.Timeouts.Silence, c.cfg.Timeouts.Command)
	if err := cmd.Close(); err != nil {
		return over, err
	}
	return over, cmd.Wait()
}

// pause waits a moment, and reports whether the time is over.
func (c *Conn) pause(ctx context.Context, deadline <-chan time.Time) (over bool, err error) {
	tick := time.NewTimer(polling)
	defer tick.Stop()
	select {
	case <-tick.C:
		return false, nil
	case <-deadline:
		return true, nil
	case <-ctx.Done():
		return false, cancelled("wait for news", ctx)
	}
}

// takeNews reports whether there are messages the caller has not been told of,
// and counts them as told.
func (c *Conn) takeNews() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	more := c.exists > c.known
	c.known = max(c.known, c.exists)
	select {
	case <-c.news:
	default:
	}
	return more
}
