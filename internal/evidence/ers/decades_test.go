package ers_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/evidencetest"
)

// TestDecades: thirty years, see evidencetest.Live (REN-5, REN-6, REN-8).
func TestDecades(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		d := evidencetest.Live(t, seed)
		if d.Killed == 0 {
			t.Error("nothing was interrupted")
		}
		first := d.Records[0]
		if len(first.Chains) != 3 {
			t.Errorf("seed %d: the first object has %d chains, want one per hash", seed, len(first.Chains))
		}
		stamps := 0
		for _, c := range first.Chains {
			stamps += len(c)
		}
		t.Logf("seed %d: %d objects, %d tokens, %d processes killed; the first record has %d chains, %d stamps, %d bytes", seed, len(d.Objects), d.Stamps,
			d.Killed, len(first.Chains), stamps, len(evidencetest.Marshal(t, first)))
		if stamps > 30 {
			t.Errorf("seed %d: %d stamps in 30 years are too many", seed, stamps)
		}
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	cat, err := algo.ParseCatalogue([]byte(`{"hashes": [{"name": "SHA-256", "until": "2034-01-01"}, {"name": "SHA-512"}], "signatures": []}`))
	if err != nil {
		t.Fatal(err)
	}
	ever := algo.Trust{Known: true}
	for name, c := range map[string]struct {
		held ers.Held
		now  string
		want ers.Due
	}{
		"nothing is near": {ers.Held{Hash: algo.SHA256, GenTime: day("2026-01-01"), NotAfter: day("2030-01-01"), Trust: ever}, "2026-06-01",
			ers.Due{Action: ers.Keep, Reason: ers.ByCertificate, From: day("2029-01-01"), End: day("2030-01-01")}},
		"the certificate ends": {ers.Held{Hash: algo.SHA256, GenTime: day("2026-01-01"), NotAfter: day("2030-01-01"), Trust: ever}, "2029-01-01",
			ers.Due{Action: ers.RenewStamp, Reason: ers.ByCertificate, From: day("2029-01-01"), End: day("2030-01-01")}},
		"the hash ends": {ers.Held{Hash: algo.SHA256, GenTime: day("2028-01-01"), NotAfter: day("2040-01-01"), Trust: ever}, "2032-01-02",
			ers.Due{Action: ers.RenewTree, Reason: ers.ByHash, From: day("2032-01-02"), End: day("2034-01-01")}},
		"both, the tree goes first": {ers.Held{Hash: algo.SHA256, GenTime: day("2028-01-01"), NotAfter: day("2032-06-01"), Trust: ever}, "2032-01-02",
			ers.Due{Action: ers.RenewTree, Reason: ers.ByHash, From: day("2032-01-02"), End: day("2034-01-01")}},
		"the signature ends": {ers.Held{Hash: algo.SHA512, GenTime: day("2028-01-01"), NotAfter: day("2040-01-01"), Trust: algo.Trust{Known: true, Until: day("2036-01-01")}}, "2034-01-01",
			ers.Due{Action: ers.RenewStamp, Reason: ers.BySignature, From: day("2034-01-01"), End: day("2036-01-01")}},
		"a short certificate lives half its life": {ers.Held{Hash: algo.SHA512, GenTime: day("2026-01-01"), NotAfter: day("2026-01-21"), Trust: ever}, "2026-01-10",
			ers.Due{Action: ers.Keep, Reason: ers.ByCertificate, From: day("2026-01-11"), End: day("2026-01-21")}},
		"nothing is known to end": {ers.Held{Hash: algo.SHA512, GenTime: day("2026-01-01"), Trust: algo.Trust{Known: true}, NotAfter: day("2026-01-01")}, "2026-01-01",
			ers.Due{Action: ers.RenewStamp, Reason: ers.ByCertificate, From: day("2026-01-01"), End: day("2026-01-01")}},
		"by hand": {ers.Held{Hash: algo.SHA512, Forced: ers.RenewTree}, "2026-01-01",
			ers.Due{Action: ers.RenewTree, Reason: ers.ByHand, From: day("2026-01-01")}},
		"hash that the catalogue does not know": {ers.Held{Hash: algo.SHA384, GenTime: day("2026-01-01"), NotAfter: day("2040-01-01"), Trust: ever}, "2026-01-01",
			ers.Due{Action: ers.RenewTree, Reason: ers.ByHash, From: day("2026-01-01"), End: day("2026-01-01")}},
	} {
		c.held.ID, c.want.ID = name, name
		if got := ers.Decide(day(c.now), c.held, cat, ers.DefaultLead()); !cmp.Equal(got, c.want) {
			t.Errorf("%s: %s", name, cmp.Diff(c.want, got))
		}
	}
	plan := ers.Plan(day("2029-06-01"), []ers.Held{
		{ID: "later", Hash: algo.SHA512, GenTime: day("2026-01-01"), NotAfter: day("2036-01-01"), Trust: ever},
		{ID: "soon", Hash: algo.SHA512, GenTime: day("2026-01-01"), NotAfter: day("2032-01-01"), Trust: ever},
		{ID: "now", Hash: algo.SHA512, GenTime: day("2026-01-01"), NotAfter: day("2030-01-01"), Trust: ever},
	}, cat, ers.DefaultLead())
	if len(plan) != 3 || plan[0].ID != "now" || plan[1].ID != "soon" || plan[2].ID != "later" {
		t.Errorf("%+v", plan)
	}
	if h, ok := ers.NextHash(day("2026-01-01"), cat, 0); h != algo.SHA256 || !ok {
		t.Errorf("first hash: %v", h)
	}
	if h, ok := ers.NextHash(day("2033-01-01"), cat, 2*365*24*time.Hour); h != algo.SHA512 || !ok {
		t.Errorf("next hash: %v", h)
	}
	if h, ok := ers.NextHash(day("2033-01-01"), cat, 2*365*24*time.Hour, algo.SHA512); ok {
		t.Errorf("no hash is left, and %v is offered", h)
	}
}
