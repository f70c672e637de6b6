package eventlog

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"slices"
)

// Bounds of a receipt.
const (
	maxReceipt   = 4 << 20 // bytes; the evidence record is the most of it
	maxSuccessor = 1000    // changes of keys
)

// receiptFormat stands in every receipt.
const receiptFormat = "muniment receipt 1"

// Receipt is a checkpoint with what is needed to check it, in a file to be handed
// out: whoever holds one can find out later whether the log was changed before it.
// Everything it says is in the signed checkpoint.
type Receipt struct {
	// Checkpoint is the signed note.
	Checkpoint string
	// Key signed it (VerifierKey).
	Key string
	// KeyChanges are the signed successions of the installation's keys, oldest
	// first, up to Key.
	KeyChanges []string
	// EvidenceRecord is an RFC 4998 record over the bytes of Checkpoint; nil until
	// there is one. This package does not look into it.
	EvidenceRecord []byte
}

type receiptFile struct {
	Format         string   `json:"format"`
	Checkpoint     string   `json:"checkpoint"`
	Key            string   `json:"key"`
	KeyChanges     []string `json:"key_changes"`
	EvidenceRecord []byte   `json:"evidence_record"`
}

// Encode returns the one form of the receipt: JSON of these members, in this
// order, indented by two spaces, with a line feed at the end.
func (r *Receipt) Encode() ([]byte, error) {
	changes := r.KeyChanges
	if changes == nil {
		changes = []string{}
	}
	return encodeFile(receiptFile{receiptFormat, r.Checkpoint, r.Key, changes, r.EvidenceRecord})
}

// ParseReceipt reads what Encode wrote, also with the line ends of other systems.
// It verifies nothing: see Open.
func ParseReceipt(b []byte) (*Receipt, error) {
	var f receiptFile
	if err := parseFile(b, &f, maxReceipt); err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	if f.Format != receiptFormat || f.KeyChanges == nil || len(f.KeyChanges) > maxSuccessor {
		return nil, fmt.Errorf("receipt: %w: want the format %q", ErrFormat, receiptFormat)
	}
	if len(f.KeyChanges) == 0 {
		f.KeyChanges = nil
	}
	return &Receipt{Checkpoint: f.Checkpoint, Key: f.Key, KeyChanges: f.KeyChanges, EvidenceRecord: f.EvidenceRecord}, nil
}

// encodeFile is the form of all our JSON files.
func encodeFile(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// parseFile reads a file into v and requires that it is in the form in which
// encodeFile writes it. So there is one file for one content, and no byte of it
// can be changed without changing what it says.
func parseFile[T any](b []byte, v *T, limit int) error {
	if len(b) > limit {
		return fmt.Errorf("%w: %d bytes", ErrFormat, len(b))
	}
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	again, err := encodeFile(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, b) {
		return fmt.Errorf("%w: it was changed after it was written", ErrFormat)
	}
	return nil
}

// OpenReceipt is a receipt whose signatures hold.
type OpenReceipt struct {
	Checkpoint
	Key ed25519.PublicKey
	// keys are all keys of the installation that the receipt tells of, oldest
	// first, Key being the last.
	keys []ed25519.PublicKey
}

// Open verifies the signature of the checkpoint and of every change of keys. It
// does not tell whose key it is: whoever holds the installation's key from
// elsewhere compares it, see Compare.
func (r *Receipt) Open() (*OpenReceipt, error) {
	name, key, err := ParseVerifierKey(r.Key)
	if err != nil {
		return nil, fmt.Errorf("receipt: %w: %w", ErrFormat, err)
	}
	c, err := OpenCheckpoint(r.Checkpoint, key)
	if err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	if c.Origin != name {
		return nil, fmt.Errorf("receipt: %w: the key is of another log", ErrSignature)
	}
	instance, _, err := splitOrigin(c.Origin)
	if err != nil {
		return nil, err
	}
	o := &OpenReceipt{Checkpoint: *c, Key: key}
	for _, signed := range r.KeyChanges {
		s, err := OpenSuccession(signed)
		if err != nil {
			return nil, fmt.Errorf("receipt: %w", err)
		}
		if s.Instance != instance || len(o.keys) > 0 && !bytes.Equal(o.keys[len(o.keys)-1], s.Old) {
			return nil, fmt.Errorf("receipt: %w: the changes of keys do not follow each other", ErrSignature)
		}
		if len(o.keys) == 0 {
			o.keys = append(o.keys, s.Old)
		}
		o.keys = append(o.keys, s.New)
	}
	if len(o.keys) == 0 {
		o.keys = append(o.keys, key)
	} else if !bytes.Equal(o.keys[len(o.keys)-1], key) {
		return nil, fmt.Errorf("receipt: %w: the changes of keys do not lead to its key", ErrSignature)
	}
	return o, nil
}

// Knows reports whether a key is that of the receipt, or one that it follows.
func (o *OpenReceipt) Knows(key ed25519.PublicKey) bool {
	return slices.ContainsFunc(o.keys, func(k ed25519.PublicKey) bool { return bytes.Equal(k, key) })
}
