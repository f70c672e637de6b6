package pst

import (
	"errors"
	"fmt"
	"slices"
)

// table calls fn for every row of a table of a folder, with a function that reads
// the display name or the subject in it. A folder without the table has no rows.
func (w *walk) table(folder, kind uint32, fn func(id uint32, label func() string) error) error {
	n, ok, err := w.f.node(folder&^0x1f | kind)
	if err != nil || !ok {
		return err
	}
	t, err := w.f.table(n)
	if err != nil {
		return fmt.Errorf("table 0x%x: %w", n.nid, err)
	}
	return t.ids(func(id uint32, no int) error {
		if err := w.f.spend(rowCost); err != nil {
			if w.ctx.Err() != nil {
				err = stop{err}
			}
			return err
		}
		if err := fn(id, func() string { return t.label(no) }); err != nil {
			return stop{err}
		}
		return nil
	})
}

// rowCost is what a row counts in bytes read: a table that many folders have is no
// way to keep the reader busy.
const rowCost = 256

// listed hands over an item that the table of a folder lists.
func (w *walk) listed(nid uint32, path []string, hidden bool, label func() string) error {
	seen := w.seen(nid)
	if seen == nil {
		w.f.note(damagef("the folder lists 0x%x, which is no message", nid))
		return w.report(path, nid)
	}
	if seen.has(nid) {
		return nil
	}
	n, ok, err := w.f.node(nid)
	if err == nil && !ok {
		err = damagef("the folder lists it, but it is not in the node tree")
	}
	if err != nil {
		if s := cut(label()); s != "" {
			err = fmt.Errorf("%q: %w", s, err)
		}
		w.f.note(err)
		return w.report(path, nid)
	}
	seen.add(nid)
	return w.item(n, path, hidden)
}

// seen is the set for a message, nil for what is no message.
func (w *walk) seen(nid uint32) *idSet {
	switch nid & 0x1f {
	case typeMessage:
		return &w.items
	case typeAssociated:
		return &w.hidden
	}
	return nil
}

// item hands over an item, after what was noted about the way to it.
func (w *walk) item(n node, path []string, hidden bool) error {
	if err := w.report(path, n.nid); err != nil {
		return err
	}
	return w.hand(Item{Folder: path, NID: n.nid, Associated: hidden || n.nid&0x1f == typeAssociated, node: n})
}

// lost looks through the whole tree of nodes for folders, and then for messages,
// that were not come by. It also finds the parts of that tree that are damaged.
func (w *walk) lost() error {
	err := w.eachNode(func(n node) error {
		if n.nid&0x1f != typeFolder || w.folders.has(n.nid) {
			return nil
		}
		path := w.lostPath(n.parent)
		if n.nid != w.top {
			path = append(path, w.f.folderName(n.nid, nil))
		}
		return w.folder(n.nid, path, 0)
	})
	if err != nil {
		return err
	}
	return w.eachNode(func(n node) error {
		seen := w.seen(n.nid)
		if seen == nil || !seen.add(n.nid) {
			return nil
		}
		return w.item(n, w.lostPath(n.parent), false)
	})
}

func (w *walk) eachNode(fn func(node) error) error {
	err := w.f.nodes.each(func(e []byte) error {
		if err := w.ctx.Err(); err != nil {
			return stop{err}
		}
		if err := fn(w.f.nodeOf(e)); err != nil {
			return stop{err}
		}
		return nil
	}, w.f.note)
	var s stop
	if errors.As(err, &s) {
		return s.error
	}
	w.f.note(err)
	return w.report([]string{Lost}, 0)
}

// lostPath is the path for something that says it belongs to a folder.
func (w *walk) lostPath(parent uint32) []string {
	path, before := []string{}, uint32(0)
	for depth := 0; parent != before && parent != w.top && parent != nidRoot && depth < maxDepth; depth++ {
		n, ok, err := w.f.node(parent)
		if err != nil || !ok || parent&0x1f != typeFolder {
			break
		}
		path = append(path, w.f.folderName(parent, nil))
		parent, before = n.parent, parent
	}
	path = append(path, Lost)
	slices.Reverse(path)
	return path
}
