package pst

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/mapi"
)

// Types of nodes: the lower five bits of their identifiers ([MS-PST] §2.2.2.1).
const (
	typeFolder     = 0x02
	typeSearch     = 0x03
	typeMessage    = 0x04
	typeAttachment = 0x05
	typeAssociated = 0x08
	typeHierarchy  = 0x0D
	typeContents   = 0x0E
	typeHidden     = 0x0F // table of associated contents
)

// Nodes that have fixed identifiers ([MS-PST] §2.4.1).
const (
	nidStore = 0x21
	nidRoot  = 0x122
)

// Names of folders that are no folders of the file.
const (
	Lost = "(lost)" // what no folder leads to
	Root = "(root)" // what is beside the user's folders
)

// Item is an item of a folder, or what was found instead of one. It is valid until
// the function that was given it returns.
type Item struct {
	// Folder is the path below the folder that Outlook shows at the top. It begins
	// with Root for folders beside that, and with Lost for what no folder leads to,
	// followed by the folders it says it belongs to.
	Folder []string
	NID    uint32 // identifier of the node, zero if what is damaged has none
	// Associated is set for what Outlook keeps hidden in a folder: views, rules, forms.
	Associated bool
	// Err tells what is damaged: then there is no message.
	Err error

	file *File
	node node
}

// Origin names the item within its file, the same each time the file is read.
func (it *Item) Origin() string { return fmt.Sprintf("nid 0x%08x", it.NID) }

// Place names item and folder for people.
func (it *Item) Place() string {
	folder := fmt.Sprintf("folder %q", strings.Join(it.Folder, "/"))
	if len(it.Folder) == 0 {
		folder = "the top folder"
	}
	if it.NID == 0 {
		if len(it.Folder) == 0 {
			return "file"
		}
		return folder
	}
	return fmt.Sprintf("%s, item 0x%08x", folder, it.NID)
}

// Message reads the item, but for the contents of attachments. Each call reads it
// anew. Its Warnings tell what is damaged in it, also of what is read later. The
// error names item and folder.
func (it *Item) Message() (*mapi.Message, error) {
	if it.Err != nil {
		return nil, it.Err
	}
	m, err := it.file.message(it.node, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", it.Place(), err)
	}
	return m, nil
}

// walk is a walk under way.
type walk struct {
	f    *File
	ctx  context.Context
	fn   func(Item) error
	top  uint32              // the folder that Outlook shows at the top
	told map[string]struct{} // damage that was reported
	bad  []error             // damage noted and not yet reported

	folders, items, hidden idSet // what was handed over
}

// maxTold bounds how many reports are kept to tell new ones.
const maxTold = 4096

// Walk calls fn for every item of every folder, the deleted ones included, and for
// everything that is damaged: such an Item has Err set, and Folder as far as it is
// known. Search folders are left out, for they hold no items but refer to them;
// an item that several folders list comes once. An error of fn ends the walk and
// is returned; otherwise the error is that of ctx or nil.
func (f *File) Walk(ctx context.Context, fn func(Item) error) error {
	w := &walk{f: f, ctx: ctx, fn: fn, told: map[string]struct{}{}}
	f.ctx, f.spent = ctx, 0
	defer func() { f.ctx = context.Background() }()
	defer f.noting(func(err error) { w.bad = append(w.bad, err) })()
	for _, err := range f.header {
		f.note(err)
	}
	if f.names == nil {
		if err := f.loadNames(); err != nil {
			f.note(fmt.Errorf("named properties: %w", err))
		}
	}
	if err := w.store(); err != nil {
		f.note(fmt.Errorf("message store: %w", err))
	}
	if err := w.report(nil, 0); err != nil {
		return err
	}
	var path []string
	if w.top != 0 && w.top != nidRoot {
		path = []string{Root}
	}
	if err := w.folder(nidRoot, path, 0); err != nil {
		return err
	}
	return w.lost()
}

