package main

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/muniment/muniment/internal/ingest/importer"
)

// plainEvery is the time between two lines of progress where there is no
// terminal to draw on.
const plainEvery = 10 * time.Second

// progress shows how far an import or a history is: a bar on a terminal, else a line now and
// then. As a writer it is standard error, with the bar kept below what is
// written; it may be written to from many goroutines.
type progress struct {
	out   io.Writer
	quiet bool
	bars  atomic.Pointer[mpb.Progress] // nil: no bar is drawn now
	bar   *mpb.Bar
	now   atomic.Pointer[standing]
	last  time.Time // a plain line was written
}

// standing is how far something is.
type standing struct {
	what         string // "import"
	counts, pace string
	done, total  int64
}

func newProgress(s *streams, quiet bool) *progress {
	p := &progress{out: s.err, quiet: quiet}
	p.now.Store(&standing{})
	return p
}

// Write implements io.Writer.
func (p *progress) Write(b []byte) (int, error) {
	if bars := p.bars.Load(); bars != nil {
		return bars.Write(b)
	}
	return p.out.Write(b)
}

// start begins to draw.
func (p *progress) start() {
	p.last = time.Now()
	f, ok := p.out.(*os.File)
	if p.quiet || !ok || !isatty.IsTerminal(f.Fd()) {
		return
	}
	bars := mpb.New(mpb.WithOutput(f), mpb.WithAutoRefresh())
	p.bar = bars.New(0, mpb.BarStyle(),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return p.now.Load().counts })),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return p.now.Load().pace })))
	p.bars.Store(bars)
}

// show is the importer's Progress function.
func (p *progress) show(now importer.Progress) {
	p.stand(standing{what: "import", counts: now.Counts(), pace: now.Pace(), done: now.Bytes, total: now.TotalBytes})
}

// stand shows how far something is.
func (p *progress) stand(now standing) {
	p.now.Store(&now)
	switch {
	case p.bar != nil:
		p.bar.SetTotal(max(now.total, now.done)+1, false)
		p.bar.SetCurrent(now.done)
	case !p.quiet && time.Since(p.last) >= plainEvery:
		p.last = time.Now()
		fmt.Fprintf(p.out, "%s: %s, %s\n", now.what, now.counts, now.pace)
	}
}

// stop ends the drawing and leaves the last state standing.
func (p *progress) stop() {
	if p.bar == nil {
		return
	}
	p.bar.SetTotal(-1, true)
	bars := p.bars.Swap(nil)
	bars.Wait()
}
