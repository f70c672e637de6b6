package importer

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
)

// checkpointFormat is the first field of the first line of a checkpoint file.
const checkpointFormat = "muniment-import-2"

// checkpoint remembers which items the archive has confirmed: one JSON line for
// each in a file for the source, appended after the confirmation. A line that a
// crash cut short, or that got lost, costs one more offer of its item.
//
// A file that has another size, time of change or inode than then is offered
// again.
// The checkpoint belongs to the archive it was made with: it must not outlive
// a restore of an older backup, so it is to be kept in the data directory.
type checkpoint struct {
	name string // empty: nothing is remembered
	done map[[16]byte]struct{}

	mu   sync.Mutex
	file *os.File
}

type checkpointHead struct {
	Format string `json:"format"`
	Tenant string `json:"tenant"`
	Source string `json:"source"`
}

type checkpointLine struct {
	Key string `json:"k"`
}

// openCheckpoint reads what an interrupted run left, and goes on writing it.
func openCheckpoint(cfg Config) (*checkpoint, error) {
	c := &checkpoint{done: map[[16]byte]struct{}{}}
	if cfg.State == "" || cfg.DryRun {
		return c, nil
	}
	if err := os.MkdirAll(cfg.State, 0o700); err != nil {
		return nil, fmt.Errorf("import checkpoint: %w", err)
	}
	c.name = filepath.Join(cfg.State, "import-"+cfg.Source.String()+".jsonl")
	head := checkpointHead{checkpointFormat, cfg.Tenant.String(), cfg.Source.String()}
	same, err := c.load(head)
	if err != nil {
		return nil, fmt.Errorf("import checkpoint: %w", err)
	}
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if !same {
		flags |= os.O_TRUNC
	}
	if c.file, err = os.OpenFile(c.name, flags, 0o600); err != nil {
		return nil, fmt.Errorf("import checkpoint: %w", err)
	}
	if same {
		_, err = c.file.WriteString("\n") // ends a line that was cut short
	} else {
		err = c.append(head)
	}
	if err != nil {
		return nil, fmt.Errorf("import checkpoint: %w", errors.Join(err, c.file.Close()))
	}
	return c, nil
}

// load reports whether the file is there and begins with head; then it knows
// its items.
func (c *checkpoint) load(head checkpointHead) (bool, error) {
	f, err := os.Open(c.name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	var got checkpointHead
	if !s.Scan() || json.Unmarshal(s.Bytes(), &got) != nil || got != head {
		if errors.Is(s.Err(), bufio.ErrTooLong) {
			return false, nil
		}
		return false, s.Err()
	}
	for s.Scan() {
		var l checkpointLine
		var key [16]byte
		if json.Unmarshal(s.Bytes(), &l) != nil || len(l.Key) != 2*len(key) {
			continue
		}
		if _, err := hex.Decode(key[:], []byte(l.Key)); err == nil {
			c.done[key] = struct{}{}
		}
	}
	if errors.Is(s.Err(), bufio.ErrTooLong) { // damaged, as by a crash of the system
		clear(c.done)
		return false, nil
	}
	return true, s.Err()
}

// key stands for an item at a path in a state.
func key(f found) [16]byte {
	b := fmt.Appendf(nil, "%s\x00%s\x00%d\x00%d\x00%d", f.path, f.origin, f.fileSize, f.mtime, f.inode)
	if f.place != "" { // names in archives need not be unique
		b = fmt.Appendf(b, "\x00%s", f.place)
	}
	sum := sha256.Sum256(b)
	return [16]byte(sum[:16])
}

// has reports whether an interrupted run has brought the item to the archive.
func (c *checkpoint) has(f found) bool {
	if len(c.done) == 0 {
		return false
	}
	_, ok := c.done[key(f)]
	return ok
}

// add remembers an item that the archive has confirmed.
func (c *checkpoint) add(f found) error {
	if c.file == nil {
		return nil
	}
	k := key(f)
	return c.append(checkpointLine{hex.EncodeToString(k[:])})
}

func (c *checkpoint) append(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err = c.file.Write(append(b, '\n')) // one write: lines of two runs do not mix
	return err
}

// close ends the remembering; after a run that has seen everything the file has
// done its work.
func (c *checkpoint) close(finished bool) error {
	if c.file == nil {
		return nil
	}
	err := c.file.Close()
	if finished {
		err = errors.Join(err, os.Remove(c.name))
	}
	return err
}
