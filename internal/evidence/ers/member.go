package ers

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/muniment/muniment/internal/evidence/algo"
)

// ErrNoHash is returned by Data that are known by hash values only, and not by
// the one that is asked for.
var ErrNoHash = errors.New("the hash value is not known")

// Data is one byte string that a record covers.
type Data interface {
	// Sum returns the hash of the data, or ErrNoHash.
	Sum(algo.Hash) ([]byte, error)
}

// Member is a data object under the name that findings give it.
type Member struct {
	Name string
	Data Data
}

// Bytes are data in memory.
type Bytes []byte

// Sum returns the hash.
func (b Bytes) Sum(h algo.Hash) ([]byte, error) { return h.Sum(b), nil }

// File is the path of a file, which is read anew for each hash.
type File string

// Sum reads the file.
func (f File) Sum(h algo.Hash) ([]byte, error) {
	r, err := os.Open(string(f))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	w := h.New()
	if _, err := io.Copy(w, r); err != nil {
		return nil, fmt.Errorf("read %s: %w", string(f), err)
	}
	return w.Sum(nil), nil
}

// Digests are data of which only hash values are known.
type Digests map[algo.Hash][]byte

// Sum returns the value, or ErrNoHash.
func (d Digests) Sum(h algo.Hash) ([]byte, error) {
	if v, ok := d[h]; ok {
		return v, nil
	}
	return nil, fmt.Errorf("%v: %w", h, ErrNoHash)
}
