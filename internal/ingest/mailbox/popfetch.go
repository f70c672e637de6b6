package mailbox

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/muniment/muniment/internal/ingest/pop3"
	"github.com/muniment/muniment/internal/remote"
)

// popFetch is the fetching of messages in one session.
type popFetch struct {
	*maildrop
	offers *offers
	byItem map[string]pop3.Message // by number, as text
	dots   map[string]bool         // items whose server does not double dots
	alone  bool                    // a message that failed before
	bytes  int64
}

// retrieve fetches messages until the portion is full. An error means that the
// session is broken.
func (p *popFetch) retrieve(ctx context.Context, list []pop3.Message) error {
	if !p.alone && !p.src.single {
		p.conn.Plan(p.certain(list))
	}
	for _, m := range list {
		if p.offers.failed() || !p.set.Keep && p.bytes > portionBytes {
			return nil
		}
		if err := p.one(ctx, m); err != nil {
			return err
		}
		if p.set.Keep {
			p.progress(ctx)
		}
	}
	return nil
}

// certain returns the messages that fill the portion, by the sizes the server tells.
func (p *popFetch) certain(list []pop3.Message) []pop3.Message {
	var bytes int64
	for i, m := range list {
		if bytes > portionBytes && !p.set.Keep {
			return list[:i]
		}
		bytes += max(m.Size, 0)
	}
	return list
}

// one fetches a message and offers it.
func (p *popFetch) one(ctx context.Context, m pop3.Message) error {
	id := p.id(m)
	if p.items[m.UID] != nil {
		p.trying(m.UID)
	}
	for {
		buf := p.f.Spool.NewBuffer(p.limit())
		got, err := p.conn.Retrieve(ctx, m.Number, buf, p.limit())
		if err == nil && got.Size == 0 {
			err = &pop3.Error{Class: pop3.ErrPermanent, Text: "the mail server hands out nothing"}
		}
		if err == nil {
			item := strconv.Itoa(m.Number)
			p.byItem[item], p.dots[item] = m, got.LoneDots > 0
			p.bytes += got.Size
			p.inARow = 0
			return p.offers.offer(ctx, item, p.account+";UIDL="+url.PathEscape(m.UID), buf)
		}
		spooled := buf.Err()
		if cerr := buf.Close(); cerr != nil {
			return ours(cerr)
		}
		switch {
		case ctx.Err() != nil:
			return err
		case errors.Is(err, pop3.ErrTooLarge):
			n := max(m.Size, p.limit()+1)
			return errors.Join(err, p.stay(ctx, m, n, p.tooLarge(n)))
		case spooled != nil:
			return ours(spooled)
		}
		n := p.blame(id)
		refused := errors.Is(err, pop3.ErrPermanent) && !errors.Is(err, pop3.ErrClosed)
		switch {
		case refused && n < 2:
			continue
		case refused:
			return p.abandon(ctx, m, err)
		case p.alone && (n >= 4 || n >= 2 && code(err) == remote.CodeProtocol):
			if aerr := p.abandon(ctx, m, err); aerr != nil {
				return aerr
			}
			p.hopeless = p.hopeless || p.inARow > givenUp
		}
		return err
	}
}

// abandon leaves a message that cannot be fetched where it is. The session goes
// on.
func (p *popFetch) abandon(ctx context.Context, m pop3.Message, why error) error {
	err := &coded{remote.CodeUnreadable, fmt.Errorf(reasonUnreadable, fmt.Sprintf("%d (%s)", m.Number, m.UID), why)}
	p.note(err)
	p.settled[p.id(m)+"\x00given up"] = true
	if p.inARow++; p.inARow > givenUp { // it is not the messages' fault
		p.settled[p.id(m)] = true
		p.moves++
		return nil
	}
	return p.stay(ctx, m, 0, err.Error())
}

// settleStored deletes what is archived and ends the session, or remembers it.
func (p *popFetch) settleStored(ctx context.Context, stored []string, whole bool) error {
	var remove, stay []pop3.Message
	for _, item := range stored {
		m := p.byItem[item]
		if p.set.Keep || p.dots[item] {
			stay = append(stay, m)
			if !p.set.Keep {
				p.note(&coded{remote.CodeNotDeleted, fmt.Errorf("message %d (%s) is archived and not deleted: the server breaks the rules for dots, so more may have come or gone than it should", m.Number, m.UID)})
			}
		} else {
			remove = append(remove, m)
		}
	}
	for _, m := range stay {
		p.settled[p.id(m)] = true
	}
	why := reasonKept
	if !p.set.Keep {
		why = reasonDots
	}
	if err := p.keep(ctx, stay, why); err != nil {
		return err
	}
	p.num.waiting -= int64(len(stored))
	if !whole { // nothing can be deleted; what the session brought will come again
		return nil
	}
	if p.set.Keep {
		p.moves += len(stay)
		return nil
	}
	if err := p.delete(ctx, sorted(remove)); err != nil {
		return err
	}
	for _, m := range remove {
		if p.equal[m.UID] == 1 {
			p.settled[p.id(m)] = true
		}
	}
	return nil
}
