package vault_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/blob/file"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// partIndex is a Finder in memory.
type partIndex struct {
	mu    sync.Mutex
	parts map[uid.ID]map[vault.Sum]vault.Ref
}

func (p *partIndex) FindPart(_ context.Context, tenant uid.ID, sum vault.Sum) (vault.Ref, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.parts[tenant][sum]
	return r, ok, nil
}

func (p *partIndex) set(tenant uid.ID, sum vault.Sum, r vault.Ref) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.parts == nil {
		p.parts = map[uid.ID]map[vault.Sum]vault.Ref{}
	}
	if p.parts[tenant] == nil {
		p.parts[tenant] = map[vault.Sum]vault.Ref{}
	}
	p.parts[tenant][sum] = r
}

// clock is a settable time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// box is a vault with all it stands on.
type box struct {
	*vault.Vault
	t      testing.TB
	dir    string
	blobs  blob.Store
	cfg    vault.Config
	parts  *partIndex
	clock  *clock
	tenant uid.ID
}

func newBox(t testing.TB) *box {
	t.Helper()
	dir := t.TempDir()
	blobs, err := file.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := blobs.Close(); err != nil {
			t.Error(err)
		}
	})
	keys, err := vault.CreateKeyring(filepath.Join(dir, "instance.key"))
	if err != nil {
		t.Fatal(err)
	}
	b := &box{t: t, dir: dir, blobs: blobs, parts: &partIndex{}, clock: &clock{now: time.UnixMilli(1700000000123)}}
	b.cfg = vault.Config{Blobs: blobs, Keys: keys, Parts: b.parts, Spool: filepath.Join(dir, "spool"), Now: b.clock.Now}
	b.reopen()
	b.tenant = b.newTenant()
	return b
}

