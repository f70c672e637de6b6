package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// command runs the program in this process.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(args, &out, &errs)
	return code, out.String(), errs.String()
}

// want fails unless the exit code is as wanted and standard error says why.
func want(t *testing.T, code int, why string, args ...string) {
	t.Helper()
	got, _, stderr := command(t, args...)
	if got != code || !strings.Contains(stderr, why) {
		t.Errorf("muniment %s: exit code %d, want %d; standard error: %q, want %q in it", strings.Join(args, " "), got, code, stderr, why)
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	settings := filepath.Join(dir, "wrong.yaml")
	write(t, settings, "http:\n  lissten: :80\n")
	other := filepath.Join(dir, "other")
	write(t, filepath.Join(other, "thesis.txt"), "not an archive")
	good := filepath.Join(dir, "good.eml")
	write(t, good, "Subject: gut\r\n\r\nText\r\n")
	empty := filepath.Join(dir, "empty.eml")
	write(t, empty, "")

	want(t, exitUsage, "frobnicate", "frobnicate")
	want(t, exitUsage, "--colour", "version", "--colour")
	want(t, exitUsage, "lissten", "--config", settings, "config")
	want(t, exitUsage, "http.lissten", "--set", "http.lissten=:80", "config")
	want(t, exitUsage, "no archive in "+data, "--data", data, "tenant", "list")
	if _, err := os.Stat(data); err == nil {
		t.Errorf("a command that only reads has made %s", data)
	}
	want(t, exitUsage, "thesis.txt", "--data", other, "tenant", "create", "acme")

	want(t, exitOK, "", "--data", data, "tenant", "create", "acme", "--name", "Acme GmbH")
	want(t, exitError, "acme", "--data", data, "tenant", "create", "acme")
	want(t, exitUsage, "slug", "--data", data, "tenant", "create", "A B")
	want(t, exitUsage, "zone", "--data", data, "tenant", "create", "other", "--zone", "Mars/X")
	want(t, exitUsage, "name", "--data", data, "tenant", "create", "other", "--name", "X\nY")
	want(t, exitUsage, "--report", "--data", data, "import", "acme", good, "--report", filepath.Join(dir, "no", "report.json"))
	want(t, exitUsage, "name", "--data", data, "import", "acme", good, "--source", strings.Repeat("x", 5000))
	if code, out, _ := command(t, "--data", data, "tenant", "list", "--json"); code != exitOK || !strings.Contains(out, `"slug":"acme"`) || !strings.Contains(out, `"not_yet_searchable":0`) {
		t.Errorf("tenant list --json: %d, %q", code, out)
	}
	want(t, exitUsage, "nobody", "--data", data, "user", "list", "nobody")
	want(t, exitOK, "", "--data", data, "import", "acme", good, "--quiet")
	want(t, exitFindings, "empty.eml", "--data", data, "import", "acme", good, empty, "--quiet")
	want(t, exitUsage, "missing.eml", "--data", data, "import", "acme", filepath.Join(dir, "missing.eml"))
	want(t, exitOK, "", "--data", data, "fsck")

	segments, err := filepath.Glob(filepath.Join(data, "blobs", "tenants", "*", "seg", "*.seg"))
	if err != nil || len(segments) == 0 {
		t.Fatalf("no segments: %v", err)
	}
	b, err := os.ReadFile(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.Chmod(segments[0], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(segments[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, _ := command(t, "--data", data, "fsck")
	if code != exitFindings || !strings.Contains(out, strings.TrimSuffix(filepath.Base(segments[0]), ".seg")) {
		t.Errorf("fsck of a damaged segment: exit code %d, want %d; it says %q", code, exitFindings, out)
	}
}

// Who starts an archive whose catalog is lost is told what to do, and so is who
// has rebuilt it.
func TestLostCatalog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	mail := filepath.Join(dir, "mail.eml")
	write(t, mail, "Subject: gut\r\n\r\nText\r\n")
	_, created, _ := command(t, "--data", data, "tenant", "create", "acme")
	_, address, ok := strings.Cut(strings.TrimSpace(created), "journal address: ")
	if !ok {
		t.Fatalf("tenant create says %q", created)
	}
	want(t, exitOK, "", "--data", data, "import", "acme", mail, "--quiet")
	for _, name := range []string{"catalog.db", "catalog.db-wal", "catalog.db-shm"} {
		if err := os.Remove(filepath.Join(data, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	want(t, exitError, "muniment rebuild", "--data", data, "serve")
	want(t, exitError, "muniment rebuild", "--data", data, "tenant", "create", "acme")
	code, out, _ := command(t, "--data", data, "fsck")
	if code != exitFindings || !strings.Contains(out, "damage: acme: tenant ") || !strings.Contains(out, "muniment rebuild") {
		t.Errorf("fsck without a catalog: exit code %d, it says %q", code, out)
	}
	code, out, _ = command(t, "--data", data, "rebuild")
	if code != exitOK || !strings.Contains(out, "restored 1 messages") || !strings.Contains(out, "muniment user create") {
		t.Errorf("rebuild: exit code %d, it says %q", code, out)
	}
	code, out, _ = command(t, "--data", data, "source", "list", "acme")
	if code != exitOK || !strings.Contains(out, address) {
		t.Errorf("the journal address %s is lost: exit code %d, %q", address, code, out)
	}
	want(t, exitOK, "", "--data", data, "reindex")
	want(t, exitOK, "", "--data", data, "fsck")
}

// Commands that need the data directory for themselves say so and do nothing.
func TestLocked(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	want(t, exitOK, "", "--data", data, "tenant", "create", "acme", "--name", "Acme GmbH")
	g := Globals{Data: data}
	a, err := g.open(t.Context(), &streams{out: &bytes.Buffer{}, err: &bytes.Buffer{}}, shared)
	if err != nil {
		t.Fatal(err)
	}
	want(t, exitLocked, data, "--data", data, "rebuild")
	want(t, exitLocked, data, "--data", data, "fsck", "--repair")
	want(t, exitOK, "", "--data", data, "fsck")
	want(t, exitOK, "", "--data", data, "tenant", "list")
	a.close()
	want(t, exitOK, "", "--data", data, "rebuild")
}

func TestVersion(t *testing.T) {
	t.Parallel()
	code, out, _ := command(t, "version")
	if code != exitOK || !strings.HasPrefix(out, "muniment ") || !strings.Contains(out, "go1.") {
		t.Errorf("exit code %d: %q", code, out)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A door that cannot be opened is named, and nothing else happens.
func TestDoorsThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(dir, "precious.txt")
	write(t, file, "precious")
	missing := filepath.Join(dir, "missing.pem")
	off := []string{"--data", data, "--set", "http.listen=127.0.0.1:0", "--set", "smtp.listen=127.0.0.1:0"}
	for setting, value := range map[string]string{
		"http.listen": taken.Addr().String(), "smtp.listen": taken.Addr().String(), "lmtp.listen": "unix:" + file, "smtp.password_file": missing,
	} {
		args := append(slices.Clone(off), "--set", setting+"="+value)
		if setting == "smtp.password_file" {
			args = append(args, "--set", "smtp.user=x")
		}
		want(t, exitUsage, setting, append(args, "serve")...)
	}
	for _, pair := range [][2]string{{"http.tls_cert", "http.tls_key"}, {"smtp.tls_cert", "smtp.tls_key"}} {
		want(t, exitUsage, pair[0], append(slices.Clone(off), "--set", pair[0]+"="+missing, "--set", pair[1]+"="+missing, "serve")...)
	}
	want(t, exitUsage, "http.listen", "--data", data, "--set", "http.listen=foo", "serve")
	if b, err := os.ReadFile(file); err != nil || string(b) != "precious" {
		t.Errorf("the file at the place of a socket is now %q, %v", b, err)
	}
}
