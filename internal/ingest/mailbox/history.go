package mailbox

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/ingest/imap"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// A history archives everything a mailbox holds, once, and may remove what is old
// from the server. Its checkpoint is the archive itself: what is recorded under its
// account, folder, UIDVALIDITY and UID is not fetched again, so that a history can
// be broken off at any moment and started again.
//
// A message is removed only if it was read again from the vault with the SHA-256 of
// the bytes that the server gave, and only in a folder whose counts agree.

// starts bounds how often a folder is begun again because of a new UIDVALIDITY.
const starts = 3

// history is one run.
type history struct {
	*task
	asked  remote.History
	before time.Time // what the server got earlier is old; zero: nothing is removed
	report *remote.HistoryReport
	tellTo func(remote.HistoryReport)

	list     []*past // folders, in the order they are read
	chosen   bool
	recall   map[string]map[imap.UID]uid.ID // what is archived, by shelf; a zero id: not sure with which bytes
	removals int64                          // messages the server was asked to remove
	stopped  bool                           // by a disagreement

	mu  sync.Mutex // of what took changes
	now *past      // being fetched
}

// past is the history of one folder.
type past struct {
	num      *remote.HistoryFolder
	validity uint32   // zero: not opened so far
	bound    imap.UID // what has a higher one came later
	starts   int
	earlier  int64 // removed before it was begun again
	met      map[imap.UID]*met
	fetched  bool
	agreed   bool              // counts were compared at least once
	asked    map[imap.UID]bool // the server was asked to remove them
	kept     map[imap.UID]bool // are due, and stay
	done     bool
}

// met is a message of the server.
type met struct {
	aoid uid.ID
	came [32]byte // SHA-256 of the bytes that came; zero: in an earlier run
	how  fate
	old  bool
}

type fate uint8

const (
	unsettled fate = iota // nothing is known of it
	known                 // archived before from this place
	stored
	duplicate
	left // stays on the server, and is not archived
)

// archived reports whether the archive has confirmed the message.
func (m *met) archived() bool { return m.how == known || m.how == stored || m.how == duplicate }

// History archives all that a remote mailbox holds, disabled or not, and waits for
// the end. Show, if not nil, is told how far it is. It waits for a fetch of the same
// source that is under way in this process. The report has the problem, if there
// was one; the error is of what was asked for, or of ctx.
func (f *Fetcher) History(ctx context.Context, tenant, source uid.ID, asked remote.History, show func(remote.HistoryReport)) (*remote.HistoryReport, error) {
	if err := asked.Check(); err != nil {
		return nil, err
	}
	k := sourceKey{tenant, source}
	unlock, err := f.lock(ctx, k)
	if err != nil {
		return nil, err
	}
	defer unlock()
	v, err := f.any(ctx, k)
	if err != nil {
		return nil, err
	}
	h := newHistory(f, v, asked, show)
	err = h.prepare(ctx, v)
	if err == nil {
		if h.set.Protocol == remote.POP3 {
			return nil, remote.ErrNoHistory
		}
		// The mailbox is somebody's: nothing is expunged that others have marked.
		h.set.Protocol, h.set.Keep = remote.IMAP, true
		err = h.run(ctx, h.session)
	}
	h.countRest(ctx)
	return h.end(ctx, err), ctx.Err()
}

// any returns a remote mailbox, disabled or not.
func (f *Fetcher) any(ctx context.Context, k sourceKey) (*archive.SourceView, error) {
	list, err := f.Archive.RemoteMailboxes(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Tenant == k.tenant && list[i].ID == k.source {
			return &list[i], nil
		}
	}
	return nil, ErrNoSource
}

