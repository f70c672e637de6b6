package eventlog

import (
	"encoding/base64"
	"fmt"
)

// Bounds of proofs: a path is at most twice as long as a number has bits.
const (
	maxHashes = 128
	maxProof  = maxReceipt + 64<<10 // bytes of a file
)

// Formats of the files.
const (
	consistencyFormat = "muniment consistency proof 1"
	inclusionFormat   = "muniment inclusion proof 1"
)

// ConsistencyProof is a proof in a file: that the log of size To begins with the
// log of size From.
type ConsistencyProof struct {
	Origin   string
	From, To int64
	Hashes   []Hash
}

type consistencyFile struct {
	Format string   `json:"format"`
	Origin string   `json:"origin"`
	From   int64    `json:"from"`
	To     int64    `json:"to"`
	Hashes []string `json:"hashes"`
}

// Encode returns the one form of the proof, as Receipt.Encode does.
func (p *ConsistencyProof) Encode() ([]byte, error) {
	return encodeFile(consistencyFile{consistencyFormat, p.Origin, p.From, p.To, hashTexts(p.Hashes)})
}

// ParseConsistencyProof reads what Encode wrote. It proves nothing yet.
func ParseConsistencyProof(b []byte) (*ConsistencyProof, error) {
	var f consistencyFile
	if err := parseFile(b, &f, maxProof); err != nil {
		return nil, fmt.Errorf("consistency proof: %w", err)
	}
	hashes, err := parseHashes(f.Hashes)
	if err == nil && f.Format != consistencyFormat {
		err = fmt.Errorf("%w: want the format %q", ErrFormat, consistencyFormat)
	}
	if err != nil {
		return nil, fmt.Errorf("consistency proof: %w", err)
	}
	return &ConsistencyProof{Origin: f.Origin, From: f.From, To: f.To, Hashes: hashes}, nil
}

// InclusionProof is a proof in a file: that an event is in the log of a signed
// checkpoint.
type InclusionProof struct {
	Leaf    string // canonical JSON of the leaf
	Hashes  []Hash
	Receipt *Receipt // of the log that the event is in
}

type inclusionFile struct {
	Format  string      `json:"format"`
	Leaf    string      `json:"leaf"`
	Hashes  []string    `json:"hashes"`
	Receipt receiptFile `json:"receipt"`
}

// Encode returns the one form of the proof, as Receipt.Encode does.
func (p *InclusionProof) Encode() ([]byte, error) {
	changes := p.Receipt.KeyChanges
	if changes == nil {
		changes = []string{}
	}
	return encodeFile(inclusionFile{inclusionFormat, p.Leaf, hashTexts(p.Hashes),
		receiptFile{receiptFormat, p.Receipt.Checkpoint, p.Receipt.Key, changes, p.Receipt.EvidenceRecord}})
}

// ParseInclusionProof reads what Encode wrote. It proves nothing yet: see Check.
func ParseInclusionProof(b []byte) (*InclusionProof, error) {
	var f inclusionFile
	if err := parseFile(b, &f, maxProof); err != nil {
		return nil, fmt.Errorf("inclusion proof: %w", err)
	}
	hashes, err := parseHashes(f.Hashes)
	if err == nil && (f.Format != inclusionFormat || f.Receipt.Format != receiptFormat || f.Receipt.KeyChanges == nil || len(f.Receipt.KeyChanges) > maxSuccessor) {
		err = fmt.Errorf("%w: want the format %q", ErrFormat, inclusionFormat)
	}
	if err != nil {
		return nil, fmt.Errorf("inclusion proof: %w", err)
	}
	return &InclusionProof{Leaf: f.Leaf, Hashes: hashes, Receipt: &Receipt{Checkpoint: f.Receipt.Checkpoint, Key: f.Receipt.Key,
		KeyChanges: f.Receipt.KeyChanges, EvidenceRecord: f.Receipt.EvidenceRecord}}, nil
}

// Check returns the event and the checkpoint if the signature holds and the event
// is in the log of the checkpoint.
func (p *InclusionProof) Check() (*Leaf, *OpenReceipt, error) {
	r, err := p.Receipt.Open()
	if err != nil {
		return nil, nil, err
	}
	l, err := p.CheckAgainst(r)
	return l, r, err
}

// CheckAgainst returns the event if it is in the log of the checkpoint r, which is that
// of p.Receipt and was opened before: many proofs share one.
func (p *InclusionProof) CheckAgainst(r *OpenReceipt) (*Leaf, error) {
	l, err := ParseLeaf([]byte(p.Leaf))
	if err != nil {
		return nil, err
	}
	_, tenant, err := splitOrigin(r.Origin)
	if err != nil {
		return nil, err
	}
	if l.Tenant != tenant {
		return nil, fmt.Errorf("event of another log: %w", ErrProof)
	}
	return l, CheckInclusion(r.Head, l.Seq, []byte(p.Leaf), p.Hashes)
}

func hashTexts(list []Hash) []string {
	out := make([]string, len(list))
	for i, h := range list {
		out[i] = base64.StdEncoding.EncodeToString(h[:])
	}
	return out
}

func parseHashes(list []string) ([]Hash, error) {
	if len(list) > maxHashes {
		return nil, fmt.Errorf("%w: %d hashes", ErrFormat, len(list))
	}
	var out []Hash
	for _, s := range list {
		b, err := base64.StdEncoding.Strict().DecodeString(s)
		if err != nil || len(b) != len(Hash{}) {
			return nil, fmt.Errorf("%w: hash %.50q", ErrFormat, s)
		}
		out = append(out, Hash(b))
	}
	return out, nil
}
