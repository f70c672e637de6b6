package archive

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// TestMetadataMember pins the bytes for ever: evidence records hash them.
func TestMetadataMember(t *testing.T) {
	t.Parallel()
	id := func(b byte) (u uid.ID) { u[0], u[15] = 1, b; return u }
	row := &catalog.Message{Tenant: id(1), AOID: id(2), Size: 5, SHA512: sha512.Sum512([]byte("hello"))}
	rec := &record{Version: recordVersion, Class: DefaultClass, Salt: "000102030405060708090a0b0c0d0e0f", Capture: captureRecord{ID: id(3), Source: sourceRecord{ID: id(4), Kind: "journal", Name: "Journal"},
		ReceivedAt: time.Date(2026, 3, 2, 10, 1, 0, 123e6, time.UTC), From: "anna@example.com", To: []string{"bernd@example.com", "\"ü<&>\"@example.com"}, Key: hex.EncodeToString(make([]byte, 32))}}
	report := &reportSums{sha512: sha512.Sum512([]byte("report")), size: 6}
	b, err := metadataMember(row, rec, report)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"aoid":"04000000000000000000000008","arrived":"2026-03-02T10:01:00.123000Z","class":"unclassified","dated":"","envelope":{"from":"anna@example.com","to":["bernd@example.com","\"ü<&>\"@example.com"]},"format":"muniment-metadata-1","members":[{"name":"original","sha512":"9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca72323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043","size":5},{"name":"report","sha512":"4e67d7194cf6de9f6202d68155164f7c424fae559d46fc8180bc3388c2a151f8351183a44dcc99b9af1608dcdd3213f2b5105bdab3371082f6cb2e52bbdf4fb1","size":6}],"salt":"000102030405060708090a0b0c0d0e0f","source":"0400000000000000000000000g","tenant":"04000000000000000000000004","version":1}`
	if string(b) != want {
		t.Errorf("metadata:\n%s\nwant\n%s", b, want)
	}
	// The same from the record as it comes back from the vault, also for bytes that
	// are no UTF-8.
	rec.Capture.From = "a\xff\xfe@example.com"
	meta, err := rec.encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := setMembers(row, rec, meta); err != nil {
		t.Fatal(err)
	}
	again, err := decodeRecord(meta)
	if err != nil {
		t.Fatal(err)
	}
	b, err = metadataMember(row, again, nil)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(b); string(row.Members) != string(sum[:]) {
		t.Error("the metadata of a record that comes back are others")
	}
}
