package pop3

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
)

// Message is a message as the server lists it.
type Message struct {
	Number int    // within this connection only, from 1
	UID    string // the server's unique id; empty from List
	Size   int64  // in bytes as the server believes; often wrong, never rely on it
}

// Stat returns how many messages there are, and their size together as the
// server believes.
func (c *Client) Stat(ctx context.Context) (count int, size int64, err error) {
	err = c.do(ctx, "count the messages", c.cfg.Command, func() error {
		text, err := c.command("STAT")
		if err != nil {
			return meaning(err, ErrPermanent, "the mail server does not say how many messages there are")
		}
		a, b := cutField([]byte(text))
		b, _ = cutField(b) // more may follow (RFC 1939 §5)
		n, ok := number(a)
		if size, ok = numberIf(ok, b); !ok || n > maxMessages {
			return &Error{Class: ErrProtocol, Text: "the mail server does not say how many messages there are", Answer: c.shown(text)}
		}
		count = int(n)
		return nil
	})
	return count, size, err
}

// List returns the messages with their sizes, by number.
func (c *Client) List(ctx context.Context) (messages []Message, err error) {
	err = c.do(ctx, "list the messages", c.cfg.Transfer, func() error {
		messages, err = c.list()
		return err
	})
	return messages, err
}

// UIDL returns the messages with their unique ids and sizes, by number. Equal
// messages may have equal unique ids (RFC 1939 §7). A server that has no unique
// ids is ErrUnsupported; one whose listing of ids and of sizes name different
// messages is ErrProtocol, as nobody knows which is which then.
func (c *Client) UIDL(ctx context.Context) (messages []Message, err error) {
	err = c.do(ctx, "list the messages", c.cfg.Transfer, func() error {
		messages, err = c.uidl()
		return err
	})
	return messages, err
}

func (c *Client) list() ([]Message, error) {
	if _, err := c.command("LIST"); err != nil {
		return nil, meaning(err, ErrPermanent, "the mail server does not list the messages")
	}
	return c.listing(func(m *Message, rest []byte) bool {
		field, _ := cutField(rest) // more may follow (RFC 1939 §5)
		size, ok := number(field)
		m.Size = size
		return ok
	})
}

func (c *Client) uidl() ([]Message, error) {
	if _, err := c.command("UIDL"); err != nil {
		return nil, meaning(err, ErrUnsupported, "the mail server has no unique ids (UIDL), without which nobody knows which messages are new")
	}
	messages, err := c.listing(func(m *Message, rest []byte) bool {
		uid, _ := cutField(rest)
		m.UID = string(uid)
		return validUID(uid)
	})
	if err != nil {
		return nil, err
	}
	sizes, err := c.list()
	if err != nil {
		return nil, err
	}
	differ := fault(ErrProtocol, "the mail server lists other messages with their sizes than with their unique ids")
	if len(sizes) != len(messages) {
		return nil, differ
	}
	for i := range messages {
		if messages[i].Number != sizes[i].Number {
			return nil, differ
		}
		messages[i].Size = sizes[i].Size
	}
	return messages, nil
}

// listing reads lines "number rest" to the end; parse reads the rest.
func (c *Client) listing(parse func(m *Message, rest []byte) bool) ([]Message, error) {
	var messages []Message
	ascending := true
	err := c.each(maxMessages, func(l []byte) error {
		first, rest := cutField(l)
		n, ok := number(first)
		m := Message{Number: int(n)}
		if !ok || n < 1 || n > maxMessages || !parse(&m, rest) {
			return &Error{Class: ErrProtocol, Text: "a line in the mail server's list of messages makes no sense", Answer: printable(l)}
		}
		if k := len(messages); k > 0 && m.Number <= messages[k-1].Number {
			ascending = false
		}
		messages = append(messages, m)
		return nil
	})
	if err != nil || ascending {
		return messages, err
	}
	slices.SortFunc(messages, func(a, b Message) int { return cmp.Compare(a.Number, b.Number) })
	for i := 1; i < len(messages); i++ {
		if messages[i].Number == messages[i-1].Number {
			return nil, fault(ErrProtocol, "the mail server lists two messages with the same number")
		}
	}
	return messages, nil
}

// cutField splits l after its first field and the blanks that follow that.
func cutField(l []byte) (field, rest []byte) {
	l = bytes.TrimLeft(l, " \t")
	if i := bytes.IndexAny(l, " \t"); i >= 0 {
		return l[:i], bytes.TrimLeft(l[i:], " \t")
	}
	return l, nil
}

// number reads a decimal number without sign.
func number(b []byte) (int64, bool) {
	n, err := strconv.ParseUint(string(b), 10, 63)
	return int64(n), err == nil
}

func numberIf(ok bool, b []byte) (int64, bool) {
	if !ok {
		return 0, false
	}
	return number(b)
}

// validUID takes more than RFC 1939 §7 does, 1 to 70 printable ASCII characters:
// an id is compared and never taken apart.
func validUID(uid []byte) bool {
	return len(uid) > 0 && len(uid) <= maxUID && !bytes.ContainsFunc(uid, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// checkNumber keeps what cannot be a message's number from the server.
func checkNumber(n int, doing string) error {
	if n < 1 || n > maxMessages {
		return &Error{Class: ErrPermanent, Doing: doing, Text: "there is no message of this number", Err: errors.New(strconv.Itoa(n))}
	}
	return nil
}
