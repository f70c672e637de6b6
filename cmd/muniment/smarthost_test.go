package main

import (
	"encoding/json"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/testkit/smtpd"
)

func TestSmarthostCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	password, wrong, ca := filepath.Join(dir, "password"), filepath.Join(dir, "wrong"), filepath.Join(dir, "ca.pem")
	x := smtpd.New(t, smtpd.Options{NeedAuth: true})
	host, port, err := net.SplitHostPort(x.Addr)
	if err != nil {
		t.Fatal(err)
	}
	write(t, password, smtpd.Password+"\n")
	write(t, wrong, "wrong password\n")
	write(t, ca, x.CA())
	cli := func(args ...string) []string { return append([]string{"--data", data}, args...) }
	set := cli("smarthost", "set", "--host", host, "--port", port, "--from", "archiv@firma.example", "--user", smtpd.User, "--ca", ca)

	want(t, exitOK, "", cli("tenant", "create", "acme")...)
	want(t, exitError, "smarthost set", cli("smarthost", "show")...)
	want(t, exitError, "smarthost set", cli("smarthost", "test")...)
	want(t, exitError, "smarthost set", cli("smarthost", "remove")...)
	want(t, exitUsage, "from", cli("smarthost", "set", "--host", host, "--from", "nobody", "--user", "x", "--password-file", password)...)
	want(t, exitOK, "", append(set, "--password-file", wrong)...)
	want(t, exitError, "(auth)", cli("smarthost", "test")...)
	want(t, exitOK, "", append(set, "--password-file", password)...)
	want(t, exitOK, "", append(set, "--keep-password", "--name", "Archiv")...)
	want(t, exitUsage, "mail address", cli("smarthost", "test", "nobody")...)
	code, out, errs := command(t, cli("smarthost", "test", "anna@example.com", "--language", "de")...)
	if code != exitOK || !strings.Contains(out, "ok      message: 2.0.0 queued as 1") || !strings.Contains(out, x.Pin()) {
		t.Errorf("test: %d, %q, %q", code, out, errs)
	}
	if m := x.Mails(); len(m) != 1 || !strings.Contains(m[0].Data, "Testnachricht") {
		t.Errorf("the server has %+v", m)
	}
	code, out, _ = command(t, cli("smarthost", "show", "--json")...)
	var shown struct {
		Host        string
		From        string
		HasPassword bool `json:"has_password"`
	}
	if err := json.Unmarshal([]byte(out), &shown); err != nil || code != exitOK || shown.Host != host || !shown.HasPassword || strings.Contains(out, smtpd.Password) {
		t.Errorf("show: %d, %q, %v", code, out, err)
	}
	if code, out, _ := command(t, cli("outbox", "list", "--json")...); code != exitOK || out != "" {
		t.Errorf("outbox list: %d, %q", code, out)
	}
	want(t, exitUsage, "no id", cli("outbox", "drop", "x")...)
	want(t, exitUsage, "there is no mail", cli("outbox", "retry", "06h1b3xxesyp94c9fmr0zhd01c")...)
	want(t, exitOK, "", cli("smarthost", "remove")...)

	want(t, exitOK, "", cli("operator", "create", "olga", "--password-file", password)...)
	want(t, exitError, "exists already", cli("operator", "create", "olga", "--password-file", password)...)
	want(t, exitUsage, "no operator", cli("operator", "change", "anna", "--disable")...)
	want(t, exitOK, "", cli("operator", "change", "olga", "--disable")...)
	want(t, exitOK, "", cli("operator", "password", "olga", "--password-file", password)...)
	if code, out, _ := command(t, cli("operator", "list", "--json")...); code != exitOK || !strings.Contains(out, `"login":"olga"`) || !strings.Contains(out, "disabled") {
		t.Errorf("operator list: %d, %q", code, out)
	}
	want(t, exitOK, "", cli("fsck")...)
}
