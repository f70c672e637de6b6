package config_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/config"
)

var update = flag.Bool("update", false, "write docs/configuration.md")

const intro = `# Configuration

Settings come from a YAML file (` + "`--config FILE`" + `), then the environment, then flags; the later one wins. In the environment
` + "`http.listen`" + ` is ` + "`MUNIMENT_HTTP_LISTEN`" + `, on the command line ` + "`--set http.listen=:8443`" + `. Lists are separated by commas, or are YAML
lists. Durations are written as ` + "`90s`, `5m`" + `. An unknown setting is an error. ` + "`muniment config`" + ` shows what is in force.

| setting | default | meaning |
|---|---|---|
`

// docs/configuration.md is written from the struct: go test ./internal/config -update.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	b.WriteString(intro)
	for _, k := range config.Keys() {
		value := k.Value
		if value != "" {
			value = "`" + value + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.Name, value, strings.ReplaceAll(k.Help, "|", `\|`))
	}
	const path = "../../docs/configuration.md"
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(b.String(), string(got)); d != "" {
		t.Errorf("docs/configuration.md is not what the settings say; run go test ./internal/config -update\n%s", d)
	}
}
