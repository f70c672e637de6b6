package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence"
)

// metadataMember makes the metadata of a message, in canonical form, of what the
// vault's record keeps for ever: nothing that is parsed, and nothing that rules or
// people can change later.
func metadataMember(row *catalog.Message, rec *record, report *reportSums) ([]byte, error) {
	c := &rec.Capture
	m := evidence.Metadata{AOID: row.AOID.String(), Version: firstVersion, Tenant: row.Tenant.String(), Source: c.Source.ID.String(), Arrived: c.ReceivedAt.UTC(),
		Envelope: evidence.Envelope{From: c.From, To: c.To}, Class: rec.Class,
		Members: []evidence.MetadataSum{{Name: memberOriginal, Size: row.Size, SHA512: row.SHA512}}}
	if v := rec.version(); v != nil {
		if err := v.describe(&m); err != nil {
			return nil, fmt.Errorf("message %s: %w", row.AOID, err)
		}
	}
	if report != nil {
		m.Members = append(m.Members, evidence.MetadataSum{Name: memberReport, Size: report.size, SHA512: report.sha512})
	}
	if rec.Document != nil {
		if day, err := time.Parse(time.DateOnly, rec.Document.Date); err == nil {
			m.Dated = day
		}
	}
	salt, err := hex.DecodeString(rec.Salt)
	switch {
	case err == nil && len(salt) == len(m.Salt):
		copy(m.Salt[:], salt)
	case rec.Salt == "": // a record of an early release
		sum := sha256.Sum256([]byte("muniment metadata salt 1\x00" + c.Key))
		copy(m.Salt[:], sum[:])
	default:
		return nil, fmt.Errorf("message %s: its salt %q is not 32 hexadecimal digits", row.AOID, rec.Salt)
	}
	return m.Encode()
}