// reopen forgets everything in memory, as a restart does.
func (b *box) reopen() {
	b.t.Helper()
	v, err := vault.Open(b.cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	b.Vault = v
}

func (b *box) newTenant() uid.ID {
	b.t.Helper()
	id := uid.New(b.clock.Now())
	if err := b.CreateTenant(b.t.Context(), vault.TenantInfo{ID: id, Data: []byte(`{"name":"` + id.String() + `"}`)}); err != nil {
		b.t.Fatal(err)
	}
	return id
}

func (b *box) id() uid.ID { return uid.New(b.clock.Now()) }

// stored is a message the box keeps, and what it must give back.
type stored struct {
	ref  vault.Ref
	aoid uid.ID
	raw  []byte
	meta []byte
}

func (s stored) want() vault.Want {
	return vault.Want{SHA256: sha256.Sum256(s.raw), Size: int64(len(s.raw))}
}

// store archives messages as one batch, and their parts into the index.
func (b *box) store(raws ...string) []stored {
	b.t.Helper()
	var prepared []*vault.Prepared
	var out []stored
	for _, raw := range raws {
		s := stored{aoid: b.id(), raw: []byte(raw)}
		s.meta = fmt.Appendf(nil, `{"aoid":%q}`, s.aoid)
		p, err := b.Prepare(b.t.Context(), b.tenant, vault.Object{AOID: s.aoid, Raw: bytes.NewReader(s.raw), Meta: s.meta})
		if err != nil {
			b.t.Fatal(err)
		}
		defer p.Close()
		if diff := cmp.Diff(vault.Sums{SHA256: sha256.Sum256(s.raw), SHA512: sha512.Sum512(s.raw)}, p.Sums()); diff != "" {
			b.t.Errorf("sums (-want +got):\n%s", diff)
		}
		prepared = append(prepared, p)
		out = append(out, s)
	}
	seg, err := b.Write(b.t.Context(), b.tenant, prepared, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.learn(seg)
	for _, f := range seg.Frames {
		for i := range out {
			if f.Kind == vault.KindMessage && f.AOID == out[i].aoid {
				out[i].ref = f.Ref
			}
		}
	}
	return out
}

func (b *box) learn(seg *vault.Segment) {
	for _, f := range seg.Frames {
		if f.Kind == vault.KindPart {
			b.parts.set(b.tenant, f.SHA256, f.Ref)
		}
	}
}

func (b *box) read(s stored) ([]byte, error) {
	c, err := b.Open(b.t.Context(), b.tenant, s.ref, s.want())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return io.ReadAll(c)
}

func (b *box) wantRead(msgs ...stored) {
	b.t.Helper()
	for i, s := range msgs {
		got, err := b.read(s)
		if err != nil {
			b.t.Errorf("message %d: %v", i, err)
			continue
		}
		if !bytes.Equal(got, s.raw) {
			b.t.Errorf("message %d of %d bytes comes back as %d other bytes", i, len(s.raw), len(got))
		}
		meta, err := b.Meta(b.t.Context(), b.tenant, s.ref)
		if err != nil || !bytes.Equal(meta, s.meta) {
			b.t.Errorf("message %d: meta = %q, %v; want %q", i, meta, err, s.meta)
		}
	}
}

// check runs Check over all segments and returns what is wrong.
func (b *box) check() []error {
	b.t.Helper()
	segs, err := b.ListSegments(b.t.Context(), b.tenant)
	if err != nil {
		return []error{err}
	}
	var wrong []error
	for _, s := range segs {
		err := b.Check(b.t.Context(), b.tenant, s.ID, func(e vault.Entry) error {
			if e.Err != nil {
				wrong = append(wrong, e.Err)
			}
			return nil
		})
		if err != nil {
			wrong = append(wrong, err)
		}
	}
	return wrong
}

func (b *box) wantClean() {
	b.t.Helper()
	for _, err := range b.check() {
		b.t.Errorf("check: %v", err)
	}
	err := b.Strays(b.t.Context(), b.tenant, func(s vault.Stray) error {
		b.t.Errorf("stray: %+v", s)
		return nil
	})
	if err != nil {
		b.t.Error(err)
	}
}

// noise is reproducible and does not compress.
func noise(seed uint64, n int) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	b := make([]byte, n)
	r.Read(b)
	return b
}

// wrap encodes data in lines.
func wrap(data []byte, line int, eol string) string {
	s := base64.StdEncoding.EncodeToString(data)
	var b strings.Builder
	for len(s) > line {
		b.WriteString(s[:line] + eol)
		s = s[line:]
	}
	return b.String() + s
}

func mail(subject string, bodies ...string) string {
	return "From: Ada <ada@example.org>\r\nTo: bob@example.net\r\nSubject: " + subject + "\r\n\r\n" +
		strings.Join(bodies, "\r\n--next\r\nContent-Transfer-Encoding: base64\r\n\r\n") + "\r\n--next--\r\n"
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	big := noise(1, 100<<10)
	text := []byte(strings.Repeat("All human beings are born free and equal. ", 800))
	msgs := b.store(
		"",
		"x",
		mail("text only", "Hello Bob,\r\nwhat about Friday?\r\n"),
		mail("small attachment", wrap(noise(2, 3000), 76, "\r\n")),
		mail("small text attachment", wrap(text[:4000], 76, "\r\n")),
		mail("large attachment", wrap(big, 76, "\r\n")),
		mail("the same again, other lines", wrap(big, 64, "\n")),
		mail("two", wrap(text, 60, "\r\n"), wrap(big, 72, "\r\n"), "and text"),
		strings.Repeat("no header at all\n", 5000),
	)
	b.wantRead(msgs...)
	b.reopen()
	b.wantRead(msgs...)
	b.wantClean()

	// The attachment rests once, although three messages have it.
	segs, err := b.ListSegments(t.Context(), b.tenant)
	if err != nil || len(segs) != 1 {
		t.Fatalf("segments: %v, %v; want one", segs, err)
	}
	parts := 0
	if err := b.Scan(t.Context(), b.tenant, segs[0].ID, func(e vault.Entry) error {
		if e.Frame.Kind == vault.KindPart {
			parts++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if parts != 2 {
		t.Errorf("%d parts, want 2", parts)
	}
	before := segs[0].Size
	b.clock.advance(time.Second) // so that the next segment comes after it
	b.store(mail("in a later batch", wrap(big, 76, "\r\n")))
	segs, _ = b.ListSegments(t.Context(), b.tenant)
	if got := segs[1].Size; got > before/10 {
		t.Errorf("a message with a known attachment takes %d bytes", got)
	}
	b.wantClean()
}

func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	m := b.store(mail("secret", wrap(noise(3, 50<<10), 76, "\r\n")))[0]
	other := b.newTenant()
	if _, err := b.Open(t.Context(), other, m.ref, m.want()); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("another tenant's Open = %v, want ErrNotFound", err)
	}
	if _, err := b.Open(t.Context(), b.id(), m.ref, m.want()); !errors.Is(err, vault.ErrNoTenant) {
		t.Errorf("no tenant's Open = %v, want ErrNoTenant", err)
	}
	// Not even a segment put into the other's place can be read there.
	for _, suffix := range []string{".seg", ".key"} {
		name := "/seg/" + m.ref.Segment.String() + suffix
		copyObject(t, b.blobs, "tenants/"+b.tenant.String()+name, "tenants/"+other.String()+name)
	}
	if _, err := b.Open(t.Context(), other, m.ref, m.want()); !errors.Is(err, vault.ErrCorrupt) {
		t.Errorf("Open of a smuggled segment = %v, want ErrCorrupt", err)
	}
}

func copyObject(t *testing.T, s blob.Store, from, to string) {
	t.Helper()
	b := readObject(t, s, from)
	if err := s.Put(t.Context(), to, bytes.NewReader(b), int64(len(b))); err != nil {
		t.Fatal(err)
	}
}

func readObject(t testing.TB, s blob.Store, key string) []byte {
	t.Helper()
	o, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	b := make([]byte, o.Size())
	if _, err := o.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return b
}
