package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/config"
	"github.com/muniment/muniment/internal/spool"
)

// The mail filter opens with a source of its own, and wrong settings are named.
func TestMilterSettings(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	want(t, exitOK, "", "--data", data, "tenant", "create", "acme")
	g := Globals{Data: data}
	a, err := g.open(t.Context(), &streams{out: &bytes.Buffer{}, err: &bytes.Buffer{}}, shared)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	dir, err := spool.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	open := func(m config.Milter) (string, error) {
		a.config.Milter = m
		srv := &server{app: a}
		defer srv.closeListeners()
		return srv.openMilter(t.Context(), dir)
	}
	good := config.Milter{Listen: "inet:127.0.0.1:0", Tenant: "acme", OnTrouble: config.TroubleAccept}
	for range 2 { // the second start finds the source of the first
		if addr, err := open(good); err != nil || !strings.HasPrefix(addr, "127.0.0.1:") {
			t.Errorf("%s, %v", addr, err)
		}
	}
	tenant, err := a.archive.TenantBySlug(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := a.archive.Sources(t.Context(), tenant.ID)
	n := 0
	for _, s := range sources {
		if s.Kind == archive.KindMilter && s.Name == milterSource {
			n++
		}
	}
	if err != nil || n != 1 {
		t.Errorf("%d sources, %v", n, err)
	}
	for why, m := range map[string]config.Milter{
		`there is no tenant "nobody"`:                 {Listen: good.Listen, Tenant: "nobody", OnTrouble: good.OnTrouble},
		`milter.listen: "127.0.0.1:0": want inet:`:    {Listen: "127.0.0.1:0", Tenant: "acme", OnTrouble: good.OnTrouble},
		`on trouble "reject" is neither tempfail nor`: {Listen: good.Listen, Tenant: "acme", OnTrouble: "reject"},
	} {
		if _, err := open(m); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%v, want %q", err, why)
		}
	}
}

// A door that cannot be opened is an error, not a panic over those not yet open.
func TestDoorThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	want(t, exitOK, "", "--data", data, "tenant", "create", "acme")
	code, _, stderr := command(t, "--data", data, "--set", "http.listen=127.0.0.1:99999", "serve")
	if code == exitOK || !strings.Contains(stderr, "http.listen") && !strings.Contains(stderr, "web interface") {
		t.Errorf("exit code %d: %q", code, stderr)
	}
}
