package importer

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// tick is how often progress is told.
const tick = 250 * time.Millisecond

// Progress tells how far a run is.
type Progress struct {
	Messages   int64 // stored, duplicate or done before
	Bytes      int64 // of files passed, whatever became of them
	TotalBytes int64 // of all files; grows until TotalKnown
	TotalFiles int64
	TotalKnown bool

	Elapsed           time.Duration
	MessagesPerSecond float64 // of late
	BytesPerSecond    float64
	Left              time.Duration // estimated; negative: not known
}

// Counts says how much is done: "1234 messages, 12.3 of 45.6 MB (27 %)".
func (p Progress) Counts() string {
	const mb = 1e6
	s := fmt.Sprintf("%d messages, %.1f of %.1f MB", p.Messages, float64(p.Bytes)/mb, float64(max(p.TotalBytes, p.Bytes))/mb)
	if !p.TotalKnown {
		return s + " found so far"
	}
	if p.TotalBytes > 0 {
		s += fmt.Sprintf(" (%d %%)", min(100, 100*p.Bytes/p.TotalBytes))
	}
	return s
}

// Pace says how fast it goes: "812/s, 1m20s left".
func (p Progress) Pace() string {
	s := fmt.Sprintf("%.0f/s", p.MessagesPerSecond)
	if p.Left >= 0 {
		s += fmt.Sprintf(", %v left", p.Left.Round(time.Second))
	}
	return s
}

// meter counts, and tells of it.
type meter struct {
	messages, bytes        atomic.Int64
	totalFiles, totalBytes atomic.Int64
	known                  atomic.Bool

	// Of the goroutine that tells, or after its end.
	started, last           time.Time
	lastMessages, lastBytes int64
	messageRate, byteRate   float64
}

func (m *meter) message()       { m.messages.Add(1) }
func (m *meter) passed(n int64) { m.bytes.Add(n) }

// counter is a visitor that only counts.
type counter struct{ m *meter }

func (c counter) file(f found) error {
	c.m.totalFiles.Add(1)
	c.m.totalBytes.Add(f.size)
	return nil
}

func (counter) problem(Problem) error { return nil }

// countAll walks all paths in advance, for the totals.
func (m *meter) countAll(ctx context.Context, cfg Config) {
	if cfg.Progress == nil {
		return
	}
	w := &walker{ctx: ctx, format: cfg.Format, name: cfg.Name, to: counter{m}}
	if w.roots(cfg.Paths) != nil {
		return // the run has ended first
	}
	m.known.Store(true)
}

// tell calls fn until ctx ends.
func (m *meter) tell(ctx context.Context, fn func(Progress)) {
	m.started = time.Now()
	m.last = m.started
	if fn == nil {
		return
	}
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case now := <-t.C:
			fn(m.progress(now))
		case <-ctx.Done():
			return
		}
	}
}

// progress measures anew. Rates are smoothed over some seconds.
func (m *meter) progress(now time.Time) Progress {
	messages, bytes := m.messages.Load(), m.bytes.Load()
	if d := now.Sub(m.last).Seconds(); d > 0 {
		weight := min(1, d/5)
		if m.last.Equal(m.started) {
			weight = 1
		}
		m.messageRate += weight * (float64(messages-m.lastMessages)/d - m.messageRate)
		m.byteRate += weight * (float64(bytes-m.lastBytes)/d - m.byteRate)
		m.last, m.lastMessages, m.lastBytes = now, messages, bytes
	}
	p := Progress{
		Messages: messages, Bytes: bytes,
		TotalBytes: m.totalBytes.Load(), TotalFiles: m.totalFiles.Load(), TotalKnown: m.known.Load(),
		Elapsed: now.Sub(m.started), MessagesPerSecond: m.messageRate, BytesPerSecond: m.byteRate, Left: -1,
	}
	if p.TotalKnown && m.byteRate > 0 {
		p.Left = time.Duration(float64(max(0, p.TotalBytes-bytes)) / m.byteRate * float64(time.Second))
	}
	return p
}
