package ers

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/der"
)

// Limits of a record. After 30 years a record of ours has about 30 stamps and
// 150 KB.
const (
	MaxRecord = 32 << 20 // bytes
	maxChains = 64
	maxStamps = 256 // in one chain
	maxLists  = 256 // in one reduced hash tree; a binary one of 2^64 leaves has 65
	maxValues = 1 << 18
)

// Record is an EvidenceRecord.
type Record struct {
	Hashes []algo.Hash // digestAlgorithms, as far as they are supported
	Chains []Chain     // the archive time-stamp sequence, oldest first

	version     int
	cryptoInfos bool
	encryption  bool
	unsupported []error // hashes that are listed and not supported
}

// Chain is an ArchiveTimeStampChain, oldest stamp first.
type Chain []Stamp

// Stamp is an ArchiveTimeStamp.
type Stamp struct {
	Hash  algo.Hash  // digestAlgorithm; zero if it is left out
	Tree  [][][]byte // reducedHashtree; nil if there is none
	Token []byte     // the time-stamp token, as it is

	raw        []byte // as it was read
	attributes bool
	hashErr    error
}

func contextTag(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }

// ParseRecord reads a record strictly. Errors are of CodeMalformed, CodeTooLarge
// or CodeVersion. The record keeps b; tokens are not looked into.
func ParseRecord(b []byte) (*Record, error) {
	if len(b) > MaxRecord {
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d", CodeTooLarge, len(b), MaxRecord)
	}
	if err := der.Check(b); err != nil {
		return nil, fmt.Errorf("%w: %w", CodeMalformed, err)
	}
	r := &Record{}
	if err := r.parse(cryptobyte.String(b)); err != nil {
		if errors.Is(err, CodeTooLarge) || errors.Is(err, CodeVersion) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", CodeMalformed, err)
	}
	return r, nil
}

func (r *Record) parse(s cryptobyte.String) error {
	var in, algs, id, chains, chain cryptobyte.String
	if !s.ReadASN1(&in, cbasn1.SEQUENCE) || !in.ReadASN1Integer(&r.version) {
		return errors.New("no evidence record")
	}
	if r.version < 1 { // RFC 4998 §3.1: to be rejected
		return fmt.Errorf("version %d, the least is 1", r.version)
	}
	if r.version != 1 {
		return fmt.Errorf("%w: %d, only version 1 is known", CodeVersion, r.version)
	}
	if !in.ReadASN1(&algs, cbasn1.SEQUENCE) {
		return errors.New("digestAlgorithms")
	}
	for !algs.Empty() {
		if !algs.ReadASN1(&id, cbasn1.SEQUENCE) {
			return errors.New("digestAlgorithms")
		}
		h, err := algo.ReadHashID(id)
		switch {
		case err == nil:
			r.Hashes = append(r.Hashes, h)
		case errors.Is(err, algo.ErrUnsupported) && len(r.unsupported) < maxChains:
			r.unsupported = append(r.unsupported, err)
		default:
			return fmt.Errorf("digestAlgorithms: %w", err)
		}
	}
	var skip cryptobyte.String
	if !in.ReadOptionalASN1(&skip, &r.cryptoInfos, contextTag(0)) || !in.ReadOptionalASN1(&skip, &r.encryption, contextTag(1)) ||
		!in.ReadASN1(&chains, cbasn1.SEQUENCE) || !in.Empty() {
		return errors.New("archiveTimeStampSequence")
	}
	values := 0
	for !chains.Empty() {
		if !chains.ReadASN1(&chain, cbasn1.SEQUENCE) {
			return errors.New("archiveTimeStampChain")
		}
		c, err := parseChain(chain, &values)
		if err != nil {
			return fmt.Errorf("chain %d: %w", len(r.Chains), err)
		}
		if r.Chains = append(r.Chains, c); len(r.Chains) > maxChains {
			return fmt.Errorf("%w: more than %d chains", CodeTooLarge, maxChains)
		}
	}
	if len(r.Chains) == 0 {
		return errors.New("no archive time-stamp chain")
	}
	return nil
}

