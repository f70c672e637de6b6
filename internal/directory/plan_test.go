package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func rules() Rules {
	return Rules{Roles: true, Usual: "user", Ours: func(a string) bool { return strings.HasSuffix(a, "@firma.example") },
		Login: func(l string) bool { return l != "" && !strings.Contains(l, " ") }}
}

func known(id, login string, given ...string) Known {
	return Known{User: User{ID: id, Login: login, Name: login, Role: "user", Addresses: given}, Origin: &Origin{External: "x" + id, Given: given}}
}

func at(who string) string { return who + "@firma.example" }

// TestPlan has each kind of change once.
func TestPlan(t *testing.T) {
	t.Parallel()
	local := Known{User: User{ID: "9", Login: "lokal", Role: "tenant-admin"}}
	byHand := known("5", "hand", at("hand"))
	byHand.Disabled = true
	back := known("6", "back", at("back"))
	back.Disabled, back.Origin.Disabled, back.Origin.Gone = true, true, true
	extra := known("2", "changed", at("old"))
	extra.Addresses = append(extra.Addresses, at("mine"))
	now := []Known{local, known("1", "same", at("same")), extra, known("3", "off", at("off")), known("4", "gone", at("gone")), byHand, back, known("7", "before", at("ren")),
		known("8", "stays", at("stays")), known("10", "s1", at("s1")), known("11", "s2", at("s2")), known("12", "s3", at("s3"))}
	person := func(id, login string, addresses ...string) Person {
		return Person{ID: "x" + id, Login: login, Addresses: addresses}
	}
	off := person("3", "off", at("off"))
	off.Disabled = true
	chief := person("2", "Changed", at("new"), "private@elsewhere.example")
	chief.Name, chief.Role = "Anna", "auditor"
	newOff := person("22", "never", at("never"))
	newOff.Disabled = true
	snap := &Snapshot{People: []Person{person("1", "same", at("same")), chief, off, person("5", "hand", at("hand")), person("6", "back", at("back")),
		person("7", "after", at("ren")), person("8", "lokal", at("stays")), person("10", "s1", at("s1")), person("11", "s2", at("s2")), person("12", "s3", at("s3")),
		person("20", "Neu", at("neu")), person("21", "lokal", at("x")), newOff, person("23", "a b", at("ab")), person("24", "foreign", "x@elsewhere.example"),
		person("25", "silent"), person("26", "neu", at("neu2"))},
		Shared: []Shared{{Addresses: []string{at("liste")}, Members: []string{"x1", "x20", "nobody"}}}}
	p := Make(now, snap, rules())
	var got []string
	for _, c := range p.Changes {
		line := c.Kind + " " + c.Who + " " + c.Reason
		if c.After != nil {
			line += fmt.Sprintf(" → %s %s %v %v", c.After.Login, c.After.Role, c.After.Addresses, c.After.Disabled)
		}
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"conflict a b login-form",
		"renamed after → after user [ren@firma.example] false",
		"enabled back → back user [back@firma.example] false",
		"changed changed domain → changed auditor [new@firma.example mine@firma.example] false",
		"conflict foreign domain",
		"gone gone → gone user [gone@firma.example] true",
		"match lokal",
		"conflict lokal login-taken",
		"changed lokal → stays user [stays@firma.example] false",
		"new neu → neu user [neu@firma.example liste@firma.example] false",
		"conflict neu twice",
		"disabled off → off user [off@firma.example] true",
		"changed same → same user [same@firma.example liste@firma.example] false",
		"conflict silent no-address",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !p.Guard || p.Active != 9 {
		t.Errorf("guard %v, %d active", p.Guard, p.Active)
	}
	if again := Make(now, snap, rules()); again.Digest != p.Digest {
		t.Error("the digest of the same plan differs")
	}
}

// TestGuard stops when too many would be disabled.
func TestGuard(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		active, lost, percent int
		guard                 bool
	}{{10, 2, 0, false}, {10, 3, 0, true}, {3, 1, 0, false}, {3, 2, 0, true}, {1, 1, 0, true}, {100, 20, 0, false}, {100, 21, 0, true}, {100, 21, 50, false}, {5, 5, 100, false}} {
		var now []Known
		snap := &Snapshot{}
		for i := range x.active {
			id := fmt.Sprint(i)
			now = append(now, known(id, "u"+id, at("u"+id)))
			if i >= x.lost {
				snap.People = append(snap.People, Person{ID: "x" + id, Login: "u" + id, Name: "u" + id, Addresses: []string{at("u" + id)}})
			}
		}
		r := rules()
		r.Guard = x.percent
		if p := Make(now, snap, r); p.Guard != x.guard || p.Counts[Gone] != x.lost {
			t.Errorf("%+v: %v, %v", x, p.Guard, p.Counts)
		}
	}
}

