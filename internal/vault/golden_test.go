package vault_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/blob/file"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// golden is an archive of format version 1. It must never be written again: it
// stands for those that users have. A new version gets a directory of its own.
const golden = "testdata/golden"

func readExpected(t *testing.T) expected {
	t.Helper()
	var want expected
	f, err := os.Open(filepath.Join(golden, "expected.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err == nil {
		err = json.NewDecoder(z).Decode(&want)
	}
	if err != nil {
		t.Fatal(err)
	}
	return want
}

// expected is what the golden archive gives back.
type expected struct {
	Tenant      [16]byte
	Description string
	Segments    [][16]byte
	Messages    []expectedMessage
	Erased      [][16]byte
}

type expectedMessage struct {
	AOID    [16]byte
	Segment [16]byte
	Frame   uint32
	Raw     []byte
	Meta    string
	Records []string
}

func TestFormat(t *testing.T) {
	t.Parallel()
	want := readExpected(t)
	o, description, err := openTenant(golden, want.Tenant)
	if err != nil || description != want.Description {
		t.Fatalf("tenant: %q, %v", description, err)
	}
	var all []outsiderFrame
	seen := map[byte]int{}
	for _, id := range want.Segments {
		frames, err := o.segment(id)
		if err != nil {
			t.Fatalf("segment %s: %v", writtenID(id[:]), err)
		}
		all = append(all, frames...)
	}
	messages, records := map[[16]byte]outsiderFrame{}, map[[16]byte][]string{}
	for _, f := range all {
		seen[f.kind]++
		switch {
		case f.erased:
		case f.kind == 1:
			if err := o.assemble(&f); err != nil {
				t.Errorf("message %x: %v", f.aoid, err)
			}
			messages[f.aoid] = f
		case f.kind == 3:
			records[f.aoid] = append(records[f.aoid], string(f.stream))
		}
	}
	for kind := range byte(4) {
		if seen[kind+1] == 0 {
			t.Errorf("no frame of kind %d", kind+1)
		}
	}
	for _, m := range want.Messages {
		got := messages[m.AOID]
		if !bytes.Equal(got.content, m.Raw) || string(got.meta) != m.Meta || fmt.Sprint(records[m.AOID]) != fmt.Sprint(m.Records) {
			t.Errorf("message %x: %d bytes of %d, meta %q, records %q", m.AOID, len(got.content), len(m.Raw), got.meta, records[m.AOID])
		}
		delete(messages, m.AOID)
	}
	if len(messages) != 0 || len(want.Erased) == 0 {
		t.Errorf("%d messages more than expected", len(messages))
	}
}

// This release reads what the first one wrote.
func TestGolden(t *testing.T) {
	t.Parallel()
	want := readExpected(t)
	b := newBox(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(golden)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "instance.key")
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if b.cfg.Keys, err = vault.LoadKeyring(path); err != nil {
		t.Fatal(err)
	}
	blobs, err := file.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	defer blobs.Close()
	b.cfg.Blobs, b.tenant = blobs, want.Tenant
	b.reopen()
	err = b.Tenants(t.Context(), func(info vault.TenantInfo, err error) error {
		if err != nil || info.ID != b.tenant || string(info.Data) != want.Description {
			t.Errorf("tenant %s: %q, %v", info.ID, info.Data, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, id := range want.Segments {
		err := b.Scan(t.Context(), b.tenant, id, func(e vault.Entry) error {
			if e.Frame.Kind == vault.KindPart {
				b.parts.set(b.tenant, e.Frame.SHA256, e.Frame.Ref)
			}
			return e.Err
		})
		if err != nil {
			t.Error(err)
		}
	}
	var msgs []stored
	for _, m := range want.Messages {
		msgs = append(msgs, stored{ref: vault.Ref{Segment: m.Segment, Frame: m.Frame}, aoid: m.AOID, raw: m.Raw, meta: []byte(m.Meta)})
	}
	b.wantRead(msgs...)
	b.wantClean()
	b.compact(msgs)
	b.wantRead(msgs...)
}

var writeGolden = flag.String("write-golden", "", "write a new golden archive to this directory")

// TestWriteGolden makes a golden archive, for a new version of the format.
func TestWriteGolden(t *testing.T) {
	if *writeGolden == "" {
		return
	}
	b := newBox(t)
	info := vault.TenantInfo{ID: b.tenant, Data: []byte(`{"slug":"golden","name":"Golden Ltd","zone":"Europe/Berlin","created_at":"2026-01-01T00:00:00Z"}`)}
	if err := b.UpdateTenant(t.Context(), info); err != nil {
		t.Fatal(err)
	}
	var dicts []string
	for _, m := range thread(12) {
		dicts = append(dicts, m+"The same long sentence stands in each of these, so that there is something to share.\r\n")
	}
	compacted := b.store(dicts...)
	b.compact(compacted)
	msgs := b.store(goldenMails()...)
	record := `{"v":1,"note":"later"}`
	seg, err := b.Write(t.Context(), b.tenant, nil, []vault.Record{{AOID: msgs[2].aoid, Data: []byte(record)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Erase(t.Context(), b.tenant, []vault.Ref{msgs[8].ref, compacted[5].ref}); err != nil {
		t.Fatal(err)
	}
	want := expected{Tenant: b.tenant, Description: string(info.Data), Erased: [][16]byte{msgs[8].aoid, compacted[5].aoid}}
	for _, id := range []uid.ID{compacted[0].ref.Segment, msgs[0].ref.Segment, seg.ID} {
		want.Segments = append(want.Segments, id)
	}
	for _, m := range append(compacted, msgs...) {
		if m.aoid == msgs[8].aoid || m.aoid == compacted[5].aoid {
			continue
		}
		e := expectedMessage{AOID: m.aoid, Segment: m.ref.Segment, Frame: m.ref.Frame, Raw: m.raw, Meta: string(m.meta)}
		if m.aoid == msgs[2].aoid {
			e.Records = []string{record}
		}
		want.Messages = append(want.Messages, e)
	}
	var text bytes.Buffer
	z := gzip.NewWriter(&text)
	err = errors.Join(json.NewEncoder(z).Encode(want), z.Close())
	if err == nil {
		err = os.CopyFS(*writeGolden, os.DirFS(b.dir))
	}
	if err == nil {
		err = os.RemoveAll(filepath.Join(*writeGolden, "blobs", ".tmp"))
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(*writeGolden, "expected.json.gz"), text.Bytes(), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// goldenMails are messages of every form; number 2 gets a record, 8 is erased.
func goldenMails() []string {
	table := strings.Repeat("name;street;town\r\nAda;Main Street 1;London\r\n", 400)
	return []string{
		"", "x",
		mail("text", "Hello.\r\n"),
		mail("LF, 60", wrap(noise(1, 300), 60, "\n")),
		mail("stream", wrap([]byte(table[:2000]), 76, "\r\n"), wrap([]byte(table[:2001]), 64, "\r\n")),
		mail("raw", wrap(noise(2, 401), 76, "\r\n"), wrap(noise(3, 402), 77, "\r\n")),
		mail("part", wrap([]byte(table), 76, "\r\n")),
		mail("part again, and raw", wrap([]byte(table), 72, "\n"), wrap(noise(4, 200), 76, "\r\n"), "end"),
		mail("erased", "This is gone."),
		mail("large", strings.Repeat("A line that is repeated until the message is large.\r\n", 22_000)),
	}
}
