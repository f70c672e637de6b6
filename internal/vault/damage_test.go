package vault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/vault"
)

// badDisk gives other bytes of one object than those that were stored.
type badDisk struct {
	blob.Store
	mu  sync.Mutex
	key string
	as  func(good []byte) []byte
}

func (d *badDisk) spoil(key string, as func([]byte) []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.key, d.as = key, as
}

func (d *badDisk) Open(ctx context.Context, key string) (blob.Object, error) {
	o, err := d.Store.Open(ctx, key)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil || key != d.key {
		return o, err
	}
	defer o.Close()
	b := make([]byte, o.Size())
	if _, err := o.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return memory{bytes.NewReader(d.as(b))}, nil
}

// memory is an object in memory.
type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// fragile is a box whose disk can be spoilt.
type fragile struct {
	*box
	disk *badDisk
	msgs []stored
	keys []string // of all objects of the segments
}

// newFragile stores messages as one segment, or as a compacted one with
// a dictionary.
func newFragile(t *testing.T, compacted bool, raws ...string) *fragile {
	t.Helper()
	b := newBox(t)
	f := &fragile{box: b, disk: &badDisk{Store: b.blobs}}
	b.cfg.Blobs = f.disk
	b.reopen()
	f.msgs = b.store(raws...)
	if compacted {
		b.compact(f.msgs)
	}
	err := b.blobs.List(t.Context(), "tenants/"+b.tenant.String()+"/seg/", func(i blob.Info) error {
		f.keys = append(f.keys, i.Key)
		return nil
	})
	if err != nil || len(f.keys) != 2 {
		t.Fatalf("objects %v, %v; want a segment and its keys", f.keys, err)
	}
	f.wantRead(f.msgs...)
	f.wantClean()
	return f
}

// wantFound makes sure that damage to an object is found by Check, and that a
// reader gets the right bytes or an error that names the object.
func (f *fragile) wantFound(key, how string) {
	f.t.Helper()
	f.reopen() // nothing is cached
	found := f.check()
	if !slices.ContainsFunc(found, func(err error) bool { return names(err, key) }) {
		f.t.Errorf("%s: Check finds %v", how, found)
	}
	f.reopen()
	for i, m := range f.msgs {
		got, err := f.read(m)
		if err == nil && bytes.Equal(got, m.raw) || err != nil && names(err, key) {
			continue
		}
		f.t.Errorf("%s: message %d = %.20q, %v", how, i, got, err)
	}
}

func names(err error, key string) bool {
	var c *vault.CorruptError
	return errors.As(err, &c) && errors.Is(err, vault.ErrCorrupt) && c.Object == key && strings.Contains(err.Error(), key)
}

func small() []string {
	return []string{mail("first", "Some text.\r\n"), mail("second", wrap(noise(5, 200), 76, "\r\n")), "third"}
}

func similar() []string {
	out := thread(12)
	for i, m := range out {
		out[i] = m[:min(len(m), 900)]
	}
	return out
}

// Every byte of a segment and of its keys, one after the other.
func TestFlippedByte(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*fragile{
		"plain":      newFragile(t, false, small()...),
		"dictionary": newFragile(t, true, similar()...),
	} {
		t.Run(name, func(t *testing.T) {
			f.t = t
			for _, key := range f.keys {
				size := len(readObject(t, f.blobs, key))
				for at := range size {
					f.disk.spoil(key, flip(at, 1<<(at%8)))
					f.wantFound(key, fmt.Sprintf("byte %d of %d of %s", at, size, filepath.Ext(key)))
				}
			}
		})
	}
}

func flip(at int, mask byte) func([]byte) []byte {
	return func(b []byte) []byte { b[at] ^= mask; return b }
}

// Samples of a segment with a part and a large message.
func TestFlippedByteOfLarge(t *testing.T) {
	t.Parallel()
	f := newFragile(t, false, mail("large", wrap(noise(6, 30<<10), 76, "\r\n"), strings.Repeat(string(noise(7, 4<<10)), 300)), mail("x", "y"))
	for _, key := range f.keys {
		size := len(readObject(t, f.blobs, key))
		for at := 0; at < size; at += 1 + size/150 {
			f.disk.spoil(key, flip(at, 0x10))
			f.wantFound(key, fmt.Sprintf("byte %d of %d", at, size))
		}
	}
}

// An object may end anywhere, or have more than it should.
func TestTruncated(t *testing.T) {
	t.Parallel()
	f := newFragile(t, false, small()...)
	for _, key := range f.keys {
		size := len(readObject(t, f.blobs, key))
		for n := range size {
			f.disk.spoil(key, func(b []byte) []byte { return b[:n] })
			f.wantFound(key, fmt.Sprintf("%d bytes of %d of %s", n, size, filepath.Ext(key)))
		}
		f.disk.spoil(key, func(b []byte) []byte { return append(b, 0) })
		f.wantFound(key, "one byte more in "+filepath.Ext(key))
		f.disk.spoil(key, func(b []byte) []byte { return append(b, b...) })
		f.wantFound(key, "twice "+filepath.Ext(key))
	}
}