// apply does what a plan says.
func apply(now []Known, p *Plan) []Known {
	next := slices.Clone(now)
	for _, c := range p.Changes {
		if c.After == nil || c.Kind == Matched {
			continue
		}
		k := Known{User: *c.After, Origin: &c.Origin}
		if k.ID == "" {
			k.ID = "n" + c.Origin.External
			next = append(next, k)
			continue
		}
		i := slices.IndexFunc(next, func(x Known) bool { return x.ID == k.ID })
		next[i] = k
	}
	return next
}

// TestPlanSettles: once done, the same plan has nothing left but conflicts; nobody is
// deleted, no local user is touched, no two have one name, no address is foreign.
func TestPlanSettles(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"a", "b", "c", "d", "A", "b c", ""})
		address := rapid.SampledFrom([]string{at("a"), at("b"), at("c"), "x@elsewhere.example"})
		now := []Known{{User: User{ID: "local", Login: "a", Role: "tenant-admin", Addresses: []string{at("a")}}}}
		for range rapid.IntRange(1, 4).Draw(t, "synchronisations") {
			snap := &Snapshot{}
			for i := range rapid.IntRange(0, 5).Draw(t, "people") {
				if rapid.Bool().Draw(t, "there") {
					snap.People = append(snap.People, Person{ID: fmt.Sprint(i), Login: word.Draw(t, "login"), Name: word.Draw(t, "name"), Role: rapid.SampledFrom([]string{"", "auditor"}).Draw(t, "role"),
						Addresses: rapid.SliceOfNDistinct(address, 0, 3, rapid.ID[string]).Draw(t, "addresses"), Disabled: rapid.Bool().Draw(t, "disabled")})
				}
			}
			before := len(now)
			p := Make(now, snap, rules())
			now = apply(now, p)
			if len(now) != before+p.Counts[New] {
				t.Fatal("somebody was lost")
			}
			logins := map[string]bool{}
			for _, k := range now {
				if logins[k.Login] {
					t.Fatalf("two are called %q", k.Login)
				}
				logins[k.Login] = true
				if slices.ContainsFunc(k.Addresses, func(a string) bool { return !rules().Ours(a) }) {
					t.Fatalf("a foreign address: %+v", k)
				}
			}
			if diff := cmp.Diff("a", now[0].Login); diff != "" || now[0].Role != "tenant-admin" || now[0].Disabled {
				t.Fatal("the local user was touched")
			}
			for _, k := range now[1:] {
				here := slices.ContainsFunc(snap.People, func(x Person) bool { return x.ID == k.Origin.External && !x.Disabled })
				if !here && !k.Disabled {
					t.Fatalf("%s may still log in", k.Login)
				}
			}
			for _, c := range Make(now, snap, rules()).Changes {
				if c.Kind != Conflict && c.Kind != Renamed && c.Kind != New && c.Kind != Matched {
					t.Fatalf("not settled: %+v → %+v", c.Before, c)
				}
			}
		}
	})
}
