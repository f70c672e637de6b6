package fault

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/vault"
)

// sealKills is how often a process that seals or renews is killed; MUNIMENT_TEST_KILLS
// chooses more.
const sealKills = 4

// A process that seals or renews is killed at any moment, again and again. When the next
// ones have been left alone, nothing is lost, every object is in one batch of new
// objects, and the proof of each holds.
func TestKilledWhileSealing(t *testing.T) {
	n := sealKills
	if v := os.Getenv("MUNIMENT_TEST_KILLS"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil {
			t.Fatalf("MUNIMENT_TEST_KILLS: %v", err)
		}
	}
	s := newSubject(t, t.TempDir())
	root := s.authority()
	files := t.TempDir()
	acts := [][]string{{"seal", "--now"}, {"seal", "renew", "--now"}, {"seal", "--now"}, {"seal", "renew", "--now", "--tree"}}
	long := make([]time.Duration, len(acts)) // that an act takes when it is left alone, about
	killed := 0
	for i := range n {
		s.writeFiles(filepath.Join(files, fmt.Sprintf("%03d", i)), 6)
		s.must("import", "acme", "--quiet", filepath.Join(files, fmt.Sprintf("%03d", i)))
		act := i % len(acts)
		if long[act] == 0 { // measured once, so that kills hit it on any machine
			began := time.Now()
			s.must(acts[act]...)
			long[act] = time.Since(began)
			s.writeFiles(filepath.Join(files, fmt.Sprintf("%03d", i), "more"), 6)
			s.must("import", "acme", "--quiet", filepath.Join(files, fmt.Sprintf("%03d", i), "more"))
		}
		cmd := s.command(acts[act]...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.Int64N(int64(long[act]))))
		cmd.Process.Signal(syscall.SIGKILL) //nolint:errcheck // it may have ended
		if err := cmd.Wait(); err != nil {
			killed++
		}
	}
	for _, args := range [][]string{{"seal", "--now"}, {"seal", "renew", "--now", "--tree"}, {"seal", "renew", "--now"}} {
		s.must(args...)
	}
	s.must("fsck", "--repair") // a tree whose batch did not come about is left over once it is older than a minute
	s.must("fsck")
	s.sealed(root, files)
	t.Logf("%d of %d processes were killed before they had ended", killed, n)
}

// must runs a command that has to succeed.
func (s *subject) must(args ...string) {
	s.t.Helper()
	if out, err := s.command(args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// authority starts one, which outlives all processes, and has the archive ask it.
func (s *subject) authority() *x509.Certificate {
	t := s.t
	t.Helper()
	var handler http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	a, err := tsa.New(tsa.Options{URL: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	handler = a.Handler()
	ca := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Root().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	s.must("authority", "add", "Test", "--url", srv.URL+"/", "--local", "--ca", ca)
	return a.Root()
}

// sealed verifies every imported message, and that each is in one batch of new objects.
func (s *subject) sealed(root *x509.Certificate, files string) {
	t := s.t
	t.Helper()
	s.acknowledgeFiles(files)
	more, err := filepath.Glob(filepath.Join(files, "*", "more", "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	e := archivetest.New(t, archivetest.Options{Dir: s.data})
	defer e.Close()
	tenant, err := e.TenantBySlug(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	o := ers.Options{At: time.Now().Add(time.Minute), Anchors: tsp.NewAnchors([]*x509.Certificate{root}), Whole: true, Cache: tsp.NewCache(64)}
	objects := int64(0)
	err = e.Catalog.WalkMessages(t.Context(), tenant.ID, func(m *catalog.Message, err error) error {
		if err != nil {
			return err
		}
		objects++
		b, err := e.Bundle(t.Context(), tenant.ID, m.AOID)
		if err != nil {
			return err
		}
		c, err := e.Vault.Open(t.Context(), m.Tenant, vault.Ref{Segment: m.Segment, Frame: m.Frame}, vault.Want{})
		if err != nil {
			return err
		}
		defer c.Close()
		raw, err := io.ReadAll(c)
		if err != nil {
			return err
		}
		if o.Sidecar, err = b.Sidecar(); err != nil {
			return err
		}
		r := ers.Verify(t.Context(), b.Record, []ers.Member{{Name: "original", Data: ers.Bytes(raw)}, {Name: "metadata", Data: ers.Bytes(bytes.Clone(b.Metadata))}}, o)
		if r.Verdict != evidence.Valid {
			t.Errorf("message %s: %v: %+v", m.AOID, r.Verdict, r.Findings)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	in := int64(0)
	err = e.Catalog.WalkSealBatches(t.Context(), func(b *catalog.SealBatch) {
		if b.State == catalog.SealPending || b.State == catalog.SealRehashing {
			t.Errorf("batch %s is %s", b.ID, b.State)
		}
		if b.Kind != catalog.SealNew {
			return
		}
		trees, err := e.Catalog.SealTrees(t.Context(), b.ID)
		if err != nil {
			t.Error(err)
		}
		for _, x := range trees {
			in += x.Leaves
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(len(s.acked) + len(more)); objects != want || in != want {
		t.Errorf("%d messages were imported, %d are there, %d are in batches of new objects", want, objects, in)
	}
}
