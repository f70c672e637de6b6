package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestVerifyLog walks the way of somebody who keeps receipts.
func TestVerifyLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	in := func(name string) string { return filepath.Join(dir, name) }
	archive := func(args ...string) {
		t.Helper()
		want(t, exitOK, "", append([]string{"--data", data}, args...)...)
	}
	archive("tenant", "create", "acme")
	archive("log", "checkpoint", "acme", "-o", in("a.json"))
	write(t, in("one.eml"), "Subject: eins\r\n\r\nText\r\n")
	archive("import", "acme", in("one.eml"), "--quiet")
	archive("log", "checkpoint", "acme", "-o", in("b.json"))
	archive("log", "rotate-key")
	write(t, in("two.eml"), "Subject: zwei\r\n\r\nText\r\n")
	archive("import", "acme", in("two.eml"), "--quiet")
	archive("log", "checkpoint", "acme", "-o", in("c.json"))
	archive("log", "export", "acme", "-o", in("log.txt"))
	archive("audit", "acme")
	sizes := map[string]string{}
	for _, name := range []string{"a", "b", "c"} {
		b, err := os.ReadFile(in(name + ".json"))
		if err != nil {
			t.Fatal(err)
		}
		var r struct{ Checkpoint string }
		if err := json.Unmarshal(b, &r); err != nil {
			t.Fatal(err)
		}
		sizes[name] = strings.Split(r.Checkpoint, "\n")[1]
	}
	archive("log", "proof", "acme", "--from", sizes["a"], "--to", sizes["b"], "-o", in("ab.json"))
	archive("log", "proof", "acme", "--from", sizes["b"], "--to", sizes["c"], "-o", in("bc.json"))
	_, key, _ := command(t, "--data", data, "log", "key", "acme")
	if err := os.Rename(data, in("gone")); err != nil { // from here on without the archive
		t.Fatal(err)
	}
	verify := func(code int, why string, args ...string) {
		t.Helper()
		want(t, code, why, append([]string{"verify-log"}, args...)...)
	}
	verify(0, "", "--receipt", in("a.json"), "--receipt", in("b.json"), "--proof", in("ab.json"))
	verify(0, "", "--receipt", in("c.json"), "--receipt", in("a.json"), "--receipt", in("b.json"), "--proof", in("bc.json"), "--proof", in("ab.json"), "--key", strings.TrimSpace(key))
	verify(0, "", "--receipt", in("a.json"), "--log", in("log.txt"))
	verify(2, "indeterminate", "--receipt", in("a.json"), "--receipt", in("b.json"))
	verify(2, "indeterminate", "--receipt", in("a.json"))
	verify(2, "", "--key", "x", "--receipt", in("a.json"))
	verify(2, "name at least one")
	verify(1, "invalid", "--receipt", in("a.json"), "--receipt", in("ab.json"))
	log, err := os.ReadFile(in("log.txt"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, in("changed.txt"), string(bytes.Replace(log, []byte(`message.stored`), []byte(`message.storee`), 1)))
	verify(1, "invalid", "--receipt", in("a.json"), "--log", in("changed.txt"))
	code, out, _ := command(t, "verify-log", "--json", "--receipt", in("a.json"), "--receipt", in("b.json"), "--proof", in("ab.json"))
	var result struct {
		Verdict  string
		Receipts []struct{ Size int64 }
	}
	if err := json.Unmarshal([]byte(out), &result); err != nil || code != 0 || result.Verdict != "valid" || len(result.Receipts) != 2 {
		t.Errorf("verify-log --json: %d, %v\n%s", code, err, out)
	}
}
