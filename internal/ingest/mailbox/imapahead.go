package mailbox

import (
	"context"
	"fmt"

	"github.com/muniment/muniment/internal/ingest/imap"
	"github.com/muniment/muniment/internal/remote"
)

// listed is a page of a folder, and where the next one begins.
type listed struct {
	page  []imap.Entry
	after imap.UID // zero: the folder ends
}

// pages reads the folder from where it has been read to. While the messages of one
// portion are being archived, the next one is on its way already; what is archived
// is deleted or remembered between two portions, in their order.
func (d *folder) pages(ctx context.Context, m *imap.Mailbox) error {
	next, seen := imap.UID(1), 0
	if d.set.Keep {
		next = imap.UID(d.mark.Next)
	}
	first := next
	for next != 0 {
		page, after, err := d.conn.List(ctx, next, pageSize)
		if err != nil {
			return d.flush(ctx, err)
		}
		seen += len(page)
		if len(page) > 0 {
			d.last = max(d.last, page[len(page)-1].UID)
			d.listed = append(d.listed, listed{page, after})
		}
		if err := d.page(ctx, page); err != nil {
			return d.flush(ctx, err)
		}
		if err := d.advance(ctx); err != nil {
			return d.flush(ctx, err)
		}
		d.progress(ctx)
		next = after
	}
	if seen == 0 && m.Messages > 0 && first == 1 {
		d.note(&coded{remote.CodeUnreadable, fmt.Errorf("the server counts %d messages in %s and lists none", m.Messages, m.Name)})
	}
	return d.flush(ctx, nil)
}

// ahead fetches a portion and settles the one before it, which has had that time
// to be archived. What happens to this one is found out by finish.
func (d *folder) ahead(ctx context.Context, uids []imap.UID) error {
	a := d.receive(ctx, uids)
	err := d.finish(ctx)
	d.pending = a
	if err == nil && a.err != nil {
		err = d.finish(ctx)
	}
	return err
}

// finish settles the portion that was fetched last.
func (d *folder) finish(ctx context.Context) error {
	a := d.pending
	if a == nil {
		return nil
	}
	d.pending = nil
	return d.settleArrived(ctx, a, false)
}

// flush settles everything that was fetched and remembers it. It returns err, or
// else what goes wrong.
func (d *folder) flush(ctx context.Context, err error) error {
	for _, do := range []func(context.Context) error{d.finish, d.advance} {
		if e := do(ctx); err == nil {
			err = e
		}
	}
	return err
}

// advance remembers that every message below the first unsettled one is settled.
func (d *folder) advance(ctx context.Context) error {
	mark := d.mark
	for len(d.listed) > 0 {
		next, whole := d.settledTo(d.listed[0])
		mark.Next = max(mark.Next, int64(next))
		if !whole {
			break
		}
		if d.set.Keep { // the mark says it from now on
			for _, e := range d.listed[0].page {
				delete(d.settled, d.id(itemOf(e.UID)))
			}
		}
		d.listed = d.listed[1:]
	}
	if !d.set.Keep || mark.Next == d.mark.Next {
		return nil
	}
	d.moves++
	return d.setMark(ctx, mark)
}

// settledTo returns the UID below which all messages of a page are settled, and
// whether that is all of it.
func (d *folder) settledTo(l listed) (next imap.UID, whole bool) {
	for _, e := range l.page {
		if !d.needless(e.UID) {
			return e.UID, false
		}
	}
	if l.after == 0 {
		return l.page[len(l.page)-1].UID + 1, true
	}
	return l.after, true
}
