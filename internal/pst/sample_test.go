package pst

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/muniment/muniment/internal/mapi"
)

// Nodes of the sample.
const (
	nidTop     = 0x8022
	nidDeleted = 0x8062
	nidInbox   = 0x8082
	nidDeep    = 0x80A2
	nidOrphan  = 0x80C2 // in no table
)

func messageNID(i int) uint32 { return uint32(0x10000+i)<<5 | typeMessage }

// large is data of many blocks.
func large(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

// longBody needs a sub-node.
var longBody = strings.Repeat("Guten Tag, 你好 😀. ", 1000)

// attached writes a message with every kind of attachment.
func (b *builder) attached(nid uint32, body string, big []byte) node {
	h := b.heap(clientProps)
	inner := b.heap(clientProps).props(0x9004, text(0x001A001F, "IPM.Note"), text(0x0037001F, "inner"), text(0x1000001F, "inner body"))
	one := func(nid uint32, method uint32, data prop, sub ...node) node {
		a := b.heap(clientProps)
		a.subs = append(a.subs, sub...)
		return a.props(nid, number(0x37050003, method), text(0x3707001F, fmt.Sprintf("a%d.bin", nid>>5)), data)
	}
	h.subs = append(h.subs,
		one(0x8005, mapi.AttachByValue, prop{0x37010102, []byte("small")}),
		one(0x8025, mapi.AttachByValue, prop{0x37010102, big}),
		one(0x8045, mapi.AttachEmbedded, prop{0x3701000D, le32(nil, 0x9004, 100)}, inner),
		one(0x8065, mapi.AttachOLE, prop{0x3701000D, le32(nil, 0x903F, 100)}, node{nid: 0x903F, data: b.data([]byte("ole"))}),
		b.table(nidAttachments, rowOf{0x8005, nil}, rowOf{0x8025, nil}, rowOf{0x8045, nil}, rowOf{0x8065, nil}),
		b.table(nidRecipients,
			rowOf{1, []prop{text(0x3001001F, "Ada"), text(0x3003001F, "ada@a.example"), number(0x0C150003, 1)}},
			rowOf{2, []prop{text(0x3001001F, "Bob"), text(0x3003001F, "bob@b.example"), number(0x0C150003, 2)}}))
	return h.props(nid, text(0x001A001F, "IPM.Note"), text(0x0037001F, "\x01\x05Re: attachments"), text(0x1000001F, body),
		prop{0x00390040, []byte{0, 0x80, 0x3e, 0xd5, 0xde, 0xb1, 0x9d, 1}}, // 1970-01-01
		text(0x8001001F, "named"), prop{0x8002101F, append(le32(nil, 2, 12, 16), le16(nil, units("abcd")...)...)})
}

// sample is a file with folders, 120 small messages, and one with a long body and
// an attachment of so many bytes.
func sample(l layout, crypt byte, attachment int) []byte {
	return sampleOf(l, crypt, 120, longBody, large(attachment))
}

// tiny has all of it, and little of each.
func tiny(l layout, crypt byte) []byte { return sampleOf(l, crypt, 2, "short", large(20)) }

func sampleOf(l layout, crypt byte, messages int, body string, attachment []byte) []byte {
	b := newBuilder(l, crypt)
	entry := make([]byte, 24)
	copy(entry[20:], le32(nil, nidTop))
	b.add(b.heap(clientProps).props(nidStore, text(0x3001001F, "store"), prop{0x35E00102, entry}), 0)
	words := append(le32(nil, 14), le16(nil, units("keyword")...)...)
	b.add(b.heap(clientProps).props(nidNames, prop{0x00020102, bytes.Repeat([]byte{7}, 16)},
		prop{0x00030102, le16(le32(le16(le32(nil, 0), 3<<1|1, 1), 0x8530), 3<<1, 2)}, prop{0x00040102, words}), 0)
	b.folder(nidRoot, nidRoot, "", []rowOf{row(nidTop, 0x3001001F, "Top"), row(0x80E2, 0x3001001F, "Views")}, nil, nil)
	b.folder(nidTop, nidRoot, "Top", []rowOf{row(nidDeleted, 0x3001001F, "Deleted Items"), row(nidInbox, 0x3001001F, "Inbox")}, nil, nil)
	b.folder(0x80E2, nidRoot, "Views", nil, nil, []rowOf{row(0x20000<<5|typeAssociated, 0x0037001F, "view")})
	b.add(b.heap(clientProps).props(0x20000<<5|typeAssociated, text(0x0037001F, "view")), 0x80E2)
	b.folder(nidDeleted, nidTop, "Deleted Items", nil, []rowOf{row(messageNID(200), 0x0037001F, "attachments")}, nil)
	b.add(b.attached(messageNID(200), body, attachment), nidDeleted)
	var rows []rowOf
	for i := range messages {
		s := fmt.Sprintf("message %d", i)
		rows = append(rows, row(messageNID(i), 0x0037001F, s))
		b.add(b.heap(clientProps).props(messageNID(i), text(0x001A001F, "IPM.Note"), text(0x0037001F, s), text(0x1000001F, "body of "+s)), nidInbox)
	}
	b.folder(nidInbox, nidTop, "Inbox", []rowOf{row(nidDeep, 0x3001001F, "a/b")}, rows, nil)
	b.folder(nidDeep, nidInbox, "a/b", nil, nil, nil)
	// What no table lists: a folder with a message, a message of a folder that is
	// there, a message of none.
	b.folder(nidOrphan, 0x9992, "Orphan", nil, []rowOf{row(messageNID(300), 0x0037001F, "in orphan")}, nil)
	for i, parent := range []uint32{nidOrphan, nidDeep, 0x9992} {
		b.add(b.heap(clientProps).props(messageNID(300+i), text(0x0037001F, fmt.Sprintf("lost %d", i))), parent)
	}
	return b.file()
}
