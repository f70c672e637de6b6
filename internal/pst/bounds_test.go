package pst

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/mapi"
)

// peak measures the most memory in use while work runs.
func peak(work func()) uint64 {
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var most atomic.Uint64
	done, measured := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(measured)
		for tick := time.NewTicker(2 * time.Millisecond); ; {
			select {
			case <-done:
				tick.Stop()
				return
			case <-tick.C:
				runtime.ReadMemStats(&now)
				most.Store(max(most.Load(), now.HeapAlloc))
			}
		}
	}()
	work()
	close(done)
	<-measured
	return most.Load() - min(most.Load(), before.HeapAlloc)
}

// most is what reading may take, garbage included, of which there is more on a busy
// machine. A reader that keeps what it reads takes 100 MB and more.
const most = 96 << 20

// readAll reads all of a file on the disk.
func readAll(t *testing.T, path string) (items, errs int, size int64) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(file, st.Size())
	if err != nil {
		t.Fatal(err)
	}
	var w counter
	err = f.Walk(t.Context(), func(it Item) error {
		m, err := it.Message()
		if err != nil {
			errs += reportOf(t, it, err)
			return nil
		}
		items++
		return mapi.WriteEML(&w, m)
	})
	if err != nil {
		t.Fatal(err)
	}
	return items, errs, int64(w)
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// TestMemory reads files that would fill the memory of a reader that kept them.
// It runs alone.
func TestMemory(t *testing.T) {
	for name, make := range map[string]func() []byte{
		"large attachment": func() []byte { return sample(unicode(), cryptPermute, 100<<20) },
		"compressed":       func() []byte { return sample(unicode4K(), cryptPermute, 50<<20) },
		"many messages":    manyMessages,
		"same data often":  sameDataOften,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.pst")
			if err := os.WriteFile(path, make(), 0o600); err != nil {
				t.Fatal(err)
			}
			var items, errs int
			var size int64
			started := time.Now()
			used := peak(func() { items, errs, size = readAll(t, path) })
			t.Logf("%d items, %d reports, %d MB written, %d MB used, %v", items, errs, size>>20, used>>20, time.Since(started))
			if used > most || time.Since(started) > 10*slowest {
				t.Errorf("%d MB used, %v", used>>20, time.Since(started))
			}
		})
	}
}

// manyMessages is a folder of 40,000 messages, which share their properties.
func manyMessages() []byte {
	b := newBuilder(unicode(), cryptNone)
	n := b.heap(clientProps).props(0, text(0x0037001F, "same"), text(0x1000001F, "body"))
	var rows []rowOf
	for i := range 40_000 {
		n.nid = messageNID(i)
		rows = append(rows, rowOf{id: n.nid})
		b.add(n, nidRoot)
	}
	b.folder(nidRoot, nidRoot, "", nil, rows, nil)
	return b.file()
}

// sameDataOften has messages of which each has a thousand properties that are the
// same ten megabytes.
func sameDataOften() []byte {
	b := newBuilder(unicode(), cryptNone)
	h := b.heap(clientProps)
	h.subs = append(h.subs, node{nid: 0x3f, data: b.data(make([]byte, 10<<20))})
	var recs [][]byte
	for i := range 1000 {
		recs = append(recs, le32(le16(nil, 0x1000+i, 0x0102), 0x3f))
	}
	n := h.node(0, h.records(2, 6, recs))
	var rows []rowOf
	for i := range 20 {
		n.nid = messageNID(i)
		rows = append(rows, rowOf{id: n.nid})
		b.add(n, nidRoot)
	}
	b.folder(nidRoot, nidRoot, "", nil, rows, nil)
	return b.file()
}

// TestEndless reads files made so that a trusting reader never ends.
func TestEndless(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func() []byte{
		"message within itself": func() []byte { return selfContained(newBuilder(unicode(), cryptNone)) },
		"blocks listed again and again": func() []byte {
			b := newBuilder(unicode(), cryptNone)
			one := b.block(large(8176), 0)
			level := []uint64{one}
			for range 2 {
				var ids []uint64
				for range 1021 {
					ids = append(ids, level[0])
				}
				head := append([]byte{blockOfData, byte(len(level))}, le32(le16(nil, len(ids)), 1<<31)...)
				level = append([]uint64{b.block(b.words(head, ids...), internal)}, level...)
			}
			h := b.heap(clientProps)
			h.subs = append(h.subs, node{nid: 0x3f, data: level[0]})
			b.add(h.node(messageNID(1), h.records(2, 6, [][]byte{le32(le16(nil, 0x1000, 0x001F), 0x3f)})), nidRoot)
			b.folder(nidRoot, nidRoot, "", nil, []rowOf{{id: messageNID(1)}}, nil)
			return b.file()
		},
		"records that lead back": func() []byte {
			b := newBuilder(unicode(), cryptNone)
			h := b.heap(clientProps)
			var recs [][]byte
			for i := range 500 {
				recs = append(recs, le32(le16(nil, i), 1<<5)) // the first allocation: these very records
			}
			h.add(joined(recs))
			root := h.add(le32([]byte{clientBTH, 2, 6, maxLevels}, 1<<5))
			b.add(h.node(messageNID(1), root), nidRoot)
			b.folder(nidRoot, nidRoot, "", nil, []rowOf{{id: messageNID(1)}}, nil)
			return b.file()
		},
		"folders that list each other": func() []byte {
			b := newBuilder(unicode(), cryptNone)
			var rows []rowOf
			for i := range 300 {
				rows = append(rows, rowOf{id: uint32(0x1000+i)<<5 | typeFolder})
			}
			list := b.table(0, rows...)
			for _, r := range rows {
				b.add(b.heap(clientProps).props(r.id, text(0x3001001F, "f")), r.id)
				list.nid = r.id&^0x1f | typeHierarchy
				b.add(list, 0)
			}
			b.folder(nidRoot, nidRoot, "", rows, nil, nil)
			return b.file()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			started := time.Now()
			items, errs := exercise(t, make())
			if took := time.Since(started); took > slowest {
				t.Errorf("took %v", took)
			}
			if errs == 0 {
				t.Errorf("%d items and no report", items)
			}
		})
	}
}

