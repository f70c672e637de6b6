package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDryRun(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"1.eml": mail(1), "note": "x", "box": mboxOf(mail(2), "")})
	rep, err := Run(context.Background(), Config{Paths: []string{dir}, DryRun: true, State: filepath.Join(dir, "state")})
	if err != nil || rep.Stored != 2 || rep.Skipped != 2 || !rep.DryRun {
		t.Errorf("%+v, %v", rep, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "state")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a dry run left a checkpoint: %v", err)
	}
}

func TestProgressEndsWithEverything(t *testing.T) {
	t.Parallel()
	files := map[string]string{"box": mboxOf(mail(1), mail(2)), "note.txt": "no message"}
	var size int64
	for i := range 20 {
		files[fmt.Sprintf("%d.eml", i)] = mail(i + 10)
	}
	for _, text := range files {
		size += int64(len(text))
	}
	var last Progress
	cfg := config(t, newFakeArchive(), tree(t, files))
	cfg.Progress = func(p Progress) {
		if p.Messages < last.Messages || p.Bytes < last.Bytes {
			t.Errorf("goes back from %+v to %+v", last, p)
		}
		last = p
	}
	if _, err := Run(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	if last.Messages != 22 || last.Bytes != size || last.TotalKnown && (last.TotalBytes != size || last.TotalFiles != 22) {
		t.Errorf("last %+v, want %d bytes", last, size)
	}
}

func TestReportIsWritten(t *testing.T) {
	t.Parallel()
	started := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r := &Report{
		Started: started, Ended: started.Add(90 * time.Second), Finished: true, Stored: 3, Failed: 1, Skipped: 1, Bytes: 99, Omitted: 2,
		Problems: []Problem{{"a \"b\"\n.eml", Unreadable, "no, really", 0, true}, {"note", NotAMessage, "x", 5, false}},
	}
	var text, csv bytes.Buffer
	if err := errors.Join(r.WriteText(&text), r.WriteCSV(&csv)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"import of 2026-01-02T03:04:05Z finished\n", "3 offered: 3 new, 0 already there; 99 bytes in 1m30s\n", "2 NOT STORED: 1 failed, 1 are no mail",
		`not stored: "a \"b\"\n.eml": unreadable: no, really` + "\n", "not stored: 2 more",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("text lacks %q:\n%s", want, text.String())
		}
	}
	if want := "origin,failed,reason,detail,bytes\n\"a \"\"b\"\"\n.eml\",true,unreadable,\"no, really\",0\nnote,false,not-a-message,x,5\n"; csv.String() != want {
		t.Errorf("CSV %s", cmp.Diff(want, csv.String()))
	}
	dir := t.TempDir()
	for name, want := range map[string]string{"r.csv": csv.String(), "r.TXT": text.String()} {
		if err := r.WriteFile(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != want {
			t.Errorf("%s: %v, %s", name, err, b)
		}
	}
	name := filepath.Join(dir, "r.json")
	if err := errors.Join(r.WriteFile(name), r.WriteFile(name)); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 3 {
		t.Errorf("directory holds %v, %v", left, err)
	}
	if err := r.WriteFile(filepath.Join(dir, "none", "r.json")); err == nil {
		t.Error("no error for a directory that does not exist")
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(b, &back); err != nil || !cmp.Equal(*r, back) {
		t.Errorf("JSON %v: %s", err, cmp.Diff(*r, back))
	}
}

func BenchmarkManyFiles(b *testing.B) {
	files := map[string]string{}
	for i := range 10_000 {
		files[fmt.Sprintf("%02d/%d.eml", i%100, i)] = mail(i)
	}
	dir := tree(b, files)
	for b.Loop() {
		cfg := config(b, newFakeArchive(), dir)
		cfg.State = b.TempDir()
		rep, err := Run(context.Background(), cfg)
		if err != nil || rep.Stored != 10_000 {
			b.Fatalf("%+v, %v", rep, err)
		}
	}
	b.ReportMetric(10_000*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
