package main

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/testkit/slapd"
)

// TestDirectoryCommands goes from an empty archive to users who were read from a real
// directory.
func TestDirectoryCommands(t *testing.T) {
	t.Parallel()
	x := slapd.New(t, slapd.Options{LDIF: slapd.Company(30)})
	dir := t.TempDir()
	password, wrong, ca := filepath.Join(dir, "password"), filepath.Join(dir, "wrong"), filepath.Join(dir, "ca.pem")
	write(t, password, slapd.ReaderPassword+"\n")
	write(t, wrong, "wrong\n")
	write(t, ca, x.CA)
	host, port, err := net.SplitHostPort(x.LDAPS)
	if err != nil {
		t.Fatal(err)
	}
	cli := func(args ...string) []string { return append([]string{"--data", filepath.Join(dir, "data")}, args...) }
	add := func(name, file string, more ...string) []string {
		return append(cli("directory", "add", "ldap", "acme", name, "--flavour", "generic", "--host", host, "--port", port, "--ca", ca, "--bind", slapd.ReaderDN,
			"--base", slapd.People, "--groups", slapd.Groups, "--password-file", file), more...)
	}
	want(t, exitOK, "", cli("tenant", "create", "acme")...)
	want(t, exitOK, "", cli("domain", "add", "acme", "firma.example")...)
	want(t, exitUsage, "operator", add("Staff", password, "--role", "operator=cn=admins,"+slapd.Groups)...)
	want(t, exitUsage, "ROLE=GROUP", add("Staff", password, "--role", "auditor")...)
	want(t, exitOK, "", add("Staff", password, "--shared", "--role", "auditor=cn=admins,"+slapd.Groups, "--every", "never")...)
	want(t, exitError, "already", add("Staff", password)...)
	want(t, exitOK, "", add("Broken", wrong)...)
	want(t, exitError, "(auth)", cli("directory", "test", "acme", "broken")...)
	want(t, exitError, "(auth)", cli("directory", "sync", "acme", "broken")...)
	want(t, exitUsage, "no directory", cli("directory", "test", "acme", "none")...)
	code, out, errs := command(t, cli("directory", "test", "acme", "Staff")...)
	if code != exitOK || !strings.Contains(out, "30 users, 2 shared") || strings.Count(out, "\nuser ") != 5 || strings.Contains(out, slapd.ReaderPassword) {
		t.Errorf("test: %d, %q, %q", code, out, errs)
	}
	code, out, _ = command(t, cli("directory", "preview", "acme", "Staff")...)
	if code != exitOK || !strings.Contains(out, "27 changes") || !strings.Contains(out, "new      u1: Person 1, auditor, person.1@firma.example") {
		t.Errorf("preview: %d, %q", code, out)
	}
	if _, out, _ := command(t, cli("user", "list", "acme", "--json")...); out != "" {
		t.Errorf("a preview has made users: %q", out)
	}
	want(t, exitOK, "", cli("directory", "sync", "acme", "Staff")...)
	if _, out, _ := command(t, cli("user", "list", "acme", "--json")...); strings.Count(out, "\n") != 27 || !strings.Contains(out, "vertrieb@firma.example") {
		t.Errorf("users: %q", out)
	}
	if code, out, _ := command(t, cli("directory", "list", "acme", "--json")...); code != exitOK || !strings.Contains(out, "Staff") || !strings.Contains(out, "on, auth") || strings.Contains(out, "wrong") {
		t.Errorf("list: %d, %q", code, out)
	}
	want(t, exitOK, "", cli("directory", "add", "oidc", "acme", "Provider", "--issuer", "https://login.firma.example", "--client-id", "x", "--url", "https://archive.firma.example/", "--password-file", password)...)
	want(t, exitUsage, "issuer", cli("directory", "add", "oidc", "acme", "P", "--issuer", "http://login.firma.example", "--client-id", "x", "--url", "https://archive.firma.example/", "--password-file", password)...)
	want(t, exitOK, "", cli("directory", "add", "imap", "acme", "Mail", "--host", "mail.firma.example", "--create")...)
	want(t, exitOK, "", cli("directory", "remove", "acme", "Staff")...)
	want(t, exitOK, "", cli("fsck")...)
}
