package archive_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// BenchmarkLogShare compares what appending to the event log costs with what
// archiving costs (LOG-8: at most a tenth), for groups of the same size. Appending is
// measured in transactions of its own, so the share is an upper bound.
func BenchmarkLogShare(b *testing.B) {
	const group, groups = 256, 8
	e := archivetest.New(b, archivetest.Options{})
	tenant, source := e.Tenant(b, "acme")
	text := strings.Repeat("Ein Absatz, wie er in einer Nachricht vorkommt, mit ein paar Zeilen. ", 60)
	var ingest, appended time.Duration
	n := 0
	for b.Loop() {
		begin := time.Now()
		for range groups {
			var wg sync.WaitGroup
			for range group {
				raw := append(letter(fmt.Sprintf("Vorgang %d", n)), text...)
				n++
				wg.Go(func() {
					if _, err := e.Ingest(b.Context(), archive.Submission{Tenant: tenant.ID, Source: source.ID, Raw: bytes.NewReader(raw)}); err != nil {
						b.Error(err)
					}
				})
			}
			wg.Wait()
		}
		ingest += time.Since(begin)
		begin = time.Now()
		for range groups {
			events := make([]*catalog.Event, group)
			for i := range events {
				events[i] = &catalog.Event{At: begin, Actor: "source:" + source.ID.String(), Action: "message.stored", Object: uid.New(begin).String(), Digest: strings.Repeat("ab", 32)}
			}
			if err := e.Catalog.AppendEvents(b.Context(), tenant.ID, events); err != nil {
				b.Fatal(err)
			}
		}
		appended += time.Since(begin)
	}
	b.ReportMetric(float64(ingest.Microseconds())/float64(n), "µs/message")
	b.ReportMetric(float64(appended.Microseconds())/float64(n), "µs/event")
	b.ReportMetric(100*float64(appended)/float64(ingest), "%-of-ingest")
}
