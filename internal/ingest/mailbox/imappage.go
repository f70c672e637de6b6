package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/imap"
	"github.com/muniment/muniment/internal/remote"
)

const (
	// pageSize is how many messages are listed at once.
	pageSize = 500
	// portionBytes is about how much is fetched before what is archived of it is
	// deleted on the server or remembered.
	portionBytes = 64 << 20
	// checks bounds the items that stay whose presence is asked for in one fetch.
	checks = 200
	// anewAtOnce are fetched together of what other rules kept out of the archive.
	anewAtOnce = 50
)

// page fetches what is needed of a page: the messages nothing is wrong with
// together, then the others one by one, as each may end the connection.
func (d *folder) page(ctx context.Context, page []imap.Entry) error {
	var portion, alone []imap.UID
	var bytes int64
	d.filed, d.filedBefore = map[string]imap.Entry{}, d.filed
	for _, e := range page {
		item := itemOf(e.UID)
		d.filed[item] = e
		if d.items[item] != nil {
			d.stays[item] = e
		}
		switch {
		case d.needless(e.UID):
			continue
		case d.trouble[d.id(item)] > 0 || e.Size > d.limit():
			alone = append(alone, e.UID)
			continue
		}
		if bytes += max(e.Size, 0); bytes > portionBytes && len(portion) > 0 {
			if err := d.ahead(ctx, portion); err != nil {
				return err
			}
			portion, bytes = nil, e.Size
		}
		portion = append(portion, e.UID)
	}
	if len(portion) > 0 {
		if err := d.ahead(ctx, portion); err != nil {
			return err
		}
	}
	if len(alone) > 0 {
		if err := d.finish(ctx); err != nil {
			return err
		}
	}
	for _, u := range alone {
		if err := d.fetch(ctx, []imap.UID{u}, true); err != nil {
			return err
		}
	}
	return nil
}

// arrivals are what a FETCH has brought.
type arrivals struct {
	uids    []imap.UID // that were asked for
	offers  *offers
	came    map[imap.UID]bool
	large   map[imap.UID]int64
	missing map[imap.UID]error // the server does not give them
	err     error              // of the FETCH
}

// receive brings messages to the archive and does not wait until they are there.
func (d *folder) receive(ctx context.Context, uids []imap.UID) *arrivals {
	a := &arrivals{uids: uids, offers: d.newOffers(), came: map[imap.UID]bool{}, large: map[imap.UID]int64{}, missing: map[imap.UID]error{}}
	a.offers.filing = d.filing
	a.err = d.conn.Batch(ctx, uids, d.limit(), func(m imap.Message) error { return d.arrive(ctx, a, m) })
	return a
}

// fetch brings messages to the archive and, where they are archived, settles them.
func (d *folder) fetch(ctx context.Context, uids []imap.UID, alone bool) error {
	return d.settleArrived(ctx, d.receive(ctx, uids), alone)
}

// settleArrived waits until what has come is archived, and settles it.
func (d *folder) settleArrived(ctx context.Context, a *arrivals, alone bool) error {
	stored, trouble := a.offers.end()
	for item, n := range a.offers.large {
		a.large[uidOf(item)] = n
	}
	if serr := d.settleStored(ctx, stored); serr != nil {
		return serr
	}
	for u, n := range a.large {
		if lerr := d.leave(ctx, itemOf(u), n, d.tooLarge(n)); lerr != nil {
			return lerr
		}
	}
	for item, n := range a.offers.excluded {
		if xerr := d.exclude(ctx, item, n); xerr != nil {
			return xerr
		}
	}
	switch {
	case trouble != nil:
		return trouble
	case a.err != nil:
		return d.failed(ctx, a, alone)
	}
	for _, u := range slices.Sorted(maps.Keys(a.missing)) {
		if err := d.missing(ctx, u, a.missing[u], len(stored) > 0); err != nil {
			return err
		}
	}
	return nil
}