func newHistory(f *Fetcher, v *archive.SourceView, asked remote.History, show func(remote.HistoryReport)) *history {
	h := &history{asked: asked, tellTo: show, recall: map[string]map[imap.UID]uid.ID{}}
	h.task = newTask(f, newSource(v), true)
	h.task.took = h.took
	now := f.Now().UTC()
	h.report = &remote.HistoryReport{Asked: asked, StartedAt: now, Folders: []remote.HistoryFolder{}, LeftOut: []remote.FolderLeftOut{}, Disagreements: []remote.Disagreement{}}
	if asked.RemoveOlderThan > 0 {
		h.before = now.AddDate(0, 0, -asked.RemoveOlderThan)
		if asked.RemoveBefore != nil && asked.RemoveBefore.Before(now) {
			h.before = asked.RemoveBefore.UTC()
		}
		h.report.RemoveBefore = &h.before
	}
	return h
}

// took is told of every message that is durable.
func (h *history) took(item string, came [32]byte, r archive.Receipt) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.now
	m := p.met[uidOf(item)]
	if m == nil {
		m = &met{}
		p.met[uidOf(item)] = m
	}
	if m.how == left {
		p.num.Left--
	}
	m.aoid, m.came = r.AOID, came
	p.num.Offered++
	if m.how = stored; r.Duplicate {
		m.how = duplicate
		p.num.Duplicate++
	} else {
		p.num.Stored++
	}
}

// session goes on with the history over one connection.
func (h *history) session(ctx context.Context) (more bool, err error) {
	c, err := h.connect(ctx)
	if err != nil {
		return false, err
	}
	defer c.close()
	h.account = "imap://" + url.PathEscape(h.set.User) + "@" + h.set.Host + "/"
	h.report.Account = h.account
	if err := h.choose(ctx, c.imap); err != nil {
		return false, err
	}
	for _, p := range h.list {
		if p.done {
			continue
		}
		err := h.read(ctx, c.imap, p)
		if errors.Is(err, imap.ErrUIDValidity) {
			err = h.again(p, err)
		}
		if err != nil || h.stopped {
			return false, err
		}
		p.done, p.num.Done = true, true
		h.moves++
		h.show()
	}
	h.report.Complete = true
	if c.imap.Usable() {
		_ = c.imap.Logout(ctx) // a courtesy
	}
	return false, nil
}

// again begins a folder anew whose UIDVALIDITY has changed: what was met means
// nothing any more.
func (h *history) again(p *past, err error) error {
	if p.starts++; p.starts >= starts {
		return err
	}
	p.earlier = p.num.Removed
	*p.num = remote.HistoryFolder{Name: p.num.Name, Removed: p.earlier}
	p.validity, p.bound, p.fetched, p.agreed = 0, 0, false, false
	p.met, p.asked, p.kept = map[imap.UID]*met{}, map[imap.UID]bool{}, map[imap.UID]bool{}
	h.moves++
	return &coded{remote.CodeProtocol, fmt.Errorf("folder %q is begun again: %s", p.num.Name, err.Error())} // another connection helps
}

// choose finds the folders, once, and what is archived of them.
func (h *history) choose(ctx context.Context, c *imap.Conn) error {
	if h.chosen {
		return nil
	}
	all, err := c.Folders(ctx)
	if err != nil {
		return err
	}
	set := h.set
	set.Folders, set.Drafts, set.Spam, set.Trash = remote.All, h.asked.Drafts, h.asked.Spam, h.asked.Trash
	names := wanted(set, all)
	if len(h.asked.Folders) > 0 {
		names = named(h.asked.Folders, all)
	}
	h.report.LeftOut = leftOut(names, h.asked.Folders, set.Without, all)
	if err := h.remember(ctx); err != nil {
		return err
	}
	h.report.Folders = make([]remote.HistoryFolder, len(names)) // never grows: its elements are pointed to
	h.list = nil
	for i, name := range names {
		num := &h.report.Folders[i]
		num.Name = name
		if m, err := c.Status(ctx, name); err == nil { // for the progress; opening it tells what is wrong
			num.OnServer = int64(m.Messages)
		} else if !c.Usable() {
			return err
		}
		h.list = append(h.list, &past{num: num, met: map[imap.UID]*met{}, asked: map[imap.UID]bool{}, kept: map[imap.UID]bool{}})
	}
	h.chosen = true
	h.moves++
	h.show()
	return nil
}

