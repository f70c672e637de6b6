package indextest

import (
	"fmt"
	"sync"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/uid"
)

// What Tidy does must not be seen, but for the time that searches take.
func testTidy(s *suite) {
	const n = 1200
	for i := range n { // one by one: there is much to put together
		d := mail(i%400, fmt.Sprintf("word%d common w%d", i%7, i))
		d.ID = uid.ID{0: 2, 14: byte(i >> 8), 15: byte(i)}
		s.add(d)
	}
	s.remove(id(3), id(4))
	queries := []string{"common", "word3 common", "word3 -common", `"word3 common"`, "w11*", "wo*", "to:bernd", "before:2024-06-01 word5"}
	before := make([][]int, len(queries))
	for i, q := range queries {
		before[i] = s.find(q, everything)
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if err := s.x.Tidy(s.Context(), s.tenant); err != nil {
				s.Error(err)
			}
		})
		wg.Go(func() {
			for i := range 50 {
				d := mail(20_000, fmt.Sprintf("late%d", i))
				d.ID = uid.ID{0: 3, 15: byte(i)}
				if err := s.x.Add(s.Context(), s.tenant, []index.Doc{d}); err != nil {
					s.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i, q := range queries {
		if d := cmp.Diff(before[i], s.find(q, everything)); d != "" {
			s.Errorf("%q finds others after Tidy: %s", q, d)
		}
	}
	if got := len(s.find("late*", everything)); got != 50 {
		s.Errorf("%d documents that were added meanwhile, want 50", got)
	}
	if err := s.x.Tidy(s.Context(), uid.ID{9}); err != nil {
		s.Errorf("a tenant that has nothing: %v", err)
	}
}

// What is sound is found sound, also while others write. That damage is found, the
// test of each driver shows.
func testCheck(s *suite) {
	if err := s.x.Check(s.Context(), s.tenant); err != nil {
		s.Errorf("nothing stored: %v", err)
	}
	for i := range 40 {
		s.add(mail(i*20, fmt.Sprintf("word%d common", i)))
	}
	s.remove(id(0), id(100))
	s.add(mail(20, "replaced"))
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 20 {
			d := mail(20_000, "late")
			d.ID = uid.ID{0: 3, 15: byte(i)}
			if err := s.x.Add(s.Context(), s.tenant, []index.Doc{d}); err != nil {
				s.Error(err)
			}
		}
	})
	for range 5 {
		if err := s.x.Check(s.Context(), s.tenant); err != nil {
			s.Errorf("sound: %v", err)
		}
	}
	wg.Wait()
	if err := s.x.Tidy(s.Context(), s.tenant); err != nil {
		s.Fatal(err)
	}
	if err := s.x.Check(s.Context(), s.tenant); err != nil {
		s.Errorf("tidied: %v", err)
	}
}
