package vault_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// model is what a vault should hold.
type model struct {
	*box
	rnd    *rand.Rand
	live   []stored
	erased []stored
}

// Any sequence of acts leaves every message what it is and every erased one gone.
func TestAnySequence(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			m := &model{box: newBox(t), rnd: rand.New(rand.NewPCG(seed, 1))}
			for range 20 {
				m.clock.advance(time.Second)
				switch m.rnd.IntN(8) {
				case 0:
					m.compactSome()
				case 1:
					m.eraseSome()
				case 2:
					m.reopen()
				default:
					m.storeSome()
				}
				m.verify()
			}
			m.wantClean()
		})
	}
}

func (m *model) mail() string {
	bodies := []string{fmt.Sprintf("number %d\r\n", m.rnd.IntN(1000))}
	for range m.rnd.IntN(3) {
		data := noise(m.rnd.Uint64N(4), m.rnd.IntN(40<<10))
		if m.rnd.IntN(2) == 0 {
			data = []byte(thread(30)[m.rnd.IntN(30)])
		}
		bodies = append(bodies, wrap(data, 40+m.rnd.IntN(40), []string{"\n", "\r\n"}[m.rnd.IntN(2)]))
	}
	return mail(fmt.Sprintf("subject %d", m.rnd.IntN(5)), bodies...)
}

func (m *model) storeSome() {
	var raws []string
	for range 1 + m.rnd.IntN(6) {
		raws = append(raws, m.mail())
	}
	m.live = append(m.live, m.store(raws...)...)
}

func (m *model) eraseSome() {
	for range min(2, len(m.live)) {
		i := m.rnd.IntN(len(m.live))
		if err := m.Erase(m.t.Context(), m.tenant, []vault.Ref{m.live[i].ref}); err != nil {
			m.t.Fatal(err)
		}
		m.erased = append(m.erased, m.live[i])
		m.live = slices.Delete(m.live, i, i+1)
	}
}

// compactSome compacts some of the segments and removes them, as the archive does.
func (m *model) compactSome() {
	refs, segments := m.refs()
	m.rnd.Shuffle(len(segments), func(i, j int) { segments[i], segments[j] = segments[j], segments[i] })
	chosen := segments[:len(segments)/2]
	refs = slices.DeleteFunc(refs, func(r vault.Ref) bool { return !slices.Contains(chosen, r.Segment) })
	m.rnd.Shuffle(len(refs), func(i, j int) { refs[i], refs[j] = refs[j], refs[i] })
	c, err := m.Compact(m.t.Context(), m.tenant, refs)
	if err != nil {
		m.t.Fatal(err)
	}
	if len(c.Moves)+len(c.Erased) != len(refs) {
		m.t.Errorf("%d moves and %d erased of %d", len(c.Moves), len(c.Erased), len(refs))
	}
	m.follow(c, m.live)
	if err := m.Remove(m.t.Context(), m.tenant, chosen...); err != nil {
		m.t.Fatal(err)
	}
}

func (m *model) verify() {
	m.t.Helper()
	m.wantRead(m.live...)
	for _, s := range m.erased {
		if _, err := m.read(s); !errors.Is(err, vault.ErrErased) && !errors.Is(err, vault.ErrNotFound) {
			m.t.Errorf("an erased message: %v", err)
		}
	}
	// What a rebuild would find is what is there.
	found := map[uid.ID]vault.Ref{}
	_, segments := m.refs()
	for _, id := range segments {
		err := m.Scan(m.t.Context(), m.tenant, id, func(e vault.Entry) error {
			if e.Frame.Kind == vault.KindMessage && !e.Erased {
				found[e.Frame.AOID] = e.Frame.Ref
			}
			return e.Err
		})
		if err != nil {
			m.t.Error(err)
		}
	}
	if len(found) != len(m.live) {
		m.t.Errorf("a scan finds %d messages, want %d", len(found), len(m.live))
	}
	for _, s := range m.live {
		if found[s.aoid] != s.ref {
			m.t.Errorf("a scan finds a message at %v, want %v", found[s.aoid], s.ref)
		}
	}
}
