package mailbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/imap"
	"github.com/muniment/muniment/internal/remote"
)

const inbox = "INBOX"

// rounds bounds how often a folder is read once more in one fetch because messages
// have come meanwhile.
const rounds = 10

// readIMAP reads all folders that are wanted, INBOX last: there the connection
// can wait for news without missing any. It reports whether a folder is open.
func (t *task) readIMAP(ctx context.Context, c *imap.Conn) (selected bool, err error) {
	names, err := t.folders(ctx, c)
	if err != nil {
		return false, err
	}
	known, err := t.f.Archive.SourceFolders(ctx, t.src.key.tenant, t.src.key.source)
	if err != nil {
		return false, ours(err)
	}
	for _, name := range names {
		if t.finished[name] {
			continue
		}
		more := true
		for n := 0; more && n < rounds; n++ {
			if selected, more, err = t.readFolder(ctx, c, name, known); err != nil {
				return false, err
			}
		}
		t.finished[name] = true
	}
	return selected, t.forget(ctx, func(shelf string) bool {
		path, v, _ := strings.Cut(shelf, ";UIDVALIDITY=")
		f, ok := known[path]
		return !ok || strconv.FormatInt(f.Validity, 10) == v
	})
}

// folders returns the names of the folders that are wanted.
func (t *task) folders(ctx context.Context, c *imap.Conn) ([]string, error) {
	switch t.set.Folders {
	case remote.List:
		return inboxLast(t.set.Named), nil
	case remote.All:
	default:
		return []string{inbox}, nil
	}
	all, err := c.Folders(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range all {
		if f.Unreadable {
			t.note(&coded{remote.CodeFolder, fmt.Errorf("the name of folder %q is not properly encoded; it cannot be opened", f.Name)})
		}
	}
	return inboxLast(wanted(t.set, all)), nil
}

func inboxLast(names []string) []string {
	var out []string
	has := false
	for _, n := range names {
		switch {
		case strings.EqualFold(n, inbox):
			has = true
		case !slices.Contains(out, n):
			out = append(out, n)
		}
	}
	if has {
		out = append(out, inbox)
	}
	return out
}

// excluded reports whether a folder, or one that it lies in, is among those that are
// left out.
func excluded(without []string, f imap.Folder) bool {
	return slices.ContainsFunc(without, func(n string) bool {
		return n == f.Name || f.Delimiter != "" && strings.HasPrefix(f.Name, n+f.Delimiter) ||
			strings.EqualFold(n, inbox) && (strings.EqualFold(f.Name, inbox) || f.Delimiter != "" && len(f.Name) > len(inbox) && strings.EqualFold(f.Name[:len(inbox)], inbox) && strings.HasPrefix(f.Name[len(inbox):], f.Delimiter))
	})
}

// wanted chooses the folders of the setting All. Those that only show what lies in
// other folders (\Flagged, \Important) are not read; \All is, as some servers have
// messages nowhere else.
func wanted(set remote.Settings, all []imap.Folder) []string {
	kinds := map[string]string{}
	for _, f := range all {
		kinds[f.Name] = kindOf(f)
	}
	var out []string
	for _, f := range all {
		if excluded(set.Without, f) {
			continue
		}
		if f.NoSelect || f.Unreadable || f.Use == `\Flagged` || f.Use == `\Important` {
			continue
		}
		kind := kinds[f.Name]
		for name := f.Name; kind == "" && f.Delimiter != ""; { // a folder in the trash is trash
			i := strings.LastIndex(name, f.Delimiter)
			if i < 0 {
				break
			}
			name = name[:i]
			kind = kinds[name]
		}
		if kind == "" || kind == drafts && set.Drafts || kind == spam && set.Spam || kind == trash && set.Trash {
			out = append(out, f.Name)
		}
	}
	return out
}

const (
	drafts = "drafts"
	spam   = "spam"
	trash  = "trash"
)

// kindOf tells drafts, spam and trash by what the server says (RFC 6154), else by
// the names that mail programs give.
func kindOf(f imap.Folder) string {
	switch f.Use {
	case `\Drafts`:
		return drafts
	case `\Junk`:
		return spam
	case `\Trash`:
		return trash
	case "":
	default:
		return ""
	}
	name := f.Name
	if i := strings.LastIndex(name, f.Delimiter); f.Delimiter != "" && i >= 0 {
		name = name[i+len(f.Delimiter):]
	}
	switch strings.ToLower(name) {
	case "drafts", "draft", "entwürfe":
		return drafts
	case "spam", "junk", "junk e-mail", "junk-e-mail", "junk email", "junkmail", "spamverdacht":
		return spam
	case "trash", "deleted items", "deleted messages", "papierkorb", "gelöschte elemente", "gelöschte objekte":
		return trash
	}
	return ""
}

// folder is an open folder being read.
type folder struct {
	*task
	*shelf
	conn       *imap.Conn
	path       string // name in the catalog: account and folder
	folderName string // as people know it
	mark       catalog.SourceFolder
	num        *count
	last       imap.UID              // highest that was listed
	gone       bool                  // something was deleted
	stays      map[string]imap.Entry // of items that stay and that the listing had

	// The page being read, and the one before it, which may be still on its way.
	filed, filedBefore map[string]imap.Entry

	listed  []listed  // pages that may hold messages that are not settled
	pending *arrivals // fetched, and still being archived; may be nil
}

// readFolder reads one folder and leaves it open, ready for IDLE. More says that
// messages have come meanwhile. If the folder cannot be opened, that is noted.
func (t *task) readFolder(ctx context.Context, c *imap.Conn, name string, known map[string]catalog.SourceFolder) (opened, more bool, err error) {
	m, err := c.Select(ctx, name, t.set.Keep, 0)
	if err != nil {
		if !c.Usable() || errors.Is(err, imap.ErrTemporary) {
			return false, false, err
		}
		t.note(&coded{remote.CodeFolder, err})
		return false, false, nil
	}
	d := t.newFolder(c, name)
	t.recount(d.path, d.num)
	*d.num = count{total: int64(m.Messages)}
	if err := d.begin(ctx, m, known); err != nil {
		return false, false, err
	}
	err = d.pages(ctx, m)
	if err == nil {
		err = d.deleteAgain(ctx)
	}
	if err == nil {
		err = d.fetchAgain(ctx)
	}
	d.num.left = d.left()
	if err != nil {
		return true, false, err
	}
	d.num.waiting = 0
	if !d.gone {
		return true, false, nil
	}
	// Opened once more, the folder is counted anew: what has come since the
	// listing would not be told as news after the deletions.
	if _, err := c.Select(ctx, name, t.set.Keep, m.UIDValidity); err != nil {
		return true, false, err
	}
	fresh, _, err := c.List(ctx, d.last+1, 1)
	return true, len(fresh) > 0, err
}

func (t *task) newFolder(c *imap.Conn, name string) *folder {
	return &folder{task: t, conn: c, folderName: name, path: t.account + escape(name), num: t.count(name), stays: map[string]imap.Entry{}, filed: map[string]imap.Entry{}}
}

// shelfName names what stays of a folder, which means nothing under another
// UIDVALIDITY.
func shelfName(path string, validity int64) string {
	return path + ";UIDVALIDITY=" + strconv.FormatInt(validity, 10)
}

// begin finds out how far the folder has been read. Another UIDVALIDITY than
// before means that nothing is known of it (RFC 9051 §2.3.1.1).
func (d *folder) begin(ctx context.Context, m *imap.Mailbox, known map[string]catalog.SourceFolder) (err error) {
	mark, ok := known[d.path]
	now := catalog.SourceFolder{Folder: d.path, Validity: int64(m.UIDValidity), Next: 1}
	if ok && mark.Validity != now.Validity {
		old, err := d.openShelf(ctx, shelfName(d.path, mark.Validity))
		if err != nil {
			return err
		}
		var drop []string
		for i := range old.items {
			drop = append(drop, i)
		}
		if err := old.settle(ctx, nil, drop); err != nil {
			return err
		}
	}
	if !ok || mark.Validity != now.Validity {
		if err := d.setMark(ctx, now); err != nil {
			return err
		}
		mark = now
		known[d.path] = now
	}
	d.mark = mark
	d.shelf, err = d.openShelf(ctx, shelfName(d.path, now.Validity))
	if err != nil {
		return err
	}
	d.num.left = d.left()
	if !d.set.Keep || mark.Next <= 1 {
		d.num.waiting = d.num.total - int64(len(d.items))
	}
	before := int64(len(d.items))
	if d.set.Keep && mark.Next > 1 {
		before = d.num.total
	}
	d.stated(ctx, d.path, d.num, before)
	return nil
}

func (d *folder) setMark(ctx context.Context, f catalog.SourceFolder) error {
	if err := d.f.Archive.SetSourceFolder(ctx, d.src.key.tenant, d.src.key.source, f); err != nil {
		return ours(err)
	}
	d.mark = f
	return nil
}

// id names a message in this fetch, whatever its connection.
func (d *folder) id(item string) string { return d.name + "\x00" + item }

// needless reports whether a message needs nothing more.
func (d *folder) needless(u imap.UID) bool {
	item := itemOf(u)
	return d.items[item] != nil || d.settled[d.id(item)]
}

func itemOf(u imap.UID) string { return strconv.FormatUint(uint64(u), 10) }

func uidOf(item string) imap.UID {
	n, _ := strconv.ParseUint(item, 10, 32) // zero names no message
	return imap.UID(n)
}
