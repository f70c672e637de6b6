package main

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/muniment/muniment/internal/testkit/slapd"
)

// TestDirectoryAdoption has three users who were here before a real directory was read:
// one of the same name, one of the same address, and one whose role has to be named.
// Then the directory gives one of them another name.
func TestDirectoryAdoption(t *testing.T) {
	t.Parallel()
	x := slapd.New(t, slapd.Options{LDIF: slapd.Company(15)})
	dir := t.TempDir()
	password, ca := filepath.Join(dir, "password"), filepath.Join(dir, "ca.pem")
	write(t, password, slapd.ReaderPassword+"\n")
	write(t, ca, x.CA)
	host, port, err := net.SplitHostPort(x.LDAPS)
	if err != nil {
		t.Fatal(err)
	}
	cli := func(args ...string) []string { return append([]string{"--data", filepath.Join(dir, "data")}, args...) }
	shows := func(parts []string, args ...string) {
		t.Helper()
		code, out, errs := command(t, cli(args...)...)
		for _, p := range parts {
			if code != exitOK || !strings.Contains(out, p) {
				t.Errorf("%s: %d, %s; %q is not in\n%s", strings.Join(args, " "), code, errs, p, out)
			}
		}
	}
	local := func(login, role, address string) {
		t.Helper()
		want(t, exitOK, "", cli("user", "create", "acme", login, "--role", role, "--address", address, "--password-file", password)...)
	}
	want(t, exitOK, "", cli("tenant", "create", "acme")...)
	want(t, exitOK, "", cli("domain", "add", "acme", "firma.example")...)
	local("root", "tenant-admin", "root@firma.example")
	local("u9", "user", "own@firma.example")
	local("bert", "user", "alias10@firma.example")
	local("clara", "auditor", "u11@firma.example")
	local("office", "user", "u12@firma.example")
	want(t, exitOK, "", cli("directory", "add", "ldap", "acme", "Staff", "--flavour", "generic", "--host", host, "--port", port, "--ca", ca, "--bind", slapd.ReaderDN,
		"--base", slapd.People, "--groups", slapd.Groups, "--password-file", password, "--every", "never")...)
	shows([]string{"--adopt u9=u9\n", "--adopt u10=bert\n", "--adopt u11=clara:auditor\n", "is somebody else: --beside u12\n"}, "directory", "preview", "acme", "Staff")
	sync := func(more ...string) []string {
		return append([]string{"directory", "sync", "acme", "Staff"}, more...)
	}
	want(t, exitUsage, "nothing to decide", cli(sync("--adopt", "u1")...)...)
	want(t, exitUsage, "say which user", cli(sync("--adopt", "u9=bert")...)...)
	want(t, exitError, "name it to confirm", cli(sync("--adopt", "u11=clara")...)...)
	shows([]string{"adopted  u9: Person 9, user", "adopted  u10, was bert: Person 10, user", "adopted  u11, was clara: Person 11, auditor", "new      u12: Person 12, user"},
		sync("--adopt", "u9", "--adopt", "u10=bert", "--adopt", "u11=clara:auditor", "--beside", "u12")...)
	shows([]string{"own@firma.example", "\nu10 ", "\nu11 ", "\noffice ", "\nu12 "}, "user", "list", "acme")
	shows([]string{"0 changes"}, "directory", "preview", "acme", "Staff")
	if err := x.Admin(t).ModifyDN(ldap.NewModifyDNRequest("uid=u9,"+slapd.People, "uid=neun", true, "")); err != nil {
		t.Fatal(err)
	}
	shows([]string{"renamed  neun, was u9: Person 9, user", "own@firma.example", "1 changes"}, sync()...)
	want(t, exitOK, "", cli("fsck")...)
}
