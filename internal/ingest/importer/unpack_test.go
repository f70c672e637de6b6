package importer

import (
	"archive/zip"
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/semaphore"

	"github.com/muniment/muniment/internal/ingest/checkpoint"
	"github.com/muniment/muniment/internal/spool"
)

func TestLimitsOfArchives(t *testing.T) {
	t.Parallel()
	nested := mail(1)
	for range maxNesting + 1 {
		nested = zipOf(t, file{"x", nested})
	}
	dir := tree(t, map[string]string{"deep.zip": nested, "good.zip": zipOf(t, file{"x", mail(2)})})
	f := newFakeArchive()
	rep, err := Run(context.Background(), config(t, f, dir))
	want := "deep.zip" + strings.Repeat("#x", maxNesting)
	if err != nil || rep.Stored != 1 || rep.Failed != 1 || reasons(rep)[want] != Limit {
		t.Errorf("%+v, %v", rep, err)
	}

	run := &run{cfg: Config{DryRun: true, Format: Auto, MaxMessage: 1 << 20, Spool: config(t, f, dir).Spool}, ctx: context.Background(), checkpoint: &checkpoint.File{}, memory: semaphore.NewWeighted(bytesInFlight)}
	bomb := zipOf(t, file{"1", mail(1)}, file{"2", "Subject: bomb\n\n" + strings.Repeat("0", 1<<20)}, file{"3", mail(3)})
	for name, b := range map[string]*budget{"bytes": {bytes: 1 << 19, entries: 100}, "entries": {bytes: 1 << 30, entries: 1}} {
		run.account = account{}
		s := &source{found: found{origin: "bomb", size: int64(len(bomb))}, raw: inBytes{bytes.NewReader([]byte(bomb))}, budget: b}
		err := feeder{run}.takeApart(s, kindZIP)
		if rep := run.account.report(); err != nil || rep.Stored != 1 || rep.Failed != 1 || reasons(rep)["bomb"] != Limit {
			t.Errorf("%s: %+v, %v", name, rep, err)
		}
	}
	if b := newBudget(1 << 20); b.bytes != freeBytes {
		t.Errorf("a small file may unpack to %d bytes", b.bytes)
	}
	if b := newBudget(1 << 50); b.bytes != maxUnpacked {
		t.Errorf("a large file may unpack to %d bytes", b.bytes)
	}
}

// An archive that is broken in its middle gives what comes before.
func TestDamagedArchives(t *testing.T) {
	t.Parallel()
	files := []file{{"1", mail(1)}, {"2", strings.Repeat("Subject: x\n", 3000)}, {"3", mail(3)}}
	inZip := []byte(zipOf(t, files...))
	inZip[45] ^= 0xff // within the contents of an entry
	cut := tarOf(t, files...)
	sum := []byte(gzipOf(t, tarOf(t, files...)))
	sum[len(sum)-6] ^= 1 // the checksum
	var odd bytes.Buffer
	w := zip.NewWriter(&odd)
	for _, h := range []*zip.FileHeader{{Name: "secret", Flags: 1, UncompressedSize64: 5}, {Name: "method", Method: 9, UncompressedSize64: 5}} {
		if _, err := w.CreateRaw(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	dir := tree(t, map[string]string{"z.zip": string(inZip), "t.tar": cut[:3000], "s.tgz": string(sum), "o.zip": odd.String()})
	f := newFakeArchive()
	rep, err := Run(context.Background(), config(t, f, dir))
	if err != nil || !rep.Finished {
		t.Fatal(err)
	}
	got := slices.Sorted(maps.Keys(f.got()))
	if d := cmp.Diff([]string{"s.tgz#1", "s.tgz#2", "s.tgz#3", "t.tar#1", "z.zip#2", "z.zip#3"}, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]Reason{"z.zip#1": Damaged, "t.tar#2": Damaged, "t.tar": Damaged, "s.tgz": Damaged, "o.zip#secret": Encrypted, "o.zip#method": Unsupported}, reasons(rep)); d != "" {
		t.Error(d)
	}
}

// Trouble with the spool is not the file's fault: the run ends, and the next one
// goes on.
func TestSpoolTroubleEndsTheRun(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"t.tar": tarOf(t, file{"box", mboxOf(strings.Repeat("Subject: x\n", 1<<18))})})
	cfg := config(t, newFakeArchive(), dir)
	name := filepath.Join(t.TempDir(), "spool")
	var err error
	if cfg.Spool, err = spool.Open(name); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if rep, err := Run(context.Background(), cfg); err == nil || rep.Finished || rep.NotStored() != 0 {
		t.Errorf("%+v, %v", rep, err)
	}
	if cfg.Spool, err = spool.Open(name); err != nil {
		t.Fatal(err)
	}
	if rep, err := Run(context.Background(), cfg); err != nil || rep.Stored != 1 {
		t.Errorf("%+v, %v", rep, err)
	}
}

// FuzzUnpack takes apart what is no archive, or one made to do harm.
func FuzzUnpack(f *testing.F) {
	files, _, _ := all(f)
	for name, text := range files {
		f.Add(name, []byte(text))
	}
	cfg := config(f, newFakeArchive(), "x")
	cfg.DryRun, cfg.Format = true, Auto
	cfg, err := cfg.withDefaults()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		r := &run{cfg: cfg, ctx: t.Context(), checkpoint: &checkpoint.File{}, memory: semaphore.NewWeighted(bytesInFlight)}
		size := int64(len(data))
		k := kindOf(data[:min(len(data), sniffed)], size)
		if k == kindOther || k == kindCompound || k == kindTNEF {
			return // the file would be read from the disk, or nothing is taken apart
		}
		s := &source{found: found{name: name, origin: "f", size: size}, raw: inBytes{bytes.NewReader(data)}, budget: &budget{bytes: 1 << 24, entries: 1000}}
		start := time.Now()
		if err := (feeder{r}).takeApart(s, k); err != nil {
			t.Errorf("ended with %v", err)
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("%d bytes took %v", size, d)
		}
		if n := cfg.Spool.InMemory(); n != 0 {
			t.Errorf("%d bytes of the spool were not given back", n)
		}
		if rep := r.account.report(); rep.Bytes > 1<<24+size {
			t.Errorf("%d bytes of messages", rep.Bytes)
		}
	})
}