// The place of an object is part of what is verified.
func TestExchanged(t *testing.T) {
	t.Parallel()
	f := newFragile(t, false, small()...)
	other := f.store(mail("another segment", "with other text"))[0]
	for _, key := range f.keys {
		name := strings.ReplaceAll(key, f.msgs[0].ref.Segment.String(), other.ref.Segment.String())
		b := readObject(t, f.blobs, name)
		f.disk.spoil(key, func([]byte) []byte { return b })
		f.wantFound(key, "another segment's "+filepath.Ext(key))
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	f := newFragile(t, false, small()...)
	keys := f.keys[slices.IndexFunc(f.keys, func(k string) bool { return strings.HasSuffix(k, ".key") })]
	if err := f.blobs.Delete(t.Context(), keys); err != nil {
		t.Fatal(err)
	}
	f.wantFound(keys, "no keys")
	var strays []vault.Stray
	if err := f.Strays(t.Context(), f.tenant, func(s vault.Stray) error { strays = append(strays, s); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(strays) != 1 || strays[0].Harmless {
		t.Errorf("strays = %+v, want one that is damage", strays)
	}
	if err := f.RemoveStray(t.Context(), strays[0]); err == nil {
		t.Error("RemoveStray removed a segment")
	}
}

func TestTenantKeyDamage(t *testing.T) {
	t.Parallel()
	f := newFragile(t, false, small()...)
	key := "tenants/" + f.tenant.String() + "/tenant.key"
	size := len(readObject(t, f.blobs, key))
	try := func(how string) {
		t.Helper()
		f.reopen()
		if err := f.CheckTenant(t.Context(), f.tenant); !names(err, key) {
			t.Errorf("%s: CheckTenant = %v", how, err)
		}
		if _, err := f.read(f.msgs[0]); !names(err, key) {
			t.Errorf("%s: read = %v", how, err)
		}
		err := f.Tenants(t.Context(), func(info vault.TenantInfo, err error) error {
			if info.ID != f.tenant || !names(err, key) {
				t.Errorf("%s: Tenants passes on %v, %v", how, info.ID, err)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: Tenants = %v", how, err)
		}
	}
	for at := range size {
		f.disk.spoil(key, flip(at, 1<<(at%8)))
		try(fmt.Sprintf("byte %d", at))
		f.disk.spoil(key, func(b []byte) []byte { return b[:at] })
		try(fmt.Sprintf("%d bytes", at))
	}
	f.disk.spoil(key, func(b []byte) []byte { return append(b, 0) })
	try("one byte more")
	f.disk.spoil(key, func(b []byte) []byte { return append(b, make([]byte, 1<<20)...) })
	try("a megabyte more")
}

func TestKeyringDamage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "instance.key")
	if _, err := vault.CreateKeyring(path); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.CreateKeyring(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("CreateKeyring over another = %v, want ErrExist", err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(b []byte, how string) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := vault.LoadKeyring(path)
		if !errors.Is(err, vault.ErrKeyFile) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), string(good[30:60])) {
			t.Errorf("%s: %v", how, err)
		}
	}
	for at := range good {
		for bit := range 8 {
			try(flip(at, 1<<bit)(slices.Clone(good)), fmt.Sprintf("bit %d of byte %d", bit, at))
		}
		try(good[:at], fmt.Sprintf("%d bytes", at))
	}
	try(append(slices.Clone(good), '\n'), "one byte more")
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.LoadKeyring(path); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	try(good, "readable by the group")
	if _, err := vault.LoadKeyring(filepath.Dir(path)); !errors.Is(err, vault.ErrKeyFile) {
		t.Errorf("a directory: %v", err)
	}
}

// With another instance key nothing opens.
func TestAnotherInstanceKey(t *testing.T) {
	t.Parallel()
	f := newFragile(t, false, small()...)
	var err error
	if f.cfg.Keys, err = vault.CreateKeyring(filepath.Join(f.dir, "another.key")); err != nil {
		t.Fatal(err)
	}
	f.reopen()
	if _, err := f.read(f.msgs[0]); !errors.Is(err, vault.ErrCorrupt) || !strings.Contains(err.Error(), "another instance key") {
		t.Errorf("read = %v", err)
	}
}

// Trouble with reading is not damage.
func TestReadTrouble(t *testing.T) {
	t.Parallel()
	f := newFragile(t, false, small()...)
	for _, key := range f.keys {
		f.cfg.Blobs = &deafDisk{Store: f.blobs, key: key}
		f.reopen()
		if _, err := f.read(f.msgs[0]); !errors.Is(err, errDeaf) || errors.Is(err, vault.ErrCorrupt) {
			t.Errorf("read = %v", err)
		}
		err := f.Check(t.Context(), f.tenant, f.msgs[0].ref.Segment, func(vault.Entry) error { return nil })
		if !errors.Is(err, errDeaf) || errors.Is(err, vault.ErrCorrupt) {
			t.Errorf("Check = %v", err)
		}
	}
}

var errDeaf = errors.New("the disk does not answer")

// deafDisk opens one object and cannot read it.
type deafDisk struct {
	blob.Store
	key string
}

func (d *deafDisk) Open(ctx context.Context, key string) (blob.Object, error) {
	o, err := d.Store.Open(ctx, key)
	if err == nil && key == d.key {
		o = deafObject{o}
	}
	return o, err
}

type deafObject struct{ blob.Object }

func (deafObject) ReadAt([]byte, int64) (int, error) { return 0, errDeaf }
