package vault

import (
	"container/list"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// codec compresses and decompresses without dictionaries, safely for concurrent
// use. Frames carry no zstd check sum: their encryption is a better one.
type codec struct {
	enc *zstd.Encoder // for EncodeAll, at the level of ingest
	dec *zstd.Decoder // for DecodeAll of small streams
}

func newCodec() (*codec, error) {
	// Ingest must keep up with the mail; the compactor compresses again.
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0)))
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	dec, err := newSmallDecoder(nil)
	if err != nil {
		return nil, err
	}
	return &codec{enc: enc, dec: dec}, nil
}

// newSmallDecoder makes a decoder for streams of at most maxInMemory bytes.
func newSmallDecoder(dict []byte) (*zstd.Decoder, error) {
	opts := []zstd.DOption{
		zstd.WithDecoderConcurrency(runtime.GOMAXPROCS(0)),
		zstd.WithDecoderMaxMemory(maxInMemory),
		zstd.WithDecoderMaxWindow(maxWindow),
	}
	if dict != nil {
		opts = append(opts, zstd.WithDecoderDicts(dict))
	}
	d, err := zstd.NewReader(nil, opts...)
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	return d, nil
}

// newStreamEncoder makes an encoder for a large stream. It takes about 20 MiB.
func newStreamEncoder(w io.Writer) (*zstd.Encoder, error) {
	return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(1<<20))
}

// newStreamDecoder makes a decoder for a large stream.
func newStreamDecoder(r io.Reader) (*zstd.Decoder, error) {
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(math.MaxInt64), zstd.WithDecoderMaxWindow(maxWindow))
}

// compress returns the codec byte and the stream for plain; out is used for it.
func (c *codec) compress(out, plain []byte) (byte, []byte) {
	if len(plain) == 0 {
		return codecPlain, nil
	}
	z := c.enc.EncodeAll(plain, out[:0])
	if len(z) >= len(plain) {
		return codecPlain, plain
	}
	return codecZstd, z
}

var (
	errCodec  = errors.New("it is compressed by an unknown method")
	errDecode = errors.New("it cannot be decompressed")
)

// decompress undoes compress for streams of at most maxInMemory bytes.
func decompress(d *zstd.Decoder, kind byte, stream []byte) ([]byte, error) {
	switch kind {
	case codecPlain:
		return stream, nil
	case codecZstd:
		plain, err := d.DecodeAll(stream, nil)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errDecode, err)
		}
		return plain, nil
	}
	return nil, errCodec
}

// lru keeps values up to a total weight; the least recently used go first. Safe
// for concurrent use.
type lru[K comparable, V any] struct {
	mu     sync.Mutex
	limit  int64
	weight int64
	order  *list.List
	items  map[K]*list.Element
	gone   func(V) // called for what leaves, may be nil
}

type lruItem[K comparable, V any] struct {
	key    K
	val    V
	weight int64
}

func newLRU[K comparable, V any](limit int64, gone func(V)) *lru[K, V] {
	return &lru[K, V]{limit: limit, order: list.New(), items: map[K]*list.Element{}, gone: gone}
}

func (c *lru[K, V]) get(k K) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[k]
	if !ok {
		return v, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*lruItem[K, V]).val, true
}

func (c *lru[K, V]) put(k K, v V, weight int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.items[k]; ok {
		c.remove(e)
	}
	c.items[k] = c.order.PushFront(&lruItem[K, V]{k, v, weight})
	c.weight += weight
	for c.weight > c.limit && c.order.Len() > 1 {
		c.remove(c.order.Back())
	}
}

func (c *lru[K, V]) remove(e *list.Element) {
	it := c.order.Remove(e).(*lruItem[K, V])
	delete(c.items, it.key)
	c.weight -= it.weight
	if c.gone != nil {
		c.gone(it.val)
	}
}

// drop removes what match says.
func (c *lru[K, V]) drop(match func(K) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, e := range c.items {
		if match(k) {
			c.remove(e)
		}
	}
}
