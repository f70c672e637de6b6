package indextest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/uid"
)

func testEmpty(s *suite) {
	s.want("")
	s.want("foo OR -bar")
	s.remove(id(1))
	s.add()
	f, err := s.x.Facets(s.Context(), s.tenant, s.request("", everything), 5)
	if err != nil || len(f.Years)+len(f.Senders)+len(f.Categories)+len(f.HasAttachment) != 0 {
		s.Errorf("facets of nothing: %+v, %v", f, err)
	}
	people, err := s.x.People(s.Context(), s.tenant, everything, "a", 5)
	if err != nil || len(people) != 0 {
		s.Errorf("people of nothing: %v, %v", people, err)
	}
}

// testOperators finds one document by each of its fields, and not by others.
func testOperators(s *suite) {
	s.add(index.Doc{
		ID: id(1), Date: day(1), Size: 5000, Subject: "Angebot über Straßen", Body: "Die Rechnungen liegen bei. RE-2024/0815 中文信",
		From: []index.Party{{Name: "Anna Müller", Address: "anna@example.org"}}, To: []index.Party{{Name: "Bernd Beck", Address: "bernd@example.net"}},
		Cc: []index.Party{{Name: "Carla", Address: "carla@example.com"}}, Bcc: []index.Party{{Name: "Dora", Address: "dora@example.com"}},
		Files:    []index.File{{Name: "Plan Süd.pdf", Type: "application/pdf", Text: "Grundriss im Maßstab"}},
		Category: "Büro Süd", Class: "handel-6", Tags: []string{"wichtig"}, Source: "Journal",
	}, mail(2, "anderes"))
	for _, q := range []string{
		"angebot", "strassen", "RECHNUNG", `"rechnungen liegen"`, "=rechnungen", "lieg*", "rechnungen NEAR/1 bei", "RE-2024/0815", "0815", "中文", "文信", "中",
		"from:anna", "from:mueller", "from:anna@example.org", "from:@example.org", "to:bernd", "cc:carla", "bcc:dora", "with:carla", "with:bernd@example.net",
		"subject:angebot", "body:rechnung", "filename:plan", `filename:"plan süd"`, "attachment:grundriss", "attachment:plan", "grundriss", "muller", "example.net",
		"has:attachment", "type:pdf", "type:application/pdf", "type:application/*", "before:2024-01-03", "after:2024-01-02 angebot", "date:2024-01-02", "larger:4999",
		"larger:10 smaller:5001", `category:"buero süd" OR category:"BÜRO  SÜD"`, "category:b*", "tag:wichtig", "class:handel-6", "source:journal", "id:" + id(1).String(),
		"-anderes", "NOT (anderes OR fehlt)", "angebot OR fehlt", "fehlt OR (angebot -anderes)",
	} {
		s.want(q, 1)
	}
	for _, q := range []string{
		"=rechnung", `"rechnung liegen"`, `"liegen rechnungen"`, "rechnungen NEAR/1 0815", "bcc:anna", "from:bernd", "to:anna@example.org", "from:anna@example.net",
		"subject:rechnung", "body:angebot", "filename:grundriss", "dora", "with:dora", "type:image", "type:image/*", "before:2024-01-02", "larger:5000",
		"category:büro", "tag:wichtig!", "class:handel", "id:" + id(3).String(), "angebot -rechnung", "RE-2024/081", "中信", `"anna bernd"`, `"straßen die"`,
	} {
		s.want(q)
	}
	s.want("", 2, 1)
}

// testDocuments tells files from mail.
func testDocuments(s *suite) {
	file := index.Doc{ID: id(3), Date: day(3), Size: 70, Subject: "Mietvertrag", Document: true, Category: "Verträge",
		Files: []index.File{{Name: "scan-0815.pdf", Type: "application/pdf"}}, Access: []string{"anna@example.org"}}
	attached := mail(2, "mietvertrag")
	attached.Files = []index.File{{Name: "anlage.pdf", Type: "application/pdf"}}
	s.add(mail(1, "anderes"), attached, file)
	for q, want := range map[string][]int{
		"is:document": {3}, "ist:dokument mietvertrag": {3}, "is:mail": {2, 1}, "-is:document": {2, 1}, "-is:mail": {3}, "is:(mail OR document)": {3, 2, 1},
		"has:attachment": {2}, "-has:attachment": {3, 1}, "type:pdf": {3, 2}, "type:pdf is:document": {3}, "filename:scan": {3}, "subject:mietvertrag": {3, 2},
		`category:verträge`: {3}, "date:2024-01-04": {3}, "anderes OR ist:dokument": {3, 1},
	} {
		s.want(q, want...)
	}
	s.wantFor(only("anna@example.org"), "mietvertrag", 3)
	s.wantFor(only("bernd@example.org"), "is:document")
	f, err := s.x.Facets(s.Context(), s.tenant, s.request("", everything), 2)
	if d := cmp.Diff([]index.Bucket{{Value: "no", Count: 2}, {Value: "yes", Count: 1}}, f.HasAttachment); err != nil || d != "" {
		s.Errorf("%v, -want +got: %s", err, d)
	}
	file.Document = false // made anew from other knowledge
	s.add(file)
	s.want("is:document")
}

