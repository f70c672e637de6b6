package ldap

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/slapd"
)

// settings are those of a test's slapd by LDAPS.
func settings(t *testing.T, s *slapd.Server) directory.Settings {
	t.Helper()
	host, port := at(t, s.LDAPS)
	return directory.Settings{LDAP: &directory.LDAP{Flavour: directory.FlavourGeneric, Host: host, Port: port, TLS: remote.Implicit, CA: s.CA,
		BindDN: slapd.ReaderDN, BaseDN: slapd.People, GroupDN: slapd.Groups}}
}

func at(t *testing.T, addr string) (string, int) {
	t.Helper()
	host, p, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(p)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

const secret = slapd.ReaderPassword

// TestSlapdReads reads a company of 5,000, ten times as many as the server gives at
// once, with nested groups that contain each other.
func TestSlapdReads(t *testing.T) {
	t.Parallel()
	s := slapd.New(t, slapd.Options{LDIF: slapd.Company(5000)})
	set := settings(t, s)
	set.LDAP.Shared, set.LDAP.Public = true, "cn=sales,"+slapd.Groups
	set.Roles = []directory.RoleRule{{Group: "CN=Admins, " + slapd.Groups, Role: "tenant-admin"}, {Group: "cn=everybody," + slapd.Groups, Role: "auditor"},
		{Group: "cn=unix," + slapd.Groups, Role: "dpo"}}
	ctx := context.Background()
	c := New(Config{})
	begun := time.Now()
	snap, err := c.Read(ctx, set, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("5,000 people read in %v", time.Since(begun))
	if len(snap.People) != 5000 {
		t.Fatalf("%d people", len(snap.People))
	}
	by := map[string]directory.Person{}
	login := map[string]string{}
	for _, p := range snap.People {
		by[p.Login], login[p.ID] = p, p.Login
	}
	roles := map[string]string{"u0": "", "u1": "tenant-admin", "u2": "auditor", "u3": "auditor", "u4": "dpo"}
	for who, role := range roles {
		if by[who].Role != role {
			t.Errorf("%s has the role %q, want %q", who, by[who].Role, role)
		}
	}
	if diff := cmp.Diff([]string{"person.7@firma.example", "u7@firma.example", "alias7@firma.example"}, by["u7"].Addresses); diff != "" {
		t.Error(diff)
	}
	for i := range 10 {
		if p := by["u"+strconv.Itoa(i)]; p.Disabled != (i >= 5 && i <= 7) {
			t.Errorf("%s: disabled %v", p.Login, p.Disabled)
		}
	}
	if by["u8"].Name != `Ann (Tina) * \ O'Neil, "Boss"` {
		t.Errorf("u8 is called %q", by["u8"].Name)
	}
	shared := map[string][]string{}
	for _, x := range snap.Shared {
		for _, m := range x.Members {
			shared[x.Addresses[0]] = append(shared[x.Addresses[0]], login[m])
		}
		slices.Sort(shared[x.Addresses[0]])
	}
	want := map[string][]string{"vertrieb@firma.example": {"u2", "u3"}, "alle@firma.example": {"u1", "u2", "u3"}, "faxe@firma.example": {"u2", "u3"}}
	if diff := cmp.Diff(want, shared); diff != "" {
		t.Error(diff)
	}
	if !slices.ContainsFunc(snap.Notes, func(n directory.Note) bool { return n.Code == directory.NoteLoop }) {
		t.Errorf("nobody noted the loop: %v", snap.Notes)
	}
	adopts(t, s, func() *directory.Snapshot {
		snap, err := c.Read(ctx, set, []byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		return snap
	})
	set.LDAP.Member = "cn=everybody," + slapd.Groups
	if snap, err = c.Read(ctx, set, []byte(secret)); err != nil || len(snap.People) != 3 {
		t.Errorf("restricted to a group: %v, %v", snap, err)
	}
}

// TestSlapdVerifies logs in, also after the entry has moved, and never with an empty
// password or as one who is disabled.
func TestSlapdVerifies(t *testing.T) {
	t.Parallel()
	s := slapd.New(t, slapd.Options{LDIF: slapd.Company(20)})
	set := settings(t, s)
	c, ctx := New(Config{}), context.Background()
	snap, err := c.Read(ctx, set, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	id := map[string]string{}
	for _, p := range snap.People {
		id[p.Login] = p.ID
	}
	verify := func(who, password string) error { return c.Verify(ctx, *set.LDAP, []byte(secret), id[who], password) }
	if err := verify("u0", slapd.UserPassword(0)); err != nil {
		t.Errorf("the right password: %v", err)
	}
	for name, err := range map[string]error{
		"wrong": verify("u0", "wrong"), "empty": verify("u0", ""), "of another": verify("u0", slapd.UserPassword(1)),
		"disabled by userAccountControl": verify("u5", slapd.UserPassword(5)), "by nsAccountLock": verify("u6", slapd.UserPassword(6)),
		"by pwdAccountLockedTime": verify("u7", slapd.UserPassword(7)), "nobody": c.Verify(ctx, *set.LDAP, []byte(secret), "*", "x"),
		"a filter": c.Verify(ctx, *set.LDAP, []byte(secret), "*)(uid=u0", slapd.UserPassword(0)),
	} {
		if !errors.Is(err, directory.ErrPassword) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Admin(t).ModifyDN(ldap.NewModifyDNRequest("uid=u0,"+slapd.People, "uid=anna", true, slapd.Groups)); err != nil {
		t.Fatal(err)
	}
	set.LDAP.BaseDN = slapd.Suffix
	if err := verify("u0", slapd.UserPassword(0)); err != nil {
		t.Errorf("after it was renamed and moved: %v", err)
	}
	if err := c.Verify(ctx, *set.LDAP, []byte("wrong"), id["u0"], slapd.UserPassword(0)); directory.Code(err) != remote.CodeAuth || !directory.Down(err) {
		t.Errorf("when the reading user is refused: %v", err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := verify("u0", slapd.UserPassword(0)); directory.Code(err) != remote.CodeConnect || !directory.Down(err) {
		t.Errorf("when the server is down: %v", err)
	}
}

// TestSlapdFindings makes one mistake after the other in settings that work.
func TestSlapdFindings(t *testing.T) {
	t.Parallel()
	s := slapd.New(t, slapd.Options{LDIF: slapd.Company(20)})
	host, clear := at(t, s.LDAP)
	for name, x := range map[string]struct {
		change func(*directory.Settings)
		secret string
		code   string
		last   string // step
	}{
		"ldaps":           {func(*directory.Settings) {}, secret, "", "people"},
		"starttls":        {func(s *directory.Settings) { s.LDAP.TLS, s.LDAP.Port = remote.StartTLS, clear }, secret, "", "people"},
		"in the clear":    {func(s *directory.Settings) { s.LDAP.TLS, s.LDAP.Port = remote.NoTLS, clear }, secret, "", "people"},
		"unknown host":    {func(s *directory.Settings) { s.LDAP.Host = "dc1.invalid" }, secret, remote.CodeDNS, "resolve"},
		"closed port":     {func(s *directory.Settings) { s.LDAP.Port = 1 }, secret, remote.CodeConnect, "connect"},
		"unknown CA":      {func(s *directory.Settings) { s.LDAP.CA = "" }, secret, remote.CodeCertificate, "certificate"},
		"unknown CA, tls": {func(s *directory.Settings) { s.LDAP.TLS, s.LDAP.Port, s.LDAP.CA = remote.StartTLS, clear, "" }, secret, remote.CodeCertificate, "certificate"},
		"no TLS there":    {func(s *directory.Settings) { s.LDAP.Port = clear }, secret, remote.CodeTLS, "tls"},
		"wrong password":  {func(*directory.Settings) {}, "wrong", remote.CodeAuth, "bind"},
		"no password":     {func(*directory.Settings) {}, "", remote.CodeAuth, "bind"},
		"unknown base":    {func(s *directory.Settings) { s.LDAP.BaseDN = "dc=other,dc=example" }, secret, directory.CodeBase, "base"},
		"no DN":           {func(s *directory.Settings) { s.LDAP.BaseDN = "firma.example" }, secret, directory.CodeBase, "base"},
		"nobody":          {func(s *directory.Settings) { s.LDAP.Filter = "(uid=nobody)" }, secret, directory.CodeEmpty, "people"},
		"broken filter":   {func(s *directory.Settings) { s.LDAP.Filter = "(uid=)(" }, secret, directory.CodeFilter, "people"},
		"unknown group":   {func(s *directory.Settings) { s.LDAP.Member = "cn=nobody," + slapd.Groups }, secret, directory.CodeGroup, "groups"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := settings(t, s)
			set.LDAP.Host = host
			x.change(&set)
			f := New(Config{}).Test(context.Background(), set, []byte(x.secret))
			code := ""
			if f.Problem != nil {
				code = f.Problem.Code
				if f.Problem.Text == "" {
					t.Errorf("code %s has no text", code)
				}
			}
			if last := f.Steps[len(f.Steps)-1]; code != x.code || f.OK != (code == "") || last.What != x.last || last.OK != f.OK {
				t.Errorf("finding %q, %+v, %+v", code, f.Problem, f.Steps)
			}
			if x.code == remote.CodeCertificate && len(f.Certificate) != 64 {
				t.Error("the certificate is not shown")
			}
			if f.OK && (f.People != 20 || len(f.First) != 5 || len(f.First[0].Addresses) == 0) {
				t.Errorf("finding %+v", f)
			}
		})
	}
}

// TestSlapdSizeLimit has a server give less than there is, as it does without pages.
func TestSlapdSizeLimit(t *testing.T) {
	t.Parallel()
	s := slapd.New(t, slapd.Options{LDIF: slapd.Company(50), Settings: "limits dn.exact=\"" + slapd.ReaderDN + "\" size.soft=10 size.hard=10 size.prtotal=20"})
	_, err := New(Config{}).Read(context.Background(), settings(t, s), []byte(secret))
	if directory.Code(err) != directory.CodeTooLarge {
		t.Errorf("a part of the people was taken for all: %v", err)
	}
}
