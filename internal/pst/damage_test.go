package pst

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/mapi"
)

// placeOf returns where the first block of data of a node is in the file.
func placeOf(t testing.TB, b []byte, nid uint32) (at, size int) {
	t.Helper()
	f := open(t, b)
	n, ok, err := f.node(nid)
	if err != nil || !ok {
		t.Fatalf("node 0x%x: %v %v", nid, ok, err)
	}
	d, err := f.open(n.data)
	if err != nil || len(d.ids) == 0 {
		t.Fatalf("node 0x%x: %v", nid, err)
	}
	return blockAt(t, f, d.ids[0])
}

func blockAt(t testing.TB, f *File, id uint64) (at, size int) {
	t.Helper()
	e, err := f.blocks.find(id)
	if err != nil || e == nil {
		t.Fatal(err)
	}
	w := f.layout.word()
	return int(f.layout.id(e[w:])), int(u16(e[2*w:]))
}

// everything is the subjects of all messages of the sample.
func everything() []string {
	out := []string{"Re: attachments", "view", "lost 0", "lost 1", "lost 2"}
	for i := range 120 {
		out = append(out, fmt.Sprintf("message %d", i))
	}
	return out
}

// TestNothingIsLeftOut damages the sample and requires that every message is
// handed over, or an error names it.
func TestNothingIsLeftOut(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		nid  uint32
		want string // an item, or the beginning of an error
	}{
		"hierarchy":      {nidTop&^0x1f | typeHierarchy, "(lost)|Inbox: message 5"},
		"contents":       {nidInbox&^0x1f | typeContents, "(lost)|Inbox: message 5"},
		"folder":         {nidInbox, "Inbox: message 5"}, // its name is in the table, too
		"names":          {nidNames, "Inbox: message 5"},
		"store":          {nidStore, "Top|Inbox: message 5"},
		"one message":    {messageNID(5), `folder "Inbox", item 0x002000a4: `},
		"root hierarchy": {nidRoot&^0x1f | typeHierarchy, "(lost)|Inbox: message 5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, l := range []layout{ansi(), unicode(), unicode4K()} {
				b := sample(l, cryptPermute, 20_000)
				at, size := placeOf(t, b, tt.nid)
				clear(b[at : at+size])
				items, errs := found(t, open(t, b))
				if len(errs) == 0 {
					t.Error("nothing is reported")
				}
				var all []string
				for _, it := range items {
					all = append(all, it[strings.LastIndex(it, ": ")+2:])
				}
				for _, err := range errs {
					if !errors.Is(err, ErrDamaged) {
						t.Error(err)
					}
					items = append(items, err.Error())
				}
				for _, s := range everything() {
					s = strings.TrimPrefix(s, "Re: ")
					if !slices.Contains(all, s) && (name != "one message" || s != "message 5") {
						t.Errorf("%s: %q is left out", l.name, s)
					}
				}
				if !slices.ContainsFunc(items, func(s string) bool { return strings.HasPrefix(s, tt.want) }) {
					t.Errorf("%s: no %q in %q", l.name, tt.want, items)
				}
			}
		})
	}
}

// TestDamagedPage makes a page of the node tree unreadable: what the folders list
// is named, the rest is there.
func TestDamagedPage(t *testing.T) {
	t.Parallel()
	b := sample(unicode(), cryptPermute, 100)
	f := open(t, b)
	n, _, _ := f.node(messageNID(60))
	page := bytes.Index(b[1024:], binary.LittleEndian.AppendUint64(le32(nil, n.nid, 0), n.data)) + 1024
	clear(b[page/512*512 : page/512*512+512])
	items, errs := found(t, open(t, b))
	named := 0
	for _, err := range errs {
		if strings.Contains(err.Error(), `"message 60"`) && strings.Contains(err.Error(), fmt.Sprintf("offset %d", page/512*512)) {
			named++
		}
	}
	if len(items)+len(errs) < len(everything()) || named != 1 {
		t.Errorf("%d items, %d errors, %d name the message: %v", len(items), len(errs), named, errs)
	}
}

