package mailbox

import (
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/testkit/imapd"
	"github.com/muniment/muniment/internal/testkit/pop3d"
	"github.com/muniment/muniment/internal/uid"
)

// came adds up what servers counted, and what they held last.
func (r *rig) came(id uid.ID) (came, held int64) {
	r.t.Helper()
	list, err := r.env.Catalog.SourceCounts(r.t.Context(), r.tenant.ID, "", "")
	if err != nil {
		r.t.Fatal(err)
	}
	for _, c := range list {
		if c.Source == id {
			came += c.Came
			held += c.Held
		}
	}
	return came, held
}

// The server's counts agree with what is offered, whatever is kept, removed or comes
// in between.
func TestCounts(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{false, true} {
		r := newRig(t)
		s := imapd.New(t, imapd.Options{})
		set := imapSettings(s)
		set.Keep = keep
		id := r.add("box", set, s.Password)
		want := int64(0)
		for i, n := range []int{0, 20, 0, 3, 1} {
			fill(s, "INBOX", 100*i, n)
			r.fetch(id)
			want += int64(n)
			if came, _ := r.came(id); came != want || r.accounts(id)[catalog.Stored] != want {
				t.Errorf("keep %v: the server counted %d, %d offered, want %d", keep, came, r.accounts(id)[catalog.Stored], want)
			}
		}
		// What nobody offers shows: here because the server does not list it.
		s.Misbehave(imapd.ListIncomplete)
		fill(s, "INBOX", 900, 4)
		r.fetch(id)
		if came, held := r.came(id); came != want+4 || held == 0 || r.accounts(id)[catalog.Stored] >= want+4 {
			t.Errorf("keep %v: the server counted %d and holds %d, %d stored", keep, came, held, r.accounts(id)[catalog.Stored])
		}
	}
}

func TestCountsOfPOP3(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := pop3d.New(t, pop3d.Options{})
	for n := range 5 {
		s.Add(letter(n))
	}
	id := r.add("drop", popSettings(s), pop3d.Password)
	r.fetch(id)
	s.Add(letter(9))
	r.fetch(id)
	if came, _ := r.came(id); came != 6 || r.accounts(id)[catalog.Stored] != 6 {
		t.Errorf("the server counted %d, accounts %v", came, r.accounts(id))
	}
}
