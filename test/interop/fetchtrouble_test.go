package interop

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/corpustest"
	"github.com/muniment/muniment/internal/testkit/dovecot"
	"github.com/muniment/muniment/internal/testkit/need"
)

// cutter is a TCP proxy that cuts connections.
type cutter struct {
	addr string
	to   string
	slow atomic.Int64 // bytes that pass every 5 ms, so that a mailbox takes a while; 0: all that come

	mu     sync.Mutex
	random *rand.Rand
	cuts   int   // still to be made
	reach  int64 // at most so many bytes pass before a cut
	made   int
}

func newCutter(t *testing.T, to string, cuts int, reach int64) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{addr: l.Addr().String(), to: to, random: rand.New(rand.NewPCG(1, uint64(reach))), cuts: cuts, reach: reach}
	var group sync.WaitGroup
	t.Cleanup(func() { l.Close(); group.Wait() })
	group.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() { c.serve(in) })
		}
	})
	return c
}

// next is after how many bytes the next connection is cut; negative: not.
func (c *cutter) next() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made >= c.cuts {
		return -1
	}
	c.made++
	return c.random.Int64N(c.reach)
}

func (c *cutter) serve(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	defer out.Close()
	go func() {
		_, _ = io.Copy(out, in) // ends with the connection
		out.Close()
	}()
	from := io.Reader(out)
	if n := c.next(); n >= 0 { // then it is cut, in the middle of whatever it is
		from = io.LimitReader(out, n)
	}
	for n := c.slow.Load(); n > 0; n = c.slow.Load() {
		if _, err := io.CopyN(in, from, n); err != nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	_, _ = io.Copy(in, from)
}

// archived requires that exactly these messages are archived, byte for byte, and
// that none was recorded as having come twice.
func (i *installation) archived(want map[[32]byte]bool, offered int) {
	i.t.Helper()
	ctx := i.t.Context()
	c, err := catalog.Open(ctx, "sqlite:"+filepath.Join(i.data, "catalog.db"), catalog.Options{})
	if err != nil {
		i.t.Fatal(err)
	}
	defer c.Close()
	tenants, err := c.Tenants(ctx)
	if err != nil || len(tenants) != 1 {
		i.t.Fatalf("%d tenants, %v", len(tenants), err)
	}
	var sums [][32]byte
	for s := range want {
		sums = append(sums, s)
	}
	known, err := c.Known(ctx, tenants[0].ID, sums)
	if err != nil {
		i.t.Fatal(err)
	}
	if len(known) != len(want) {
		i.t.Errorf("%d of %d messages are archived byte for byte", len(known), len(want))
	}
	accounts, err := c.Accounts(ctx, tenants[0].ID, "", "")
	if err != nil {
		i.t.Fatal(err)
	}
	sum := map[catalog.Outcome]int64{}
	for _, a := range accounts {
		sum[a.Outcome] += a.Count
	}
	if sum[catalog.Stored] != int64(len(want)) || sum[catalog.Stored]+sum[catalog.Duplicate] != int64(offered) {
		i.t.Errorf("accounts %v; want %d stored, %d with duplicates", sum, len(want), offered)
	}
	i.t.Logf("accounts: %v", sum)
}

// canonical is a message as IMAP and POP3 send it: with CR LF.
func canonical(raw []byte, pop bool) []byte {
	raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	if pop && !bytes.HasSuffix(raw, []byte("\r\n")) {
		raw = append(raw, "\r\n"...)
	}
	return raw
}

// mailOf returns n messages: letters, or those of the corpus in a long run. They
// have neither NUL, which IMAP cannot carry, nor lone CR, which is for the tests of
// the clients.
func mailOf(t *testing.T) [][]byte {
	t.Helper()
	if os.Getenv("MUNIMENT_TEST_LONG") == "" {
		out := make([][]byte, 200)
		for n := range out {
			out[n] = []byte(letter(n) + strings.Repeat(".\n..\n.dot\n", n%20))
		}
		return out
	}
	var out [][]byte
	err := filepath.WalkDir(filepath.Join(corpustest.Dir(t), "bulk"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || len(out) == 20_000 {
			return err
		}
		b, err := os.ReadFile(p)
		if err == nil && len(b) > 0 && !bytes.Contains(b, []byte{0}) && !bytes.Contains(bytes.ReplaceAll(b, []byte("\r\n"), nil), []byte("\r")) {
			out = append(out, b)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// trouble is how much of it there is.
type trouble struct {
	cuts  int           // connections that are cut
	reach int64         // at most so many bytes pass before that
	kills int           // runs of the archive that are killed
	life  time.Duration // at most so long after they began
	most  time.Duration // for everything
	slow  int64         // bytes that pass the line every 5 ms, until all are killed
}

// troubles is a little of it, or much in a long run.
func troubles() trouble {
	if os.Getenv("MUNIMENT_TEST_LONG") != "" {
		return trouble{cuts: 100, reach: 4 << 20, kills: 50, life: 4 * time.Second, most: 2 * time.Hour, slow: 2048}
	}
	return trouble{cuts: 12, reach: 40_000, kills: 4, life: 700 * time.Millisecond, most: 5 * time.Minute, slow: 512}
}

// A real mailbox is emptied into the archive while its connections are cut and the
// archive is killed, the server as well as the command, and everything is there,
// once.
func TestFetchingThroughTrouble(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"imap", "pop3"} {
		for _, mode := range []string{"implicit", "starttls", "none"} {
			t.Run(protocol+" "+mode, func(t *testing.T) {
				need.Program(t, "dovecot")
				emptyThroughTrouble(t, protocol, mode, troubles())
			})
		}
	}
}

func emptyThroughTrouble(t *testing.T, protocol, mode string, x trouble) {
	mail := mailOf(t)
	s := dovecot.New(t, dovecot.Options{})
	s.Put(t, mail...)
	want := map[[32]byte]bool{}
	for _, m := range mail {
		want[sha256.Sum256(canonical(m, protocol == "pop3"))] = true
	}
	to := map[string]string{"imap implicit": s.IMAPS, "imap": s.IMAP, "pop3 implicit": s.POP3S, "pop3": s.POP3}
	addr := to[protocol+" "+mode]
	if addr == "" {
		addr = to[protocol]
	}
	proxy := newCutter(t, addr, x.cuts, x.reach)
	i := install(t)
	flags := []string{"--protocol", protocol, "--tls", mode}
	if mode != "none" {
		flags = append(flags, "--ca", s.CertFile)
	}
	i.addMailbox("box", proxy.addr, flags...)
	start := time.Now()
	proxy.slow.Store(x.slow)
	killed := i.killFetching(s, x)
	proxy.slow.Store(0)
	for s.Count(t, "") > 0 {
		if time.Since(start) > x.most {
			t.Fatalf("%d messages are still on the server", s.Count(t, ""))
		}
		i.run("source", "fetch", "acme", "box")
	}
	emptied := time.Since(start)
	if r := i.run("fsck", "--repair"); r.code != 0 {
		t.Errorf("fsck --repair: exit %d, %s%s", r.code, r.out, r.err)
	}
	i.intact(len(want))
	i.archived(want, len(mail))
	if len(mail) >= 20_000 && killed[0]+killed[1] < x.kills { // a small mailbox may be empty before the last
		t.Errorf("%d of %d kills came while mail was on the server", killed[0]+killed[1], x.kills)
	}
	t.Logf("%d messages emptied in %v; %d connections cut; killed while mail was on the server: the command %d times, the server %d times",
		len(mail), emptied.Round(time.Second), proxy.made, killed[0], killed[1])
}

// killFetching runs the command and the server in turn and kills each by SIGKILL at
// any moment. It returns how many of both were killed with mail still on the server.
func (i *installation) killFetching(s *dovecot.Server, x trouble) (killed [2]int) {
	i.t.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	runs := [][]string{{"source", "fetch", "acme", "box"}, {"--set", "http.listen=127.0.0.1:0", "--set", "smtp.listen=127.0.0.1:0", "serve"}}
	for n := range x.kills {
		life := 200*time.Millisecond + time.Duration(random.Int64N(int64(x.life)))
		ctx, cancel := context.WithTimeout(i.t.Context(), life)
		r := finish(i.t, i.command(ctx, runs[n%2]...))
		cancel()
		if r.code < 0 && s.Count(i.t, "") > 0 {
			killed[n%2]++
		}
	}
	return killed
}
