package mailbox

import (
	"context"
	"errors"
	"slices"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/imap"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// read goes on with one folder: list and fetch, compare, remove.
func (h *history) read(ctx context.Context, c *imap.Conn, p *past) error {
	m, err := c.Select(ctx, p.num.Name, h.asked.DryRun || h.before.IsZero(), p.validity)
	switch {
	case errors.Is(err, imap.ErrUIDValidity):
		return err
	case err != nil && (!c.Usable() || errors.Is(err, imap.ErrTemporary)):
		return err
	case err != nil:
		h.note(&coded{remote.CodeFolder, err})
		p.reason("", "the folder cannot be opened: "+remote.Redact(err.Error(), h.set.User, h.secret))
		return nil
	}
	d := h.newFolder(c, p.num.Name)
	d.shelf, err = h.openShelf(ctx, shelfName(d.path, int64(m.UIDValidity)))
	if err != nil {
		return err
	}
	if p.validity == 0 {
		h.open(ctx, d, p, m)
	}
	if !p.fetched {
		if err := h.fetchAll(ctx, d, p); err != nil {
			return err
		}
	}
	if h.asked.DryRun {
		return h.compareOnly(ctx, c, p)
	}
	return h.empty(ctx, c, p, m.ReadOnly)
}

// open begins with a folder.
func (h *history) open(ctx context.Context, d *folder, p *past, m *imap.Mailbox) {
	p.validity, p.bound = m.UIDValidity, m.UIDNext
	p.num.OnServer, p.num.Remaining = int64(m.Messages), int64(m.Messages)
	if !h.asked.DryRun {
		h.recount(d.path, d.num)
		*d.num = count{total: int64(m.Messages)}
		h.stated(ctx, d.path, d.num, int64(len(h.recall[d.name])))
	}
}

// fetchAll lists a folder and archives what is not archived. A connection that
// breaks has it listed once more, and nothing fetched again.
func (h *history) fetchAll(ctx context.Context, d *folder, p *past) error {
	h.mu.Lock()
	h.now = p
	h.mu.Unlock()
	done := h.recall[d.name]
	p.num.Listed, p.num.Bytes = 0, 0
	if h.asked.DryRun {
		*p.num = remote.HistoryFolder{Name: p.num.Name, OnServer: p.num.OnServer}
		p.met = map[imap.UID]*met{}
	}
	err := h.fetchPages(ctx, d, p, done)
	// The last portion is still being archived: it belongs to the account of this
	// folder, also when the connection has broken.
	if ferr := d.finish(ctx); err == nil {
		err = ferr
	}
	if err != nil {
		return err
	}
	if !h.asked.DryRun {
		if err := d.fetchAgain(ctx); err != nil {
			return err
		}
		h.leave(d, p)
	}
	p.fetched = true
	return nil
}

// fetchPages lists a folder and has fetched what is not archived; the last portion
// may still be on its way to the archive then.
func (h *history) fetchPages(ctx context.Context, d *folder, p *past, done map[imap.UID]uid.ID) error {
	for next := imap.UID(1); next != 0; {
		page, after, err := d.conn.List(ctx, next, pageSize)
		if err != nil {
			return err
		}
		h.meet(d, p, page, done)
		if !h.asked.DryRun {
			if err := d.page(ctx, page); err != nil {
				return err
			}
		}
		h.moves++
		h.show()
		next = after
	}
	return nil
}

// meet takes a page of the listing into the account.
func (h *history) meet(d *folder, p *past, page []imap.Entry, done map[imap.UID]uid.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range page {
		p.num.Listed++
		p.num.Bytes += max(0, e.Size)
		m := p.met[e.UID]
		if m == nil {
			m = &met{}
			p.met[e.UID] = m
		}
		m.old = !h.before.IsZero() && !e.Date.IsZero() && e.Date.Before(h.before)
		item := itemOf(e.UID)
		if aoid := done[e.UID]; aoid != (uid.ID{}) && m.how == unsettled {
			m.how, m.aoid = known, aoid
			p.num.Known++
		}
		if m.archived() {
			d.settled[d.id(item)] = true
		} else if i := d.items[item]; i != nil && i.Outcome == catalog.Stored {
			delete(d.items, item) // the archive does not know it: it is fetched
		}
		if h.asked.DryRun {
			h.foresee(d, p, m, e)
		}
	}
	if n := len(page); n > 0 {
		p.bound = max(p.bound, page[n-1].UID+1)
	}
}

// foresee counts what a run would do with a message.
func (h *history) foresee(d *folder, p *past, m *met, e imap.Entry) {
	switch {
	case m.how == known:
	case e.Size > d.limit():
		m.how = left
		p.num.Left++
		p.reason(itemOf(e.UID), d.tooLarge(e.Size))
		return
	default:
		p.num.Offered++
	}
	if m.old {
		p.num.Due++
	}
}

// leave takes into the account what stays on the server.
func (h *history) leave(d *folder, p *past) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for item, i := range d.items {
		m := p.met[uidOf(item)]
		if i.Outcome != catalog.Left && i.Outcome != catalog.Excluded || m == nil || m.archived() || m.how == left {
			continue
		}
		m.how = left
		p.num.Left++
		p.reason(item, i.Detail)
	}
}

// compareOnly compares the counts of a dry run.
func (h *history) compareOnly(ctx context.Context, c *imap.Conn, p *past) error {
	s, err := h.survey(ctx, c, p)
	if err != nil {
		return err
	}
	p.num.Remaining = int64(s.exists)
	h.judge(p, s)
	return nil
}

// due returns the messages that are to be removed and still there, in order.
func (p *past) due(present []imap.UID) []imap.UID {
	var out []imap.UID
	for _, u := range present {
		if m := p.met[u]; m != nil && m.old && m.archived() && !p.kept[u] {
			out = append(out, u)
		}
	}
	return slices.Clip(out)
}

// removeSize is how many messages are read again and removed at a time.
const removeSize = 100
