package vault

import (
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/muniment/muniment/internal/uid"
)

// dictKey names a dictionary in the cache.
type dictKey struct {
	segmentKey
	frame int
}

type dictionary struct{ dec *zstd.Decoder }

// dictionary returns a dictionary of a segment, from the cache or from its frame.
func (v *Vault) dictionary(s *openSegment, o io.ReaderAt, n int) (*dictionary, error) {
	k := dictKey{segmentKey{s.tenant, s.id}, n}
	if d, ok := v.dicts.get(k); ok {
		return d, nil
	}
	f, key := s.frames[n], s.keys[n]
	if key == nil {
		return nil, errors.New("its key is missing")
	}
	if f.size > maxDict {
		return nil, errPlain
	}
	b, err := v.readBare(source{
		id: frameID{s.tenant, f.kind, uid.ID{}}, key: key, size: f.size, stored: f.stored,
		sealed: io.NewSectionReader(o, f.off, f.stored),
	})
	if err != nil {
		return nil, err
	}
	dec, err := newSmallDecoder(b)
	if err != nil {
		return nil, errDecode
	}
	d := &dictionary{dec}
	v.dicts.put(k, d, int64(len(b)))
	return d, nil
}
