package archive

import (
	"encoding/hex"
	"encoding/json"

	"github.com/muniment/muniment/internal/catalog"
)

// metadataMember makes the metadata of a message, in canonical JSON.
func metadataMember(row *catalog.Message, rec *record, report *reportSums) ([]byte, error) {
	type member struct {
		Name   string `json:"name"`
		Size   int64  `json:"size"`
		SHA512 string `json:"sha512"`
	}
	c := &rec.Capture
	m := map[string]any{"v": 1, "aoid": row.AOID, "version": firstVersion, "tenant": row.Tenant, "source": c.Source, "received_at": receivedText(c.ReceivedAt),
		"from": c.From, "to": c.To, "class": rec.Class, "salt": rec.Salt}
	members := []member{{memberOriginal, row.Size, hex.EncodeToString(row.SHA512[:])}}
	if report != nil {
		members = append(members, member{memberReport, report.size, hex.EncodeToString(report.sha512[:])})
	}
	m["members"] = members
	return json.Marshal(m)
}
