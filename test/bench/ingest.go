package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// indexer is one of the programs that are compared. prepare makes an empty store
// and returns the command to be measured.
type indexer struct {
	name    string
	prepare func(ctx context.Context, store string) (env, command []string, err error)
	stored  func(store string) int64 // bytes
	runs    []usage
	size    int64
}

// ingest compares the import of the corpus with indexers, in alternating rounds.
func (b *bench) ingest(ctx context.Context) error {
	bulk := filepath.Join(b.corpus, "bulk")
	mail := filepath.Join(b.dir, "mail")
	n, raw, err := maildir(bulk, mail)
	if err != nil {
		return err
	}
	programs := []*indexer{
		{name: "muniment import", prepare: func(ctx context.Context, store string) ([]string, []string, error) {
			_, err := b.muniment(ctx, store, "tenant", "create", "bench")
			return nil, []string{b.program, "--data", store, "import", "bench", "--quiet", filepath.Join(mail, "cur")}, err
		}, stored: func(store string) int64 { return size(store) }},
		{name: "mu index", prepare: func(ctx context.Context, store string) ([]string, []string, error) {
			_, err := process(ctx, nil, "mu", "init", "--muhome="+store, "--maildir="+mail)
			return nil, []string{"mu", "index", "--muhome=" + store}, err
		}, stored: func(store string) int64 { return size(store) }},
		{name: "notmuch new", prepare: func(_ context.Context, store string) ([]string, []string, error) {
			config := filepath.Join(store, "config")
			err := os.MkdirAll(filepath.Join(store, "db"), 0o755)
			if err == nil {
				err = os.WriteFile(config, []byte("[database]\npath="+store+"/db\nmail_root="+mail+"\n[new]\ntags=new\n"), 0o600)
			}
			return []string{"NOTMUCH_CONFIG=" + config}, []string{"notmuch", "--config=" + config, "new"}, err
		}, stored: func(store string) int64 { return size(filepath.Join(store, "db")) }},
	}
	fmt.Printf("\n## Ingest\n\n%d messages, %.0f MB; whole processes, alternating, %d rounds, median\n\n| program | messages/s | CPU s | resident | written / raw |\n|---|---|---|---|---|\n", n, float64(raw)/1e6, b.rounds)
	if err := b.alternate(ctx, programs); err != nil {
		return err
	}
	rate := func(p *indexer) float64 { return float64(n) / median(p.runs).wall.Seconds() }
	for _, p := range programs {
		m := median(p.runs)
		fmt.Printf("| `%s` | %.0f | %.1f | %s | %.2f |\n", p.name, rate(p), m.cpu.Seconds(), mib(m.resident), float64(p.size)/float64(raw))
	}
	ours, mu, notmuch := rate(programs[0]), rate(programs[1]), rate(programs[2])
	b.account("durable ingest ÷ `mu index`", "≥ 3", fmt.Sprintf("%.1f", ours/mu), ours >= 3*mu)
	b.account("durable ingest ÷ `notmuch new`", "≥ 6", fmt.Sprintf("%.1f", ours/notmuch), ours >= 6*notmuch)
	most := slices.MaxFunc(programs[0].runs, func(x, y usage) int { return int(x.resident - y.resident) })
	b.account("memory of the import", "≤ 512 MiB", mib(most.resident), most.resident <= 512<<20)
	return b.storage(ctx, mail, raw)
}

// alternate runs the programs in turn, so that a machine's mood hits all of them.
func (b *bench) alternate(ctx context.Context, programs []*indexer) error {
	for i := range b.rounds {
		for _, p := range programs {
			store := filepath.Join(b.dir, fmt.Sprintf("%s-%d", strings.Fields(p.name)[0], i))
			env, command, err := p.prepare(ctx, store)
			if err != nil {
				return err
			}
			u, err := process(ctx, env, command[0], command[1:]...)
			if err != nil {
				return err
			}
			p.runs, p.size = append(p.runs, u), p.stored(store)
			if i < b.rounds-1 || p != programs[0] {
				if err := os.RemoveAll(store); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// storage measures what the last imported archive holds.
func (b *bench) storage(ctx context.Context, mail string, raw int64) error {
	data := filepath.Join(b.dir, fmt.Sprintf("%s-%d", filepath.Base(b.program), b.rounds-1))
	parts := func() (vault, index, catalog int64) {
		return size(filepath.Join(data, "blobs")), size(filepath.Join(data, "index")), size(filepath.Join(data, "catalog.db"))
	}
	before, _, _ := parts()
	took, err := b.muniment(ctx, data, "compact")
	if err != nil {
		return err
	}
	vault, index, catalog := parts()
	solid, err := solid(ctx, mail)
	if err != nil {
		return err
	}
	ratio := func(n int64) float64 { return float64(n) / float64(raw) }
	fmt.Printf("\n## Storage\n\n| what | bytes / raw |\n|---|---|\n| vault after the import | %.3f |\n| vault after `muniment compact` (%.0f s, %s) | %.3f |\n| one solid `zstd -15 --long=27` of everything | %.3f |\n| index | %.3f |\n| catalog | %.3f |\n",
		ratio(before), took.wall.Seconds(), mib(took.resident), ratio(vault), ratio(solid), ratio(index), ratio(catalog))
	b.account("vault ÷ solid zstd -15", "≤ 1.25", fmt.Sprintf("%.2f", float64(vault)/float64(solid)), float64(vault) <= 1.25*float64(solid))
	b.account("index ÷ raw", "≤ 0.40", fmt.Sprintf("%.2f", ratio(index)), ratio(index) <= 0.40)
	return nil
}

// solid is the size of everything in one compressed stream.
func solid(ctx context.Context, mail string) (int64, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", `tar --sort=name -cf - -C "$1" . | zstd -15 --long=27 -T0 -q -c | wc -c`, "sh", mail)
	out, err := cmd.Output()
	if err != nil {
		return 0, err
	}
	var n int64
	_, err = fmt.Sscan(string(out), &n)
	return n, err
}

// maildir links all messages of a tree into one Maildir, in the order of the tree.
func maildir(from, to string) (n int, raw int64, err error) {
	for _, d := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(to, d), 0o755); err != nil {
			return 0, 0, err
		}
	}
	err = filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n, raw = n+1, raw+int64(len(b))
		return os.WriteFile(filepath.Join(to, "cur", fmt.Sprintf("%06d.bench:2,S", n)), b, 0o644)
	})
	return n, raw, err
}

func median(runs []usage) usage {
	sorted := slices.Clone(runs)
	slices.SortFunc(sorted, func(x, y usage) int { return int(x.wall - y.wall) })
	return sorted[len(sorted)/2]
}
