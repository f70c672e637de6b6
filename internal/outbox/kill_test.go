package outbox

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/testkit/smtpd"
)

// childDir names the data directory to the process that TestKill kills.
const childDir = "MUNIMENT_OUTBOX_TEST_DIR"

// TestChild is no test: it is the worker that TestKill kills.
func TestChild(t *testing.T) {
	t.Parallel()
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("only for TestKill")
	}
	e := archivetest.New(t, archivetest.Options{Dir: dir})
	o := newOutbox(t, e.Archive, time.Now)
	o.timings.look, o.timings.rest, o.timings.lease = 10*time.Millisecond, 10*time.Millisecond, 300*time.Millisecond
	o.Run(t.Context())
}

// TestKill kills the worker again and again while it sends. Everything arrives; what
// was in the air when it died may arrive twice, with the same bytes, and no more.
func TestKill(t *testing.T) {
	t.Parallel()
	const mails = 120
	r := newRig(t, "", smtpd.Options{})
	want := map[string]bool{}
	for i := range mails {
		id := r.queue(t, fmt.Sprint(i), fmt.Sprintf("p%d@example.com", i))
		want["Message-ID: <"+id.String()+"@firma.example>"] = true
	}
	kills := 0
	for sent(t, r) < mails {
		arrived := len(r.server.Mails()) + rand.IntN(12)
		kill(t, r.Dir, func() bool { return len(r.server.Mails()) > arrived || sent(t, r) == mails }, time.Duration(rand.IntN(5000))*time.Microsecond)
		kills++
	}
	bytesOf := map[string]string{}
	for _, m := range r.server.Mails() {
		id := messageID(m.Data)
		if !want[id] {
			t.Errorf("nobody queued %q", id)
		}
		if old, again := bytesOf[id]; again && old != m.Data {
			t.Errorf("%s came again with other bytes", id)
		}
		bytesOf[id] = m.Data
	}
	t.Logf("%d kills, %d mails arrived for %d queued", kills, len(r.server.Mails()), mails)
	if len(bytesOf) != mails || len(r.server.Mails()) > mails+kills {
		t.Errorf("%d mails arrived %d times with %d kills, want %d", len(bytesOf), len(r.server.Mails()), kills, mails)
	}
	if kills < 3 {
		t.Errorf("only %d kills: the test tells nothing", kills)
	}
}

// sent counts the mails that the outbox knows as sent.
func sent(t *testing.T, r *rig) int {
	t.Helper()
	n, err := r.Catalog.OutboxCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n.Sent
}

// patience is how long a worker may do nothing before it is taken for stuck, on a
// machine however slow.
const patience = 2 * time.Minute

// kill runs the worker and kills it a moment after enough holds: by what it did, not by
// the clock, so that neither a fast nor a slow machine makes a difference.
func kill(t *testing.T, dir string, enough func() bool, moment time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	done := make(chan struct{})
	go func() {
		defer close(done)
		out, err := cmd.CombinedOutput()
		if ctx.Err() == nil {
			t.Errorf("the worker ended by itself: %v\n%s", err, out)
		}
	}()
	for limit := time.Now().Add(patience); !enough(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("in %v the worker has sent nothing", patience)
		}
	}
	time.Sleep(moment)
	cancel()
	<-done
}

func messageID(data string) string {
	_, rest, _ := strings.Cut(data, "Message-ID: ")
	line, _, _ := strings.Cut(rest, "\r\n")
	return "Message-ID: " + line
}
