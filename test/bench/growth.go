package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Growth is measured in steps of so many messages, each a process of its own.
const (
	growthStep  = 20_000
	growthTotal = 1_000_000
	growthBytes = 1500 // of a message
)

// growth imports until the archive holds a million messages, and compares the
// rate of the last steps with that of the first; then it starts the server.
func (b *bench) growth(ctx context.Context) error {
	if !b.long {
		return nil
	}
	data := filepath.Join(b.dir, "growth")
	if _, err := b.muniment(ctx, data, "tenant", "create", "bench"); err != nil {
		return err
	}
	fmt.Printf("\n## Growth\n\nMailboxes of %d messages, imported one after the other\n\n| messages before | messages/s | CPU s | resident |\n|---|---|---|---|\n", growthStep)
	g := newGenerator()
	rate := map[int]float64{}
	top := int64(0)
	for before := 0; before < growthTotal; before += growthStep {
		u, err := b.grow(ctx, g, data, before)
		if err != nil {
			return err
		}
		rate[before], top = growthStep/u.wall.Seconds(), max(top, u.resident)
		if before%(10*growthStep) == 0 || before == growthTotal-growthStep {
			fmt.Printf("| %d | %.0f | %.1f | %s |\n", before, rate[before], u.cpu.Seconds(), mib(u.resident))
		}
	}
	mean := func(from int) float64 { // of five steps: one is too moody
		sum := 0.0
		for i := range 5 {
			sum += rate[from+i*growthStep]
		}
		return sum / 5
	}
	factor := mean(growthStep) / mean(growthTotal-5*growthStep)
	b.account("ingest, 20k to 120k ÷ 900k to 1M messages", "≤ 1.3", fmt.Sprintf("%.2f", factor), factor <= 1.3)
	b.account("memory, a tenant of 1 M messages", "≤ 512 MiB", mib(top), top <= 512<<20)
	return b.coldStart(ctx, data)
}

func (b *bench) grow(ctx context.Context, g *generator, data string, before int) (usage, error) {
	file := data + ".mbox"
	if err := create(file, g.mailbox(before, growthStep)); err != nil {
		return usage{}, err
	}
	u, err := b.muniment(ctx, data, "import", "bench", "--quiet", file)
	return u, errors.Join(err, os.Remove(file))
}

// coldStart measures the start with the million, once the caches hold nothing of
// it as far as the machine lets us.
func (b *bench) coldStart(ctx context.Context, data string) error {
	cold := os.WriteFile("/proc/sys/vm/drop_caches", []byte("3\n"), 0o200) == nil
	s, err := b.serve(ctx, data)
	if err != nil {
		return err
	}
	resident, err := s.resident()
	if err != nil {
		return err
	}
	fmt.Printf("\nStart to the first answer with %d messages: %.0f ms (page cache emptied before: %t), %s resident.\n", growthTotal, ms(s.started), cold, mib(resident))
	b.account("start with 1 M messages", "≤ 1 s", fmt.Sprintf("%.2f s", s.started.Seconds()), s.started <= time.Second)
	return s.stop()
}

// mailbox writes n messages of ordinary mail; of the growthTotal messages of a
// decade, the first is number first.
func (g *generator) mailbox(first, n int) func(io.Writer) error {
	return func(w io.Writer) error {
		for i := first; i < first+n; i++ {
			date := decade(i, growthTotal)
			from, to := address(g.rnd.IntN(mailboxes)), address(g.rnd.IntN(mailboxes))
			if _, err := fmt.Fprintf(w, "From %s %s\nFrom: %s\nTo: %s\nSubject: %s\nDate: %s\nMessage-ID: <%d@bench.example>\n\n",
				from, date.Format(time.ANSIC), from, to, g.text(40), date.Format(time.RFC1123Z), i); err != nil {
				return err
			}
			for written := 0; written < growthBytes; {
				line := g.text(70)
				written += len(line)
				if _, err := fmt.Fprintln(w, line); err != nil {
					return err
				}
			}
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		return nil
	}
}
