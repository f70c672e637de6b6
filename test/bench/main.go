// Command bench measures the archive as a whole process, beside two indexers of
// mail that keep nothing (mu and notmuch), and prints the figures as Markdown
// with the budgets they have to meet. It is run by make bench on a quiet machine.
//
//	go run ./test/bench [-only ingest,fetch,search,doors,memory,growth,seal,evidence] [-rounds 3] [-messages 200000] [-mailbox 20000] [-long] [-grow 1000000]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/corpustest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run.
type bench struct {
	program  string // the archive
	corpus   string // unpacked
	dir      string // for everything it makes
	rounds   int    // of every comparison
	messages int    // in the search measurement
	long     bool   // measure what takes long, too
	grow     int    // messages of the growth measurement
	sealed   int    // objects of the batch that is sealed
	fetched  int    // messages of the mailbox that is fetched
	events   int    // that are entered into event logs
	budgets  []budget
}

// budget is one line of the account at the end.
type budget struct {
	what, want, got string
	met             bool
}

func (b *bench) account(what, want, got string, met bool) {
	b.budgets = append(b.budgets, budget{what, want, got, met})
}

func run(ctx context.Context) (err error) {
	b := &bench{}
	only := flag.String("only", "ingest,fetch,search,doors,memory,growth,seal,evidence,log", "parts to measure")
	flag.IntVar(&b.rounds, "rounds", 3, "rounds of every comparison")
	flag.IntVar(&b.messages, "messages", 200_000, "messages in the search measurement")
	flag.IntVar(&b.fetched, "mailbox", 20_000, "messages of the mailbox that is fetched, at most")
	flag.BoolVar(&b.long, "long", false, "measure what takes an hour, too: a mailbox of 2 GB, growth to 1,000,000 messages")
	flag.IntVar(&b.grow, "grow", 1_000_000, "messages to which the archive grows with -long, at least 80,000")
	flag.IntVar(&b.sealed, "sealed", 1_000_000, "objects of the batch that is sealed")
	flag.IntVar(&b.events, "events", logEvents, "events that are entered into event logs")
	flag.Parse()
	parts := map[string]func(context.Context) error{"ingest": b.ingest, "fetch": b.fetch, "search": b.search, "doors": b.doors, "memory": b.memory, "growth": b.growth, "seal": b.seal, "evidence": b.evidence, "log": b.log}
	names := strings.Split(*only, ",")
	for _, name := range names {
		if parts[name] == nil {
			return fmt.Errorf("-only: there is no part %q", name)
		}
	}
	if b.corpus, err = corpustest.Find(); err != nil {
		return err
	}
	b.program = os.Getenv("MUNIMENT_BIN")
	if b.program == "" {
		b.program = "bin/muniment"
	}
	if b.program, err = filepath.Abs(b.program); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "muniment-bench-*"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if err := machine(ctx, b.program); err != nil {
		return err
	}
	for _, name := range []string{"ingest", "fetch", "search", "doors", "memory", "growth", "seal", "evidence", "log"} {
		if slices.Contains(names, name) {
			if err := parts[name](ctx); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	b.close()
	return nil
}

// close prints the account of the budgets.
func (b *bench) close() {
	fmt.Print("\n## Budgets\n\n| what | budget | measured | |\n|---|---|---|---|\n")
	for _, x := range b.budgets {
		verdict := "**not met**"
		if x.met {
			verdict = "met"
		}
		fmt.Printf("| %s | %s | %s | %s |\n", x.what, x.want, x.got, verdict)
	}
}
