package mailbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/remote"
)

// shelf is what stays in one folder of a server although it is settled.
type shelf struct {
	t     *task
	name  string // of the folder, as SourceItem knows it
	items map[string]*catalog.SourceItem
}

func (t *task) openShelf(ctx context.Context, name string) (*shelf, error) {
	list, err := t.f.Archive.SourceItems(ctx, t.src.key.tenant, t.src.key.source, name)
	if err != nil {
		return nil, ours(err)
	}
	s := &shelf{t: t, name: name, items: make(map[string]*catalog.SourceItem, len(list))}
	for _, i := range list {
		s.items[i.Item] = i
	}
	return s, nil
}

// settle adds items and drops others.
func (s *shelf) settle(ctx context.Context, add []*catalog.SourceItem, drop []string) error {
	if len(add)+len(drop) == 0 {
		return nil
	}
	// What was true a moment ago must be remembered, also when the fetch is
	// being stopped.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if err := s.t.f.Archive.SettleItems(ctx, s.t.src.key.tenant, s.t.src.key.source, s.name, add, drop); err != nil {
		return ours(err)
	}
	for _, d := range drop {
		delete(s.items, d)
	}
	for _, a := range add {
		s.items[a.Item] = a
	}
	s.t.moves += len(add) + len(drop)
	return nil
}

// settleTime bounds one change of the catalog.
const settleTime = 30 * time.Second

// leave records that an item stays on the server, once.
func (s *shelf) leave(ctx context.Context, item string, bytes int64, why string) error {
	s.t.tried[s.name+"\x00"+item] = true
	if old := s.items[item]; old != nil && old.Outcome == catalog.Left {
		s.t.moves++
		return nil
	}
	return s.settle(ctx, []*catalog.SourceItem{s.item(item, catalog.Left, bytes, why)}, nil)
}

// exclude records that an item stays on the server because a rule keeps it out of
// the archive: nobody else may have it, so it is not deleted.
func (s *shelf) exclude(ctx context.Context, item string, bytes int64) error {
	s.t.tried[s.name+"\x00"+item] = true
	return s.settle(ctx, []*catalog.SourceItem{s.item(item, catalog.Excluded, bytes, reasonExcluded)}, nil)
}

func (s *shelf) item(item string, outcome catalog.Outcome, bytes int64, why string) *catalog.SourceItem {
	return &catalog.SourceItem{Folder: s.name, Item: item, Outcome: outcome, Bytes: max(bytes, 0), At: s.t.f.Now().UTC().Truncate(time.Millisecond),
		Detail: remote.Redact(why, s.t.set.User, s.t.secret)}
}

// Reasons of what stays; the web interface has them in other languages too
// (web/src/sources/reason.ts).
const (
	reasonTooLarge   = "too large: %d bytes, the limit is %d"
	reasonNotDeleted = "archived; not deleted on the server so far"
	reasonKept       = "archived; kept on the server"
	reasonDots       = "archived; not deleted, as the server breaks the rules for dots"
	reasonExcluded   = "none of its addresses is selected for the archive"
	reasonUnreadable = "message %s cannot be fetched: %w"
)

// errWithheld is why a message that is listed cannot be fetched, if nothing comes.
var errWithheld = errors.New("the server lists it and does not send it when asked")

// tooLarge is the reason of what is above the limit.
func (t *task) tooLarge(bytes int64) string {
	return fmt.Sprintf(reasonTooLarge, bytes, t.limit())
}

// limit is the size of the largest message that is fetched.
func (t *task) limit() int64 {
	if t.set.MaxBytes > 0 {
		return min(t.set.MaxBytes, archive.MaxMessage)
	}
	return archive.MaxMessage
}

// due reports whether an item that stays should be tried again now, once a fetch.
// Size is what the server says of it today: one above the limit is no use, and one
// that turned out to be is not believed too often.
func (s *shelf) due(i *catalog.SourceItem, size int64) bool {
	id := s.name + "\x00" + i.Item
	if s.t.tried[id] {
		return false
	}
	pause := s.t.f.timings.retry
	if i.Outcome == catalog.Left && i.Bytes > s.t.limit() {
		if size < 0 || size > s.t.limit() {
			return false
		}
		pause *= 24
	}
	last, ok := s.t.src.retried[id]
	return !ok || s.t.force || s.t.f.Now().Sub(last) >= pause
}

// judgedAnew reports whether an item that a rule kept out of the archive is to be
// offered again, once: the rules were changed after that.
func (s *shelf) judgedAnew(i *catalog.SourceItem) bool {
	return i.Outcome == catalog.Excluded && !i.At.After(s.t.rules) && !s.t.tried[s.name+"\x00"+i.Item]
}

// trying remembers that an item is being tried again.
func (s *shelf) trying(item string) {
	id := s.name + "\x00" + item
	s.t.src.retried[id], s.t.tried[id] = s.t.f.Now(), true
}

// left counts the messages that stay on the server against our will.
func (s *shelf) left() (n int64) {
	for _, i := range s.items {
		if i.Outcome == catalog.Left || !s.t.set.Keep {
			n++
		}
	}
	return n
}

// forget drops what is left of other accounts, and of folders whose UIDs mean
// nothing any more; current tells which shelf is in use.
func (t *task) forget(ctx context.Context, current func(name string) bool) error {
	list, err := t.f.Archive.SourceItems(ctx, t.src.key.tenant, t.src.key.source, "")
	if err != nil {
		return ours(err)
	}
	old := map[string][]string{}
	for _, i := range list {
		if !strings.HasPrefix(i.Folder, t.account) || !current(i.Folder) {
			old[i.Folder] = append(old[i.Folder], i.Item)
		}
	}
	for name, items := range old {
		if err := t.f.Archive.SettleItems(ctx, t.src.key.tenant, t.src.key.source, name, nil, items); err != nil {
			return ours(err)
		}
	}
	return nil
}
