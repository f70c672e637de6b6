package fault

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
)

// fileServer is a server with a watched folder, which is killed now and then.
type fileServer struct {
	t          *testing.T
	bin        string
	data, root string
	kill       func()
	url        string
}

func (s *fileServer) serve() {
	s.t.Helper()
	sub := &subject{t: s.t, bin: s.bin, data: s.data}
	cmd := sub.command("--set", "http.listen=127.0.0.1:0", "--set", "smtp.listen=", "--set", "log.level=error", "--set", "folder.root="+s.root, "serve")
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	s.url = ""
	for s.url == "" && lines.Scan() {
		if addr, ok := strings.CutPrefix(lines.Text(), "web interface: "); ok {
			s.url = addr + "api/v1"
		}
	}
	if s.url == "" {
		s.t.Fatal("the server does not start")
	}
	s.kill = func() {
		cmd.Process.Kill() //nolint:errcheck // it may have ended
		cmd.Wait()         //nolint:errcheck // it was killed
	}
}

// giver uploads files, over as many servers as it takes. Its errors are those of a
// server that was killed: the next attempt tells.
type giver struct {
	client *http.Client
	todo   map[string][]byte // by name
	ids    map[string]string
}

func (g *giver) call(url, method, kind string, body []byte, into any) (int, error) {
	r, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", kind)
	res, err := g.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && into != nil && res.StatusCode < 300 {
		err = json.Unmarshal(b, into)
	}
	return res.StatusCode, err
}

type given struct {
	ID, State string
	Received  int64
}

// send brings all files as far as the server lives.
func (g *giver) send(url string) error {
	login := fmt.Sprintf(`{"login":"anna","password":%q}`, archivetest.Password)
	if _, err := g.call(url+"/session", "POST", "application/json", []byte(login), nil); err != nil {
		return err
	}
	for name, content := range g.todo {
		if err := g.one(url, name, content); err != nil {
			return err
		}
		delete(g.todo, name)
	}
	return nil
}

func (g *giver) one(url, name string, content []byte) error {
	const step = 100_000
	var u given
	if id := g.ids[name]; id != "" {
		if status, err := g.call(url+"/uploads/"+id, "GET", "", nil, &u); err != nil || status != http.StatusOK {
			return fmt.Errorf("an upload is lost: %d %w", status, err)
		}
	} else if _, err := g.call(url+"/uploads", "POST", "application/json", fmt.Appendf(nil, `{"kind":"document","name":%q,"size":%d}`, name, len(content)), &u); err != nil {
		return err
	}
	g.ids[name] = u.ID
	for u.State == "open" && u.Received < int64(len(content)) {
		piece := content[u.Received:min(u.Received+step, int64(len(content)))]
		if status, err := g.call(fmt.Sprintf("%s/uploads/%s/data?offset=%d", url, u.ID, u.Received), "PUT", "application/octet-stream", piece, &u); err != nil || status != http.StatusOK {
			return fmt.Errorf("piece: %d %w", status, err)
		}
	}
	sum := sha256.Sum256(content)
	_, err := g.call(url+"/uploads/"+u.ID+"/finish", "POST", "application/json", fmt.Appendf(nil, `{"sha256":"%s"}`, hex.EncodeToString(sum[:])), &u)
	return err
}

// Files in a folder and uploads come in while the server is killed, again and again:
// in the end each is archived, once.
func TestFilesWhileKilled(t *testing.T) {
	const rounds, each = 10, 4
	s := &fileServer{t: t, bin: binary(t), data: t.TempDir(), root: t.TempDir()}
	e := archivetest.New(t, archivetest.Options{Dir: s.data})
	tenant, _ := e.Tenant(t, "acme")
	anna := e.User(t, tenant, "anna", access.RoleUser, "anna@example.com")
	if _, err := e.CreateFolder(t.Context(), tenant.ID, archive.SourceDraft{Name: "Scanner", Settings: []byte(`{"directory":"","owners":["anna@example.com"],"settle_seconds":1}`)}); err != nil {
		t.Fatal(err)
	}
	e.Close()
	dir := filepath.Join(s.root, "acme")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	g := &giver{client: &http.Client{Jar: jar, Timeout: 20 * time.Second}, todo: map[string][]byte{}, ids: map[string]string{}}
	want := map[[32]byte]bool{}
	for round := range rounds {
		for i := range each {
			name := fmt.Sprintf("%02d-%d.bin", round, i)
			for _, put := range []func([]byte) error{
				func(b []byte) error { return os.WriteFile(filepath.Join(dir, name), b, 0o644) },
				func(b []byte) error { g.todo["up-"+name] = b; return nil },
			} {
				content := bytes.Repeat(fmt.Appendf(nil, "%d %d ", rand.Int64(), i), 1+rand.IntN(20_000))
				want[sha256.Sum256(content)] = true
				if err := put(content); err != nil {
					t.Fatal(err)
				}
			}
		}
		s.serve()
		sent := make(chan error, 1)
		go func() { sent <- g.send(s.url) }()
		time.Sleep(time.Duration(200+rand.IntN(6000)) * time.Millisecond)
		s.kill()
		<-sent //nolint:errcheck // the server was killed
	}
	s.serve()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		err := g.send(s.url)
		left, globErr := fs.Glob(os.DirFS(dir), "*.bin")
		open := false
		for _, id := range g.ids {
			var u given
			if _, err := g.call(s.url+"/uploads/"+id, "GET", "", nil, &u); err != nil || u.State != "done" {
				open = true
			}
		}
		if err == nil && globErr == nil && len(left) == 0 && !open && len(g.todo) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not all is archived: %v, in the folder %q, uploads open: %t", err, left, open)
		}
		time.Sleep(200 * time.Millisecond)
	}
	s.kill()
	proveFiles(t, s.data, anna, want)
}

// proveFiles reads every document back and compares.
func proveFiles(t *testing.T, data string, anna access.Actor, want map[[32]byte]bool) {
	t.Helper()
	e := archivetest.New(t, archivetest.Options{Dir: data})
	captures := 0
	err := e.Catalog.WalkCaptures(t.Context(), anna.Tenant, func(_ *catalog.Capture, err error) error { captures++; return err })
	if err != nil {
		t.Fatal(err)
	}
	got := map[[32]byte]bool{}
	n := 0
	err = e.Catalog.WalkMessages(t.Context(), anna.Tenant, func(m *catalog.Message, err error) error {
		if err != nil {
			return err
		}
		n++
		r, _, err := e.As(anna).Raw(t.Context(), m.AOID)
		if err != nil {
			return err
		}
		defer r.Close()
		h := sha256.New()
		_, err = io.Copy(h, r)
		got[[32]byte(h.Sum(nil))] = true
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	missing := 0
	for sum := range want {
		if !got[sum] {
			missing++
		}
	}
	if missing > 0 || n != len(want) || captures != len(want) {
		t.Errorf("%d of %d are missing; %d documents, %d arrivals", missing, len(want), n, captures)
	}
	t.Logf("%d documents, %d arrivals, %d given", n, captures, len(want))
	_, err = e.Fsck(t.Context(), archive.FsckOptions{Report: func(f archive.Finding) {
		if f.Severity == archive.Damage {
			t.Errorf("fsck: %s: %s", f.Object, f.What)
		}
	}})
	if err != nil {
		t.Error(err)
	}
}
