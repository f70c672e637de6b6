package archive_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/uid"
)

// heldIndex adds nothing until it is let go.
type heldIndex struct {
	index.Index
	held    atomic.Bool
	entered chan struct{} // capacity 1
	let     chan struct{}
	most    atomic.Int64 // bytes of text in one call
}

func (x *heldIndex) Add(ctx context.Context, tenant uid.ID, docs []index.Doc) error {
	n := int64(0)
	for _, d := range docs {
		n += int64(len(d.Body))
	}
	x.most.Store(max(x.most.Load(), n))
	if x.held.Load() && len(docs) > 0 {
		select {
		case x.entered <- struct{}{}:
		default:
		}
		<-x.let
	}
	return x.Index.Add(ctx, tenant, docs)
}

// While the index is slow, ingest of large texts goes on without waiting for it,
// and what was not kept in memory is indexed later.
func TestTextThatWaitsForTheIndexIsBounded(t *testing.T) {
	t.Parallel()
	held := &heldIndex{entered: make(chan struct{}, 1), let: make(chan struct{})}
	e := archivetest.New(t, archivetest.Options{Index: func(x index.Index) index.Index { held.Index = x; return held }})
	tenant, source := e.Tenant(t, "acme")
	held.held.Store(true)
	ingest(t, e, source, mail("anna@example.com", "bernd@example.com", "first", "text"))
	<-held.entered
	const n = 14
	long := strings.Repeat("viel langer Text, der wartet\r\n", 4<<20/30)
	for i := range n { // the last ones would wait for ever if they waited
		ingest(t, e, source, mail("anna@example.com", "bernd@example.com", fmt.Sprintf("nummer%d", i), long+fmt.Sprintf("ende%d", i)))
	}
	held.held.Store(false)
	close(held.let)
	if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
		t.Fatal(err)
	}
	h := e.As(access.Actor{Tenant: tenant.ID, Role: access.RoleUser, Addresses: []string{"bernd@example.com"}})
	for i := range n {
		if got := find(t, h, fmt.Sprintf("subject:nummer%d", i)); len(got) != 1 {
			t.Errorf("message %d is found %d times", i, len(got))
		}
	}
	if most := held.most.Load(); most > 24<<20 {
		t.Errorf("%d bytes of text were indexed at once", most)
	}
}

// Many later arrivals whose parties are new come while the index is busy: all of
// them are indexed, without anything that comes after them.
func TestAllNewPartiesAreIndexed(t *testing.T) {
	t.Parallel()
	held := &heldIndex{entered: make(chan struct{}, 1), let: make(chan struct{})}
	e := archivetest.New(t, archivetest.Options{Index: func(x index.Index) index.Index { held.Index = x; return held }})
	tenant, source := e.Tenant(t, "acme")
	const n = 230
	all := func(change ...func(*archive.Submission)) {
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				ingest(t, e, source, mail("anna@example.com", "bernd@example.com", fmt.Sprintf("Nummer %d", i), "kirschbaum"), change...)
			})
		}
		wg.Wait()
	}
	all()
	if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
		t.Fatal(err)
	}
	held.held.Store(true)
	ingest(t, e, source, mail("anna@example.com", "bernd@example.com", "another", "text"))
	<-held.entered
	all(func(s *archive.Submission) { s.EnvelopeTo = []string{"dora@example.com"} })
	held.held.Store(false)
	close(held.let)
	h := e.As(access.Actor{Tenant: tenant.ID, Role: access.RoleUser, Addresses: []string{"dora@example.com"}})
	eventually(t, func() bool {
		p, err := h.Search(t.Context(), archive.SearchRequest{Query: "kirschbaum", Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		return p.Total == n
	})
}
