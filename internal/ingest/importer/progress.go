package importer

import (
	"context"
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
	w := &walker{ctx: ctx, format: cfg.Format, to: counter{m}}
	for _, p := range cfg.Paths {
		if w.root(p) != nil {
			return // the run has ended first
		}
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
