package evidence

import (
	"bytes"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"
)

// Limits of a metadata member.
const (
	maxMetadata   = 16 << 20 // bytes; an envelope can have ten thousand recipients
	maxParts      = 4096     // members listed
	metadataLabel = "muniment-metadata-1"
)

// SaltSize is the length of the salt in bytes.
const SaltSize = 16

// Metadata is the second member of the group of an archived version (ERS-1):
// what the archive knew about the object when it came. Its bytes, as Encode
// writes them, are kept and hashed; the salt in them makes that nobody can guess
// the hashes next to it in a tree, nor confirm the content of something deleted.
type Metadata struct {
	AOID     string    // archive object id
	Version  int64     // of the object, from 1
	Tenant   string    // id
	Source   string    // id; "" if there is none
	Arrived  time.Time // when the archive took it; UTC, microseconds at most
	Dated    time.Time // the date the object itself bears; zero if none
	Envelope Envelope
	Class    string        // retention class at that time; "" if none
	Members  []MetadataSum // the other members of the group
	Salt     [SaltSize]byte
}

// Envelope is how a message was handed over.
type Envelope struct {
	From string   `json:"from"`
	To   []string `json:"to"`
}

// MetadataSum is a member of the group: its role ("message", "journal report")
// and what it is.
type MetadataSum struct {
	Name   string
	Size   int64
	SHA512 [sha512.Size]byte
}

// document is the JSON of Metadata.
type document struct {
	Format   string     `json:"format"`
	AOID     string     `json:"aoid"`
	Version  int64      `json:"version"`
	Tenant   string     `json:"tenant"`
	Source   string     `json:"source"`
	Arrived  string     `json:"arrived"`
	Dated    string     `json:"dated"`
	Envelope Envelope   `json:"envelope"`
	Class    string     `json:"class"`
	Members  []docEntry `json:"members"`
	Salt     hexBytes   `json:"salt"`
}

type docEntry struct {
	Name   string   `json:"name"`
	Size   int64    `json:"size"`
	SHA512 hexBytes `json:"sha512"`
}

// hexBytes are written in lower-case hexadecimal digits.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(b []byte) error {
	_, err := fmt.Sscanf(string(b), "%x", (*[]byte)(h))
	return err
}

// Encode returns the only form of m: JSON by RFC 8785, UTF-8, no line end. Text
// that is not UTF-8 is an error, for it would be altered. It is made for every message
// that is archived, so it is written member by member, in the order of their names.
func (m *Metadata) Encode() ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("metadata member: %w", err)
	}
	var b bytes.Buffer
	b.Grow(512 + 256*len(m.Members) + 48*len(m.Envelope.To))
	text := func(name, value string) {
		b.WriteString(name)
		canonicalString(&b, value)
	}
	text(`{"aoid":`, m.AOID)
	text(`,"arrived":`, timeText(m.Arrived))
	text(`,"class":`, m.Class)
	text(`,"dated":`, timeText(m.Dated))
	text(`,"envelope":{"from":`, m.Envelope.From)
	b.WriteString(`,"to":[`)
	for i, to := range m.Envelope.To {
		text(separator(i), to)
	}
	text(`]},"format":`, metadataLabel)
	b.WriteString(`,"members":[`)
	for i, x := range m.Members {
		text(separator(i)+`{"name":`, x.Name)
		fmt.Fprintf(&b, `,"sha512":"%x","size":%d}`, x.SHA512, x.Size)
	}
	fmt.Fprintf(&b, `],"salt":"%x"`, m.Salt)
	text(`,"source":`, m.Source)
	text(`,"tenant":`, m.Tenant)
	fmt.Fprintf(&b, `,"version":%d}`, m.Version)
	if b.Len() > maxMetadata {
		return nil, fmt.Errorf("metadata member: %d bytes, the limit is %d", b.Len(), maxMetadata)
	}
	return b.Bytes(), nil
}

// separator is what stands before element i of an array.
func separator(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

func (m *Metadata) check() error {
	for _, s := range append([]string{m.AOID, m.Tenant, m.Source, m.Envelope.From, m.Class}, m.Envelope.To...) {
		if !utf8.ValidString(s) {
			return fmt.Errorf("%q is not UTF-8", s)
		}
	}
	for _, x := range m.Members {
		if !utf8.ValidString(x.Name) || x.Size < 0 || x.Size > maxInteger {
			return fmt.Errorf("member %q of %d bytes", x.Name, x.Size)
		}
	}
	switch {
	case m.AOID == "" || m.Tenant == "" || m.Version < 1 || m.Version > maxInteger:
		return errors.New("without id, tenant or version")
	case m.Salt == [SaltSize]byte{}:
		return errors.New("without salt")
	case len(m.Members) < 1 || len(m.Members) > maxParts:
		return fmt.Errorf("%d other members, there must be 1 to %d", len(m.Members), maxParts)
	case m.Arrived.IsZero():
		return errors.New("without a time of arrival")
	}
	return nil
}

// timeText writes a time in UTC with microseconds; "" for none.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse("2006-01-02T15:04:05.000000Z", s)
}

// ParseMetadata reads what Encode wrote, and nothing else: a text that Encode
// would write differently is an error.
func ParseMetadata(b []byte) (*Metadata, error) {
	if len(b) > maxMetadata {
		return nil, fmt.Errorf("metadata member: %d bytes, the limit is %d", len(b), maxMetadata)
	}
	var d document
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return nil, fmt.Errorf("metadata member: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("metadata member: more than one value")
	}
	if d.Format != metadataLabel {
		return nil, fmt.Errorf("metadata member: format %q, only %s is known", d.Format, metadataLabel)
	}
	m := &Metadata{AOID: d.AOID, Version: d.Version, Tenant: d.Tenant, Source: d.Source, Envelope: d.Envelope, Class: d.Class}
	var err, err2 error
	m.Arrived, err = parseTime(d.Arrived)
	m.Dated, err2 = parseTime(d.Dated)
	if err := errors.Join(err, err2); err != nil {
		return nil, fmt.Errorf("metadata member: %w", err)
	}
	if copy(m.Salt[:], d.Salt) != SaltSize || len(d.Salt) != SaltSize {
		return nil, fmt.Errorf("metadata member: salt of %d bytes", len(d.Salt))
	}
	for _, x := range d.Members {
		s := MetadataSum{Name: x.Name, Size: x.Size}
		if len(x.SHA512) != sha512.Size {
			return nil, fmt.Errorf("metadata member: hash of %d bytes", len(x.SHA512))
		}
		copy(s.SHA512[:], x.SHA512)
		m.Members = append(m.Members, s)
	}
	again, err := m.Encode()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, b) {
		return nil, errors.New("metadata member: not in its canonical form")
	}
	return m, nil
}