// arrive takes one message of a FETCH. It fails only for trouble of ours.
func (d *folder) arrive(ctx context.Context, a *arrivals, m imap.Message) error {
	a.came[m.UID] = true
	switch {
	case errors.Is(m.Err, imap.ErrTooLarge):
		a.large[m.UID] = m.Size
		return nil //nolint:nilerr // it is of this message only
	case m.Err != nil:
		a.missing[m.UID] = m.Err
		return nil //nolint:nilerr // likewise
	case a.offers.failed():
		return nil // read and thrown away: what is archived can still be deleted then
	}
	buf := d.f.Spool.NewBuffer(d.limit())
	_, err := io.Copy(buf, m.Body)
	switch {
	case buf.Err() != nil:
		err = ours(buf.Err())
	case err != nil:
		delete(a.came, m.UID)
	default:
		item := itemOf(m.UID)
		return a.offers.offer(ctx, item, d.name+"/;UID="+item, buf)
	}
	return errors.Join(err, buf.Close())
}

// settleStored deletes on the server what is archived, or remembers it.
func (d *folder) settleStored(ctx context.Context, stored []string) error {
	if len(stored) == 0 {
		return nil
	}
	d.inARow = 0
	d.moves += len(stored)
	d.num.waiting -= int64(len(stored))
	for _, item := range stored {
		d.settled[d.id(item)] = true
	}
	if !d.set.Keep {
		return d.remove(ctx, stored)
	}
	var drop []string
	for _, item := range stored {
		if d.items[item] != nil {
			drop = append(drop, item)
		}
	}
	return d.settle(ctx, nil, drop)
}

// remove deletes archived messages on the server. What is still there afterwards
// is remembered as archived, so that it is not fetched again.
func (d *folder) remove(ctx context.Context, items []string) error {
	uids := make([]imap.UID, len(items))
	for i, item := range items {
		uids[i] = uidOf(item)
	}
	left, err := uids, error(nil)
	if d.conn.Usable() {
		left, err = d.conn.Delete(ctx, uids)
	}
	var add []*catalog.SourceItem
	var drop []string
	for i, u := range uids {
		old := d.items[items[i]]
		switch there := slices.Contains(left, u); {
		case !there && old != nil:
			drop = append(drop, items[i])
		case there && (old == nil || old.Outcome != catalog.Stored):
			add = append(add, d.item(items[i], catalog.Stored, 0, reasonNotDeleted))
		}
	}
	d.gone = d.gone || len(left) < len(uids)
	d.num.total -= int64(len(uids) - len(left))
	if serr := d.settle(ctx, add, drop); serr != nil {
		return serr
	}
	if err != nil && d.conn.Usable() {
		d.note(&coded{remote.CodeNotDeleted, err})
		return nil
	}
	return err
}

// failed decides what a FETCH means that the server has not carried out.
func (d *folder) failed(ctx context.Context, a *arrivals, alone bool) error {
	err := a.err
	var open []imap.UID
	for _, u := range a.uids {
		if !a.came[u] {
			open = append(open, u)
		}
	}
	c := code(err)
	if ctx.Err() != nil || len(open) == 0 || c == remote.CodeArchive || errors.Is(err, imap.ErrTooLarge) || errors.Is(err, imap.ErrUIDValidity) {
		return err
	}
	victim := open[0]
	if d.conn.Usable() {
		if errors.Is(err, imap.ErrTemporary) {
			return err
		}
		if !alone {
			for _, u := range open {
				if err := d.fetch(ctx, []imap.UID{u}, true); err != nil {
					return err
				}
			}
			return nil
		}
		if d.blame(d.id(itemOf(victim))) < 2 {
			return d.fetch(ctx, []imap.UID{victim}, true)
		}
		return d.abandon(ctx, victim, err, false)
	}
	// Whoever ends the connection twice by breaking the rules, or four times in
	// any way, is at fault; that it was alone makes it sure.
	n := d.blame(d.id(itemOf(victim)))
	if alone && (n >= 4 || n >= 2 && c == remote.CodeProtocol) {
		if gerr := d.abandon(ctx, victim, err, false); gerr != nil {
			return gerr
		}
	}
	return err
}

