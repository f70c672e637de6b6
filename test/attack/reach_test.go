package attack

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/httpd"
	"github.com/muniment/muniment/internal/ingest/uploaded"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/upload"
)

// directories are settings of directories of every kind at a host and port; port 0 is
// the usual one.
func directories(host string, port int) []string {
	issuer := host
	if port != 0 {
		issuer = net.JoinHostPort(host, fmt.Sprint(port))
	} else if strings.Count(host, ":") > 1 && host[0] != '[' {
		issuer = "[" + host + "]"
	}
	return []string{
		fmt.Sprintf(`{"ldap":{"flavour":"generic","host":"%s","port":%d,"tls":"none","bind_dn":"cn=x","base_dn":"dc=x"}}`, host, port),
		fmt.Sprintf(`{"imap":{"host":"%s","port":%d,"tls":"none"}}`, host, port),
		fmt.Sprintf(`{"oidc":{"issuer":"https://%s","client_id":"x","redirect":"https://archive.example/auth/oidc/callback"}}`, issuer),
	}
}

// directoryInside has the archive ask directories at addresses of its surroundings. Where
// private networks are allowed, as they are unless the configuration says otherwise, a
// directory on this machine is asked; what answers there is not shown.
func directoryInside(t *testing.T, w *world, inside []string) {
	t.Helper()
	for _, host := range inside {
		for _, set := range directories(host, 0) {
			wants(t, set, w.ask(t, "alpha-admin", http.MethodPost, "/directory-tests", `{"settings":`+set+`}`), 422)
			wants(t, set, w.ask(t, "alpha-admin", http.MethodPost, "/directories", `{"name":"Falle","settings":`+set+`}`), 422)
		}
	}
	s, err := httpd.New(httpd.Config{Archive: w.env.Archive, AllowPrivate: true})
	if err != nil {
		t.Fatal(err)
	}
	open := &world{env: w.env, server: httptest.NewServer(s.HTTP().Handler)}
	defer open.server.Close()
	port := secretive(t)
	for _, set := range directories("127.0.0.1", port) {
		body := `{"settings":` + set + `,"secret":"x"}`
		for _, who := range []string{"alpha-anna", "alpha-auditor", "alpha-dpo"} {
			wants(t, who, open.ask(t, who, http.MethodPost, "/directory-tests", body), 403)
		}
		a := open.ask(t, "alpha-admin", http.MethodPost, "/directory-tests", body)
		if wants(t, set, a, 200); strings.Contains(a.body, "geheim") {
			t.Errorf("%s: what answers is shown: %s", set, a)
		}
	}
	for _, host := range []string{"169.254.169.254", "metadata.google.internal", "::ffff:169.254.169.254", "fd00:ec2::254", "0.0.0.0"} {
		for _, set := range directories(host, 0) {
			wants(t, set, open.ask(t, "alpha-admin", http.MethodPost, "/directory-tests", `{"settings":`+set+`}`), 422)
		}
	}
}

// secretive is a service on this machine that tells something to whoever connects; it
// returns its port.
func secretive(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // listens at once
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nX: geheim\r\n\r\ngeheim"))
			_ = c.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // of a TCP listener
}

// zipBomb is some kilobytes with a message, and one that unpacks to 2 GiB.
func zipBomb(t *testing.T) string {
	t.Helper()
	block := packed(t, strings.Repeat("0", 16<<20))
	return zipped(t, [][2]string{
		{"mail.eml", "From: a@else.example\nTo: anna@alpha.example\nSubject: harmlos\n\nText\n"},
		{"bomb.eml.gz", packed(t, "From: b@else.example\nTo: anna@alpha.example\nSubject: bombe\n\n") + strings.Repeat(block, 128)},
	})
}

// packed is a member of a gzip file (RFC 1952 §2.2): what is put behind it is unpacked
// with it.
func packed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zipped(t *testing.T, files [][2]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.Create(f[0])
		if err == nil {
			_, err = w.Write([]byte(f[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// uploadedBomb has the server unpack a bomb: what can be archived is, the rest is named,
// and nothing of it stays on the disk.
func uploadedBomb(t *testing.T, w *world) {
	t.Helper()
	files := t.TempDir()
	dir, err := spool.Open(files)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- (&uploaded.Runner{Archive: w.env, Store: w.uploads, Spool: dir}).Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	bomb := zipBomb(t)
	before := sizeOf(t, w.env.Dir)
	id := made(t, w.ask(t, "alpha-admin", http.MethodPost, "/uploads", fmt.Sprintf(`{"kind":"mail","name":"alles.zip","size":%d}`, len(bomb))))
	wants(t, "the bomb", w.ask(t, "alpha-admin", http.MethodPut, "/uploads/"+id+"/data?offset=0", bomb, set("Content-Type", "application/octet-stream")), 200)
	wants(t, "its end", w.ask(t, "alpha-admin", http.MethodPost, "/uploads/"+id+"/finish", `{}`), 200)
	var u api.Upload
	for end := time.Now().Add(5 * time.Minute); u.State != upload.Done && u.State != upload.Failed; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it is unpacked still: %+v", u)
		}
		a := w.ask(t, "alpha-admin", http.MethodGet, "/uploads/"+id, "")
		if err := json.Unmarshal([]byte(a.body), &u); err != nil {
			t.Fatalf("%v: %s", err, a)
		}
	}
	if u.State != upload.Done || u.Result == nil || u.Result.Stored != 1 || u.Result.Failed != 1 || !strings.Contains(u.Result.Items[1].Detail, "limits") {
		t.Errorf("%+v, %+v", u, u.Result)
	}
	if n := sizeOf(t, files); n > 1<<20 {
		t.Errorf("%d bytes stay where it was unpacked", n)
	}
	if n := sizeOf(t, w.env.Dir) - before; n > 64<<20 {
		t.Errorf("the archive grew by %d bytes", n)
	}
	wants(t, "afterwards", w.ask(t, "alpha-anna", http.MethodGet, "/messages/"+w.mail.String(), ""), 200)
}

// sizeOf adds up the files below a directory.
func sizeOf(t *testing.T, dir string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // it has gone meanwhile
		}
		if i, err := d.Info(); err == nil {
			n += i.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
