package vault_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/vault"
)

func TestErase(t *testing.T) {
	t.Parallel()
	for name, compacted := range map[string]bool{"as written": false, "compacted": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			msgs := b.store(similar()...)
			if compacted {
				b.compact(msgs)
			}
			gone, kept := msgs[4], slices.Delete(slices.Clone(msgs), 4, 5)
			keysObject := "tenants/" + b.tenant.String() + "/seg/" + gone.ref.Segment.String() + ".key"
			before := len(readObject(t, b.blobs, keysObject))
			for range 2 { // the second time changes nothing
				if err := b.Erase(t.Context(), b.tenant, []vault.Ref{gone.ref}); err != nil {
					t.Fatal(err)
				}
				for range 2 {
					if _, err := b.read(gone); !errors.Is(err, vault.ErrErased) {
						t.Errorf("read = %v, want ErrErased", err)
					}
					if _, err := b.Meta(t.Context(), b.tenant, gone.ref); !errors.Is(err, vault.ErrErased) {
						t.Errorf("Meta = %v, want ErrErased", err)
					}
					b.wantRead(kept...)
					b.wantClean()
					b.reopen()
				}
			}
			// The key is not only unused: it is not there.
			if after := len(readObject(t, b.blobs, keysObject)); after != before-32 {
				t.Errorf("key object: %d bytes before, %d after", before, after)
			}
			var told []vault.Ref
			if err := b.Scan(t.Context(), b.tenant, gone.ref.Segment, func(e vault.Entry) error {
				if e.Erased {
					told = append(told, e.Frame.Ref)
				}
				return e.Err
			}); err != nil || !slices.Equal(told, []vault.Ref{gone.ref}) {
				t.Errorf("Scan tells of erased %v, %v", told, err)
			}
		})
	}
}

func TestEraseWhatIsNotThere(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	m := b.store("x")[0]
	err := b.Erase(t.Context(), b.tenant, []vault.Ref{{Segment: m.ref.Segment, Frame: 1}})
	if !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("Erase of frame 1 of 1 = %v", err)
	}
	if err := b.Erase(t.Context(), b.tenant, []vault.Ref{{Segment: b.id()}}); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("Erase in no segment = %v", err)
	}
	b.wantRead(m)
}

// A vault in another process stops giving out what has been erased, at the latest
// a minute later.
func TestEraseElsewhere(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	m := b.store("x")[0]
	other, err := vault.Open(b.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ReadAll(t.Context(), b.tenant, m.ref, m.want(), 1); err != nil {
		t.Fatal(err)
	}
	if err := b.Erase(t.Context(), b.tenant, []vault.Ref{m.ref}); err != nil {
		t.Fatal(err)
	}
	b.clock.advance(time.Minute)
	if _, err := other.ReadAll(t.Context(), b.tenant, m.ref, m.want(), 1); !errors.Is(err, vault.ErrErased) {
		t.Errorf("another vault a minute later = %v, want ErrErased", err)
	}
}

// When the users of a dictionary have moved, nothing is left of the text that
// erased messages had in common.
func TestSharing(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	msgs := b.store(thread(40)...)
	b.compact(msgs)
	seg := msgs[0].ref.Segment
	s, err := b.Segment(t.Context(), b.tenant, seg)
	if err != nil {
		t.Fatal(err)
	}
	var erased []vault.Ref
	var frames []uint32
	for _, m := range msgs[:39] {
		erased = append(erased, m.ref)
		frames = append(frames, m.ref.Frame)
	}
	if err := b.Erase(t.Context(), b.tenant, erased); err != nil {
		t.Fatal(err)
	}
	refs, err := b.Sharing(t.Context(), b.tenant, seg, frames)
	if err != nil || len(refs) != 1 || refs[0] != msgs[39].ref {
		t.Fatalf("Sharing = %v, %v; want the one that is left", refs, err)
	}
	c, err := b.Compact(t.Context(), b.tenant, refs)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Erase(t.Context(), b.tenant, refs); err != nil {
		t.Fatal(err)
	}
	left := msgs[39:]
	b.follow(c, left)
	b.wantRead(left...)
	b.wantClean()
	// The dictionary's key has gone with its last user: only the count and the
	// bits are left.
	keys := readObject(t, b.blobs, "tenants/"+b.tenant.String()+"/seg/"+seg.String()+".key")
	if want := 8 + 16 + 12 + 1 + (len(s.Frames)+7)/8 + 16; len(keys) != want {
		t.Errorf("key object has %d bytes, want %d", len(keys), want)
	}
}

func TestDestroyTenant(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	m := b.store("x")[0]
	if err := b.DestroyTenant(t.Context(), b.tenant); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := b.read(m); !errors.Is(err, vault.ErrNoTenant) {
			t.Errorf("read = %v, want ErrNoTenant", err)
		}
		b.reopen()
	}
}