// abandon leaves a message that cannot be fetched where it is. Others says that
// the server hands out others.
func (d *folder) abandon(ctx context.Context, u imap.UID, why error, others bool) error {
	err := &coded{remote.CodeUnreadable, fmt.Errorf(reasonUnreadable, itemOf(u), why)}
	if lerr := d.leave(ctx, itemOf(u), 0, err.Error()); lerr != nil {
		return lerr
	}
	d.note(err)
	if !others && d.giveUp() {
		return err
	}
	return nil
}

// missing looks again for a message that the server did not give: it may be gone.
func (d *folder) missing(ctx context.Context, u imap.UID, why error, others bool) error {
	if err := d.conn.Noop(ctx); err != nil {
		return err
	}
	there, err := d.present(ctx, u)
	if err != nil {
		return err
	}
	item := itemOf(u)
	if !there {
		d.settled[d.id(item)] = true
		d.num.total--
		if d.items[item] != nil {
			return d.settle(ctx, nil, []string{item})
		}
		return nil
	}
	if d.blame(d.id(item)) < 2 {
		return d.fetch(ctx, []imap.UID{u}, true)
	}
	if errors.Is(why, imap.ErrGone) { // it is not: the server has just listed it
		why = errWithheld
	}
	return d.abandon(ctx, u, why, others)
}

func (d *folder) present(ctx context.Context, u imap.UID) (bool, error) {
	_, there, err := d.look(ctx, u)
	return there, err
}

// look asks for the size of one message.
func (d *folder) look(ctx context.Context, u imap.UID) (size int64, there bool, err error) {
	list, _, err := d.conn.List(ctx, u, 1)
	if err != nil || len(list) == 0 || list[0].UID != u {
		return 0, false, err
	}
	d.filed[itemOf(u)] = list[0]
	return list[0].Size, true, nil
}

// deleteAgain deletes what was archived before and is still on the server.
func (d *folder) deleteAgain(ctx context.Context) error {
	if d.set.Keep {
		return nil
	}
	var items []string
	for item, i := range d.items {
		if i.Outcome == catalog.Stored && !d.tried[d.id(item)] {
			items = append(items, item)
		}
	}
	slices.Sort(items)
	for some := range slices.Chunk(items, pageSize) {
		if err := d.remove(ctx, some); err != nil {
			return err // another connection deletes them, unless none gets anywhere
		}
		for _, item := range some {
			d.tried[d.id(item)] = true
		}
	}
	return nil
}

// fetchAgain tries once more what could not be fetched before, or only now is
// below the limit or perhaps selected, and forgets what is gone.
func (d *folder) fetchAgain(ctx context.Context) error {
	asked := 0
	var anew []imap.UID
	for _, item := range slices.Sorted(maps.Keys(d.items)) {
		i := d.items[item]
		if i == nil || i.Outcome != catalog.Left && !d.judgedAnew(i) {
			continue
		}
		entry, there := d.stays[item]
		size := entry.Size
		if !there {
			if asked++; asked > checks {
				continue
			}
			var err error
			if size, there, err = d.look(ctx, uidOf(item)); err != nil {
				return err
			}
		}
		var err error
		switch {
		case !there:
			err = d.settle(ctx, nil, []string{item})
		case i.Outcome == catalog.Excluded:
			anew = append(anew, uidOf(item))
		case d.due(i, size):
			d.trying(item)
			err = d.fetch(ctx, []imap.UID{uidOf(item)}, true)
		}
		if err != nil {
			return err
		}
	}
	for some := range slices.Chunk(anew, anewAtOnce) {
		if err := d.fetch(ctx, some, false); err != nil {
			return err
		}
	}
	return nil
}
