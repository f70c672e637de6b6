package evidencetest

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// Decades is what is left after thirty years.
type Decades struct {
	Objects []Object
	Records []*ers.Record // of the objects
	Options ers.Options
	Killed  int // processes that ended before they were done
	Stamps  int // tokens that were used
}

// the algorithm ends of the simulation.
const futureCatalogue = `{"issued": "2026-11-01", "source": "simulation", "hashes": [
	{"name": "SHA-256", "until": "2034-01-01"}, {"name": "SHA-512", "until": "2044-01-01"}, {"name": "SHA-384"}, {"name": "SHA3-512"}],
	"signatures": [{"name": "ECDSA", "bits": 256, "until": "2050-01-01"}, {"name": "ECDSA", "bits": 384}]}`

// Live runs a small archive for thirty years, month by month: new objects every
// second year, a new time-stamping unit every year (whose certificate lives for
// three), two ends of hash algorithms and one of a signature algorithm. The
// archive's process is killed at random between any two steps, and a new one
// begins with what was stored. Now and then everything is verified.
func Live(t testing.TB, seed uint64) *Decades {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	catalogue, err := algo.ParseCatalogue([]byte(futureCatalogue))
	if err != nil {
		t.Fatal(err)
	}
	w := New(t, tsa.Options{Hash: algo.SHA384})
	roots := []*x509.Certificate{w.Authority.Root()}
	d := &Decades{}
	var disk []byte
	store := archive{}
	for month := range 30 * 12 {
		if month%24 == 0 {
			if disk != nil {
				if err := json.Unmarshal(disk, &store); err != nil {
					t.Fatal(err)
				}
			}
			for range 1 + random.IntN(3) {
				store.Objects = append(store.Objects, NewObject(len(store.Objects), 2+random.IntN(3)))
			}
			if month == 120 {
				store.Objects[1] = nil // deleted
			}
			if disk, err = json.Marshal(store); err != nil {
				t.Fatal(err)
			}
		}
		switch {
		case month == 20*12: // before ECDSA with 256 bits ends
			if w.Authority, err = tsa.New(tsa.Options{Hash: algo.SHA384, Bits: 384, Now: w.Clock}); err != nil {
				t.Fatal(err)
			}
			roots = append(roots, w.Authority.Root())
		case month%12 == 6:
			if err := w.Authority.Renew(); err != nil {
				t.Fatal(err)
			}
		}
		o := ers.Options{Anchors: tsp.NewAnchors(roots), Catalogue: catalogue, Whole: true}
		d.Killed += runMonth(t, w, &disk, o, random)
		w.Pass(time.Duration(30*24+random.IntN(24)) * time.Hour)
		o.At = w.Clock()
		if month%36 == 35 || month == 30*12-1 {
			d.collect(t, disk, o)
		}
	}
	return d
}

// runMonth runs processes until one ends by itself, and returns how many did not.
func runMonth(t testing.TB, w *World, disk *[]byte, o ers.Options, random *rand.Rand) (killed int) {
	t.Helper()
	for range 100 {
		w.Pass(time.Duration(1+random.IntN(60)) * time.Minute)
		s := &small{world: w, catalog: o.Catalogue, anchors: o.Anchors, alive: func() error {
			w.Pass(time.Second)
			if random.IntN(4) == 0 {
				return errKilled
			}
			return nil
		}}
		err := s.work(disk)
		if err == nil {
			return killed
		}
		if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		killed++
	}
	t.Fatal("the archive does not get its work done")
	return killed
}

// collect puts all records together and verifies them.
func (d *Decades) collect(t testing.TB, disk []byte, o ers.Options) {
	t.Helper()
	var a archive
	if err := json.Unmarshal(disk, &a); err != nil {
		t.Fatal(err)
	}
	d.Objects, d.Records, d.Options, d.Stamps = nil, nil, o, len(a.Rounds)
	for i, object := range a.Objects {
		if object == nil {
			continue
		}
		r, err := a.record(i, len(a.Rounds))
		if err != nil {
			t.Fatal(err)
		}
		report := ers.Verify(context.Background(), Marshal(t, r), object.Members(), o)
		if report.Verdict != evidence.Valid {
			t.Fatalf("%s: object %d: %v: %+v", o.At.Format(time.DateOnly), i, report.Verdict, report.Findings)
		}
		d.Objects, d.Records = append(d.Objects, object), append(d.Records, r)
	}
}