// named returns the folders that were asked for, as the server writes them.
func named(asked []string, all []imap.Folder) []string {
	var out []string
	for _, f := range all {
		hit := slices.Contains(asked, f.Name) || f.Name == inbox && slices.ContainsFunc(asked, func(n string) bool { return strings.EqualFold(n, inbox) })
		if hit && !f.NoSelect && !f.Unreadable {
			out = append(out, f.Name)
		}
	}
	return out
}

// leftOut lists the folders that are not read, and why.
func leftOut(names, asked, without []string, all []imap.Folder) []remote.FolderLeftOut {
	out := []remote.FolderLeftOut{}
	kinds := map[string]string{}
	for _, f := range all {
		kinds[f.Name] = kindOf(f)
		why := ""
		switch {
		case slices.Contains(names, f.Name), f.NoSelect:
			continue
		case f.Unreadable:
			why = "its name is not properly encoded; it cannot be opened"
		case len(asked) > 0:
			why = "not asked for"
		case excluded(without, f):
			why = "left out by the settings of the mailbox"
		case f.Use == `\Flagged` || f.Use == `\Important`:
			why = "it only shows messages of other folders"
		case kindOf(f) != "":
			why = kindOf(f)
		default:
			why = "below drafts, spam or trash"
		}
		out = append(out, remote.FolderLeftOut{Name: f.Name, Why: why, Missing: f.Unreadable})
	}
	for _, n := range asked {
		if !slices.ContainsFunc(all, func(f imap.Folder) bool { return strings.EqualFold(f.Name, n) }) {
			out = append(out, remote.FolderLeftOut{Name: n, Why: "there is no such folder", Missing: true})
		}
	}
	return out
}

// remember reads from the archive what it has of this account.
func (h *history) remember(ctx context.Context) error {
	err := h.f.Archive.Arrivals(ctx, h.src.key.tenant, h.src.key.source, h.account, func(a archive.Arrival) error {
		shelf, item, ok := cutLast(a.Origin, "/;UID=")
		u := uidOf(item)
		if !ok || u == 0 {
			return nil
		}
		of := h.recall[shelf]
		if of == nil {
			of = map[imap.UID]uid.ID{}
			h.recall[shelf] = of
		}
		if old, twice := of[u]; twice && old != a.AOID {
			a.AOID = uid.ID{} // the server has given different bytes: they are fetched again
		}
		of[u] = a.AOID
		return nil
	})
	return ours(err)
}

func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// show tells how far the history is.
func (h *history) show() {
	if h.tellTo == nil {
		return
	}
	h.mu.Lock()
	r := h.copy()
	h.mu.Unlock()
	h.tellTo(r)
}

func (h *history) copy() remote.HistoryReport {
	r := *h.report
	r.Folders = slices.Clone(r.Folders)
	for i := range r.Folders {
		r.Folders[i].Reasons = slices.Clone(r.Folders[i].Reasons)
	}
	r.Disagreements = slices.Clone(r.Disagreements)
	return r
}

// end completes the report.
func (h *history) end(ctx context.Context, err error) *remote.HistoryReport {
	now := h.f.Now().UTC()
	h.report.EndedAt = &now
	if err == nil && len(h.problems) > 0 {
		err = h.problems[0]
	}
	if err != nil && ctx.Err() == nil {
		h.report.Problem = problem(err, h.set.User, h.secret)
	}
	h.show()
	r := h.copy()
	return &r
}

// reason remembers why a message is left as it is.
func (p *past) reason(item, why string) {
	if len(p.num.Reasons) < maxReasons {
		p.num.Reasons = append(p.num.Reasons, remote.HistoryReason{Item: item, Why: why})
	}
}

// maxReasons bounds the report of a folder.
const maxReasons = 1000
