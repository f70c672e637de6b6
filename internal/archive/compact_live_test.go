package archive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/uid"
)

// Mail comes in and is read while segments are merged, again and again.
func TestCompactAmongReadersAndWriters(t *testing.T) {
	onBoth(t, func(t *testing.T, e *archivetest.Env) {
		x := &tricklet{originals: map[uid.ID][]byte{}}
		x.tenant, x.source = e.Tenant(t, "acme")
		h := e.As(e.User(t, x.tenant, "bernd", access.RoleUser, "bernd@example.com"))
		const n = 60
		var mu sync.Mutex
		var done atomic.Bool
		var work sync.WaitGroup
		for w := range 3 {
			work.Go(func() {
				for i := range n / 3 {
					raw := withAttachment(fmt.Sprintf("Vorgang %d", w*1000+i))
					r, err := e.Ingest(t.Context(), archive.Submission{Tenant: x.tenant.ID, Source: x.source.ID, Raw: bytes.NewReader(raw)})
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					x.originals[r.AOID] = raw
					mu.Unlock()
				}
			})
		}
		var readers sync.WaitGroup
		for range 2 {
			readers.Go(func() {
				for !done.Load() {
					mu.Lock()
					var id uid.ID
					var want []byte
					for id, want = range x.originals {
						break
					}
					mu.Unlock()
					if want == nil {
						continue
					}
					if err := sameRaw(t.Context(), h, id, want); err != nil {
						t.Errorf("message %s while compacting: %v", id, err)
						return
					}
				}
			})
		}
		var merger sync.WaitGroup
		runs := 0
		merger.Go(func() {
			for !done.Load() {
				c, err := e.Compact(t.Context(), x.tenant.ID, true)
				if err != nil || len(c.Left) > 0 {
					t.Errorf("compact: %+v, %v", c, err)
					return
				}
				if c.Before > 1 {
					runs++
				}
			}
		})
		work.Wait()
		before, err := e.Figures(t.Context(), x.tenant.ID)
		if err != nil {
			t.Fatal(err)
		}
		done.Store(true)
		merger.Wait()
		readers.Wait()
		if _, err := e.Compact(t.Context(), x.tenant.ID, true); err != nil {
			t.Fatal(err)
		}
		after, err := e.Figures(t.Context(), x.tenant.ID)
		if err != nil || after.Messages != n || after.StoredBytes > before.StoredBytes || runs == 0 {
			t.Errorf("%d runs, before %+v, after %+v, %v", runs, before, after, err)
		}
		segments, err := e.Catalog.Segments(t.Context(), x.tenant.ID)
		if err != nil || len(segments) != 1 {
			t.Errorf("%d segments are left, %v", len(segments), err)
		}
		if err := e.AwaitIndex(t.Context(), x.tenant.ID); err != nil {
			t.Fatal(err)
		}
		x.same(t, e)
		findings(t, e, nil)
	})
}

func sameRaw(ctx context.Context, h *archive.Handle, id uid.ID, want []byte) error {
	r, _, err := h.Raw(ctx, id)
	if err != nil {
		return err
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err == nil && !bytes.Equal(got, withoutBcc(want)) {
		return errors.New("its bytes differ")
	}
	return err
}

// withoutBcc is what a recipient gets of a message of withAttachment.
func withoutBcc(raw []byte) []byte {
	return bytes.Replace(raw, []byte("Bcc: carla@example.com\r\n"), nil, 1)
}
