package vault_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/muniment/muniment/internal/corpustest"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// sample is the folder of real mail that the test compacts; the benchmark takes
// all.
const sample = "list-linux-raid.vger.kernel.org.0"

// What a mailing list stores per byte of mail after compaction: 0.280 when this
// was written.
func TestStorageRatio(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	raw, msgs := b.importFolder(filepath.Join(corpustest.Dir(t), "bulk", sample))
	b.compactAsArchive()
	ratio := float64(b.size()) / float64(raw)
	t.Logf("%d messages take %.4f of their size", msgs, ratio)
	if ratio > 0.286 {
		t.Error("that is too much")
	}
	for _, err := range b.check() {
		t.Error(err)
	}
}

// BenchmarkStorageRatio compacts all bulk mail once. It takes minutes: run it with
// -benchtime=1x.
func BenchmarkStorageRatio(b *testing.B) {
	for b.Loop() {
		x := newBox(b)
		raw, msgs := x.importFolder(filepath.Join(corpustest.Dir(b), "bulk"))
		before := x.size()
		b.ResetTimer()
		x.compactAsArchive()
		x.reportKinds(b, raw)
		b.ReportMetric(float64(before)/float64(raw), "ingested/raw")
		b.ReportMetric(float64(x.size())/float64(raw), "stored/raw")
		b.ReportMetric(float64(msgs), "messages")
	}
}

// reportKinds reports what the stored bytes are, each as a share of the raw ones.
func (b *box) reportKinds(t *testing.B, raw int64) {
	list, err := b.ListSegments(b.t.Context(), b.tenant)
	if err != nil {
		b.t.Fatal(err)
	}
	kinds, frames := map[vault.Kind]int64{}, 0
	for _, s := range list {
		seg, err := b.Segment(b.t.Context(), b.tenant, s.ID)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, f := range seg.Frames {
			kinds[f.Kind] += f.Stored
			frames++
		}
	}
	for k, n := range kinds {
		t.ReportMetric(float64(n)/float64(raw), k.String()+"/raw")
	}
	t.ReportMetric(float64(frames), "frames")
}

// importFolder stores every file below dir in batches of 64, with meta data such
// as the archive writes.
func (b *box) importFolder(dir string) (raw int64, msgs int) {
	b.t.Helper()
	var batch []*vault.Prepared
	seen := map[vault.Sum]bool{}
	source := b.id()
	write := func() {
		seg, err := b.Write(b.t.Context(), b.tenant, batch, nil)
		if err != nil {
			b.t.Fatal(err)
		}
		b.learn(seg)
		batch = nil
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if sum := sha256.Sum256(data); seen[sum] {
			return nil
		} else {
			seen[sum] = true
		}
		raw += int64(len(data))
		msgs++
		p, err := b.Prepare(b.t.Context(), b.tenant, vault.Object{AOID: b.id(), Raw: bytes.NewReader(data), Meta: b.meta(source, path)})
		if err != nil {
			return err
		}
		if batch = append(batch, p); len(batch) == 64 {
			write()
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	if len(batch) > 0 {
		write()
	}
	return raw, msgs
}

func (b *box) meta(source uid.ID, path string) []byte {
	hexed := func(n int) string {
		x := make([]byte, n)
		rand.Read(x)
		return hex.EncodeToString(x)
	}
	return fmt.Appendf(nil, `{"v":1,"capture":{"id":%q,"source":{"id":%q,"kind":"import","name":"bulk"},"received_at":"2026-01-02T03:04:05.%03dZ","origin":%q,"key":%q},"class":"mail","salt":%q}`,
		b.id(), source, len(path)*7%1000, filepath.Base(path), hexed(32), hexed(16))
}

// compactAsArchive compacts 256 MiB of originals at a time, as package archive
// does.
func (b *box) compactAsArchive() {
	b.t.Helper()
	list, err := b.ListSegments(b.t.Context(), b.tenant)
	if err != nil {
		b.t.Fatal(err)
	}
	var refs []vault.Ref
	var old []uid.ID
	raw := int64(0)
	for i, s := range list {
		seg, err := b.Segment(b.t.Context(), b.tenant, s.ID)
		if err != nil {
			b.t.Fatal(err)
		}
		old = append(old, s.ID)
		raw += seg.RawSize
		for _, f := range seg.Frames {
			refs = append(refs, f.Ref)
		}
		if raw < 256<<20 && i < len(list)-1 {
			continue
		}
		c, err := b.Compact(b.t.Context(), b.tenant, refs)
		if err != nil {
			b.t.Fatal(err)
		}
		b.follow(c, nil)
		if err := b.Remove(b.t.Context(), b.tenant, old...); err != nil {
			b.t.Fatal(err)
		}
		refs, old, raw = nil, nil, 0
	}
}
