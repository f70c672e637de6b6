package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/cli.md")

const docIntro = `# Command line

One program, one word for what it shall do. Every command reads the settings of
[configuration.md](configuration.md); ` + "`--data DIR`" + ` alone is enough to start.
Answers go to standard output, everything else to standard error. Commands that
answer with a list or a report have ` + "`--json`" + `.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | it did not work; standard error says why and what to do |
| 2 | wrong arguments or settings; nothing was done |
| 3 | it worked and found something: damage (` + "`fsck`" + `), messages not stored (` + "`import`" + `) |
| 4 | another process works on the data directory |
| 5 | the counts of a mailbox do not agree; nothing more was removed there (` + "`source history`" + `) |

` + "`verify`" + ` is the exception: its exit codes are the verdict.

` + "`serve`, `import`" + ` and every command that only reads work on one data directory
at the same time. ` + "`rebuild`" + ` and ` + "`fsck --repair`" + ` need it for themselves.

If the catalog is lost while the vault holds tenants, ` + "`serve`, `tenant create`" + ` and
` + "`demo`" + ` do not start (exit code 1) before the catalog is put back from a backup or
` + "`rebuild`" + ` has restored what the vault remembers.
`

// docs/cli.md is written from the commands: go test ./cmd/muniment -update.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&cli{}, kong.Name("muniment"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(docIntro)
	for _, leaf := range parser.Model.Leaves(true) {
		path := strings.TrimPrefix(leaf.FullPath(), "muniment ")
		var out, errs bytes.Buffer
		if code := run(append(strings.Fields(path), "--help"), &out, &errs); code != exitOK || errs.Len() > 0 {
			t.Errorf("%s --help: exit code %d: %s", path, code, errs.Bytes())
		}
		if leaf.Help == "" {
			t.Errorf("%s has no help", path)
		}
		for _, f := range append(leaf.Flags, positionals(leaf)...) {
			if f.Help == "" {
				t.Errorf("%s: %s has no help", path, f.Name)
			}
		}
		fmt.Fprintf(&b, "\n## %s\n\n```text\n%s\n```\n", path, strings.TrimSpace(out.String()))
	}
	const path = "../../docs/cli.md"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(b.String(), string(got)); d != "" {
		t.Errorf("docs/cli.md is not what the commands say; run go test ./cmd/muniment -update\n%s", d)
	}
}

func positionals(n *kong.Node) []*kong.Flag {
	var out []*kong.Flag
	for _, p := range n.Positional {
		out = append(out, &kong.Flag{Value: p})
	}
	return out
}
