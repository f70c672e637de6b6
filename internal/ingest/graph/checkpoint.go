package graph

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
const checkpointFormat = "muniment-graph-1"

// checkpoint remembers which messages the archive has confirmed: one JSON line for
// each, appended after the confirmation. A line that a crash cut short, or that got
// lost, costs one more fetch of its message. It belongs to the archive it was made
// with: it must not outlive a restore of an older backup.
type checkpoint struct {
	mu   sync.Mutex
	done map[[16]byte]struct{}
	file *os.File // nil: nothing is kept
}

type checkpointHead struct {
	Format string `json:"format"`
	Tenant string `json:"tenant"`
	Source string `json:"source"`
}

type checkpointLine struct {
	Key string `json:"k"`
}

func openCheckpoint(cfg Config) (*checkpoint, error) {
	c := &checkpoint{done: map[[16]byte]struct{}{}}
	if cfg.State == "" || cfg.DryRun {
		return c, nil
	}
	if err := c.open(cfg); err != nil {
		return nil, fmt.Errorf("graph checkpoint: %w", err)
	}
	return c, nil
}

func (c *checkpoint) open(cfg Config) error {
	if err := os.MkdirAll(cfg.State, 0o700); err != nil {
		return err
	}
	name := filepath.Join(cfg.State, "graph-"+cfg.Source.String()+".jsonl")
	head := checkpointHead{checkpointFormat, cfg.Tenant.String(), cfg.Source.String()}
	same := false
	if !cfg.Again {
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
	if same {
		_, err = f.WriteString("\n") // ends a line that was cut short
	} else {
		err = json.NewEncoder(f).Encode(head)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	c.file = f
	return nil
}

// load reads what earlier runs have done. False: there is nothing that can be used.
func (c *checkpoint) load(name string, head checkpointHead) (bool, error) {
	f, err := os.Open(name)
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
		return false, nil
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
		return false, nil
	}
	return true, s.Err()
}

// key stands for a message of a mailbox.
func key(user, id string) [16]byte {
	sum := sha256.Sum256([]byte(user + "\x00" + id))
	return [16]byte(sum[:16])
}

func (c *checkpoint) has(k [16]byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.done[k]
	return ok
}

// add remembers a message that the archive has confirmed.
func (c *checkpoint) add(k [16]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file == nil {
		return nil
	}
	b, err := json.Marshal(checkpointLine{hex.EncodeToString(k[:])})
	if err == nil {
		_, err = c.file.Write(append(b, '\n')) // one write: lines do not mix
	}
	return err
}

func (c *checkpoint) close() error {
	if c.file == nil {
		return nil
	}
	return c.file.Close()
}