// store learns from the message store ([MS-PST] §2.4.3) which folder is the top.
func (w *walk) store() error {
	n, ok, err := w.f.node(nidStore)
	if err == nil && !ok {
		err = damagef("it is missing")
	}
	if err != nil {
		return err
	}
	h, err := w.f.heap(n, clientProps)
	if err != nil {
		return err
	}
	return h.eachProp(func(tag mapi.Tag, hnid uint32) {
		if tag != 0x35E00102 { // PidTagIpmSubTreeEntryId
			return
		}
		b, err := h.value(hnid, 1024)
		if err == nil && len(b) >= 24 {
			w.top = u32(b[20:])
		}
		w.f.note(err)
	}, w.f.note)
}

// report hands over what was noted since the last report.
func (w *walk) report(path []string, nid uint32) error {
	bad := w.bad
	w.bad = nil
	for _, err := range bad {
		if w.ctx.Err() != nil {
			return w.ctx.Err()
		}
		if _, ok := w.told[err.Error()]; ok {
			continue
		}
		if len(w.told) < maxTold {
			w.told[err.Error()] = struct{}{}
		}
		if err := w.hand(Item{Folder: path, NID: nid, Err: err}); err != nil {
			return err
		}
	}
	return w.ctx.Err()
}

// hand calls fn, naming item and folder in the error.
func (w *walk) hand(it Item) error {
	it.Folder, it.file = slices.Clone(it.Folder), w.f
	if it.Err != nil {
		it.Err = fmt.Errorf("%s: %w", it.Place(), it.Err)
	}
	defer w.f.noting(nil)()
	return w.fn(it)
}

// folder walks a folder and those below it.
func (w *walk) folder(nid uint32, path []string, depth int) error {
	if !w.folders.add(nid) {
		return nil
	}
	if depth > maxDepth {
		w.f.note(damagef("more than %d folders within each other", maxDepth))
		return w.report(path, nid)
	}
	for _, t := range []uint32{typeContents, typeHidden} {
		err := w.table(nid, t, func(id uint32, label func() string) error { return w.listed(id, path, t == typeHidden, label) })
		if err := w.settle(err, path, nid); err != nil {
			return err
		}
	}
	err := w.table(nid, typeHierarchy, func(id uint32, label func() string) error {
		if id&0x1f != typeFolder || id == nid {
			return nil
		}
		return w.folder(id, w.below(path, id, label), depth+1)
	})
	return w.settle(err, path, nid)
}

// stop is an error of the function that Walk was given, or of the context.
type stop struct{ error }

// settle ends the walk if err is a stop, and reports all other damage.
func (w *walk) settle(err error, path []string, nid uint32) error {
	var s stop
	if errors.As(err, &s) {
		return s.error
	}
	w.f.note(err)
	return w.report(path, nid)
}

// below returns the path of folder id, which is in the folder at path.
func (w *walk) below(path []string, id uint32, label func() string) []string {
	if id == w.top {
		return nil
	}
	return append(slices.Clip(path), w.f.folderName(id, label))
}

// folderName is the name of a folder, or what stands for it.
func (f *File) folderName(nid uint32, label func() string) string {
	p := mapi.Properties{}
	n, ok, err := f.node(nid)
	if err == nil && !ok {
		err = damagef("it is not in the node tree")
	}
	if err == nil {
		b := bag{f: f, left: maxLabel}
		err = b.read(n, &p, func(tag mapi.Tag, _ *heap, _ uint32) bool { return tag.ID() != mapi.IDDisplayName })
	}
	if err != nil {
		f.note(fmt.Errorf("folder 0x%x: %w", nid, err))
	}
	name := cut(p.Text(mapi.IDDisplayName))
	if name == "" && label != nil {
		name = cut(label())
	}
	if name == "" {
		name = fmt.Sprintf("folder 0x%x", nid)
	}
	return name
}

// cut bounds a name and takes control characters out.
func cut(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if len(s) > maxPathText {
		s = strings.ToValidUTF8(s[:maxPathText], "")
	}
	return s
}
