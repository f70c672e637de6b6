package catalog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// somePeople has a fresh catalog in dir with n tenants, closed again.
func somePeople(t *testing.T, file string, n int) {
	t.Helper()
	c := open(t, "sqlite:"+file)
	for i := range n {
		tenant := &catalog.Tenant{ID: uid.New(time.Now()), Slug: fmt.Sprint("t", i), Name: strings.Repeat("name ", 50)}
		if err := c.CreateTenant(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
		events := []*catalog.Event{{Actor: "cli", Action: "x", Details: map[string]string{"a": "b"}}}
		if err := c.AppendEvents(t.Context(), tenant.ID, events); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// use opens a database file and does with it what there is to do. It must end
// in an error or do its work, and never in a panic.
func use(ctx context.Context, file string) (err error) {
	c, err := catalog.Open(ctx, "sqlite:"+file, catalog.Options{Readers: 1})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	found := c.Check(ctx, func(bad error) { err = errors.Join(err, bad) })
	list, listed := c.Tenants(ctx)
	err = errors.Join(err, found, listed)
	for _, t := range list[:min(len(list), 1)] {
		_, events := c.Events(ctx, t.ID, 0, 10)
		err = errors.Join(err, events, c.AppendEvents(ctx, t.ID, []*catalog.Event{{Actor: "cli", Action: "y"}}),
			c.WalkMessages(ctx, t.ID, func(*catalog.Message, error) error { return nil }))
	}
	return errors.Join(err, c.CreateTenant(ctx, &catalog.Tenant{ID: uid.New(time.Now()), Slug: "new"}))
}

func TestDamagedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "catalog.db")
	somePeople(t, file, 3)
	healthy, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := use(t.Context(), file); err != nil {
		t.Fatalf("a healthy file: %v", err)
	}
	const page = 8192
	try := func(name string, content []byte) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "catalog.db")
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := use(t.Context(), file); err == nil {
				t.Error("no error")
			}
		})
	}
	try("text", []byte(strings.Repeat("This is not a database. ", 1000)))
	try("one byte", []byte{0})
	try("zeros", make([]byte, 4*page))
	try("the first 100 bytes", healthy[:100])
	try("the name only", healthy[:16])
	for n := page; n < len(healthy); n += page {
		try(fmt.Sprintf("the first %d bytes", n), healthy[:n])
		try(fmt.Sprintf("the first %d bytes", n-17), healthy[:n-17])
		zeroed := bytes.Clone(healthy)
		clear(zeroed[n-page : n])
		noisy := bytes.Clone(healthy)
		for i := range 64 {
			noisy[n-page+i*127] ^= 0x55
		}
		if !bytes.Equal(zeroed, healthy) {
			try(fmt.Sprintf("page %d zeroed", n/page), zeroed)
		}
		try(fmt.Sprintf("page %d with noise", n/page), noisy)
	}
}

// FuzzOpenFile gives the catalog whatever files. It compares nothing: no error
// is wrong but a panic or a hang.
func FuzzOpenFile(f *testing.F) {
	dir := f.TempDir()
	file := filepath.Join(dir, "seed.db")
	c, err := catalog.Open(context.Background(), "sqlite:"+file, catalog.Options{})
	if err != nil {
		f.Fatal(err)
	}
	if err := c.Close(); err != nil {
		f.Fatal(err)
	}
	seed, err := os.ReadFile(file)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(0, []byte("SQLite format 4\x00"))
	f.Add(18, []byte{9, 9})
	f.Add(8192, []byte{13, 0xff, 0xff})
	f.Add(len(seed)-10, []byte("garbage at the end"))
	f.Fuzz(func(t *testing.T, offset int, patch []byte) {
		content := bytes.Clone(seed)
		if offset < 0 || offset > len(content) {
			return
		}
		n := copy(content[offset:], patch)
		content = append(content, patch[n:]...)
		file := filepath.Join(t.TempDir(), "catalog.db")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := use(ctx, file); errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("does not end: %v", err)
		}
	})
}

// TestStrangePaths has paths with what means something in a URL.
func TestStrangePaths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a b", "a?b", "a#b", "a%20b", "%", "ü", "a&mode=ro", "a'b", `a"b`, "a;b", "file:x", ":memory:", "-", "a\nb"} {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name)
		somePeople(t, file, 1)
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 || entries[0].Name() != name {
			t.Errorf("%q: the directory holds %v, %v", name, entries, err)
		}
		list, err := open(t, "sqlite:"+file).Tenants(t.Context())
		if err != nil || len(list) != 1 {
			t.Errorf("%q: %v, %v", name, list, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, dsn := range []string{"", "sqlite:", "sqlite", "mysql://x", dir + "/catalog.db", "sqlite:" + dir, "sqlite:" + dir + "/none/catalog.db", "postgres://%zz", "postgres://nobody@127.0.0.1:1/none?connect_timeout=1"} {
		c, err := catalog.Open(t.Context(), dsn, catalog.Options{})
		if err == nil {
			t.Errorf("%q was opened", dsn)
			close1(t, c)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	_, err := catalog.Open(t.Context(), "postgres://anna:secret@127.0.0.1:1/none?connect_timeout=1", catalog.Options{})
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("the password is in the error: %v", err)
	}
}

// otherProcess names the file another process of this test works on.
const otherProcess = "MUNIMENT_TEST_CATALOG_FILE"

// perProcess is how many events each commits.
const perProcess = 20

// TestMain lets the test binary be that other process.
func TestMain(m *testing.M) {
	if file := os.Getenv(otherProcess); file != "" {
		if err := appendTo(context.Background(), file, perProcess); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// appendTo opens a database, makes a tenant if there is none, and commits n
// events to its log, each on its own.
func appendTo(ctx context.Context, file string, n int) (err error) {
	c, err := catalog.Open(ctx, "sqlite:"+file, catalog.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	tenant := &catalog.Tenant{ID: uid.New(time.Now()), Slug: "shared"}
	if err := c.CreateTenant(ctx, tenant); errors.Is(err, catalog.ErrTaken) {
		if tenant, err = c.TenantBySlug(ctx, "shared"); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	for range n {
		if err := c.AppendEvents(ctx, tenant.ID, []*catalog.Event{{Actor: "cli", Action: "x"}}); err != nil {
			return err
		}
	}
	return nil
}

// TestProcesses has several processes create one database at the same moment
// and write to it.
func TestProcesses(t *testing.T) {
	t.Parallel()
	const processes = 4
	for range 2 {
		file := filepath.Join(t.TempDir(), "catalog.db")
		var wg sync.WaitGroup
		for range processes {
			wg.Go(func() {
				cmd := exec.CommandContext(t.Context(), os.Args[0])
				cmd.Env = append(os.Environ(), otherProcess+"="+file)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, out)
				}
			})
		}
		wg.Wait()
		c := open(t, "sqlite:"+file)
		tenant, err := c.TenantBySlug(t.Context(), "shared")
		if err != nil {
			t.Fatal(err)
		}
		if head, err := c.EventHead(t.Context(), tenant.ID); err != nil || head.Size != processes*perProcess {
			t.Errorf("%d events, %v, want %d", head.Size, err, processes*perProcess)
		}
		if err := c.Check(t.Context(), func(err error) { t.Error(err) }); err != nil {
			t.Error(err)
		}
	}
}
