package vault_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// refs lists everything that can be compacted.
func (b *box) refs() (refs []vault.Ref, segments []uid.ID) {
	b.t.Helper()
	list, err := b.ListSegments(b.t.Context(), b.tenant)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, s := range list {
		segments = append(segments, s.ID)
		if err := b.Scan(b.t.Context(), b.tenant, s.ID, func(e vault.Entry) error {
			refs = append(refs, e.Frame.Ref)
			return e.Err
		}); err != nil {
			b.t.Fatal(err)
		}
	}
	return refs, segments
}

// follow does what a catalog does with moves.
func (b *box) follow(c *vault.Compaction, msgs []stored) {
	b.t.Helper()
	to := map[vault.Ref]vault.Ref{}
	for _, m := range c.Moves {
		to[m.From] = m.To
		if m.Kind == vault.KindPart {
			b.parts.set(b.tenant, m.SHA256, m.To)
		}
	}
	for i := range msgs {
		if r, ok := to[msgs[i].ref]; ok {
			msgs[i].ref = r
		}
	}
}

// compact compacts everything and removes what was before.
func (b *box) compact(msgs []stored) *vault.Compaction {
	b.t.Helper()
	refs, old := b.refs()
	c, err := b.Compact(b.t.Context(), b.tenant, refs)
	if err != nil {
		b.t.Fatal(err)
	}
	b.follow(c, msgs)
	if err := b.Remove(b.t.Context(), b.tenant, old...); err != nil {
		b.t.Fatal(err)
	}
	return c
}

// thread is a set of messages that have much in common.
func thread(n int) []string {
	var out []string
	quoted := ""
	for i := range n {
		said := fmt.Sprintf("Point %d: whoever reads number %x of this will know that it was written by hand.\r\n", i, i*2654435761)
		out = append(out, mail(fmt.Sprintf("Re: thread, %d", i), said+quoted))
		quoted = "> " + strings.ReplaceAll(said, "\r\n", "\r\n> ") + quoted[:min(len(quoted), 2000)]
	}
	return out
}

// compactBox stores messages of every kind in many segments, one of them erased,
// and a record.
func compactBox(t *testing.T) (b *box, msgs []stored, erased stored, record vault.Ref) {
	t.Helper()
	b = newBox(t)
	for _, raw := range thread(60) {
		msgs = append(msgs, b.store(raw)...)
	}
	big := noise(7, 40<<10)
	msgs = append(msgs, b.store(mail("attachment", wrap(big, 76, "\r\n")), mail("again", wrap(big, 72, "\n")))...)
	msgs = append(msgs, b.store(mail("large", wrap(noise(8, 3<<20), 76, "\r\n"), strings.Repeat("and text ", 200<<10)))...)
	seg, err := b.Write(t.Context(), b.tenant, nil, []vault.Record{{AOID: msgs[0].aoid, Data: []byte(`{"later":1}`)}})
	if err != nil {
		t.Fatal(err)
	}
	erased = msgs[3]
	if err := b.Erase(t.Context(), b.tenant, []vault.Ref{erased.ref}); err != nil {
		t.Fatal(err)
	}
	return b, append(msgs[:3:3], msgs[4:]...), erased, seg.Frames[0].Ref
}

func TestCompact(t *testing.T) {
	t.Parallel()
	b, msgs, erased, record := compactBox(t)
	before := b.size()
	refs, old := b.refs()
	c, err := b.Compact(t.Context(), b.tenant, append(refs, refs[0]))
	if err != nil {
		t.Fatal(err)
	}
	b.wantRead(msgs...) // the old ones are as they were
	if diff := cmp.Diff([]vault.Ref{erased.ref}, c.Erased); diff != "" {
		t.Errorf("erased (-want +got):\n%s", diff)
	}
	if len(c.Segments) != 1 || !c.Segments[0].Compacted {
		t.Fatalf("segments = %+v", c.Segments)
	}
	if got, want := len(c.Moves), len(refs)-1; got != want {
		t.Errorf("%d moves, want %d", got, want)
	}
	b.follow(c, msgs)
	if err := b.Remove(t.Context(), b.tenant, old...); err != nil {
		t.Fatal(err)
	}
	if after := b.size(); after >= before {
		t.Errorf("%d bytes before, %d after", before, after)
	}
	for range 2 {
		b.wantRead(msgs...)
		b.wantClean()
		b.reopen()
	}
	if _, err := b.read(erased); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("the erased message = %v, want ErrNotFound", err)
	}
	for _, m := range c.Moves {
		if m.From == record {
			if got, err := b.Meta(t.Context(), b.tenant, m.To); string(got) != `{"later":1}` || err != nil {
				t.Errorf("record = %q, %v", got, err)
			}
		}
	}
	// And again, from frames with a dictionary.
	b.compact(msgs)
	b.wantRead(msgs...)
	b.wantClean()
}

