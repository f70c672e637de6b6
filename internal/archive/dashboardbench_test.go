package archive_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
)

// BenchmarkDashboard reads the dashboard of an operator over 50 tenants with 10 sources
// each, whose accounts tell of a year and of 1 M messages. There are no messages: figures
// are read from counters, and a dashboard that looked for messages would find none.
func BenchmarkDashboard(b *testing.B) {
	const tenants, sources, days = 50, 10, 365
	now := time.Date(2026, time.November, 26, 12, 0, 0, 0, time.UTC)
	e := archivetest.New(b, archivetest.Options{Now: func() time.Time { return now }})
	for n := range tenants {
		t, first := e.Tenant(b, fmt.Sprintf("tenant%d", n))
		of := []*catalog.Source{first}
		for i := 1; i < sources; i++ {
			s, err := e.CreateMailbox(b.Context(), t.ID, archive.SourceDraft{Name: fmt.Sprintf("box%d@tenant%d.example", i, n), Settings: []byte(`{}`)})
			if err != nil {
				b.Fatal(err)
			}
			of = append(of, s)
		}
		batch := &catalog.Batch{}
		for d := range days {
			day := now.AddDate(0, 0, -d).Format(time.DateOnly)
			for _, s := range of {
				batch.Accounts = append(batch.Accounts, catalog.Account{Source: s.ID, Day: day, Outcome: catalog.Stored, Count: 5, Bytes: 50_000})
			}
		}
		if err := e.Catalog.Commit(b.Context(), t.ID, batch); err != nil {
			b.Fatal(err)
		}
	}
	begin := time.Now()
	if err := e.CountGrowth(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Logf("counted for the first time in %s", time.Since(begin))
	for _, unit := range catalog.GrowthUnits() {
		b.Run(string(unit), func(b *testing.B) {
			for b.Loop() {
				d, err := e.AsOperator().Dashboard(b.Context(), unit)
				if err != nil {
					b.Fatal(err)
				}
				if n := len(d.Growth); d.Growth[n-1].Messages == 0 || d.Today.Messages != tenants*sources*5 {
					b.Fatalf("figures: %+v", d.Today)
				}
			}
		})
	}
}
