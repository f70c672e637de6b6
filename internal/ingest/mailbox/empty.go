package mailbox

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/ingest/imap"
	"github.com/muniment/muniment/internal/remote"
)

// empty compares the counts of a folder that is archived and, if they agree,
// removes what is due.
func (h *history) empty(ctx context.Context, c *imap.Conn, p *past, readOnly bool) error {
	s, err := h.survey(ctx, c, p)
	if err != nil {
		return err
	}
	p.removed(s)
	if !h.judge(p, s) {
		h.stopped = !h.before.IsZero()
		return nil
	}
	due := p.due(s.present)
	if !p.agreed {
		p.agreed, p.num.Due = true, int64(len(due))
	}
	if room := h.asked.AtMost - h.removals; h.asked.AtMost > 0 && int64(len(due)) > room {
		due = due[:max(0, room)]
		p.reason("", "more messages are old enough than it was asked to remove")
	}
	why := ""
	switch {
	case len(due) == 0:
		return nil
	case readOnly:
		why = "the server lets nothing be changed in this folder"
	case !c.Capability("UIDPLUS") && !c.Capability("IMAP4rev2"):
		why = "the server cannot expunge single messages (no UIDPLUS); others might lose messages they have only marked"
	}
	if why != "" {
		p.reason("", why)
		h.note(&coded{remote.CodeNotDeleted, errors.New(why)})
		return nil
	}
	if err := h.log(ctx, p, "due", len(due)); err != nil {
		return err
	}
	for some := range slices.Chunk(due, removeSize) {
		if err := h.remove(ctx, c, p, some); err != nil {
			return err
		}
		h.moves++
		h.show()
	}
	if s, err = h.survey(ctx, c, p); err != nil {
		return err
	}
	p.removed(s)
	if err := h.log(ctx, p, "removed", int(p.num.Removed)); err != nil {
		return err
	}
	if !h.judge(p, s) {
		h.stopped = true
	}
	return nil
}

// removed counts what the server has removed of what it was asked to.
func (p *past) removed(s *survey) {
	there := make(map[imap.UID]bool, len(s.present))
	for _, u := range s.present {
		there[u] = true
	}
	p.num.Remaining, p.num.Removed = int64(s.exists), p.earlier
	for u := range p.asked {
		if !there[u] {
			p.num.Removed++
		}
	}
}

// remove reads messages again from the vault and has those removed that come back
// as they came.
func (h *history) remove(ctx context.Context, c *imap.Conn, p *past, some []imap.UID) error {
	var intact []imap.UID
	shelf := shelfName(h.account+escape(p.num.Name), int64(p.validity))
	for _, u := range some {
		m := p.met[u]
		at := archive.Arrival{Origin: shelf + "/;UID=" + itemOf(u), AOID: m.aoid}
		err := h.f.Archive.VerifyArrival(ctx, h.src.key.tenant, h.src.key.source, at, m.came)
		switch {
		case errors.Is(err, archive.ErrNotIntact):
			p.kept[u] = true
			p.reason(itemOf(u), "not removed: "+err.Error())
			h.note(&coded{remote.CodeArchive, err})
			h.f.Log.Error("a message is not removed from its server: it does not come back intact", "tenant", h.src.key.tenant, "error", err)
			continue
		case err != nil:
			return ours(err)
		}
		intact = append(intact, u)
		if !p.asked[u] {
			p.num.Intact++
		}
	}
	if len(intact) == 0 {
		return nil
	}
	for _, u := range intact {
		if !p.asked[u] {
			h.removals++
		}
		p.asked[u] = true
	}
	left, err := c.Delete(ctx, intact)
	if err != nil && (!c.Usable() || !errors.Is(err, imap.ErrNotDeleted) && !errors.Is(err, imap.ErrRefused)) {
		return err // the next survey tells what is gone
	}
	for _, u := range left {
		p.kept[u] = true
		p.reason(itemOf(u), "not removed: the server still has it")
	}
	if err != nil {
		h.note(&coded{remote.CodeNotDeleted, err})
	}
	p.num.Removed += int64(len(intact) - len(left))
	h.uncount(p, int64(len(intact)-len(left)))
	return nil
}

// uncount takes what was removed off the count that is compared with the next one.
func (h *history) uncount(p *past, n int64) {
	if c := h.counts[p.num.Name]; c != nil {
		c.total -= n
	}
}

// log writes what is done to the server into the event log.
func (h *history) log(ctx context.Context, p *past, what string, n int) error {
	details := map[string]string{"account": h.account, "folder": p.num.Name, "before": h.before.Format("2006-01-02T15:04:05Z07:00")}
	maps.Copy(details, map[string]string{what: strconv.Itoa(n)})
	return ours(h.f.Archive.LogRemoval(ctx, h.src.key.tenant, h.src.key.source, details))
}
