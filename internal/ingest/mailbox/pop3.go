package mailbox

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/pop3"
	"github.com/muniment/muniment/internal/remote"
)

const (
	// firstPortion is how many messages are fetched in a session before its end
	// confirms their deletion. Each session that breaks halves it, and each that
	// goes well doubles it: a session costs a listing of all that is there.
	firstPortion = 256
	leastPortion = 4
	mostPortion  = 4096
)

// maildrop is one POP3 session.
//
// What is deleted is only what this very session has received and the archive has
// stored: servers are known that use unique ids again, so that what was archived
// in an earlier session is fetched once more before it is deleted.
type maildrop struct {
	*task
	*shelf
	conn  *pop3.Client
	num   *count
	equal map[string]int // unique ids and how many messages have them
}

// readPOP3 does one session. More says that another one is needed.
func (t *task) readPOP3(ctx context.Context, c *pop3.Client) (more bool, err error) {
	list, err := c.UIDL(ctx)
	if err != nil {
		return false, err
	}
	s, err := t.openShelf(ctx, t.account)
	if err != nil {
		return false, err
	}
	d := &maildrop{task: t, shelf: s, conn: c, num: t.count(""), equal: map[string]int{}}
	for _, m := range list {
		d.equal[m.UID]++
	}
	if err := d.prune(ctx); err != nil {
		return false, err
	}
	todo, alone := d.todo(list)
	t.recount(t.account, d.num)
	*d.num = count{total: int64(len(list)), waiting: int64(len(todo) + len(alone)), left: d.left()}
	d.stated(ctx, t.account, d.num, int64(len(d.items)))
	d.progress(ctx)
	switch {
	case len(todo) > 0 && t.set.Keep:
		for some := range slices.Chunk(todo, firstPortion) { // each is remembered
			if err = d.portion(ctx, some, false); err != nil {
				break
			}
		}
	case len(todo) > 0:
		err = d.portion(ctx, todo[:min(len(todo), d.src.portion)], false)
	case len(alone) > 0:
		err = d.portion(ctx, alone[:1], true)
	default:
		d.src.single = false // for the next fetch
		_ = c.Quit(ctx)      // nothing was asked of it
		return false, t.forget(ctx, func(string) bool { return true })
	}
	d.num.left = d.left()
	return true, err
}

// prune forgets items that are no longer on the server.
func (d *maildrop) prune(ctx context.Context) error {
	var drop []string
	for item := range d.items {
		if d.equal[item] != 1 {
			drop = append(drop, item)
		}
	}
	return d.settle(ctx, nil, drop)
}

// id names a message within this fetch.
func (d *maildrop) id(m pop3.Message) string {
	if d.equal[m.UID] != 1 {
		return fmt.Sprintf("%s\x00#%d", d.name, m.Number)
	}
	return d.name + "\x00" + m.UID
}

// todo returns the messages to be fetched: those nothing is known to be wrong
// with, and those that each need a session of their own, as they may end it.
func (d *maildrop) todo(list []pop3.Message) (todo, alone []pop3.Message) {
	for _, m := range list {
		i := d.items[m.UID]
		switch {
		case d.settled[d.id(m)], d.abandoned(m):
		case i != nil && i.Outcome == catalog.Excluded && i.Bytes == m.Size:
			if d.judgedAnew(i) {
				todo = append(todo, m)
			}
		case i == nil && m.Size > d.limit():
			if !d.tried[d.id(m)] {
				alone = append(alone, m)
			}
		case d.trouble[d.id(m)] > 0:
			alone = append(alone, m)
		case i == nil:
			todo = append(todo, m)
		case i.Outcome == catalog.Left:
			if d.due(i, m.Size) {
				alone = append(alone, m)
			}
		case i.Bytes != m.Size: // another message under an old name
			todo = append(todo, m)
		case !d.set.Keep && (d.again[d.id(m)] || d.due(i, m.Size)):
			todo = append(todo, m)
		}
	}
	return todo, alone
}

