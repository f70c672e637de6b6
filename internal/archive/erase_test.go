package archive_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// staff are the people who delete.
type staff struct{ dpo, admin, auditor, anna *archive.Handle }

func staffOf(t *testing.T, e *archivetest.Env, tenant *catalog.Tenant) staff {
	t.Helper()
	of := func(login string, r access.Role) *archive.Handle {
		return e.As(e.User(t, tenant, login, r, login+"@acme.example"))
	}
	return staff{of("dpo", access.RoleDPO), of("admin", access.RoleTenantAdmin), of("auditor", access.RoleAuditor), of("anna", access.RoleUser)}
}

// erase has messages deleted as people do.
func (s staff) erase(t *testing.T, ids ...uid.ID) uid.ID {
	t.Helper()
	v, err := s.dpo.RequestDeletion(t.Context(), archive.NewDeletion{Messages: ids, Reason: "Löschverlangen nach Art. 17", Until: time.Now().Add(time.Hour)})
	if err == nil {
		v, err = s.admin.DecideAccess(t.Context(), v.ID, true, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.dpo.DeleteUnder(t.Context(), v.ID); err != nil || n != len(ids) {
		t.Fatalf("deleted %d, %v", n, err)
	}
	return v.ID
}

// attached is a message with an attachment that is stored by itself.
func attached(from, subject, body string, attachment []byte) []byte {
	b := base64.StdEncoding.EncodeToString(attachment)
	var lines strings.Builder
	for len(b) > 76 {
		lines.WriteString(b[:76] + "\r\n")
		b = b[76:]
	}
	lines.WriteString(b + "\r\n")
	return []byte(fmt.Sprintf("From: %s\r\nTo: anna@acme.example\r\nSubject: %s\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"+
		"--b\r\nContent-Type: text/plain\r\n\r\n%s\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"%s.bin\"\r\n\r\n%s--b--\r\n",
		from, subject, body, subject, lines.String()))
}

// noise is incompressible text with a word in it.
func noise(word string, n int) []byte {
	out := []byte(word + " ")
	sum := sha256.Sum256([]byte(word))
	for len(out) < n {
		sum = sha256.Sum256(sum[:])
		out = append(out, hex.EncodeToString(sum[:])...)
	}
	return out
}

// canaries are what must be nowhere after the deletion.
func canaries(raw, attachment []byte) [][]byte {
	out := [][]byte{[]byte("zzsubject"), []byte("zzbody"), []byte("zzlocal"), []byte("zzattach")}
	for _, b := range [][]byte{raw, attachment} {
		sum := sha256.Sum256(b)
		out = append(out, sum[:], []byte(hex.EncodeToString(sum[:])))
	}
	return out
}

// GDP-4: after a deletion nothing of what was in a message is left in the files of the
// catalog and of the index, nor in what can be decrypted of the vault; what shares an
// attachment with it can be read, and everything else tells that it was deleted.
func TestDeletedLeavesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, e *archivetest.Env) {
		tenant, source := e.Tenant(t, "acme")
		s := staffOf(t, e, tenant)
		own, common := noise("zzattach", 40_000), noise("common", 40_000)
		raw := attached("Zzlocal <zzlocal@else.example>", "zzsubject", "zzbody words", own)
		gone := ingest(t, e, source, raw, func(s *archive.Submission) {
			s.EnvelopeFrom, s.EnvelopeTo = "zzlocal@else.example", []string{"anna@acme.example"}
		})
		ingest(t, e, source, raw, func(s *archive.Submission) { s.EnvelopeTo = []string{"zzlocal@acme.example"} }) // a later arrival
		shares := attached("bernd@acme.example", "shares", "text", common)
		both := []archive.Receipt{ingest(t, e, source, shares), ingest(t, e, source, attached("zzlocal@else.example", "zzsubject 2", "zzbody", common))}
		var others []uid.ID
		for n := range 12 {
			others = append(others, ingest(t, e, source, mail("bernd@acme.example", "anna@acme.example", fmt.Sprintf("other %d", n), strings.Repeat("what they have in common, again and again ", 20))).AOID)
		}
		if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Compact(t.Context(), tenant.ID, true); err != nil {
			t.Fatal(err)
		}
		want := canaries(raw, own)
		if left := scan(t, e, tenant.ID, want); e.DSN == filepath.Join(e.Dir, "catalog.db") && len(left) < len(want) {
			t.Fatalf("before: the scan finds only %q", left)
		}
		before, err := e.Catalog.Statistics(t.Context(), tenant.ID, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		s.erase(t, gone.AOID, both[1].AOID)

		for _, w := range scan(t, e, tenant.ID, want) {
			t.Errorf("after the deletion %q is still there", w)
		}
		if got, _ := download(t, s.anna, both[0].AOID); !bytes.Equal(got, shares) {
			t.Error("what shares an attachment with the deleted one has changed")
		}
		if _, err := s.anna.Message(t.Context(), gone.AOID); !errors.Is(err, catalog.ErrNotFound) || errors.As(err, new(*archive.GoneError)) {
			t.Errorf("a user opens it: %v", err)
		}
		var told *archive.GoneError
		if _, err := s.dpo.Message(t.Context(), gone.AOID); !errors.As(err, &told) || told.Tombstone.AOID != gone.AOID {
			t.Errorf("the data-protection officer opens it: %v", err)
		}
		if hits := find(t, s.anna, ""); len(hits) != len(others)+1 {
			t.Errorf("%d messages are found, want %d", len(hits), len(others)+1)
		}
		after, err := e.Catalog.Statistics(t.Context(), tenant.ID, time.Now())
		if err != nil || after.Messages != before.Messages-2 || after.RawBytes >= before.RawBytes {
			t.Errorf("figures before %+v, after %+v, %v", before, after, err)
		}
		r, err := e.Audit(t.Context(), tenant.ID)
		if err != nil || !r.Complete() || r.Deleted != 2 {
			t.Errorf("audit: %+v, %v", r, err)
		}
		clean(t, e)
		if _, err := e.Compact(t.Context(), tenant.ID, true); err != nil { // moves the tombstones
			t.Fatal(err)
		}
		clean(t, e)
		// What comes again is another message.
		if again := ingest(t, e, source, raw); again.Duplicate || again.AOID == gone.AOID {
			t.Errorf("the same bytes again: %+v", again)
		}
		clean(t, e)
	})
}

