package mailbox

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
)

// What goes to quarantine is durable and leaves the server; what a rule excludes is
// stored nowhere and stays there, listed and not fetched again.
func TestRoutedMail(t *testing.T) {
	t.Parallel()
	for _, pop := range []bool{false, true} {
		t.Run(fmt.Sprint("pop=", pop), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			h := r.env.As(r.actor)
			if _, err := h.AddDomain(t.Context(), "example.net", ""); err != nil {
				t.Fatal(err)
			}
			if err := h.SetSelection(t.Context(), true, []string{"anna@example.net"}, true); err != nil {
				t.Fatal(err)
			}
			d := newMaildrop(t, pop, 0)
			mail := func(to string) []byte { return bytes.Replace(letter(1), []byte("reader@example.net"), []byte(to), 1) }
			excluded := mail("reader@example.net")
			for _, raw := range [][]byte{mail("anna@example.net"), mail("stranger@far.example"), excluded} {
				d.add(raw)
			}
			id := r.add("box", d.set, d.password)
			for range 3 {
				well(t, r.fetch(id))
			}
			if n := d.left(); n != 1 || r.has(excluded) {
				t.Errorf("%d messages on the server; the excluded one is archived: %v", n, r.has(excluded))
			}
			list := r.left(id)
			if len(list) != 1 || list[0].Outcome != catalog.Excluded || list[0].Detail == "" {
				t.Errorf("listed: %+v", list)
			}
			a := r.accounts(id)
			if a[catalog.Stored] != 1 || a[catalog.Quarantined] != 1 || a[catalog.Excluded] != 1 || a[catalog.Left] != 0 || a[catalog.Duplicate] != 0 {
				t.Errorf("accounts: %v", a)
			}
		})
	}
}
