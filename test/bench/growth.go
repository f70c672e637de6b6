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
	growthBytes = 1500 // of a message
)

// growth imports until the archive holds as many messages as are wanted, a million
// unless told otherwise, and compares the last steps with the first: by processor
// time, as a machine's mood changes within the hour. Then it starts the server.
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
	cost := map[int]float64{} // CPU seconds
	top := int64(0)
	for before := 0; before < b.grow; before += growthStep {
		u, err := b.growBy(ctx, g, data, before)
		if err != nil {
			return err
		}
		cost[before], top = u.cpu.Seconds(), max(top, u.resident)
		fmt.Printf("| %d | %.0f | %.1f | %s |\n", before, growthStep/u.wall.Seconds(), u.cpu.Seconds(), mib(u.resident))
	}
	const steps = 3 // of which the mean is taken: one is too moody
	mean := func(from int) float64 {
		sum := 0.0
		for i := range steps {
			sum += cost[from+i*growthStep]
		}
		return sum / steps
	}
	factor := mean(b.grow-steps*growthStep) / mean(growthStep)
	b.account(fmt.Sprintf("cost of ingest, before %d ÷ after %d messages", b.grow, growthStep), "≤ 1.3", fmt.Sprintf("%.2f", factor), factor <= 1.3)
	b.account(fmt.Sprintf("memory, a tenant of %d messages", b.grow), "≤ 512 MiB", mib(top), top <= 512<<20)
	return b.coldStart(ctx, data)
}

func (b *bench) growBy(ctx context.Context, g *generator, data string, before int) (usage, error) {
	file := data + ".mbox"
	if err := create(file, g.mailbox(before, growthStep, b.grow)); err != nil {
		return usage{}, err
	}
	u, err := b.muniment(ctx, data, "import", "bench", "--quiet", file)
	return u, errors.Join(err, os.Remove(file))
}

// coldStart measures the start with all of them, once the caches hold nothing of
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
	fmt.Printf("\nStart to the first answer with %d messages: %.0f ms (page cache emptied before: %t), %s resident.\n", b.grow, ms(s.started), cold, mib(resident))
	b.account(fmt.Sprintf("start with %d messages", b.grow), "≤ 1 s", fmt.Sprintf("%.2f s", s.started.Seconds()), s.started <= time.Second)
	return s.stop()
}

// mailbox writes n messages of ordinary mail; of the total messages of a decade,
// the first is number first.
func (g *generator) mailbox(first, n, total int) func(io.Writer) error {
	return func(w io.Writer) error {
		for i := first; i < first+n; i++ {
			date := decade(i, total)
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
