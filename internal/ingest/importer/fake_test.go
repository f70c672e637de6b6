package importer

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/uid"
)

// fakeArchive keeps the rules that importing depends on: the same bytes with
// the same origin are recorded once, the same bytes are a duplicate.
type fakeArchive struct {
	before func(ctx context.Context, sub archive.Submission) error // may fail, wait or cancel

	mu       sync.Mutex
	offered  int
	captures map[string]string   // origin and hash → bytes
	bytes    map[[32]byte]uid.ID // content → first AOID
	refused  int
	subs     []archive.Submission
	now, top int64 // bytes being offered now, and at most
}

func newFakeArchive() *fakeArchive {
	return &fakeArchive{captures: map[string]string{}, bytes: map[[32]byte]uid.ID{}}
}

func (f *fakeArchive) Ingest(ctx context.Context, sub archive.Submission) (archive.Receipt, error) {
	f.mu.Lock()
	f.offered++
	f.now += sub.Raw.Size()
	f.top = max(f.top, f.now)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.now -= sub.Raw.Size()
		f.mu.Unlock()
	}()
	if f.before != nil {
		if err := f.before(ctx, sub); err != nil {
			return archive.Receipt{}, err
		}
	}
	data, err := io.ReadAll(io.NewSectionReader(sub.Raw, 0, sub.Raw.Size()))
	if err != nil {
		return archive.Receipt{}, err
	}
	sum := sha256.Sum256(data)
	f.mu.Lock()
	defer f.mu.Unlock()
	id, dup := f.bytes[sum]
	if !dup {
		id = uid.New(time.Now())
		f.bytes[sum] = id
	}
	f.captures[fmt.Sprintf("%s %x", sub.Origin, sum[:4])] = string(data)
	f.subs = append(f.subs, sub)
	return archive.Receipt{AOID: id, Duplicate: dup, SHA256: sum}, nil
}

func (f *fakeArchive) Refused(context.Context, uid.ID, uid.ID, int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refused++
}

// got returns origin → bytes.
func (f *fakeArchive) got() map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := map[string]string{}
	for k, v := range f.captures {
		m[k[:strings.LastIndexByte(k, ' ')]] = v
	}
	return m
}

// tree makes files; a name that ends with a slash is a directory.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for n, text := range files {
		p := filepath.Join(dir, n)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(n, "/") {
			if err := os.MkdirAll(p, 0o700); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// config returns one for the paths, with its own spool and no waiting.
func config(t testing.TB, a Ingester, paths ...string) Config {
	t.Helper()
	dir, err := spool.Open(filepath.Join(t.TempDir(), "spool"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := dir.InMemory(); n != 0 {
			t.Errorf("%d bytes of spool memory were not given back", n)
		}
	})
	return Config{
		Archive: a, Spool: dir, Tenant: uid.New(time.Now()), Source: uid.New(time.Now()), Paths: paths,
		Log:   slog.New(slog.DiscardHandler),
		sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

func mail(n int) string {
	return fmt.Sprintf("Message-ID: <%d@test.example>\nSubject: number %d\n\nbody %d\n", n, n, n)
}

func mboxOf(messages ...string) string {
	var b strings.Builder
	for _, m := range messages {
		b.WriteString("From a@b.example Mon Jan  2 15:04:05 2006\n" + m + "\n")
	}
	return b.String()
}

// reasons returns origin → reason of a report.
func reasons(r *Report) map[string]Reason {
	m := map[string]Reason{}
	for _, p := range r.Problems {
		m[p.Origin] = p.Reason
	}
	return m
}