func testReplace(s *suite) {
	d := mail(1, "old")
	d.Category, d.Files, d.From = "alt", []index.File{{Name: "a.pdf"}}, []index.Party{{Address: "old@example.org"}}
	s.add(d, mail(2, "other"))
	s.add(mail(1, "new"))
	s.want("old")
	s.want("category:alt OR has:attachment OR from:old@example.org")
	s.want("new", 1)
	s.want("", 2, 1)
	s.add(mail(3, "first"), mail(4, "other"), mail(3, "last")) // the later one counts
	s.want("first")
	s.want("last", 3)
}

func testReplaceOtherYear(s *suite) {
	d := mail(1, "moved")
	s.add(d, mail(2, "other"))
	for _, date := range []time.Time{day(-400), day(500), day(3)} {
		d.Date = date
		s.add(d)
		s.want("moved", 1)
		if got := s.search(s.request("moved", everything)); !got.Hits[0].Date.Equal(date) || got.Total != 1 {
			s.Errorf("found %+v, want one of %v", got, date)
		}
	}
	s.want("", 1, 2)
}

func testRemove(s *suite) {
	s.add(mail(1, "a"), mail(2, "a"), mail(3, "a"))
	s.remove(id(2), id(77))
	s.want("a", 3, 1)
	s.want("-b", 3, 1)
	s.remove(id(2))
	s.add(mail(2, "a"))
	s.want("a", 3, 2, 1)
	s.remove(id(1), id(2), id(3))
	s.want("")
}

// testErase forgets for good; that nothing is left in the files, the drivers test.
func testErase(s *suite) {
	s.add(mail(1, "a"), mail(2, "a"), mail(3, "a"))
	for range 2 {
		if err := s.x.Erase(s.Context(), s.tenant, []uid.ID{id(2), id(77)}); err != nil {
			s.Fatal(err)
		}
		s.want("a", 3, 1)
		s.want("-b", 3, 1)
	}
	s.add(mail(2, "a"))
	s.want("a", 3, 2, 1)
	if err := s.x.Check(s.Context(), s.tenant); err != nil {
		s.Error(err)
	}
}

func testIdempotence(s *suite) {
	docs := []index.Doc{mail(1, "a b"), mail(2, "a"), mail(3, "b")}
	for range 3 {
		s.add(docs...)
	}
	s.want("a", 2, 1)
	if got := s.search(s.request("a OR b", everything)); got.Total != 3 {
		s.Errorf("counted %d, want 3", got.Total)
	}
}

// testTenantsApart is the wall between tenants: the same documents in two of
// them, then one of them goes.
func testTenantsApart(s *suite) {
	other := &suite{T: s.T, x: s.x, tenant: uid.ID{9}}
	s.add(mail(1, "a"), mail(2, "ours"))
	other.add(mail(1, "a"), mail(3, "theirs"))
	s.want("theirs")
	s.want("", 2, 1)
	other.want("", 3, 1)
	other.remove(id(1), id(2))
	s.want("", 2, 1)
	if err := s.x.Drop(s.Context(), other.tenant); err != nil {
		s.Fatal(err)
	}
	s.want("", 2, 1)
	other.want("")
}

func testDrop(s *suite) {
	s.add(mail(1, "a"), mail(400, "a"))
	for range 2 {
		if err := s.x.Drop(s.Context(), s.tenant); err != nil {
			s.Fatal(err)
		}
		s.want("")
	}
	s.add(mail(2, "a"))
	s.want("a", 2)
}

func testIDs(s *suite) {
	var want []uid.ID
	for i := range 30 {
		s.add(mail(i*50, "a"))
		want = append(want, id(i*50))
	}
	var got []uid.ID
	err := s.x.IDs(s.Context(), s.tenant, func(i uid.ID) error {
		got = append(got, i)
		return nil
	})
	slices.SortFunc(got, uid.ID.Compare)
	if d := cmp.Diff(want, got); d != "" || err != nil {
		s.Errorf("error %v, -want +got: %s", err, d)
	}
	stop := errors.New("enough")
	if err := s.x.IDs(s.Context(), s.tenant, func(uid.ID) error { return stop }); !errors.Is(err, stop) {
		s.Errorf("got %v, want the error of the function", err)
	}
}

// testConcurrency adds, replaces, removes and searches at the same time.
func testConcurrency(s *suite) {
	const writers, each = 4, 15
	s.add(mail(2000, "stays"))
	var wg sync.WaitGroup
	do := func(fn func() error) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := fn(); err != nil {
				s.Error(err)
			}
		}()
	}
	r := s.request("stays", everything)
	for w := range writers {
		do(func() error {
			for i := range each {
				n := w*each + i
				docs := []index.Doc{mail(n, fmt.Sprintf("writer%d", w)), mail(n+500, "passing")}
				if err := s.x.Add(s.Context(), s.tenant, docs); err != nil {
					return err
				}
				if err := s.x.Remove(s.Context(), s.tenant, []uid.ID{id(n + 500)}); err != nil {
					return err
				}
			}
			return nil
		})
		do(func() error {
			for range each {
				res, err := s.x.Search(s.Context(), s.tenant, r)
				if err == nil && len(res.Hits) != 1 {
					err = fmt.Errorf("found %d of 1", len(res.Hits))
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	wg.Wait()
	if got := len(s.find("", everything)); got != writers*each+1 {
		s.Errorf("%d documents, want %d", got, writers*each+1)
	}
	s.want("passing")
	for w := range writers {
		if got := len(s.find(fmt.Sprintf("writer%d", w), everything)); got != each {
			s.Errorf("writer %d: %d documents, want %d", w, got, each)
		}
	}
}
