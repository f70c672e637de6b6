package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

const (
	logMessages = 40      // for each of 50 tenants
	logEvents   = 100_000 // of all tenants
	logGroup    = 64      // messages that a tenant's ingest commits together
	logAllocs   = 60      // that one event may cost
)

// log measures what the event logs of many tenants cost beside what archiving does
// (LOG-8): 50 tenants that archive at the same time, and what they enter into their logs
// by itself, in groups of the same size; and 500 logs. Entering is measured in
// transactions of its own, so its share is an upper bound.
func (b *bench) log(ctx context.Context) error {
	fmt.Printf("\n## Event logs\n\n| what | wall | CPU |\n|---|---|---|\n")
	var ingested time.Duration
	for _, tenants := range []int{50, 500} {
		w, err := openSealWorld(ctx, filepath.Join(b.dir, fmt.Sprint("log", tenants)))
		if err != nil {
			return err
		}
		err = b.logs(ctx, w, tenants, &ingested)
		w.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// logOf is a tenant whose log grows.
type logOf struct{ tenant, source uid.ID }

func (b *bench) logs(ctx context.Context, w *sealWorld, n int, ingested *time.Duration) error {
	list := make([]logOf, n)
	for i := range list {
		t, err := w.archive.CreateTenant(ctx, archive.NewTenant{Slug: fmt.Sprint("t", i)})
		if err != nil {
			return err
		}
		s, err := w.archive.CreateJournal(ctx, t.ID, "Journal", "")
		if err != nil {
			return err
		}
		list[i] = logOf{t.ID, s.ID}
	}
	if n == 50 {
		wall, _, err := timed("archive a message, 50 tenants at once", time.Duration(n*logMessages), func() error { return eachLog(list, func(l logOf) error { return archiveInto(ctx, w, l) }) })
		if err != nil {
			return err
		}
		*ingested = wall
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	groups := max(b.events/n/logGroup, 1)
	wall, _, err := timed(fmt.Sprintf("enter an event, %d tenants at once", n), time.Duration(n*groups*logGroup), func() error {
		return eachLog(list, func(l logOf) error { return enter(ctx, w, l, groups) })
	})
	if err != nil {
		return err
	}
	runtime.ReadMemStats(&after)
	allocs := float64(after.Mallocs-before.Mallocs) / float64(n*groups*logGroup)
	share := 100 * float64(wall) / float64(*ingested)
	fmt.Printf("\n%d logs: %.0f events/s, %.0f allocations for each event.\n\n", n, float64(time.Second)/float64(wall), allocs)
	b.account(fmt.Sprintf("event log, %d tenants, share of ingest", n), "≤ 10 %", fmt.Sprintf("%.1f %%", share), share <= 10)
	b.account(fmt.Sprintf("event log, %d tenants, allocations for an event", n), fmt.Sprintf("≤ %d", logAllocs), fmt.Sprintf("%.0f", allocs), allocs <= logAllocs)
	return nil
}

// eachLog works on all tenants at once; the first error is returned.
func eachLog(list []logOf, do func(logOf) error) error {
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for i, l := range list {
		wg.Go(func() { errs[i] = do(l) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func archiveInto(ctx context.Context, w *sealWorld, l logOf) error {
	text := strings.Repeat("A paragraph as it stands in a message, with some lines. ", 100)
	var wg sync.WaitGroup
	errs := make([]error, logMessages)
	for i := range logMessages {
		raw := fmt.Appendf(nil, "From: anna@example.com\r\nTo: bernd@example.com\r\nSubject: Number %d of %s\r\n\r\n%s\r\n", i, l.tenant, text)
		wg.Go(func() {
			_, errs[i] = w.archive.Ingest(ctx, archive.Submission{Tenant: l.tenant, Source: l.source, Raw: bytes.NewReader(raw)})
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func enter(ctx context.Context, w *sealWorld, l logOf, groups int) error {
	for range groups {
		now := time.Now()
		events := make([]*catalog.Event, logGroup)
		for i := range events {
			events[i] = &catalog.Event{At: now, Actor: "source:" + l.source.String(), Action: "message.stored", Object: uid.New(now).String(), Digest: strings.Repeat("ab", 32)}
		}
		if err := w.catalog.AppendEvents(ctx, l.tenant, events); err != nil {
			return err
		}
	}
	return nil
}
