package pop3

import (
	"context"
	"fmt"
)

// Delete asks the server to delete a message when Quit comes. Until then nothing
// is deleted, and Reset takes it back.
func (c *Client) Delete(ctx context.Context, n int) error {
	doing := fmt.Sprintf("delete message %d", n)
	if err := checkNumber(n, doing); err != nil {
		return err
	}
	return c.do(ctx, doing, c.cfg.Command, func() error {
		c.asked++ // also if the answer never comes
		_, err := c.command(fmt.Sprintf("DELE %d", n))
		if refused(err) {
			c.asked--
		}
		return meaning(err, ErrPermanent, "the mail server does not delete the message")
	})
}

// Reset takes all deletions back that were asked for (RSET).
func (c *Client) Reset(ctx context.Context) error {
	return c.do(ctx, "take deletions back", c.cfg.Command, func() error {
		_, err := c.command("RSET")
		if err == nil {
			c.asked = 0
		}
		return meaning(err, ErrPermanent, "the mail server does not take the deletions back")
	})
}

// Noop keeps the connection alive: servers end those that are silent for ten
// minutes (RFC 1939 §3).
func (c *Client) Noop(ctx context.Context) error {
	return c.do(ctx, "keep the connection", c.cfg.Command, func() error {
		_, err := c.command("NOOP")
		return meaning(err, ErrPermanent, "the mail server does not answer")
	})
}

// Quit says good-bye and closes the connection. Only now the server deletes what
// Delete asked for. If deletions were asked for, nil means that the server has
// confirmed them; after ErrUnconfirmed each of the messages may be gone or not;
// after any other error either the server has said that it has not deleted all of
// them, or the good-bye was never sent and it must delete none (RFC 1939 §6).
func (c *Client) Quit(ctx context.Context) error {
	const doing = "end the session"
	sent := false
	err := c.do(ctx, doing, c.cfg.Command, func() error {
		sent = true
		_, err := c.command("QUIT")
		return meaning(err, ErrPermanent, "the mail server says that it has not deleted everything")
	})
	c.Close() //nolint:errcheck // all that matters has been said
	if err == nil || refused(err) || c.asked == 0 || !sent {
		return err
	}
	return &Error{Class: ErrUnconfirmed, Doing: doing, Err: within("", err),
		Text: "the mail server has not confirmed the deletions: the messages may be deleted or not"}
}
