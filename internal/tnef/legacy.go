package tnef

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/mapi"
)

// legacy reads an attribute from before MAPI into the property that has the same
// meaning [MS-OXTNEF] §2.1.3.3 and appends it to list.
func (d *decoder) legacy(list []mapi.Property, id uint16, c *cursor) ([]mapi.Property, error) {
	add := func(id uint16, t mapi.Type, v any) {
		if len(list) < mapi.MaxProperties {
			list = append(list, mapi.Property{Tag: mapi.NewTag(id, t), Value: v})
		}
	}
	kind, known := meaning(id)
	if !known {
		return list, nil
	}
	if *c.held += c.left(); c.left() > mapi.MaxValue || *c.held > mapi.MaxTotal {
		*c.held -= c.left()
		return list, fmt.Errorf("%d bytes: %w", c.left(), mapi.ErrDamaged)
	}
	b := c.bytes(c.left())
	if c.err != nil {
		return list, c.err
	}
	text, _, _ := bytes.Cut(b, []byte{0})
	switch id {
	case attFrom, attOwner, attSentFor:
		name, kind, addr := person(id, b)
		ids := [3]uint16{mapi.IDSenderName, mapi.IDSenderType, mapi.IDSenderAddress}
		if id != attFrom {
			ids = [3]uint16{mapi.IDSentRepresentingName, mapi.IDSentRepresentingType, mapi.IDSentRepresentingAddress}
		}
		add(ids[0], mapi.TypeString8, mapi.ANSI(name))
		add(ids[1], mapi.TypeString8, mapi.ANSI(kind))
		add(ids[2], mapi.TypeString8, mapi.ANSI(addr))
	case attMessageClass:
		add(kind, mapi.TypeString8, mapi.ANSI(class(string(text))))
	case attPriority:
		if len(b) >= 2 {
			add(kind, mapi.TypeInt32, int64(3-min(max(binary.LittleEndian.Uint16(b), 1), 3)))
		}
	case attDateStart, attDateEnd, attDateSent, attDateReceived, attDateModified, attAttachCreated, attAttachChanged:
		if t, ok := moment(b); ok {
			add(kind, mapi.TypeTime, t)
		}
	case attAttachMeta:
		add(kind, mapi.TypeBinary, b)
	default:
		add(kind, mapi.TypeString8, mapi.ANSI(text))
	}
	return list, nil
}

// meaning returns the property that an attribute stands for.
func meaning(att uint16) (uint16, bool) {
	id, ok := map[uint16]uint16{
		attFrom: mapi.IDSenderName, attOwner: mapi.IDSentRepresentingName, attSentFor: mapi.IDSentRepresentingName,
		attSubject: mapi.IDSubject, attBody: mapi.IDBody, attMessageClass: mapi.IDMessageClass, attPriority: mapi.IDImportance,
		attDateStart: mapi.IDStartDate, attDateEnd: mapi.IDEndDate, attDateSent: mapi.IDClientSubmitTime,
		attDateReceived: mapi.IDDeliveryTime, attDateModified: mapi.IDModificationTime,
		attAttachTitle: mapi.IDAttachFilename, attTransportName: mapi.IDAttachTransportName, attAttachMeta: mapi.IDAttachRendering,
		attAttachCreated: mapi.IDCreationTime, attAttachChanged: mapi.IDModificationTime,
	}[att]
	return id, ok
}

// class returns the message class of today [MS-OXTNEF] §2.1.3.3.3.
func class(s string) string {
	if now, ok := map[string]string{
		"IPM.Microsoft Mail.Note":         "IPM.Note",
		"IPM.Microsoft Mail.Read Receipt": "Report.IPM.Note.IPNRN",
		"IPM.Microsoft Mail.Non-Delivery": "Report.IPM.Note.NDR",
		"IPM.Microsoft Schedule.MtgReq":   "IPM.Schedule.Meeting.Request",
		"IPM.Microsoft Schedule.MtgCncl":  "IPM.Schedule.Meeting.Canceled",
		"IPM.Microsoft Schedule.MtgRespP": "IPM.Schedule.Meeting.Resp.Pos",
		"IPM.Microsoft Schedule.MtgRespN": "IPM.Schedule.Meeting.Resp.Neg",
		"IPM.Microsoft Schedule.MtgRespA": "IPM.Schedule.Meeting.Resp.Tent",
	}[s]; ok {
		return now
	}
	return s
}

// person reads a name and an address "TYPE:address": a triple with a head of
// four numbers [MS-OXTNEF] §2.1.3.3.1, or two texts with their sizes.
func person(att uint16, b []byte) (name, kind, addr []byte) {
	le := binary.LittleEndian
	if att == attFrom {
		if len(b) < 8 {
			return nil, nil, nil
		}
		n, a := int(le.Uint16(b[4:])), int(le.Uint16(b[6:]))
		b = b[8:]
		name, b = b[:min(n, len(b))], b[min(n, len(b)):]
		addr = b[:min(a, len(b))]
	} else {
		for _, into := range []*[]byte{&name, &addr} {
			if len(b) < 2 {
				break
			}
			n := int(le.Uint16(b))
			b = b[2:]
			*into, b = b[:min(n, len(b))], b[min(n, len(b)):]
		}
	}
	name, _, _ = bytes.Cut(name, []byte{0})
	addr, _, _ = bytes.Cut(addr, []byte{0})
	if k, rest, ok := bytes.Cut(addr, []byte(":")); ok {
		kind, addr = k, rest
	}
	return name, kind, addr
}

// moment reads a time [MS-OXTNEF] §2.1.3.3.5: year, month, day, hour, minute,
// second and day of the week, in UTC.
func moment(b []byte) (time.Time, bool) {
	if len(b) < 12 {
		return time.Time{}, false
	}
	var n [6]int
	for i := range n {
		n[i] = int(binary.LittleEndian.Uint16(b[2*i:]))
	}
	if n[0] < 1601 || n[0] > 9999 || n[1] < 1 || n[1] > 12 || n[2] < 1 || n[2] > 31 || n[3] > 23 || n[4] > 59 || n[5] > 60 {
		return time.Time{}, false
	}
	return time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC), true
}
