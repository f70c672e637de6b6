package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/muniment/muniment/internal/uid"
)

// Bounds of a dictionary that the compactor makes.
const (
	// dictSize is its largest shared text, in bytes: more costs more than it saves
	// for a cluster of clusterSize.
	dictSize = 512 << 10
	// minDict is the smallest shared text that is worth a frame, in bytes.
	minDict = 256
	// dictSamples is the number of texts from which the tables are learned, and
	// on which it is tried whether the dictionary pays.
	dictSamples = 256
	// maxSample is how much of a sample is used, in bytes: the library takes
	// at most a block.
	maxSample = 64 << 10
	// dictID is the number in the frames that need a dictionary. Which one, the
	// index of the segment tells.
	dictID = 1
	// packWindow is the window of the compactor's encoders, in bytes: no text that
	// it compresses is larger.
	packWindow = 4 << 20
	// decoderWeight is what a decoder takes beside its dictionary, in bytes.
	decoderWeight = 512 << 10
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
	v.dicts.put(k, d, int64(len(b))+decoderWeight)
	return d, nil
}

// packer compresses for the compactor: as well as it can, with a dictionary that
// it has learned. It is not safe for concurrent use.
type packer struct {
	plain *zstd.Encoder
	dict  *zstd.Encoder
	dec   *zstd.Decoder // with the dictionary
	bare  *zstd.Decoder // without
}

func newPacker() (*packer, error) {
	// The best level takes 36 MiB and gains little on what has no dictionary.
	enc, err := newEncoder(zstd.SpeedBetterCompression)
	if err != nil {
		return nil, err
	}
	dec, err := newSmallDecoder(nil)
	return &packer{plain: enc, bare: dec}, err
}

func (p *packer) close() error {
	for _, e := range []*zstd.Encoder{p.plain, p.dict} {
		if e != nil {
			if err := e.Close(); err != nil {
				return fmt.Errorf("zstd: %w", err)
			}
		}
	}
	return nil
}

func newEncoder(level zstd.EncoderLevel, opts ...zstd.EOption) (*zstd.Encoder, error) {
	e, err := zstd.NewWriter(nil, append(opts, zstd.WithEncoderLevel(level),
		zstd.WithEncoderCRC(false), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(packWindow))...)
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	return e, nil
}

// learn makes a dictionary of what texts share and compresses with it from now on.
// It returns nil if it would not pay.
func (p *packer) learn(texts [][]byte) ([]byte, error) {
	p.dict, p.dec = nil, nil
	if len(texts) < minSharers {
		return nil, nil
	}
	shared := sharedText(texts, dictSize)
	if len(shared) < minDict {
		return nil, nil
	}
	b := buildDict(shared, samples(texts))
	if b == nil {
		return nil, nil
	}
	// A new encoder each time: one that changes its dictionary keeps its tables
	// twice, 70 MiB each.
	var err error
	if p.dict, err = newEncoder(zstd.SpeedBestCompression, zstd.WithEncoderDict(b)); err != nil {
		return nil, fmt.Errorf("zstd dictionary: %w", err)
	}
	if p.dec, err = newSmallDecoder(b); err != nil {
		return nil, err
	}
	if !p.pays(b, texts) {
		return nil, nil
	}
	return b, nil
}

// samples picks texts from all over.
func samples(texts [][]byte) [][]byte {
	step := (len(texts) + dictSamples - 1) / dictSamples
	var out [][]byte
	for i := 0; i < len(texts); i += step {
		if s := texts[i]; len(s) > 0 {
			out = append(out, s[:min(len(s), maxSample)])
		}
	}
	return out
}

// buildDict makes a dictionary in the zstd format (RFC 8878 §6). It returns nil
// if the library cannot: some texts are not orderly enough for its tables. That it
// panics is known of samples it does not expect; texts come from strangers, so it
// is given none of the chance to end the process.
func buildDict(shared []byte, samples [][]byte) (b []byte) {
	defer func() {
		if recover() != nil {
			b = nil
		}
	}()
	b, err := zstd.BuildDict(zstd.BuildDictOptions{
		ID: dictID, History: shared, Contents: samples, Offsets: [3]int{1, 4, 8},
		Level: zstd.SpeedBetterCompression, CompatV155: true,
	})
	if err != nil {
		return nil
	}
	return b
}

// pays tries a dictionary on some of the texts: it must save more than it takes.
func (p *packer) pays(dict []byte, texts [][]byte) bool {
	step := max(1, len(texts)/32)
	saved, tried, total := 0, 0, 0
	for i, t := range texts {
		total += len(t)
		if i%step == 0 {
			tried += len(t)
			saved += len(p.plain.EncodeAll(t, nil)) - len(p.dict.EncodeAll(t, nil))
		}
	}
	if tried == 0 {
		return false
	}
	_, z := p.compress(dict, false)
	return float64(saved)*float64(total)/float64(tried) > float64(len(z)+keySize+tagSize+16)
}

// compress returns the codec byte and the stream for plain.
func (p *packer) compress(plain []byte, dict bool) (byte, []byte) {
	e := p.plain
	if dict {
		e = p.dict
	}
	if len(plain) == 0 {
		return codecPlain, nil
	}
	if z := e.EncodeAll(plain, nil); len(z) < len(plain) {
		return codecZstd, z
	}
	return codecPlain, plain
}

// prove does what a reader will do and compares.
func (p *packer) prove(kind byte, stream, plain []byte, dict bool) error {
	d := p.bare
	if dict {
		d = p.dec
	}
	got, err := decompress(d, kind, stream)
	if err == nil && !bytes.Equal(got, plain) {
		err = errNotSame
	}
	return err
}