func joined(parts [][]byte) (out []byte) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// selfContained is a message whose attachment is the message itself.
func selfContained(b *builder) []byte {
	att := b.heap(clientProps)
	a := att.props(0x8005, number(0x37050003, mapi.AttachEmbedded), prop{0x3701000D, le32(nil, 0x9004, 1)})
	table := b.table(nidAttachments, rowOf{0x8005, nil})
	m := b.heap(clientProps).props(messageNID(1), text(0x0037001F, "self"))
	// The block that lists the attachment, and the one that lists the message in
	// it, are each other's.
	inner, outer := b.next|internal, (b.next+4)|internal
	list := func(nodes ...node) uint64 {
		l := le32(le16([]byte{blockOfSubNodes, 0}, len(nodes)), 0)
		for _, n := range nodes {
			l = b.words(l, uint64(n.nid), n.data, n.sub)
		}
		return b.block(l, internal)
	}
	a.sub = inner
	list(node{nid: 0x9004, data: m.data, sub: outer})
	if list(table, a) != outer {
		panic(fmt.Sprint("the blocks are numbered in another way than ", inner, outer))
	}
	m.sub = outer
	b.add(m, nidRoot)
	b.folder(nidRoot, nidRoot, "", nil, []rowOf{{id: messageNID(1)}}, nil)
	return b.file()
}

// TestLarge reads what needs lists of lists: data of many blocks, many sub-nodes,
// tables over several blocks.
func TestLarge(t *testing.T) {
	t.Parallel()
	for _, l := range []layout{ansi(), unicode(), unicode4K()} {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			const files, people = 300, 3000
			size := 20 << 20 // lists of lists in the older forms
			if l.compresses() {
				size = 1 << 20
			}
			b := newBuilder(l, cryptPermute)
			b.packed = false
			h := b.heap(clientProps)
			var rows, recipients []rowOf
			for i := range files {
				nid := uint32(0x400+i)<<5 | typeAttachment
				h.subs = append(h.subs, b.heap(clientProps).props(nid, number(0x37050003, 1), prop{0x37010102, []byte(fmt.Sprint("file ", i))}))
				rows = append(rows, rowOf{id: nid})
			}
			for i := range people {
				recipients = append(recipients, rowOf{uint32(i), []prop{text(0x3003001F, fmt.Sprintf("person%d@a.example", i))}})
			}
			big := b.heap(clientProps)
			big.subs = append(big.subs, node{nid: 0x3f, data: b.data(large(size))})
			h.subs = append(h.subs, b.table(nidAttachments, append(rows, rowOf{id: 0x80005})...), b.table(nidRecipients, recipients...),
				big.node(0x80005, big.records(2, 6, [][]byte{le32(le16(nil, 0x3701, 0x0102), 0x3f)})))
			b.add(h.props(messageNID(1), text(0x0037001F, "large")), nidRoot)
			b.folder(nidRoot, nidRoot, "", nil, []rowOf{{id: messageNID(1)}}, nil)
			m := with(t, open(t, b.file()), "large")
			if len(m.Recipients) != people || len(m.Attachments) != files+1 || len(m.Warnings) > 0 {
				t.Fatalf("%d recipients, %d attachments, warnings %q", len(m.Recipients), len(m.Attachments), m.Warnings)
			}
			for i, r := range m.Recipients {
				if got := r.Text(mapi.IDEmailAddress); got != fmt.Sprintf("person%d@a.example", i) {
					t.Fatalf("recipient %d: %q", i, got)
				}
			}
			for i, a := range m.Attachments {
				want := fmt.Sprint("file ", i)
				if i == files {
					want = string(large(size))
				}
				if got, err := contents(a); err != nil || got != want {
					t.Fatalf("attachment %d: %d bytes, %v", i, len(got), err)
				}
			}
			if err := mapi.WriteEML(io.Discard, m); err != nil {
				t.Error(err)
			}
		})
	}
}
