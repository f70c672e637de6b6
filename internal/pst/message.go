package pst

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/muniment/muniment/internal/mapi"
)

// Sub-nodes of a message ([MS-PST] §2.4.5).
const (
	nidAttachments = 0x671
	nidRecipients  = 0x692
)

// reading is one message being read. What is damaged becomes a warning of the
// message; any other error (of the disk, or the walk was called off) ends it.
type reading struct {
	bag
	m    *mapi.Message
	fail error
}

// noting sends notes to the message until the function it returns is called.
func (r *reading) noting() (restore func()) {
	return r.f.noting(func(err error) {
		if errors.Is(err, ErrDamaged) {
			r.m.Warn("%v", err)
		} else if r.fail == nil {
			r.fail = err
		}
	})
}

// message reads the message of a node, which depth other messages are around.
func (f *File) message(n node, depth int) (*mapi.Message, error) {
	// An embedded message gets half of what the one around it may take, so that all
	// together take at most twice the limit.
	r := &reading{bag: bag{f: f, left: maxPropBytes >> depth}, m: &mapi.Message{}}
	defer r.noting()()
	if err := r.read(n, &r.m.Properties, nil); err != nil {
		return nil, err
	}
	r.recipients(n)
	r.attachments(n, depth)
	r.m.ShareCodePage()
	if r.fail != nil {
		return nil, r.fail
	}
	return r.m, nil
}

// table opens the table of a sub-node; nil if there is none.
func (r *reading) table(n node, nid uint32) (*table, error) {
	sub, ok, err := r.f.subNode(n.sub, nid)
	if err != nil || !ok {
		return nil, err
	}
	return r.f.table(sub)
}

func (r *reading) recipients(n node) {
	t, err := r.table(n, nidRecipients)
	if err == nil && t != nil {
		err = t.ids(func(_ uint32, no int) error {
			if len(r.m.Recipients) >= mapi.MaxRecipients {
				return damagef("more than %d", mapi.MaxRecipients)
			}
			row, err := t.row(no)
			if err == nil && row == nil {
				err = damagef("row %d is missing", no)
			}
			if err != nil {
				r.f.note(fmt.Errorf("recipients: %w", err))
				return r.f.ctx.Err()
			}
			p := &mapi.Properties{}
			t.read(row, &r.bag, p)
			r.m.Recipients = append(r.m.Recipients, p)
			return nil
		})
	}
	if err != nil {
		r.f.note(fmt.Errorf("recipients: %w", err))
	}
}

// attachments reads what the table of attachments lists; if the table cannot be
// read, all sub-nodes that are attachments.
func (r *reading) attachments(n node, depth int) {
	var nids []uint32
	add := func(nid uint32) error {
		if len(nids) >= mapi.MaxAttachments {
			return damagef("more than %d", mapi.MaxAttachments)
		}
		nids = append(nids, nid)
		return nil
	}
	t, err := r.table(n, nidAttachments)
	if err == nil && t != nil {
		err = t.ids(func(id uint32, _ int) error { return add(id) })
	}
	if err != nil {
		r.f.note(fmt.Errorf("attachments: %w", err))
		nids = nil
		r.f.note(r.f.subNodes(n.sub, 0, func(s node) bool {
			return s.nid&0x1f != typeAttachment || add(s.nid) == nil
		}))
	}
	for _, nid := range nids {
		a, err := r.attachment(n, nid, depth)
		if err != nil {
			r.f.note(fmt.Errorf("attachment 0x%x: %w", nid, err))
			a.Open = func() (io.Reader, error) { return nil, err }
		}
		r.m.Attachments = append(r.m.Attachments, a)
	}
}

// attachment reads the properties of an attachment ([MS-PST] §2.4.6.2) and finds
// its data.
func (r *reading) attachment(n node, nid uint32, depth int) (*mapi.Attachment, error) {
	a := &mapi.Attachment{Size: -1}
	sub, ok, err := r.f.subNode(n.sub, nid)
	if err == nil && !ok {
		err = damagef("it is missing")
	}
	if err != nil {
		return a, err
	}
	var in *heap
	var tag mapi.Tag
	var place uint32
	err = r.read(sub, &a.Properties, func(t mapi.Tag, h *heap, hnid uint32) bool {
		if t.ID() != mapi.IDAttachData || t.Type() != mapi.TypeBinary && t.Type() != mapi.TypeObject {
			return false
		}
		in, tag, place = h, t, hnid
		return true
	})
	if err != nil || in == nil {
		return a, err
	}
	if tag.Type() == mapi.TypeObject {
		return a, r.object(a, in, place, depth)
	}
	return a, r.binary(a, in, place)
}

// object is an attachment that is a sub-node of its own: a message, or OLE data.
func (r *reading) object(a *mapi.Attachment, h *heap, place uint32, depth int) error {
	b, err := h.value(place, 64)
	if err != nil {
		return err
	}
	if len(b) < 4 {
		return damagef("its object has no place")
	}
	n, ok, err := r.f.subNode(h.sub, u32(b))
	if err == nil && !ok {
		err = damagef("its object 0x%x is missing", u32(b))
	}
	if err != nil {
		return err
	}
	if a.Int(mapi.IDAttachMethod) != mapi.AttachEmbedded {
		return r.stream(a, n)
	}
	a.OpenMessage = func() (*mapi.Message, error) {
		if depth+1 >= mapi.MaxDepth {
			return nil, damagef("more than %d messages within each other", mapi.MaxDepth)
		}
		return r.f.message(n, depth+1)
	}
	return nil
}

// binary is an attachment whose data are a property.
func (r *reading) binary(a *mapi.Attachment, h *heap, place uint32) error {
	if place&0x1f == 0 {
		b, err := h.get(place)
		a.Size = int64(len(b))
		a.Open = func() (io.Reader, error) { return bytes.NewReader(b), err }
		return err
	}
	n, ok, err := r.f.subNode(h.sub, place)
	if err == nil && !ok {
		err = damagef("its data 0x%x are missing", place)
	}
	if err != nil {
		return err
	}
	return r.stream(a, n)
}

// stream makes the data of a node those of an attachment.
func (r *reading) stream(a *mapi.Attachment, n node) error {
	d, err := r.f.open(n.data)
	if err != nil {
		return err
	}
	a.Size = d.size
	a.Open = func() (io.Reader, error) {
		d, err := r.f.open(n.data)
		if err != nil {
			return nil, err
		}
		return &noted{r: r, data: d.reader()}, nil
	}
	return nil
}

// noted reads data and tells the message what is wrong with them.
type noted struct {
	r    *reading
	data io.Reader
}

// Read implements io.Reader.
func (n *noted) Read(p []byte) (int, error) {
	defer n.r.noting()()
	c, err := n.data.Read(p)
	if n.r.fail != nil {
		err = n.r.fail
	}
	return c, err
}
