package archive_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/vault"
)

// withAttachment is a message whose attachment is stored once for all.
func withAttachment(subject string) []byte {
	part := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("Anhang, der in vielen Nachrichten steht. "), 1000))
	var b strings.Builder
	for ; len(part) > 76; part = part[76:] {
		b.WriteString(part[:76] + "\r\n")
	}
	return []byte("From: anna@example.com\r\nTo: bernd@example.com\r\nBcc: carla@example.com\r\nSubject: " + subject + "\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nText von " + subject +
		"\r\n--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		b.String() + part + "\r\n--b--\r\n")
}

// withMailbox makes a remote mailbox that has been fetched from.
func withMailbox(t *testing.T, e *archivetest.Env, tenant *catalog.Tenant) {
	t.Helper()
	admin := e.As(e.User(t, tenant, "admin", access.RoleTenantAdmin, "admin@example.com"))
	s, err := admin.CreateSource(t.Context(), archive.SourceDraft{Kind: archive.KindMailbox, Name: "Postfach", Settings: []byte(`{"host":"mail.example.com"}`), Secret: []byte("secret")})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		e.SetSourceState(t.Context(), tenant.ID, s.ID, []byte(`{"stored":1}`)),
		e.SettleItems(t.Context(), tenant.ID, s.ID, "INBOX;1", []*catalog.SourceItem{{Item: "7", Outcome: catalog.Left, Bytes: 9, Detail: "too large"}}, nil),
		e.SetSourceCount(t.Context(), tenant.ID, catalog.SourceCount{Source: s.ID, Folder: "INBOX", Day: "2026-03-02", Came: 3, Held: 3, Rest: 1}),
		e.SetSourceFolder(t.Context(), tenant.ID, s.ID, catalog.SourceFolder{Folder: "INBOX", Validity: 1, Next: 8}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// withLogins fills the tables of log-ins.
func withLogins(t *testing.T, e *archivetest.Env, tenant *catalog.Tenant) {
	t.Helper()
	actor := e.User(t, tenant, "admin2", access.RoleTenantAdmin, "admin2@example.com")
	u, err := e.Archive.User(t.Context(), tenant.ID, "admin2")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Invite(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	_, acc, err := e.LogIn(t.Context(), archive.LogIn{Login: "admin2", Password: archivetest.Password})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Self(acc).BeginTOTP(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := e.As(actor).SetLoginPolicy(t.Context(), archive.LoginPolicy{SecondFactor: []access.Role{access.RoleDPO}}); err != nil {
		t.Fatal(err)
	}
}

// filled is a closed archive with something in every table.
func filled(t *testing.T) (dir string, originals map[[32]byte]string) {
	t.Helper()
	e := archivetest.New(t, archivetest.Options{})
	tenant, source := e.Tenant(t, "acme")
	bernd := e.User(t, tenant, "bernd", access.RoleUser, "bernd@example.com")
	if _, _, err := e.LogIn(t.Context(), archive.LogIn{Login: "bernd", Password: archivetest.Password}); err != nil {
		t.Fatal(err)
	}
	originals = map[[32]byte]string{}
	for i := range 3 {
		raw := withAttachment(fmt.Sprintf("Vorgang %d", i))
		originals[sha256.Sum256(raw)] = ingest(t, e, source, raw).AOID.String()
	}
	ingest(t, e, source, withAttachment("Vorgang 0"), func(s *archive.Submission) {
		s.EnvelopeTo, s.Filing = []string{"dora@example.com"}, &catalog.Filing{Folder: "Archiv/Müller", Flags: []string{`\Seen`}}
	})
	withMailbox(t, e, tenant)
	withLogins(t, e, tenant)
	if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
		t.Fatal(err)
	}
	for range 40 { // enough events for inner nodes of the log
		find(t, e.As(bernd), "Vorgang")
		if _, err := e.As(bernd).Message(t.Context(), find(t, e.As(bernd), "Vorgang")[0]); err != nil {
			t.Fatal(err)
		}
	}
	findings(t, e, nil)
	e.Close()
	return e.Dir, originals
}

// findings runs fsck and requires that it finds damage that names one of want;
// nothing at all, if want is nil.
func findings(t *testing.T, e *archivetest.Env, want []string) {
	t.Helper()
	var all []string
	damage := 0
	_, err := e.Fsck(t.Context(), archive.FsckOptions{Report: func(f archive.Finding) {
		all = append(all, fmt.Sprintf("%s %s: %s", f.Severity, f.Object, f.What))
		if f.Severity == archive.Damage {
			damage++
		}
	}})
	if err != nil {
		all = append(all, err.Error())
		damage++
	}
	text := strings.Join(all, "\n")
	if want == nil {
		if text != "" {
			t.Errorf("fsck finds:\n%s", text)
		}
		return
	}
	named := false
	for _, w := range want {
		named = named || strings.Contains(text, w)
	}
	if damage == 0 || !named {
		t.Errorf("fsck finds no damage that names %v:\n%s", want, text)
	}
}

// Every file of the vault: a flipped byte is found by fsck, which names the
// object, and whoever reads gets an error or the right bytes, never wrong ones.
func TestDamagedFilesAreFound(t *testing.T) {
	t.Parallel()
	dir, originals := filled(t)
	var files []string
	err := filepath.WalkDir(filepath.Join(dir, "blobs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(files, filepath.Join(dir, "instance.key")) {
		healthy, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(healthy) == 0 { // a lock
			continue
		}
		for i := range 7 {
			at := i * (len(healthy) - 1) / 6
			broken := bytes.Clone(healthy)
			broken[at] ^= 0x20
			if err := os.WriteFile(path, broken, 0o600); err != nil {
				t.Fatal(err)
			}
			checkDamaged(t, dir, path, at, originals)
		}
		if err := os.WriteFile(path, healthy, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func checkDamaged(t *testing.T, dir, path string, at int, originals map[[32]byte]string) {
	t.Helper()
	if filepath.Base(path) == "instance.key" {
		if _, err := vault.LoadKeyring(path); err != nil {
			if !strings.Contains(err.Error(), "instance.key") {
				t.Errorf("instance.key, byte %d: the error does not name it: %v", at, err)
			}
			return
		}
	}
	e := archivetest.New(t, archivetest.Options{Dir: dir})
	defer e.Close()
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	t.Log(filepath.Base(path), at)
	findings(t, e, []string{name, "key of tenant"})
	tenants, err := e.Tenants(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = e.Catalog.WalkMessages(t.Context(), tenants[0].ID, func(m *catalog.Message, err error) error {
		if err != nil {
			return err
		}
		c, err := e.Vault.Open(t.Context(), m.Tenant, vault.Ref{Segment: m.Segment, Frame: m.Frame}, vault.Want{SHA256: m.SHA256, Size: m.Size})
		if err != nil {
			return nil
		}
		defer c.Close()
		if b, err := io.ReadAll(c); err == nil && originals[sha256.Sum256(b)] != m.AOID.String() {
			t.Errorf("%s, byte %d: message %s is read with wrong bytes", path, at, m.AOID)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// The catalog is gone; vault and key bring every message back.
func TestRebuild(t *testing.T) {
	t.Parallel()
	dir, originals := filled(t)
	for _, name := range []string{"catalog.db", "catalog.db-wal", "catalog.db-shm"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	e := archivetest.New(t, archivetest.Options{Dir: dir})
	r, err := e.Rebuild(t.Context(), nil)
	if err != nil || r.Messages != len(originals) || r.Captures != len(originals)+1 || len(r.Damaged) > 0 {
		t.Fatalf("rebuilt %+v, %v", r, err)
	}
	tenant, err := e.TenantBySlug(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Reindex(t.Context(), tenant.ID); err != nil {
		t.Fatal(err)
	}
	if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
		t.Fatal(err)
	}
	h := e.As(e.User(t, tenant, "dora", access.RoleUser, "dora@example.com"))
	if hits := find(t, h, "Vorgang"); len(hits) != 1 {
		t.Errorf("dora, a party by a later envelope, finds %d messages", len(hits))
	}
	h = e.As(e.User(t, tenant, "bernd", access.RoleUser, "bernd@example.com"))
	for _, id := range find(t, h, "Vorgang") {
		download(t, h, id)
		if !strings.Contains(fmt.Sprint(originals), id.String()) {
			t.Errorf("message %s has a new identity", id)
		}
	}
	findings(t, e, nil)
}

// A catalog from an old backup: repair keeps what it does not know.
func TestRepairNeverRemovesTheOnlyCopy(t *testing.T) {
	t.Parallel()
	dir, _ := filled(t)
	file := filepath.Join(dir, "catalog.db")
	backup, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	e := archivetest.New(t, archivetest.Options{Dir: dir})
	tenant, err := e.TenantBySlug(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := e.Sources(t.Context(), tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	raw := mail("anna@example.com", "bernd@example.com", "Nach der Sicherung", "wichtig")
	ingest(t, e, sources[0], raw)
	e.Close()
	for _, suffix := range []string{"-wal", "-shm"} {
		os.Remove(file + suffix) //nolint:errcheck // there may be none
	}
	if err := os.WriteFile(file, backup, 0o600); err != nil {
		t.Fatal(err)
	}
	e = archivetest.New(t, archivetest.Options{Dir: dir})
	for _, f := range check(t, e, true) {
		if f.Severity == archive.Damage || !f.Repaired {
			t.Errorf("repair: %+v", f)
		}
	}
	if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
		t.Fatal(err)
	}
	h := e.As(access.Actor{Tenant: tenant.ID, Role: access.RoleUser, Addresses: []string{"bernd@example.com"}})
	hits := find(t, h, "wichtig")
	if len(hits) != 1 {
		t.Fatalf("the message of after the backup is lost")
	}
	if got, _ := download(t, h, hits[0]); !bytes.Equal(got, raw) {
		t.Error("the message of after the backup has other bytes")
	}
	findings(t, e, nil)
}
