package imap

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

const (
	firstWindow = 1024 // UIDs in the first range asked for
	leastWindow = 64
	growth      = 4   // of the window where there are few messages
	maxWindows  = 100 // ranges in one call; 4^16 is all there are
)

// Entry is a message in a list.
type Entry struct {
	UID   UID
	Size  int64     // RFC822.SIZE; servers are known to be wrong. -1: not told
	Flags []string  // such as "\Seen"
	Date  time.Time // INTERNALDATE: when the server took the message. Zero: not told
}

// List returns messages of the selected folder in ascending order of UID, the
// lowest at or above from first and at most count of them, and from where to
// go on. Next is zero at the end of the folder; no entries do not mean the end.
// Messages that arrive meanwhile are listed, and what one call takes in memory
// depends on count alone.
//
// It asks for ranges of UIDs and never for "n:*", which always includes the
// last message (RFC 9051 §9, seq-range).
func (c *Conn) List(ctx context.Context, from UID, count int) (page []Entry, next UID, err error) {
	from, count = max(1, from), max(1, count)
	for range maxWindows {
		high, last := c.reach(from)
		page, cut, err := c.listRange(ctx, from, high, count)
		if err != nil {
			return nil, 0, err
		}
		switch {
		case cut:
			end := page[len(page)-1].UID
			c.window = max(leastWindow, end-from)
			c.uidNext = max(c.uidNext, end+1) // there is more: this was not the end
			return page, end + 1, nil
		case last:
			return page, 0, nil
		case len(page) < count/growth && c.window < maxUID/growth:
			c.window *= growth
		}
		from = high + 1
		if len(page) > 0 {
			return page, from, nil
		}
	}
	return nil, from, nil
}

// reach returns up to which UID to ask, and whether that is all.
func (c *Conn) reach(from UID) (high UID, last bool) {
	if c.window == 0 {
		c.window = firstWindow
	}
	switch {
	case from > maxUID-c.window:
		return maxUID, true
	case c.uidNext != 0 && from+c.window >= c.uidNext:
		return maxUID, true // and what has come since
	default:
		return from + c.window - 1, false
	}
}

// listRange lists the messages from low to high, only the lowest count of them
// if there are more.
func (c *Conn) listRange(ctx context.Context, low, high UID, count int) (page []Entry, cut bool, err error) {
	op := fmt.Sprintf("list messages %d to %d", low, high)
	found := &lowest{count: count, entries: map[UID]Entry{}}
	if err := c.listSet(ctx, op, goimap.UIDSet{{Start: goimap.UID(low), Stop: goimap.UID(high)}}, found); err != nil {
		return nil, false, err
	}
	if again := found.incomplete(); len(again) > 0 {
		// Other news of a message came first, and the library took them for
		// the answer.
		if err := c.listSet(ctx, op, again, found); err != nil {
			return nil, false, err
		}
	}
	page = found.sorted()
	return page, found.cut, nil
}

func (c *Conn) listSet(ctx context.Context, op string, set goimap.UIDSet, into *lowest) error {
	return c.do(ctx, op, ErrRefused, func() error {
		cmd := c.client.Fetch(set, &goimap.FetchOptions{UID: true, Flags: true, InternalDate: true, RFC822Size: true})
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			into.add(entry(msg))
		}
		return cmd.Close()
	})
}

// lowest keeps the entries with the lowest UIDs.
type lowest struct {
	count   int
	entries map[UID]Entry
	cut     bool // there were more
}

func (l *lowest) add(e Entry) {
	if e.UID == 0 {
		return
	}
	l.entries[e.UID] = e
	if len(l.entries) >= 4*l.count+firstWindow {
		l.shrink()
	}
}

func (l *lowest) shrink() {
	if len(l.entries) <= l.count {
		return
	}
	all := l.all()
	l.cut = true
	clear(l.entries)
	for _, e := range all[:l.count] {
		l.entries[e.UID] = e
	}
}

func (l *lowest) all() []Entry {
	all := make([]Entry, 0, len(l.entries))
	for _, e := range l.entries {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Compare(a.UID, b.UID) })
	return all
}

func (l *lowest) sorted() []Entry {
	l.shrink()
	return l.all()
}

// incomplete returns those of whom neither size nor date was told.
func (l *lowest) incomplete() goimap.UIDSet {
	l.shrink()
	var set goimap.UIDSet
	for _, e := range l.all() {
		if e.Size < 0 && e.Date.IsZero() {
			set.AddNum(goimap.UID(e.UID))
		}
	}
	return set
}

// entry reads a response; bodies in it are thrown away.
func entry(msg *imapclient.FetchMessageData) Entry {
	e := Entry{Size: -1}
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			e.UID = UID(item.UID)
		case imapclient.FetchItemDataRFC822Size:
			e.Size = item.Size
		case imapclient.FetchItemDataInternalDate:
			if item.Time.Unix() != 0 { // noDate
				e.Date = item.Time
			}
		case imapclient.FetchItemDataFlags:
			for _, f := range item.Flags {
				e.Flags = append(e.Flags, string(f))
			}
		}
	}
	return e
}
