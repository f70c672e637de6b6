// Package checkpoint remembers which items of a run the archive has confirmed, so that
// a run that was interrupted does not offer them again: one JSON line for each in a
// file, appended after the confirmation. A line that a crash cut short, or that got
// lost, costs one more offer of its item.
//
// A checkpoint belongs to the archive it was made with: it must not outlive a restore
// of an older backup, so it is to be kept in the data directory. It is no proof of
// anything.
package checkpoint

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/muniment/muniment/internal/uid"
)

// Key stands for an item.
type Key [16]byte

// KeyOf makes a key of all that makes an item what it is.
func KeyOf(b []byte) Key {
	sum := sha256.Sum256(b)
	return Key(sum[:len(Key{})])
}

// Head is the first line of the file: what is remembered holds for nothing else.
type Head struct {
	Format string `json:"format"` // changes when keys are made of other things
	Tenant string `json:"tenant"`
	Source string `json:"source"`
}

// HeadOf is the head for a source of a tenant.
func HeadOf(format string, tenant, source uid.ID) Head {
	return Head{format, tenant.String(), source.String()}
}

type line struct {
	Key string `json:"k"`
}

// File is a checkpoint. The zero value remembers nothing. Its methods may be called
// concurrently, Close last.
type File struct {
	done map[Key]struct{} // of earlier runs

	mu   sync.Mutex
	file *os.File
}

// Open reads what an interrupted run left in the file called name, if it has the same
// head, and goes on writing it; again begins anew. The directory is made if it is not
// there.
func Open(name string, head Head, again bool) (*File, error) {
	c := &File{done: map[Key]struct{}{}}
	if err := c.open(name, head, again); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return c, nil
}

func (c *File) open(name string, head Head, again bool) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	same := false
	if !again {
		var err error
		if same, err = c.load(name, head); err != nil {
			return err
		}
	}
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if !same {
		clear(c.done)
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(name, flags, 0o600)
	if err != nil {
		return err
	}
	c.file = f
	if same {
		_, err = f.WriteString("\n") // ends a line that was cut short
	} else {
		err = c.append(head)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	return nil
}

// load reads what earlier runs have done. False: there is nothing that can be used.
func (c *File) load(name string, head Head) (bool, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	var got Head
	if s.Scan() && (json.Unmarshal(s.Bytes(), &got) != nil || got != head) {
		return false, nil
	}
	for s.Scan() {
		var l line
		var key Key
		if json.Unmarshal(s.Bytes(), &l) != nil || len(l.Key) != 2*len(key) {
			continue
		}
		if _, err := hex.Decode(key[:], []byte(l.Key)); err == nil {
			c.done[key] = struct{}{}
		}
	}
	if errors.Is(s.Err(), bufio.ErrTooLong) { // damaged, as by a crash of the system
		return false, nil
	}
	return got == head, s.Err()
}

// Has reports whether the archive has confirmed the item in an earlier run.
func (c *File) Has(k Key) bool {
	_, ok := c.done[k]
	return ok
}

// Add remembers an item that the archive has confirmed. It is not synced.
func (c *File) Add(k Key) error {
	if c.file == nil {
		return nil
	}
	return c.append(line{hex.EncodeToString(k[:])})
}

func (c *File) append(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err = c.file.Write(append(b, '\n')) // one write: lines of two runs do not mix
	return err
}

// Close ends the remembering; with remove the file has done its work.
func (c *File) Close(remove bool) error {
	if c.file == nil {
		return nil
	}
	err := c.file.Close()
	if remove {
		err = errors.Join(err, os.Remove(c.file.Name()))
	}
	return err
}