// TestChecksums flips bits: the messages come, with a warning that has the place.
func TestChecksums(t *testing.T) {
	t.Parallel()
	b := sample(unicode(), cryptNone, 100_000)
	at := bytes.Index(b, le16(nil, units("body of message 7")...))
	b[at+4] ^= 1 // d becomes e
	m := with(t, open(t, b), "message 7")
	if got := m.Text(mapi.IDBody); len(m.Warnings) != 1 || !strings.Contains(m.Warnings[0], "checksum") || !strings.Contains(m.Warnings[0], "at offset") || got != "boey of message 7" {
		t.Errorf("body %q, warnings %q", got, m.Warnings)
	}
	// A block of the large attachment: what was read before it was known is kept.
	at = bytes.Index(b, large(100_000)[20_000:20_100])
	b[at] ^= 1
	m = with(t, open(t, b), "Re: attachments")
	got, err := contents(m.Attachments[1])
	if err != nil || len(got) != 100_000 || len(m.Warnings) != 1 || !strings.Contains(m.Warnings[0], "checksum") {
		t.Errorf("%d bytes, %v, warnings %q", len(got), err, m.Warnings)
	}
	// The same block gone: the message is written nevertheless, and says so.
	clear(b[at/512*512 : at/512*512+16384])
	m = with(t, open(t, b), "Re: attachments")
	if err := mapi.WriteEML(io.Discard, m); err != nil || len(m.Warnings) == 0 {
		t.Errorf("%v, warnings %q", err, m.Warnings)
	}
}

// slowest is far more than any small file may take.
const slowest = 20 * time.Second

// exercise reads all there is in a file, whatever it is.
func exercise(t testing.TB, b []byte) (items, errs int) {
	t.Helper()
	started := time.Now()
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return 0, 1
	}
	err = f.Walk(t.Context(), func(it Item) error {
		m, err := it.Message()
		if err != nil {
			errs += reportOf(t, it, err)
			return nil
		}
		items++
		errs += len(m.Warnings)
		if it.Origin() == "" || it.Place() == "" {
			t.Error("an item has no name")
		}
		if time.Since(started) > slowest {
			return errors.New("slow")
		}
		return mapi.WriteEML(io.Discard, m)
	})
	if err != nil {
		t.Errorf("after %v: %v", time.Since(started), err)
	}
	return items, errs
}

// mutate changes b in one of the ways files break.
func mutate(b []byte, rnd *rand.Rand) []byte {
	b = bytes.Clone(b)
	switch n := 1 + rnd.IntN(20); rnd.IntN(4) {
	case 0: // bits
		for range n {
			b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
		}
	case 1: // numbers, large and small
		for range n {
			at := rnd.IntN(len(b) - 4)
			binary.LittleEndian.PutUint16(b[at:], uint16(rnd.Uint32()>>rnd.IntN(32)))
		}
	case 2: // a piece is another piece
		for range n {
			size := min(1<<(3+rnd.IntN(10)), len(b)/2)
			copy(b[rnd.IntN(len(b)-size):], b[rnd.IntN(len(b)-size):][:size])
		}
	case 3: // the end is missing
		b = b[:rnd.IntN(len(b))]
	}
	return b
}

// TestMutations requires that no damage makes the reader panic or wait.
func TestMutations(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for name, make := range forms() {
		good := make(20_000)
		until := time.Now().Add(time.Second)
		n, items, errs := 0, 0, 0
		for ; n < 300 && time.Now().Before(until); n++ {
			i, e := exercise(t, mutate(good, rnd))
			items, errs = items+i, errs+e
		}
		t.Logf("%s: %d mutations, %d items, %d reports", name, n, items, errs)
	}
}

// reportOf counts a report, which must name where it belongs.
func reportOf(t testing.TB, it Item, err error) int {
	t.Helper()
	if !strings.HasPrefix(err.Error(), it.Place()+": ") {
		t.Errorf("%s: the report does not say so: %v", it.Place(), err)
	}
	return 1
}
