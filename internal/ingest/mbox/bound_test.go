package mbox

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"
)

// repeated is an endless file of one piece, of which size bytes exist.
type repeated struct {
	piece string // several kilobytes, a whole number of repetitions
	size  int64
}

func repeat(piece string, size int64) repeated {
	return repeated{strings.Repeat(piece, 1+(64<<10)/len(piece)), size}
}

func (r repeated) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) && off < r.size {
		at := int(off % int64(len(r.piece)))
		m := copy(p[n:], r.piece[at:])
		m = int(min(int64(m), r.size-off))
		n, off = n+m, off+int64(m)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// TestBounds reads files that are made to be slow or to fill the memory.
func TestBounds(t *testing.T) {
	const (
		size    = 4 << 20
		slowest = 20 * time.Second // ten times what is usual
		most    = 8 << 20          // bytes of memory allocated at the end and not before
	)
	for name, piece := range map[string]string{
		"separators":               sep,
		"almost separators":        "From \n",
		"almost separators, empty": "\nFrom a b c d e f g h i j k l m n o p q r s t u v w x y z\n",
		"lengths":                  sep + "Content-Length: 1\n\nx\n\n",
		"false lengths":            sep + "Content-Length: 100000\n\nx\n\n",
		"quotes":                   sep + ">>>>>>>>>>>>>>>>>>>>>>>>>From \n",
		"empty lines":              "From a\n\n",
		"long lines":               sep + strings.Repeat("x", 300_000) + "\n",
		"fields without end":       sep + "A: b\n",
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			started := time.Now()
			var r *Reader
			for v := range names {
				r = NewReader(repeat(piece, size), size, Variant(v))
				for {
					_, err := r.Next()
					if errors.Is(err, io.EOF) || errors.Is(err, ErrNotMbox) {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					if _, err := io.Copy(io.Discard, r); err != nil {
						t.Fatal(err)
					}
				}
			}
			took := time.Since(started)
			runtime.GC()
			runtime.ReadMemStats(&after)
			runtime.KeepAlive(r)
			if took > slowest {
				t.Errorf("took %v", took)
			}
			if after.HeapAlloc > before.HeapAlloc+most {
				t.Errorf("%d bytes of memory are held", after.HeapAlloc-before.HeapAlloc)
			}
			t.Logf("%v for %d times %d MB", took, len(names), size>>20)
		})
	}
}