// Dictionaries are made anew and never copied.
func TestCompactDictionaries(t *testing.T) {
	t.Parallel()
	b, msgs, _, _ := compactBox(t)
	c := b.compact(msgs)
	dicts := 0
	for _, f := range c.Segments[0].Frames {
		if f.Kind != vault.KindDict {
			continue
		}
		dicts++
		if _, err := b.Compact(t.Context(), b.tenant, []vault.Ref{f.Ref}); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("Compact of a dictionary = %v, want ErrNotFound", err)
		}
		if _, err := b.Open(t.Context(), b.tenant, f.Ref, vault.Want{}); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("Open of a dictionary = %v, want ErrNotFound", err)
		}
	}
	if dicts != 1 {
		t.Errorf("%d dictionaries, want 1", dicts)
	}
}

// lateParts is a Finder that tells the old place once more after a move.
type lateParts struct {
	*partIndex
	old  vault.Ref
	told int
}

func (p *lateParts) FindPart(ctx context.Context, tenant uid.ID, sum vault.Sum) (vault.Ref, bool, error) {
	if p.told++; p.told == 1 {
		return p.old, true, nil
	}
	return p.partIndex.FindPart(ctx, tenant, sum)
}

// A part that moves between being found and being opened is followed; one that
// is really missing is told of.
func TestPartMoves(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	data := noise(1, 20<<10)
	msgs := b.store(mail("part", wrap(data, 76, "\r\n")))
	late := &lateParts{partIndex: b.parts}
	late.old, _, _ = b.parts.FindPart(t.Context(), b.tenant, sha256.Sum256(data))
	b.compact(msgs)
	b.cfg.Parts = late
	b.reopen()
	b.wantRead(msgs...)
	if late.told < 2 {
		t.Error("the part has not been looked up again")
	}
	b.parts.set(b.tenant, sha256.Sum256(data), late.old)
	if _, err := b.read(msgs[0]); !errors.Is(err, vault.ErrCorrupt) || !strings.Contains(err.Error(), msgs[0].aoid.String()) {
		t.Errorf("read without the part = %v", err)
	}
}

// Damage ends a compaction with the name of what is damaged, and leaves nothing.
func TestCompactDamaged(t *testing.T) {
	t.Parallel()
	f := newFragile(t, false, similar()...)
	refs, _ := f.refs()
	key := f.keys[slices.IndexFunc(f.keys, func(k string) bool { return strings.HasSuffix(k, ".seg") })]
	f.disk.spoil(key, flip(500, 1))
	f.reopen()
	if _, err := f.Compact(t.Context(), f.tenant, refs); !names(err, key) {
		t.Errorf("Compact = %v", err)
	}
	f.disk.spoil("", nil)
	f.reopen()
	f.wantRead(f.msgs...)
	f.wantClean()
	if segs, err := f.ListSegments(t.Context(), f.tenant); len(segs) != 1 || err != nil {
		t.Errorf("segments = %v, %v; want the one that was there", segs, err)
	}
}

// size returns the bytes of all objects.
func (b *box) size() int64 {
	b.t.Helper()
	n := int64(0)
	list, err := b.ListSegments(b.t.Context(), b.tenant)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, s := range list {
		n += s.Size
	}
	return n
}