// scan returns which of the words are in the files of catalog and index, and in the
// frames that can still be read.
func scan(t *testing.T, e *archivetest.Env, tenant uid.ID, words [][]byte) [][]byte {
	t.Helper()
	var all [][]byte
	err := filepath.WalkDir(e.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all = append(all, b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	segments, err := e.Vault.ListSegments(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range segments {
		err := e.Vault.Scan(t.Context(), tenant, s.ID, func(x vault.Entry) error {
			if x.Err != nil || x.Erased {
				return x.Err
			}
			all = append(all, x.Meta, x.Frame.SHA256[:])
			if x.Frame.Kind == vault.KindRecord {
				return nil
			}
			b, err := e.Vault.ReadAll(t.Context(), tenant, x.Frame.Ref, vault.Want{SHA256: x.Frame.SHA256, Size: x.Frame.Size}, 1<<30)
			all = append(all, b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var found [][]byte
	for _, w := range words {
		for _, b := range all {
			if bytes.Contains(b, w) {
				found = append(found, w)
				break
			}
		}
	}
	return found
}

// Rebuilt from the vault, a deleted message stays deleted, and what was of it that
// escaped its destruction is destroyed.
func TestDeletedStaysSoAfterRebuild(t *testing.T) {
	t.Parallel()
	e := archivetest.New(t, archivetest.Options{})
	tenant, source := e.Tenant(t, "acme")
	s := staffOf(t, e, tenant)
	raw := mail("x@else.example", "anna@acme.example", "zzsubject", "zzbody")
	gone := ingest(t, e, source, raw)
	stays := ingest(t, e, source, mail("y@else.example", "anna@acme.example", "stays", "text"))
	ingest(t, e, source, raw) // a later arrival
	s.erase(t, gone.AOID)
	before, err := e.Catalog.Tombstone(t.Context(), tenant.ID, gone.AOID)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		r, err := e.Rebuild(t.Context(), nil)
		if err != nil || r.Messages != 1 || len(r.Damaged) > 0 {
			t.Fatalf("rebuilt %+v, %v", r, err)
		}
		if _, err := e.Catalog.Message(t.Context(), tenant.ID, gone.AOID); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("it is back: %v", err)
		}
		after, err := e.Catalog.Tombstone(t.Context(), tenant.ID, gone.AOID)
		if err != nil || after.Reason != before.Reason || after.Request != before.Request || !after.DeletedAt.Equal(before.DeletedAt) || len(after.Arrivals) != 2 {
			t.Errorf("tombstone %+v, want %+v; %v", after, before, err)
		}
		if err := errors.Join(e.Reindex(t.Context(), tenant.ID), e.AwaitIndex(t.Context(), tenant.ID)); err != nil {
			t.Fatal(err)
		}
		clean(t, e)
	}
	if _, err := s.anna.Message(t.Context(), stays.AOID); err != nil {
		t.Error(err)
	}
}

// Who may not, cannot: alone, under a reading, of another tenant, twice, too late.
func TestDeletionNeedsFourEyes(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	n := archive.NewDeletion{Messages: []uid.ID{o.mails["lunch"]}, Reason: "Löschverlangen nach Art. 17", Until: o.now.time().Add(time.Hour)}
	for _, login := range []string{"anna", "bernd"} {
		if _, err := o.as(login).RequestDeletion(ctx, n); !errors.Is(err, access.ErrForbidden) {
			t.Errorf("%s asks: %v", login, err)
		}
	}
	without := n
	without.Reason = ""
	var kept *archive.KeptError
	if _, err := o.as("dpo").RequestDeletion(ctx, without); !errors.As(err, &kept) || kept.List[0].Due.IsZero() {
		t.Errorf("before its time without a reason: %v", err)
	}
	missing := n
	missing.Messages = append([]uid.ID{uid.New(o.now.time())}, n.Messages...)
	if _, err := o.as("dpo").RequestDeletion(ctx, missing); !errors.As(err, &kept) || len(kept.List) != 1 || !kept.List[0].Missing {
		t.Errorf("what is not there: %v", err)
	}
	reading := o.approved(o.wants("carla@acme.example"))
	h, err := o.InGrant(ctx, o.actors["auditor"], reading.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.RequestDeletion(ctx, n); !errors.Is(err, access.ErrForbidden) {
		t.Errorf("under a reading: %v", err)
	}
	if _, err := o.as("auditor").DeleteUnder(ctx, reading.ID); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("carry out a reading: %v", err)
	}
	v, err := o.as("dpo").RequestDeletion(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	if v.MayRead || v.MayDecide || v.Messages != 1 {
		t.Errorf("the request: %+v", v)
	}
	if _, err := o.InGrant(ctx, o.actors["dpo"], v.ID); !errors.Is(err, access.ErrForbidden) {
		t.Errorf("read under a deletion: %v", err)
	}
	if _, err := o.as("dpo").DeleteUnder(ctx, v.ID); !errors.Is(err, archive.ErrAccessOver) {
		t.Errorf("before it is approved: %v", err)
	}
	if _, err := o.as("dpo").DecideAccess(ctx, v.ID, true, ""); !errors.Is(err, access.ErrForbidden) {
		t.Errorf("approve the own one: %v", err)
	}
	if v, err = o.as("auditor2").DecideAccess(ctx, v.ID, true, ""); err != nil || !v.MayCarryOut {
		t.Fatalf("approve: %+v, %v", v, err)
	}
	if _, err := o.as("admin").DeleteUnder(ctx, v.ID); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("a third one carries it out: %v", err)
	}
	var wg sync.WaitGroup
	results := make(chan error, 2)
	for _, login := range []string{"dpo", "auditor2"} {
		wg.Go(func() { _, err := o.as(login).DeleteUnder(ctx, v.ID); results <- err })
	}
	wg.Wait()
	if a, b := <-results, <-results; (a == nil) == (b == nil) {
		t.Errorf("two at the same time: %v, %v; want one to succeed", a, b)
	}
	if list, err := o.Catalog.Tombstones(ctx, o.tenant.ID, catalog.TombstoneFilter{}, 9); err != nil || len(list) != 1 {
		t.Errorf("%d tombstones, %v", len(list), err)
	}
	again, err := o.as("dpo").RequestDeletion(ctx, archive.NewDeletion{Messages: []uid.ID{o.mails["own"]}, Reason: n.Reason, Until: n.Until})
	if err == nil {
		_, err = o.as("admin").DecideAccess(ctx, again.ID, true, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	o.now.pass(2 * time.Hour)
	if _, err := o.as("dpo").DeleteUnder(ctx, again.ID); !errors.Is(err, archive.ErrAccessOver) {
		t.Errorf("after its end: %v", err)
	}
}
