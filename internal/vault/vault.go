package vault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/uid"
)

// Finder is the part of the catalog the vault needs: where the parts rest that
// messages of a tenant share. It must be safe for concurrent use.
type Finder interface {
	// FindPart reports where the part with this SHA-256 of its decoded bytes
	// rests. It must know every part of every segment whose Write or Compact
	// has been committed to the catalog.
	FindPart(ctx context.Context, tenant uid.ID, sum Sum) (Ref, bool, error)
}

// Config is what a Vault is built from. All fields but Now are needed.
type Config struct {
	Blobs blob.Store
	Keys  *Keyring
	Parts Finder
	// Spool is a directory for the encrypted frames of large objects between
	// Prepare and Write, and for segments the compactor is making. It is made if
	// it is missing. Nothing in it is ever plaintext, and nothing has a name
	// where the system lets files be without one.
	Spool string
	Now   func() time.Time // default: time.Now
}

// Limits of what is kept in memory.
const (
	maxCachedFrames = 200_000  // entries of indexes and keys, about 100 bytes each
	maxCachedDicts  = 64 << 20 // bytes of dictionaries
	// maxCacheAge is how long another process may still read what has been
	// erased.
	maxCacheAge = time.Minute
)

// Vault keeps objects. All methods are safe for concurrent use unless they say
// otherwise.
type Vault struct {
	blobs blob.Store
	keys  *Keyring
	parts Finder
	spool string
	now   func() time.Time
	codec *codec
	cache *lru[segmentKey, *openSegment]
	dicts *lru[dictKey, *dictionary]

	erasures atomic.Int64 // counts key objects replaced, before they leave the cache

	mu      sync.Mutex
	tenants map[uid.ID]tenantKey
	erasing map[uid.ID]*sync.Mutex // by tenant: key objects are read and replaced
}

// Open checks the configuration and prepares the spool directory.
func Open(cfg Config) (*Vault, error) {
	if cfg.Blobs == nil || cfg.Keys == nil || cfg.Parts == nil || cfg.Spool == "" {
		return nil, errors.New("open vault: incomplete configuration")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if err := os.MkdirAll(cfg.Spool, 0o700); err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	c, err := newCodec()
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	return &Vault{
		blobs: cfg.Blobs, keys: cfg.Keys, parts: cfg.Parts, spool: cfg.Spool, now: cfg.Now,
		codec:   c,
		cache:   newLRU[segmentKey, *openSegment](maxCachedFrames, nil),
		dicts:   newLRU[dictKey, *dictionary](maxCachedDicts, nil),
		tenants: map[uid.ID]tenantKey{},
		erasing: map[uid.ID]*sync.Mutex{},
	}, nil
}

// segmentKey names a segment in the cache.
type segmentKey struct{ tenant, segment uid.ID }

// openSegment is a segment's index with its keys.
type openSegment struct {
	*index
	keys []*frameKey // nil for what is erased
	read time.Time
}

// segment returns the index and the keys of a segment.
func (v *Vault) segment(ctx context.Context, tenant, segment uid.ID) (*openSegment, error) {
	k := segmentKey{tenant, segment}
	if s, ok := v.cache.get(k); ok && v.now().Sub(s.read) < maxCacheAge {
		return s, nil
	}
	for {
		before := v.erasures.Load()
		s, err := v.readSegment(ctx, tenant, segment)
		if err != nil {
			return nil, err
		}
		v.cache.put(k, s, int64(len(s.frames))+1)
		if v.erasures.Load() == before {
			return s, nil
		}
		v.forget(tenant, segment) // keys may have gone while they were read
	}
}

func (v *Vault) readSegment(ctx context.Context, tenant, segment uid.ID) (*openSegment, error) {
	key, err := v.tenantKey(ctx, tenant)
	if err != nil {
		return nil, err
	}
	read := v.now()
	name := segmentObject(tenant, segment)
	o, err := v.blobs.Open(ctx, name)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, fmt.Errorf("segment %s: %w", segment, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	defer o.Close()
	x, err := readIndex(o, o.Size(), &key, tenant, segment)
	if trouble(err) {
		return nil, fmt.Errorf("read segment %s: %w", segment, err)
	}
	if err != nil {
		return nil, &CorruptError{Object: name, Ref: Ref{Segment: segment}, NoFrame: true, What: err.Error()}
	}
	keys, err := v.readKeys(ctx, &key, x)
	if err != nil {
		return nil, err
	}
	return &openSegment{index: x, keys: keys, read: read}, nil
}

// readKeys reads the key object of a segment.
func (v *Vault) readKeys(ctx context.Context, key *tenantKey, x *index) ([]*frameKey, error) {
	name := keysObject(x.tenant, x.id)
	corrupt := func(what string) error {
		return &CorruptError{Object: name, Ref: Ref{Segment: x.id}, NoFrame: true, What: what}
	}
	b, err := v.readWhole(ctx, name, int64(maxKeys))
	if errors.Is(err, blob.ErrNotFound) {
		return nil, corrupt("the segment is there and its keys are missing")
	}
	if errors.Is(err, ErrTooLarge) {
		return nil, corrupt("too large for a key object")
	}
	if err != nil {
		return nil, fmt.Errorf("read keys of segment: %w", err)
	}
	keys, err := openKeys(key, x.tenant, x.id, b)
	if err != nil {
		return nil, corrupt(err.Error())
	}
	if len(keys) != len(x.frames) {
		return nil, corrupt(fmt.Sprintf("%d keys for %d frames", len(keys), len(x.frames)))
	}
	return keys, nil
}

// entry returns one frame of a segment and its key.
func (s *openSegment) entry(n uint32) (frameEntry, *frameKey, error) {
	ref := Ref{Segment: s.id, Frame: n}
	if int64(n) >= int64(len(s.frames)) {
		return frameEntry{}, nil, fmt.Errorf("frame %s: %w", ref, ErrNotFound)
	}
	if s.keys[n] == nil {
		return frameEntry{}, nil, fmt.Errorf("frame %s: %w", ref, ErrErased)
	}
	return s.frames[n], s.keys[n], nil
}

// corrupt makes a *CorruptError of what is wrong with a frame, unless err is
// one, or no statement about what is stored.
func (s *openSegment) corrupt(n uint32, err error) error {
	if err == nil || errors.Is(err, ErrCorrupt) || errors.Is(err, ErrErased) {
		return err // it names its own place
	}
	if trouble(err) {
		return fmt.Errorf("read frame %d of segment %s: %w", n, s.id, err)
	}
	return &CorruptError{
		Object: segmentObject(s.tenant, s.id), Ref: Ref{Segment: s.id, Frame: n},
		AOID: s.frames[n].aoid, What: err.Error(),
	}
}

// trouble reports whether err is about reading and not about what was read.
func trouble(err error) bool {
	var e *storeError
	return errors.As(err, &e) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
