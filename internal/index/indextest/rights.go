package indextest

import (
	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/index"
)

// seen is a document of some people.
func seen(n int, subject string, access ...string) index.Doc {
	d := mail(n, subject)
	d.Access = access
	return d
}

func testScope(s *suite) {
	s.add(seen(1, "word", "a@x.org", "b@x.org"), seen(2, "word", "b@x.org"), seen(3, "word"), seen(4, "word", "aa@x.org", "a@x.org.uk"))
	s.want("word", 4, 3, 2, 1)
	s.wantFor(only("a@x.org"), "word", 1)
	s.wantFor(only("b@x.org"), "word", 2, 1)
	s.wantFor(only("a@x"), "word")
	s.wantFor(only(""), "word")
	s.wantFor(only("*"), "word")
	s.wantFor(index.Scope{}, "word")
	s.wantFor(index.Scope{}, "")
	s.wantFor(index.Scope{Addresses: []string{"a@x.org", "b@x.org", "z@x.org"}}, "", 2, 1)
	for _, q := range []string{"-nothing", "NOT (nothing OR other)", "word OR -word", "date:2024", "-date:2023", "larger:0 OR word", "id:" + id(1).String() + " OR word"} {
		s.wantFor(only("a@x.org"), q, 1)
	}
	s.wantFor(only("a@x.org"), "id:"+id(2).String())
	if res := s.search(s.request("word", only("a@x.org"))); res.Total != 1 {
		s.Errorf("counted %d, want 1", res.Total)
	}
	s.add(seen(1, "word", "b@x.org"))
	s.wantFor(only("a@x.org"), "word")
}

func testScopeOfFacets(s *suite) {
	for i := range 6 {
		d := seen(i, "word", "b@x.org")
		d.From, d.Category = []index.Party{{Address: "boss@x.org"}}, "Secret"
		if i == 5 {
			d.Access, d.From, d.Category = []string{"a@x.org"}, []index.Party{{Address: "a@x.org"}}, "Open"
		}
		s.add(d)
	}
	want := index.Facets{
		Years: []index.Bucket{{Value: "2024", Count: 1}}, Senders: []index.Bucket{{Value: "a@x.org", Count: 1}},
		Categories: []index.Bucket{{Value: "Open", Count: 1}}, HasAttachment: []index.Bucket{{Value: "no", Count: 1}}, Exact: true,
	}
	f, err := s.x.Facets(s.Context(), s.tenant, s.request("word", only("a@x.org")), 9)
	if d := cmp.Diff(want, f); d != "" || err != nil {
		s.Errorf("error %v, -want +got: %s", err, d)
	}
	f, err = s.x.Facets(s.Context(), s.tenant, s.request("word", index.Scope{}), 9)
	if err != nil || len(f.Years)+len(f.Senders)+len(f.Categories)+len(f.HasAttachment) != 0 {
		s.Errorf("nobody: %+v, %v", f, err)
	}
}

// testBlindCopies: nobody learns of a blind recipient but those who may.
func testBlindCopies(s *suite) {
	d := seen(1, "word", "boss@x.org", "to@x.org", "blind@x.org", "other@x.org")
	d.From = []index.Party{{Address: "boss@x.org"}}
	d.To = []index.Party{{Address: "to@x.org"}}
	d.Bcc = []index.Party{{Name: "Bea Blind", Address: "blind@x.org"}, {Name: "Otto", Address: "other@x.org"}}
	d.BccAccess = []string{"boss@x.org"}
	s.add(d)
	for _, q := range []string{"bcc:blind@x.org", "bcc:bea", `bcc:"bea blind"`, "bcc:bli*", "bcc:@x.org"} {
		s.want(q, 1)
		s.wantFor(only("boss@x.org"), q, 1)
		for _, who := range []string{"to@x.org", "blind@x.org", "other@x.org"} {
			s.wantFor(only(who), q)
			s.wantFor(only(who), "-"+q, 1) // and what excludes him tells nothing
			s.wantFor(only(who), q+" OR word", 1)
		}
	}
	s.want(`bcc:"blind otto"`)
	for _, q := range []string{"bea", "blind", "blind@x.org", "with:blind@x.org", "to:blind", "cc:bea", "from:bea", "otto*"} {
		s.want(q)
		s.wantFor(only("blind@x.org"), q)
	}
}

func testPeople(s *suite) {
	for i := range 5 {
		d := mail(i, "word")
		d.From = []index.Party{{Name: "Anna Müller", Address: "anna@example.org"}}
		d.To = []index.Party{{Name: "Bernd", Address: "bernd@example.org"}}
		d.Bcc = []index.Party{{Name: "Anton", Address: "anton@example.org"}}
		if i == 0 {
			d.Cc = []index.Party{{Name: "Anne", Address: "x@example.org"}}
		}
		s.add(d)
	}
	for _, c := range []struct {
		prefix string
		n      int
		want   []string
	}{
		{"an", 5, []string{"anna@example.org", "x@example.org"}}, {"an", 1, []string{"anna@example.org"}}, {"mül", 5, []string{"anna@example.org"}},
		{"Anna Mu", 5, []string{"anna@example.org"}}, {"BERND@ex", 5, []string{"bernd@example.org"}}, {"anton", 5, nil}, {"zzz", 5, nil},
		{"", 5, []string{"anna@example.org", "bernd@example.org", "x@example.org"}}, {"", 1, []string{"anna@example.org"}}, {"--", 5, nil},
	} {
		s.people(everything, c.prefix, c.n, c.want)
	}
}

func (s *suite) people(scope index.Scope, prefix string, n int, want []string) {
	s.Helper()
	found, err := s.x.People(s.Context(), s.tenant, scope, prefix, n)
	var got []string
	for _, p := range found {
		got = append(got, p.Address)
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		s.Errorf("people %q: error %v, -want +got: %s", prefix, err, d)
	}
}

func testPeopleWithinScope(s *suite) {
	d := seen(1, "word", "a@x.org")
	d.From = []index.Party{{Name: "Anna", Address: "anna@x.org"}}
	other := seen(2, "word", "b@x.org")
	other.From = []index.Party{{Name: "Andrea", Address: "andrea@x.org"}}
	s.add(d, other)
	s.people(only("a@x.org"), "an", 5, []string{"anna@x.org"})
	s.people(only("b@x.org"), "an", 5, []string{"andrea@x.org"})
	s.people(index.Scope{}, "an", 5, nil)
	s.people(only("a@x.org"), "", 5, []string{"anna@x.org"})
	s.people(index.Scope{}, "", 5, nil)
}
