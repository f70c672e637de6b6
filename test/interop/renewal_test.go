package interop

import (
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/evidencetest"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/sealing"
	"github.com/muniment/muniment/internal/uid"
)

// stored is a real archive that is sealed and renewed.
type stored struct {
	*archivetest.Env
	sealer *sealing.Sealer
	root   []byte // PEM
	tenant uid.ID
}

func newStored(t *testing.T) *stored {
	t.Helper()
	var handler http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	a, err := tsa.New(tsa.Options{URL: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	handler = a.Handler()
	s := &stored{Env: archivetest.New(t, archivetest.Options{}), root: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Root().Raw})}
	err = s.SetSealSetting(t.Context(), archive.SealDraft{Setting: seal.Setting{Interval: 3600,
		Authorities: []seal.Authority{{Name: "Test", URL: srv.URL + "/", Auth: seal.AuthNone, Local: true, CA: string(s.root)}}}})
	if err != nil {
		t.Fatal(err)
	}
	s.sealer, err = sealing.New(sealing.Config{Archive: s.Archive})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fill archives n messages and seals them.
func (s *stored) fill(t *testing.T, n int) ([]uid.ID, [][]byte) {
	t.Helper()
	tenant, source := s.Tenant(t, "acme")
	s.tenant = tenant.ID
	var list []uid.ID
	var raws [][]byte
	for i := range n {
		raw := fmt.Appendf(nil, "From: a@example.com\r\nTo: b@example.com\r\nSubject: %d\r\nMessage-ID: <%d@example.com>\r\n\r\nHello.\r\n", i, i)
		r, err := s.Ingest(t.Context(), archive.Submission{Tenant: tenant.ID, Source: source.ID, Raw: bytes.NewReader(raw), EnvelopeFrom: "a@example.com", EnvelopeTo: []string{"b@example.com"}})
		if err != nil {
			t.Fatal(err)
		}
		list, raws = append(list, r.AOID), append(raws, raw)
	}
	if r, err := s.sealer.Now(t.Context()); err != nil || r.Stamped != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	return list, raws
}

// TestRenewedArchive seals and renews real archives of several sizes, by time stamp and by
// tree, and has BouncyCastle read the records and openssl verify the tokens.
func TestRenewedArchive(t *testing.T) {
	t.Parallel()
	check := harness(t)
	for _, n := range []int{1, 2, 3, 5, 8, 1000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			s := newStored(t)
			list, raws := s.fill(t, n)
			c := &cases{t: t, dir: t.TempDir()}
			tokens := 0
			for _, hand := range []ers.Action{"", ers.RenewStamp, ers.RenewTree, ers.RenewStamp} {
				if _, r, err := s.sealer.Renew(t.Context(), archive.RenewOptions{Hand: hand}); err != nil || r.Pending > 0 {
					t.Fatalf("%s: %+v, %v", hand, r, err)
				}
				for i, aoid := range list {
					if i > 3 && i < len(list)-3 && i%200 != 0 {
						continue
					}
					b, err := s.Bundle(t.Context(), s.tenant, aoid)
					if err != nil {
						t.Fatal(err)
					}
					c.add("valid", b.Record, evidencetest.Object{raws[i], b.Metadata})
					c.add("invalid", b.Record, evidencetest.Object{append(bytes.Clone(raws[i]), '!'), b.Metadata})
					if i == 0 {
						tokens = len(b.Stamps)
						s.tokens(t, b)
					}
				}
			}
			if tokens != 4 {
				t.Errorf("%d time stamps at the end, want 4", tokens)
			}
			c.run(check)
		})
	}
}

// tokens has openssl verify every time stamp of a bundle.
func (s *stored) tokens(t *testing.T, b *archive.Bundle) {
	t.Helper()
	dir := t.TempDir()
	place(t, dir, "root.pem", s.root)
	for i, st := range b.Stamps {
		token, err := tsp.ParseToken(st.Token)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%d.tst", i)
		place(t, dir, name, st.Token)
		mustOpenSSL(t, dir, "ts", "-verify", "-token_in", "-in", name, "-digest", hex.EncodeToString(token.Info.Imprint), "-CAfile", "root.pem")
		mustOpenSSL(t, dir, "cms", "-verify", "-inform", "DER", "-in", name, "-purpose", "timestampsign", "-CAfile", "root.pem", "-out", "content")
	}
	if err := b.WriteZIP(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
}