// abandoned reports whether a message was given up in this fetch.
func (d *maildrop) abandoned(m pop3.Message) bool { return d.settled[d.id(m)+"\x00given up"] }

// portion fetches messages and, unless they are kept, ends the session, so that the
// server deletes those that are archived.
func (d *maildrop) portion(ctx context.Context, list []pop3.Message, alone bool) error {
	p := &popFetch{maildrop: d, offers: d.newOffers(), byItem: map[string]pop3.Message{}, dots: map[string]bool{}, alone: alone}
	err := p.retrieve(ctx, list)
	stored, trouble := p.offers.end()
	for item, n := range p.offers.large {
		m := p.byItem[item]
		if lerr := d.stay(ctx, m, n, d.tooLarge(n)); lerr != nil {
			return lerr
		}
	}
	for item := range p.offers.excluded {
		m := p.byItem[item]
		d.settled[d.id(m)] = true
		if d.equal[m.UID] == 1 {
			if xerr := d.exclude(ctx, m.UID, m.Size); xerr != nil {
				return xerr
			}
		}
	}
	if serr := p.settleStored(ctx, stored, err == nil); serr != nil {
		return serr
	}
	if err != nil {
		d.tryAgain(list)
		if !alone && d.src.portion > leastPortion {
			d.src.portion = max(d.src.portion/2, leastPortion)
			d.moves++
		}
		d.src.single = true // perhaps it is that which the server does not bear
		return err
	}
	d.src.portion = min(2*d.src.portion, mostPortion)
	return trouble
}

// tryAgain remembers which of the messages a broken session was to delete: that it
// broke is not their fault, and another one of this fetch does it.
func (d *maildrop) tryAgain(list []pop3.Message) {
	for _, m := range list {
		if id := d.id(m); d.items[m.UID] != nil && !d.settled[id] {
			d.again[id] = true
		}
	}
}

// stay records that a message stays on the server.
func (d *maildrop) stay(ctx context.Context, m pop3.Message, bytes int64, why string) error {
	d.settled[d.id(m)] = true
	if d.equal[m.UID] != 1 {
		d.note(&coded{remote.CodeUnreadable, errors.New(why)})
		return nil
	}
	return d.leave(ctx, m.UID, bytes, why)
}

// keep remembers messages as archived although they are on the server.
func (d *maildrop) keep(ctx context.Context, list []pop3.Message, why string) error {
	var add []*catalog.SourceItem
	for _, m := range list {
		old := d.items[m.UID]
		if d.equal[m.UID] == 1 && (old == nil || old.Outcome != catalog.Stored || old.Bytes != m.Size) {
			add = append(add, d.item(m.UID, catalog.Stored, m.Size, why))
		}
	}
	return d.settle(ctx, add, nil)
}

// delete asks for the deletion of messages and ends the session.
func (d *maildrop) delete(ctx context.Context, list []pop3.Message) error {
	var asked, refused []pop3.Message
	var err error
	numbers := make([]int, len(list))
	for i, m := range list {
		numbers[i] = m.Number
	}
	no, e := d.conn.DeleteAll(ctx, numbers)
	if e != nil {
		return e // the session is broken: the server deletes nothing
	}
	for _, m := range list {
		if e := no[m.Number]; e != nil {
			refused = append(refused, m)
			err = e
		} else {
			asked = append(asked, m)
		}
	}
	if e := d.conn.Quit(ctx); e != nil && len(asked) > 0 {
		refused, err = append(refused, asked...), e
	}
	if err != nil {
		d.note(&coded{remote.CodeNotDeleted, err})
		return d.keep(ctx, refused, reasonNotDeleted)
	}
	d.moves += len(asked)
	d.num.total -= int64(len(asked))
	var drop []string
	for _, m := range asked {
		if d.items[m.UID] != nil {
			drop = append(drop, m.UID)
		}
	}
	return d.settle(ctx, nil, drop)
}

// sorted returns messages by number.
func sorted(list []pop3.Message) []pop3.Message {
	slices.SortFunc(list, func(a, b pop3.Message) int { return a.Number - b.Number })
	return list
}
