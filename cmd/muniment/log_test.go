package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/evidencetest"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/evidence/tsa"
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

// TestVerifyLogStamps verifies the evidence records of receipts.
func TestVerifyLogStamps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	want(t, exitOK, "", "--data", in("data"), "tenant", "create", "acme")
	want(t, exitOK, "", "--data", in("data"), "log", "checkpoint", "acme", "-o", in("plain.json"))
	b, err := os.ReadFile(in("plain.json"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := eventlog.ParseReceipt(b)
	if err != nil {
		t.Fatal(err)
	}
	w := evidencetest.New(t, tsa.Options{})
	write(t, in("root.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.Authority.Root().Raw})))
	receipt := func(name, checkpoint string) string {
		t.Helper()
		object := evidencetest.Object{[]byte(checkpoint), []byte("salt")}
		record := w.Seal(algo.SHA256, []evidencetest.Object{object, evidencetest.NewObject(1, 2)})[0]
		w.Pass(time.Hour)
		r.EvidenceRecord = evidencetest.Marshal(t, w.RenewStamps([]*ers.Record{record})[0])
		b, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		write(t, in(name), string(b))
		return in(name)
	}
	good, bad := receipt("good.json", r.Checkpoint), receipt("bad.json", r.Checkpoint+"x")
	at := w.Clock().Add(time.Hour).Format(time.RFC3339)
	for _, x := range []struct {
		code int
		says string
		args []string
	}{
		{0, "fits together", []string{"--receipt", good, "--receipt", in("plain.json")}},
		{0, "time stamp valid: it existed at", []string{"--receipt", good, "--receipt", good, "--anchors", in("root.pem"), "--at", at}},
		{2, "record-missing", []string{"--receipt", good, "--receipt", in("plain.json"), "--anchors", in("root.pem"), "--at", at}},
		{2, "record-unsure", []string{"--receipt", good, "--receipt", good, "--anchors", in("root.pem"), "--at", "2020-01-01T00:00:00Z"}},
		{1, "record: " + bad, []string{"--receipt", good, "--receipt", bad, "--anchors", in("root.pem"), "--at", at}},
		{1, "record: " + bad, []string{"--receipt", good, "--receipt", bad}}, // whoever is trusted
	} {
		code, out, errs := command(t, append([]string{"verify-log"}, x.args...)...)
		if code != x.code || !strings.Contains(out, x.says) {
			t.Errorf("verify-log %v: exit code %d, want %d and %q:\n%s%s", x.args, code, x.code, x.says, out, errs)
		}
	}
	_, out, _ := command(t, "verify-log", "--json", "--receipt", good, "--receipt", good, "--anchors", in("root.pem"), "--at", at)
	var result struct {
		Stamps []offline.ReceiptReport `json:"time_stamps"`
	}
	if err := json.Unmarshal([]byte(out), &result); err != nil || len(result.Stamps) != 2 || result.Stamps[0].Report.Verdict != evidence.Valid || len(result.Stamps[0].Report.Stamps) != 2 {
		t.Errorf("verify-log --json: %v\n%s", err, out)
	}
}
