package ldap

import (
	"strconv"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/testkit/slapd"
)

// adopts has four users who are here before the company of 5,000 is read: one of the
// same name, one of the same address, one whose role has to be named, and one who is not
// in the directory. Once they are decided of, a rename and another surname are all that
// a second reading changes.
func adopts(t *testing.T, s *slapd.Server, read func() *directory.Snapshot) {
	t.Helper()
	rules := directory.Rules{Roles: true, Usual: "user", Admin: "tenant-admin", Login: func(l string) bool { return l != "" },
		Ours: func(a string) bool { return strings.HasSuffix(a, "@firma.example") }}
	local := func(id, login, role string, addresses ...string) directory.Known {
		return directory.Known{User: directory.User{ID: id, Login: login, Name: login, Role: role, Addresses: addresses}, Password: true}
	}
	known := []directory.Known{local("a", "u9", "user", "own@firma.example"), local("b", "bert", "auditor", "alias2@firma.example"),
		local("c", "clara", "dpo", "u11@firma.example"), local("d", "root", "tenant-admin", "root@firma.example")}
	p := directory.Make(known, read(), rules)
	// Three of the 5,000 are disabled, and are not made.
	if diff := cmp.Diff(map[string]int{directory.New: 4994, directory.Matched: 3}, p.Counts); diff != "" {
		t.Fatal(diff)
	}
	var decisions []directory.Decision
	for _, c := range p.Changes {
		if c.Kind != directory.Matched {
			continue
		}
		if len(c.Matches) != 1 || c.Matches[0].Last {
			t.Fatalf("%s: %+v", c.Who, c.Matches)
		}
		m := c.Matches[0]
		if m.Login != (c.Who == "u9") || m.Higher != (c.Who != "u9") {
			t.Errorf("%s: %+v", c.Who, m)
		}
		d := directory.Decision{Person: c.Origin.External, User: m.User.ID}
		if m.Higher {
			d.Role = m.User.Role
		}
		decisions = append(decisions, d)
	}
	if err := p.Decide(decisions); err != nil {
		t.Fatal(err)
	}
	after := applied(t, p, known[3])
	for who, want := range map[string]directory.User{
		"u9":  {ID: "a", Login: "u9", Name: "Person 9", First: "Person", Last: "9", Role: "user", Addresses: of(9, "own@firma.example")},
		"u2":  {ID: "b", Login: "u2", Name: "Person 2", First: "Person", Last: "2", Role: "auditor", Addresses: of(2, "vertrieb@firma.example", "alle@firma.example", "faxe@firma.example")},
		"u11": {ID: "c", Login: "u11", Name: "Person 11", First: "Person", Last: "11", Role: "dpo", Addresses: of(11)},
	} {
		if diff := cmp.Diff(want, after[who].User); diff != "" {
			t.Error(diff)
		}
	}

	conn := s.Admin(t)
	if err := conn.ModifyDN(ldap.NewModifyDNRequest("uid=u9,"+slapd.People, "uid=neun", true, "")); err != nil {
		t.Fatal(err)
	}
	married := ldap.NewModifyRequest("uid=u10,"+slapd.People, nil)
	married.Replace("sn", []string{"Neumann"})
	if err := conn.Modify(married); err != nil {
		t.Fatal(err)
	}
	again := make([]directory.Known, 0, len(after))
	for _, k := range after {
		again = append(again, k)
	}
	p = directory.Make(again, read(), rules)
	if diff := cmp.Diff(map[string]int{directory.Renamed: 1, directory.Changed: 1}, p.Counts); diff != "" || p.Same != 4998 {
		t.Fatalf("%d stay, %s", p.Same, diff)
	}
	for _, c := range p.Changes {
		switch c.Kind {
		case directory.Renamed:
			if c.Before.ID != "a" || c.Before.Login != "u9" || c.After.Login != "neun" {
				t.Errorf("renamed: %+v to %+v", c.Before, c.After)
			}
		case directory.Changed:
			if c.Who != "u10" || c.After.First != "Person" || c.After.Last != "Neumann" {
				t.Errorf("changed: %+v", c.After)
			}
		}
	}
}

// applied is who is there, by user name, when a plan is done.
func applied(t *testing.T, p *directory.Plan, more ...directory.Known) map[string]directory.Known {
	t.Helper()
	out := map[string]directory.Known{}
	for _, k := range more {
		out[k.Login] = k
	}
	for _, c := range p.Changes {
		if c.After == nil {
			t.Fatalf("%+v", c)
		}
		k := directory.Known{User: *c.After, Origin: &c.Origin}
		if k.ID == "" {
			k.ID = "made " + k.Login
		}
		out[k.Login] = k
	}
	return out
}

// of are the addresses of the ith of a company.
func of(i int, more ...string) []string {
	n := strconv.Itoa(i)
	return append([]string{"person." + n + "@firma.example", "u" + n + "@firma.example", "alias" + n + "@firma.example"}, more...)
}
