package eventlog

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is a node of a tree: 32 bytes of SHA-256.
type Hash = tlog.Hash

// ErrLeaf is returned (wrapped) for a leaf that must not be logged or is not
// in canonical form.
var ErrLeaf = errors.New("not a leaf of the event log")

// Bounds of a leaf, so that nobody's mail or name finds its way in.
const (
	maxField = 160
	maxLeaf  = 6*maxField + 256 // the texts, two numbers and the members' names
	maxExact = 1 << 53          // JSON numbers are exact below
)

// leafVersion stands in every leaf.
const leafVersion = 1

// Leaf is what the log keeps of an event for ever. It holds no personal data:
// every text is made of letters, digits and . : _ / + = - only, so neither an
// address nor a subject fits in. What an event tells about people is in its
// details, of which the leaf has only a salted hash, and which can therefore be
// deleted while the log stays provable.
type Leaf struct {
	Seq     int64  // position in the log, from 0
	Time    int64  // UTC milliseconds since 1970
	Tenant  string // identifier
	Type    string // e.g. "message.stored"
	Actor   string // pseudonym, e.g. "user:<id>"
	Object  string // identifier or empty
	Digest  string // salted hash of the object's content, or empty
	Details string // DetailsHash or empty
}

// Encode returns the canonical form: JSON as RFC 8785 (JCS) writes it, all
// members present and in alphabetical order.
//
//	{"actor":"…","details":"…","digest":"…","object":"…","seq":0,"tenant":"…","time":0,"type":"…","v":1}
func (l *Leaf) Encode() ([]byte, error) {
	if l.Seq < 0 || l.Seq >= maxExact || l.Time <= -maxExact || l.Time >= maxExact {
		return nil, fmt.Errorf("%w: number out of range", ErrLeaf)
	}
	if l.Tenant == "" || l.Type == "" || l.Actor == "" {
		return nil, fmt.Errorf("%w: tenant, type and actor are required", ErrLeaf)
	}
	b := make([]byte, 0, 384)
	for _, f := range [...]struct{ open, value string }{
		{`{"actor":"`, l.Actor}, {`","details":"`, l.Details}, {`","digest":"`, l.Digest}, {`","object":"`, l.Object},
	} {
		if err := plain(f.value); err != nil {
			return nil, err
		}
		b = append(append(b, f.open...), f.value...)
	}
	if err := errors.Join(plain(l.Tenant), plain(l.Type)); err != nil {
		return nil, err
	}
	b = strconv.AppendInt(append(b, `","seq":`...), l.Seq, 10)
	b = append(append(b, `,"tenant":"`...), l.Tenant...)
	b = strconv.AppendInt(append(b, `","time":`...), l.Time, 10)
	b = append(append(b, `,"type":"`...), l.Type...)
	b = strconv.AppendInt(append(b, `","v":`...), leafVersion, 10)
	return append(b, '}'), nil
}

// plain refuses what could be personal data or would need escaping in JSON.
func plain(s string) error {
	if len(s) > maxField {
		return fmt.Errorf("%w: value of %d bytes, at most %d are allowed", ErrLeaf, len(s), maxField)
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.', c == ':', c == '_', c == '/', c == '+', c == '=', c == '-':
		default:
			return fmt.Errorf("%w: character %q is not allowed", ErrLeaf, c)
		}
	}
	return nil
}

// ParseLeaf reads what Encode wrote, and nothing else: there is exactly one
// encoding of a leaf.
func ParseLeaf(b []byte) (*Leaf, error) {
	if len(b) > maxLeaf {
		return nil, fmt.Errorf("%w: %d bytes", ErrLeaf, len(b))
	}
	var in struct {
		Leaf
		V int `json:"v"`
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLeaf, err)
	}
	l := in.Leaf
	again, err := l.Encode()
	if err != nil {
		return nil, err
	}
	if string(again) != string(b) {
		return nil, fmt.Errorf("%w: not in canonical form", ErrLeaf)
	}
	return &l, nil
}

// LeafHash is the hash of an encoded leaf: SHA-256(0x00 ‖ leaf).
func LeafHash(encoded []byte) Hash { return tlog.RecordHash(encoded) }

// SaltSize is the length of the salt of a DetailsHash in bytes.
const SaltSize = 16

// DetailsHash binds details into a leaf: hexadecimal SHA-256 over the salt and,
// by ascending name, each name and value behind its length in eight bytes, big
// endian. The salt is kept beside the details and deleted with them; then nobody
// can find them by guessing. No details have the empty hash.
func DetailsHash(salt [SaltSize]byte, details map[string]string) string {
	if len(details) == 0 {
		return ""
	}
	h := sha256.New()
	h.Write(salt[:])
	var size [8]byte
	write := func(s string) {
		binary.BigEndian.PutUint64(size[:], uint64(len(s)))
		h.Write(size[:])
		h.Write([]byte(s))
	}
	for _, name := range slices.Sorted(maps.Keys(details)) {
		write(name)
		write(details[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}
