package pop3

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
)

// Retrieve writes a message to w, exactly as the package's documentation says. It
// needs the same memory for every message. What w has got is a whole message
// only if the error is nil.
//
// A message of more than limit bytes is ErrTooLarge (limit 0 is DefaultLimit): no
// more than limit bytes are written, and the connection is closed, as the rest
// would have to be read to go on. To leave large messages out, look at the size
// that UIDL gives and fetch them last. An error of w closes the connection too
// and has no class. A message that begins with "+OK" is ErrProtocol: it is taken
// for a second answer to an earlier command.
func (c *Client) Retrieve(ctx context.Context, n int, w io.Writer, limit int64) (Retrieved, error) {
	doing := fmt.Sprintf("fetch message %d", n)
	if err := checkNumber(n, doing); err != nil {
		return Retrieved{}, err
	}
	if limit <= 0 {
		limit = DefaultLimit
	}
	if c.out == nil {
		c.out = bufio.NewWriterSize(w, buffer)
	}
	out := c.out
	out.Reset(w)
	d := &decoder{in: c.in, out: out, limit: limit}
	run, ask := c.ask(n)
	err := run(ctx, doing, c.cfg.Transfer, func() error {
		if err := ask(); err != nil {
			return meaning(err, ErrPermanent, "the mail server does not hand out the message")
		}
		if err := c.inStep(); err != nil {
			return err
		}
		err := d.run()
		if err == nil || errors.Is(err, errTooLong) {
			if e := out.Flush(); e != nil {
				err = fmt.Errorf("%w: %w", errWriting, e)
			}
		}
		return d.explain(err)
	})
	return d.got, err
}

// inStep looks for the answer to RETR where the message should begin. It is
// there if the server has answered an earlier command twice: it would become part
// of the message. No message begins like that: "+OK" is no header field, and
// servers put theirs in front of whatever others send.
func (c *Client) inStep() error {
	for n := 1; n <= len(plus); n++ {
		b, err := c.in.Peek(n)
		if err != nil {
			return err
		}
		if b[n-1] != plus[n-1] {
			return nil
		}
	}
	return fault(ErrProtocol, "the mail server has answered an earlier command twice")
}

// explain says what an error of run means.
func (d *decoder) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errTooLong):
		return fault(ErrTooLarge, fmt.Sprintf("the message is larger than %d bytes, the limit", d.limit))
	case errors.Is(err, errWriting):
		return &Error{Text: "the message could not be kept", Err: err}
	case d.alike:
		return &Error{Class: ErrProtocol, Text: "the mail server ends the message with LF alone instead of CR LF, which could cut messages in two", Err: err}
	}
	return err
}
