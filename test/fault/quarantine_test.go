package fault

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
)

// Mail that goes to quarantine is acknowledged only when it is durable there; and
// when it is released, all of it is read and found.
func TestKilledWhileQuarantining(t *testing.T) {
	s := newSubject(t, t.TempDir())
	if out, err := s.command("domain", "add", "acme", "else.example").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for range kills / 2 {
		srv := s.serve()
		senders := s.load(t.Context(), srv.smtp, 6)
		time.Sleep(time.Duration(100+rand.IntN(700)) * time.Millisecond)
		srv.kill()
		senders.Wait()
	}
	if out, err := s.command("fsck", "--repair").CombinedOutput(); err != nil {
		t.Fatalf("fsck --repair: %v\n%s", err, out)
	}
	e := archivetest.New(t, archivetest.Options{Dir: s.data})
	tenant, err := e.TenantBySlug(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	for sum, n := range s.acked {
		known, err := e.Catalog.Known(t.Context(), tenant.ID, [][32]byte{sum})
		if err != nil {
			t.Fatal(err)
		}
		q, err := e.Catalog.QuarantinedMessage(t.Context(), tenant.ID, known[sum])
		if err != nil || q.State != catalog.Waiting || q.Reason != archive.ReasonDomain {
			t.Errorf("message %d was acknowledged: %+v, %v", n, q, err)
		}
	}
	e.Close()
	for _, args := range [][]string{{"domain", "add", "acme", "example.org"}, {"quarantine", "release", "acme", "--domain", "example.org"}} {
		if out, err := s.command(args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	s.prove()
	t.Logf("%d messages acknowledged, quarantined and released; all there", len(s.acked))
	if len(s.acked) < kills {
		t.Errorf("only %d messages were acknowledged; the load is too small to show anything", len(s.acked))
	}
}
