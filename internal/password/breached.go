package password

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the lists are made so; nothing is protected by it
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	sumDigits = 2 * sha1.Size
	// maxLine bounds a line of the file: a sum, a colon and a count.
	maxLine = 128
	// maxSteps bounds a search: a file of 2^62 bytes takes 62.
	maxSteps = 80
)

// ErrBreachedList is returned (wrapped) for a file that is no ordered list of sums.
var ErrBreachedList = errors.New("want lines of a SHA-1 sum in 40 hexadecimal digits, ordered, with or without a colon and a count")

// Breached is a file of passwords that were leaked, as it can be downloaded: one
// password a line as its SHA-1 sum in hexadecimal digits, ordered by it, perhaps with a
// colon and a count behind. It is searched where it lies, whatever its size, and no
// password leaves the machine. It is safe for concurrent use.
type Breached struct {
	file io.ReaderAt
	size int64
	name string
}

// OpenBreached opens a list and looks at some lines of it. It stays open as long as
// the process lives.
func OpenBreached(path string) (*Breached, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("leaked passwords: %w", err)
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = errors.New("is no file")
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("leaked passwords %s: %w", path, err)
	}
	b := &Breached{file: f, size: st.Size(), name: path}
	if err := b.inspect(); err != nil {
		f.Close()
		return nil, err
	}
	return b, nil
}

// inspect compares lines from all over the file, which have to ascend.
func (b *Breached) inspect() error {
	const samples = 64
	if b.size == 0 {
		return fmt.Errorf("leaked passwords %s: is empty: %w", b.name, ErrBreachedList)
	}
	var last []byte
	for i := range int64(samples) {
		_, sum, err := b.line(b.size / samples * i)
		if err != nil {
			return err
		}
		if sum != nil && bytes.Compare(last, sum) > 0 {
			return fmt.Errorf("leaked passwords %s: is not ordered: %w", b.name, ErrBreachedList)
		}
		if sum != nil {
			last = sum
		}
	}
	return nil
}

// Has reports whether password is in the list.
func (b *Breached) Has(password string) (bool, error) {
	h := sha1.Sum([]byte(password)) //nolint:gosec // see above
	want := h[:]
	low, high := int64(0), b.size // the line, if there is one, begins in [low, high)
	for range maxSteps {
		if low >= high {
			return false, nil
		}
		mid := low + (high-low)/2
		end, sum, err := b.line(mid)
		if err != nil {
			return false, err
		}
		c := -1 // no line begins at mid or after
		if sum != nil {
			c = bytes.Compare(want, sum)
		}
		switch {
		case c == 0:
			return true, nil
		case c < 0:
			high = mid
		default:
			low = end
		}
	}
	return false, nil
}

// line returns the sum of the first line that begins at offset from or after, and
// where the line after it begins. The sum is nil if there is none.
func (b *Breached) line(from int64) (end int64, sum []byte, err error) {
	start := max(from-1, 0) // a line that begins at from has the end of another before it
	buf := make([]byte, 2*maxLine+1)
	n, err := b.file.ReadAt(buf, start)
	if err != nil && err != io.EOF {
		return 0, nil, fmt.Errorf("leaked passwords %s: %w", b.name, err)
	}
	buf = buf[:n]
	if from > 0 {
		i := bytes.IndexByte(buf, '\n')
		if i < 0 {
			if start+int64(n) >= b.size {
				return b.size, nil, nil
			}
			return 0, nil, fmt.Errorf("leaked passwords %s: long line at byte %d: %w", b.name, start, ErrBreachedList)
		}
		buf, start = buf[i+1:], start+int64(i)+1
	}
	if len(bytes.TrimSpace(buf)) == 0 {
		return b.size, nil, nil
	}
	line := buf
	end = start + int64(len(buf))
	if i := bytes.IndexByte(buf, '\n'); i >= 0 {
		line, end = buf[:i], start+int64(i)+1
	}
	digits, _, _ := bytes.Cut(bytes.TrimRight(line, "\r"), []byte(":"))
	sum = make([]byte, sha1.Size)
	if len(digits) != sumDigits {
		return 0, nil, fmt.Errorf("leaked passwords %s: line at byte %d: %w", b.name, start, ErrBreachedList)
	}
	if _, err := hex.Decode(sum, digits); err != nil {
		return 0, nil, fmt.Errorf("leaked passwords %s: line at byte %d: %w", b.name, start, ErrBreachedList)
	}
	return end, sum, nil
}
