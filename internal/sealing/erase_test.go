package sealing_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/alarm"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/sealing"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// erase has a message deleted by two people.
func (w *world) erase(t *testing.T, tenant *catalog.Tenant, aoid uid.ID, now time.Time) {
	t.Helper()
	dpo, admin := w.User(t, tenant, "dpo", access.RoleDPO), w.User(t, tenant, "admin", access.RoleTenantAdmin)
	v, err := w.As(dpo).RequestDeletion(t.Context(), archive.NewDeletion{Messages: []uid.ID{aoid}, Reason: "Löschverlangen nach Art. 17", Until: now.Add(time.Hour)})
	if err == nil {
		v, err = w.As(admin).DecideAccess(t.Context(), v.ID, true, "")
	}
	if err == nil {
		_, err = w.As(dpo).DeleteUnder(t.Context(), v.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// secret is what somebody who guesses the content of a deleted message could look for.
type secret struct {
	what string
	b    []byte
}

// secretsOf are the hashes of a message that has been sealed, with the salt that must go,
// and what somebody makes of a guess who knows all but the salt.
func (w *world) secretsOf(t *testing.T, tenant *catalog.Tenant, aoid uid.ID, raw []byte) []secret {
	t.Helper()
	metadata, err := w.Metadata(t.Context(), tenant.ID, aoid)
	if err != nil {
		t.Fatal(err)
	}
	row, err := w.Catalog.Message(t.Context(), tenant.ID, aoid)
	if err != nil {
		t.Fatal(err)
	}
	meta, err := w.Vault.Meta(t.Context(), tenant.ID, vault.Ref{Segment: row.Segment, Frame: row.Frame})
	if err != nil {
		t.Fatal(err)
	}
	var rec struct {
		Salt string `json:"salt"`
	}
	if err := json.Unmarshal(meta, &rec); err != nil {
		t.Fatal(err)
	}
	salt, err := hex.DecodeString(rec.Salt)
	if err != nil || len(salt) != 16 || !bytes.Contains(metadata, []byte(rec.Salt)) {
		t.Fatalf("salt %q of %s: %v", rec.Salt, metadata, err)
	}
	text := rec.Salt
	out := []secret{{"salt", salt}, {"salt as text", []byte(text)}}
	other := bytes.Clone(metadata)
	copy(other[bytes.Index(other, []byte(text)):], strings.Repeat("0", len(text)))
	for what, b := range map[string][]byte{"original": raw, "metadata": metadata, "metadata with another salt": other} {
		a, c := sha256.Sum256(b), sha512.Sum512(b)
		out = append(out, secret{"SHA-256 of " + what, a[:]}, secret{"SHA-512 of " + what, c[:]})
	}
	// RFC 4998 §4.2.1: the hashes of a group, in binary order.
	a, b := sha256.Sum256(raw), sha256.Sum256(other)
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	c, d := sha512.Sum512(raw), sha512.Sum512(other)
	if bytes.Compare(c[:], d[:]) > 0 {
		c, d = d, c
	}
	short, long := sha256.Sum256(append(a[:], b[:]...)), sha512.Sum512(append(c[:], d[:]...))
	return append(out, secret{"hash of the group, guessed with another salt (SHA-256)", short[:]}, secret{"hash of the group, guessed with another salt (SHA-512)", long[:]})
}

// tells fails if one of the secrets is in b, in any of its usual forms.
func tells(t *testing.T, where string, b []byte, secrets []secret) {
	t.Helper()
	for _, s := range secrets {
		for _, form := range [][]byte{s.b, []byte(hex.EncodeToString(s.b)), []byte(strings.ToUpper(hex.EncodeToString(s.b))), []byte(base64.StdEncoding.EncodeToString(s.b)), []byte(base64.RawURLEncoding.EncodeToString(s.b))} {
			if bytes.Contains(b, form) {
				t.Errorf("%s tells the %s of the deleted message", where, s.what)
				break
			}
		}
	}
}

// all is everything that can be read of the archive: the files of catalog and index, what
// can be decrypted of the vault, and the log as it is shown.
func (w *world) all(t *testing.T, tenant *catalog.Tenant) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(w.Dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out[path], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	segments, err := w.Vault.ListSegments(t.Context(), tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range segments {
		err := w.Vault.Scan(t.Context(), tenant.ID, s.ID, func(x vault.Entry) error {
			if x.Err == nil && !x.Erased {
				out["frame "+x.Frame.Ref.String()] = append(bytes.Clone(x.Meta), x.Frame.SHA256[:]...)
			}
			return x.Err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err = w.Catalog.WalkTombstones(t.Context(), tenant.ID, func(s *catalog.Tombstone, err error) error {
		b, bad := json.Marshal(s)
		out["tombstone"] = b
		return errors.Join(err, bad)
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// GDP-5: deleting one object leaves all other proofs valid, and from them, from the
// trees, the log and its tombstone nobody who guesses its content can find out that it
// was there. Renewals leave it out without alarm.
func TestDeletedLeavesProofs(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, 8} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			k := newClock()
			w := newWorld(t, archivetest.Options{Now: k.Now})
			a, as := w.Tenant(t, "a")
			list := w.ingest(t, a, as, 0, n)
			w.now(t)
			k.pass(time.Hour)
			later := w.ingest(t, a, as, 100, 1)
			w.now(t)
			gone := n / 2
			secrets := w.secretsOf(t, a, list[gone], mail(gone))
			found := 0
			for _, b := range w.all(t, a) {
				if bytes.Contains(b, secrets[0].b) || bytes.Contains(b, secrets[1].b) {
					found++
				}
			}
			if found == 0 {
				t.Fatal("the salt is not found before: the test finds nothing")
			}
			w.erase(t, a, list[gone], k.Now())
			if _, err := w.EvidenceRecord(t.Context(), a.ID, list[gone]); !errors.Is(err, catalog.ErrNotFound) {
				t.Errorf("a record of what was deleted: %v", err)
			}
			w.othersProven(t, a, append(list[:gone:gone], list[gone+1:]...), numbers(n, gone), secrets, k)
			for where, b := range w.all(t, a) {
				tells(t, where, b, secrets)
			}
			for round, o := range []sealing.RenewOptions{{Hand: ers.RenewStamp}, {Hand: ers.RenewTree}} {
				k.pass(time.Hour)
				if err := w.tsa.Renew(); err != nil {
					t.Fatal(err)
				}
				if done := w.renew(t, o); done.Renewals != 1 || done.LeftOut > 0 {
					t.Errorf("round %d: %+v", round, done)
				}
				w.othersProven(t, a, append(list[:gone:gone], list[gone+1:]...), numbers(n, gone), secrets, k)
				w.report(t, a, later[0], mail(100), k.Now(), nil)
				if d, err := w.AsOperator().Dashboard(t.Context(), "year"); err != nil || slices.ContainsFunc(d.Alarms, func(x alarm.Finding) bool { return x.Kind == alarm.RenewalUnread }) {
					t.Errorf("round %d: %v, alarms %+v", round, err, d.Alarms)
				}
				w.sound(t)
			}
			for where, b := range w.all(t, a) {
				tells(t, where, b, secrets)
			}
		})
	}
}

// numbers are those of the messages that stay.
func numbers(n, gone int) (out []int) {
	for i := range n {
		if i != gone {
			out = append(out, i)
		}
	}
	return out
}

// othersProven verifies records and bundles of what stays, as strangers do.
func (w *world) othersProven(t *testing.T, tenant *catalog.Tenant, list []uid.ID, mails []int, secrets []secret, k *clock) {
	t.Helper()
	for i, aoid := range list {
		w.report(t, tenant, aoid, mail(mails[i]), k.Now(), nil)
		bundle := w.bundle(t, tenant, aoid)
		x, err := w.verify(t, offline.Request{Files: []string{put(t, t.TempDir(), bundle)}, At: k.Now().Add(time.Minute)})
		if err != nil || x.Verdict != evidence.Valid {
			t.Errorf("bundle of %s: %+v, %v", aoid, x, err)
		}
		for _, f := range bundle {
			tells(t, f.name, f.b, secrets)
		}
	}
}

// A bundle of many objects names what was deleted as deleted: what was chosen, and in an
// export of everything all of it; to those who may know.
func TestExportNamesDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, archivetest.Options{})
	tenant, source := w.Tenant(t, "a")
	anna := w.User(t, tenant, "anna", access.RoleUser, "anna@example.com")
	auditor := w.User(t, tenant, "auditor", access.RoleAuditor, "anna@example.com")
	list := w.ingest(t, tenant, source, 0, 3)
	w.now(t)
	w.erase(t, tenant, list[1], time.Now())
	named := func(what string, h *archive.Handle, r archive.ExportRequest, code string) {
		t.Helper()
		done, files, _ := export(t, h, r)
		if done.Objects != 2 || done.Valid != 2 || len(done.LeftOut) != 1 || done.LeftOut[0].AOID != list[1].String() || done.LeftOut[0].Code != code {
			t.Errorf("%s: %+v", what, done)
		}
		if contents := string(find(t, files, offline.ContentsFile)); !strings.Contains(contents, list[1].String()) || strings.Contains(contents, "it was deleted on ") != (code == offline.LeftDeleted) {
			t.Errorf("%s: contents:\n%s", what, contents)
		}
		x, err := w.verify(t, offline.Request{Files: []string{put(t, t.TempDir(), files)}})
		if err != nil || x.Verdict != evidence.Valid || len(x.Bundles[0].Many.LeftOut) != 1 || x.Bundles[0].Many.LeftOut[0].Code != code {
			t.Errorf("%s: %+v, %v", what, x, err)
		}
	}
	named("chosen by a user", w.As(anna), archive.ExportRequest{IDs: list}, offline.LeftGone)
	named("chosen by an auditor", w.As(auditor), archive.ExportRequest{IDs: list}, offline.LeftDeleted)
	v, err := w.As(auditor).RequestAccess(t.Context(), archive.NewAccess{Kind: access.Export, Reason: "the tax office asks for it", Until: time.Now().Add(time.Hour)})
	if err == nil {
		_, err = w.As(w.User(t, tenant, "admin2", access.RoleTenantAdmin)).DecideAccess(t.Context(), v.ID, true, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	h, err := w.InGrant(t.Context(), auditor, v.ID)
	if err != nil {
		t.Fatal(err)
	}
	named("everything", h, archive.ExportRequest{}, offline.LeftDeleted)
}