func parseChain(s cryptobyte.String, values *int) (Chain, error) {
	var c Chain
	for !s.Empty() {
		var raw, in cryptobyte.String
		if !s.ReadASN1Element(&raw, cbasn1.SEQUENCE) {
			return nil, errors.New("archiveTimeStamp")
		}
		t := Stamp{raw: raw}
		if !raw.ReadASN1(&in, cbasn1.SEQUENCE) {
			return nil, errors.New("archiveTimeStamp")
		}
		if err := t.parse(in, values); err != nil {
			return nil, fmt.Errorf("stamp %d: %w", len(c), err)
		}
		if c = append(c, t); len(c) > maxStamps {
			return nil, fmt.Errorf("%w: more than %d stamps", CodeTooLarge, maxStamps)
		}
	}
	if len(c) == 0 {
		return nil, errors.New("no archive time stamp")
	}
	return c, nil
}

func (t *Stamp) parse(in cryptobyte.String, values *int) error {
	var part, token cryptobyte.String
	var has bool
	if !in.ReadOptionalASN1(&part, &has, contextTag(0)) {
		return errors.New("digestAlgorithm")
	}
	if has {
		t.Hash, t.hashErr = algo.ReadHashID(part)
		if t.hashErr != nil && !errors.Is(t.hashErr, algo.ErrUnsupported) {
			return t.hashErr
		}
	}
	if !in.ReadOptionalASN1(&part, &t.attributes, contextTag(1)) {
		return errors.New("attributes")
	}
	if !in.ReadOptionalASN1(&part, &has, contextTag(2)) {
		return errors.New("reducedHashtree")
	}
	if has {
		if err := t.parseTree(part, values); err != nil {
			return err
		}
	}
	if !in.ReadASN1Element(&token, cbasn1.SEQUENCE) || !in.Empty() {
		return errors.New("timeStamp")
	}
	t.Token = token
	return nil
}

func (t *Stamp) parseTree(part cryptobyte.String, values *int) error {
	t.Tree = [][][]byte{}
	for !part.Empty() {
		var list, value cryptobyte.String
		if !part.ReadASN1(&list, cbasn1.SEQUENCE) {
			return errors.New("partialHashtree")
		}
		var l [][]byte
		for !list.Empty() {
			if !list.ReadASN1(&value, cbasn1.OCTET_STRING) {
				return errors.New("partialHashtree")
			}
			l = append(l, value)
			if *values++; *values > maxValues {
				return fmt.Errorf("%w: more than %d hash values", CodeTooLarge, maxValues)
			}
		}
		if t.Tree = append(t.Tree, l); len(t.Tree) > maxLists {
			return fmt.Errorf("%w: more than %d lists in a hash tree", CodeTooLarge, maxLists)
		}
	}
	return nil
}

// bytes writes the stamp; what was read is written as it was.
func (t Stamp) bytes(b *cryptobyte.Builder) {
	if t.raw != nil {
		b.AddBytes(t.raw)
		return
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(t.Hash.OID()) })
		if len(t.Tree) > 0 {
			b.AddASN1(contextTag(2), func(b *cryptobyte.Builder) {
				for _, list := range t.Tree {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						for _, v := range list {
							b.AddASN1OctetString(v)
						}
					})
				}
			})
		}
		b.AddBytes(t.Token)
	})
}

// sequence writes ArchiveTimeStampSequence with the chains.
func sequence(b *cryptobyte.Builder, chains []Chain) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, c := range chains {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, t := range c {
					t.bytes(b)
				}
			})
		}
	})
}

// sequenceBytes returns the DER of the sequence, which a hash-tree renewal hashes.
func sequenceBytes(chains []Chain) ([]byte, error) {
	var b cryptobyte.Builder
	sequence(&b, chains)
	return b.Bytes()
}

// Marshal writes the record in the profile of this package: every hash of the
// chains is listed once, in the order of its first use.
func (r *Record) Marshal() ([]byte, error) {
	if len(r.Chains) == 0 {
		return nil, errors.New("evidence record without a time stamp")
	}
	var hashes []algo.Hash
	seen := map[algo.Hash]bool{}
	for _, c := range r.Chains {
		for _, t := range c {
			if t.Hash == (algo.Hash{}) {
				return nil, errors.New("evidence record: a stamp does not name its hash")
			}
			if !seen[t.Hash] {
				seen[t.Hash] = true
				hashes = append(hashes, t.Hash)
			}
		}
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, h := range hashes {
				h.AppendID(b)
			}
		})
		sequence(b, r.Chains)
	})
	return b.Bytes()
}
