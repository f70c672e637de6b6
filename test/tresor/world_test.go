// Package tresor mirrors the cases of BSI TR-03125 C.2 against the REST interface: a
// server with an archive and an authority of its own, and a program with a token. Each
// test is called as its case. What this archive does otherwise than the case says, the
// test says as well; docs/tr-esor.md has the list.
package tresor

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/httpd"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/sealing"
	"github.com/muniment/muniment/internal/tresor"
	"github.com/muniment/muniment/internal/uid"
)

// world is an archive behind its server, and a program of one tenant.
type world struct {
	*archivetest.Env
	url    string
	tenant *catalog.Tenant
	source *catalog.Source
	admin  access.Actor
	token  string
	sealer *sealing.Sealer
	tsa    *tsa.Authority
	ahead  atomic.Int64 // how far its clock is ahead
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{}
	now := func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }
	w.Env = archivetest.New(t, archivetest.Options{Now: now})
	w.tenant, w.source = w.Tenant(t, "acme")
	w.admin = w.User(t, w.tenant, "bernd", access.RoleTenantAdmin, "bernd@example.com")
	w.token = w.newToken(t, archive.ScopePreserve)
	h := must(httpd.New(httpd.Config{Archive: w.Archive, Log: slog.New(slog.DiscardHandler)}))(t)
	server := httptest.NewUnstartedServer(nil)
	server.Config = h.HTTP()
	server.Start()
	t.Cleanup(server.Close)
	w.url = server.URL

	var handler http.Handler
	authority := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { handler.ServeHTTP(rw, r) }))
	t.Cleanup(authority.Close)
	w.tsa = must(tsa.New(tsa.Options{URL: authority.URL}))(t)
	handler = w.tsa.Handler()
	root := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.tsa.Root().Raw}))
	set := seal.Setting{Interval: 3600, Authorities: []seal.Authority{{Name: "Test", URL: authority.URL + "/", Auth: seal.AuthNone, Local: true, CA: root}}}
	if err := w.SetSealSetting(t.Context(), archive.SealDraft{Setting: set}); err != nil {
		t.Fatal(err)
	}
	w.sealer = must(sealing.New(sealing.Config{Archive: w.Archive, Now: now}))(t)
	return w
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (w *world) newToken(t *testing.T, scope archive.Scope) string {
	t.Helper()
	secret, _, err := w.As(w.admin).CreateToken(t.Context(), "Fachverfahren", []archive.Scope{scope}, time.Time{})
	return must(secret, err)(t)
}

// seal has everything stamped.
func (w *world) seal(t *testing.T) {
	t.Helper()
	if r := must(w.sealer.Now(t.Context()))(t); r.Pending != 0 || r.Stamped == 0 {
		t.Fatalf("sealed: %+v", r)
	}
}

// post sends a request with a token and returns status and body.
func (w *world) post(t *testing.T, token, path string, body any) (int, []byte) {
	t.Helper()
	b := must(json.Marshal(body))(t)
	r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/api/v1/preservation/"+path, bytes.NewReader(b)))(t)
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, must(io.ReadAll(resp.Body))(t)
}

// ask calls a function and reads its answer.
func ask[O any](t *testing.T, w *world, path string, body any) O {
	t.Helper()
	status, b := w.post(t, w.token, path, body)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, status, b)
	}
	var out O
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// expect compares a result.
func expect(t *testing.T, what string, r api.PreservationResult, major tresor.Major, minor tresor.Minor) {
	t.Helper()
	if r.Major != string(major) || r.Minor != string(minor) {
		t.Errorf("%s: %+v; want %s %s", what, r, major, minor)
	}
}

func (w *world) submit(t *testing.T, p *tresor.Package) string {
	t.Helper()
	out := ask[api.SubmissionResponse](t, w, "archive-submission", api.SubmissionRequest{XAIP: text(t, p)})
	expect(t, "submission", out.Result, tresor.OK, tresor.NoMinor)
	if out.AOID == "" {
		t.Fatal("no AOID")
	}
	return out.AOID
}

// refused submits and expects that nothing was archived.
func (w *world) refused(t *testing.T, xaip []byte, minor tresor.Minor, options ...api.PreservationOption) {
	t.Helper()
	before := w.objects(t)
	out := ask[api.SubmissionResponse](t, w, "archive-submission", api.SubmissionRequest{XAIP: xaip, Options: options})
	expect(t, "submission", out.Result, tresor.Failure, minor)
	if out.AOID != "" || out.Result.Message == "" || w.objects(t) != before {
		t.Errorf("AOID %q, message %q, %d objects before and %d after", out.AOID, out.Result.Message, before, w.objects(t))
	}
}

func (w *world) objects(t *testing.T) int {
	t.Helper()
	return int(must(w.Catalog.Statistics(t.Context(), w.tenant.ID, time.Now()))(t).Messages)
}

func (w *world) update(t *testing.T, dxaip []byte) api.UpdateResponse {
	t.Helper()
	return ask[api.UpdateResponse](t, w, "archive-update", api.UpdateRequest{DXAIP: dxaip})
}

func (w *world) retrieve(t *testing.T, aoid string, versions ...string) (*tresor.Package, api.PreservationResult) {
	t.Helper()
	out := ask[api.RetrievalResponse](t, w, "archive-retrieval", api.RetrievalRequest{AOID: aoid, Versions: versions})
	if len(out.XAIP) == 0 {
		return nil, out.Result
	}
	return must(tresor.Read(bytes.NewReader(out.XAIP)))(t), out.Result
}

// text writes a package.
func text(t *testing.T, p *tresor.Package) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func object(kind tresor.Kind, id, mime, content string, related ...string) *tresor.Object {
	o := &tresor.Object{Attributes: tresor.Attributes{Kind: kind, ID: id, Mime: mime, Related: related}}
	o.SetBytes([]byte(content))
	return o
}

const mail = "From: a@example.com\r\nSubject: x\r\n\r\nText\r\n"

// xaipOK is XAIP_OK: two data objects and metadata on the first.
func xaipOK() *tresor.Package {
	return &tresor.Package{ID: "PKGID-01", Info: "Akte 4711", Canonical: "http://www.w3.org/2001/10/xml-exc-c14n#",
		Versions: []tresor.Version{{ID: "V001", Info: "Initiale Version", Retention: "2100-01-01+01:00", Submission: &tresor.Submission{Client: tresor.Name{Value: "Test-Client"}},
			Units: []tresor.Unit{{ID: "PIU-01", Text: "Stand", Protected: []string{"DO-01", "MDO-01", "DO-02"}}}}},
		Objects: []*tresor.Object{
			object(tresor.KindMetadata, "MDO-01", "application/xml", "<m/>", "DO-01"),
			object(tresor.KindData, "DO-01", "message/rfc822", mail, "MDO-01"),
			object(tresor.KindData, "DO-02", "text/plain", "zwei"),
		}}
}

// xaipSigned is XAIP_OK_SIG_OK: a signature belongs to it.
func xaipSigned(signature string) *tresor.Package {
	p := xaipOK()
	p.Objects = append(p.Objects, object(tresor.KindSignature, "CR-01", "urn:ietf:rfc:5652", signature, "DO-01"))
	p.Versions[0].Units[0].Protected = append(p.Versions[0].Units[0].Protected, "CR-01")
	return p
}

// dxaipOK is DXAIP_OK: version n of an object keeps all and brings one data object.
func dxaipOK(aoid string, n int) *tresor.Package {
	fresh := fmt.Sprintf("DO-1%d", n)
	kept := []string{"DO-01", "MDO-01", "DO-02"}
	for i := 2; i < n; i++ {
		kept = append(kept, fmt.Sprintf("DO-1%d", i))
	}
	return &tresor.Package{ID: "PKGID-01", AOID: aoid, Canonical: "http://www.w3.org/2001/10/xml-exc-c14n#",
		Versions: []tresor.Version{{ID: fmt.Sprintf("V%03d", n), Retention: "2100-01-01+01:00",
			Units: []tresor.Unit{{ID: fmt.Sprintf("PIU-1%d", n), Protected: append(slices.Clone(kept), fresh)}}}},
		Objects: []*tresor.Object{object(tresor.KindData, fresh, "text/plain", fresh)},
		Update:  &tresor.Update{Previous: fmt.Sprintf("V%03d", n-1), Kept: kept}}
}

// contents are the objects of a version as text, without what the archive adds. A
// package that no archive has given an AOID has nothing added.
func contents(p *tresor.Package, version string) map[string]string {
	out := map[string]string{}
	v := p.Version(version)
	if v == nil {
		return nil
	}
	for _, id := range append(v.Protected(), v.Unprotected()...) {
		if o := p.Object(id); o != nil && (p.AOID == "" || !strings.Contains(id, p.AOID)) {
			out[id] = string(o.Bytes())
		}
	}
	return out
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: %s", what, d)
	}
}

// proven verifies an evidence record with what a package protects in a version: all of
// it and nothing else (TRE-6).
func (w *world) proven(t *testing.T, p *tresor.Package, version string, record []byte) {
	t.Helper()
	var members []ers.Member
	for _, id := range p.Version(version).Protected() {
		members = append(members, ers.Member{Name: id, Data: ers.Bytes(p.Object(id).Bytes())})
	}
	o := ers.Options{Whole: true, Anchors: tsp.NewAnchors([]*x509.Certificate{w.tsa.Root()})}
	if r := ers.Verify(t.Context(), record, members, o); r.Integrity != evidence.Valid || r.Verdict == evidence.Invalid {
		t.Errorf("version %s: %v, integrity %v, %+v", version, r.Verdict, r.Integrity, r.Findings)
	}
	if r := ers.Verify(t.Context(), record, members[1:], o); r.Integrity == evidence.Valid {
		t.Errorf("version %s: the record covers less than it should", version)
	}
}

func (w *world) records(t *testing.T, aoid string, versions ...string) api.EvidenceResponse {
	t.Helper()
	return ask[api.EvidenceResponse](t, w, "archive-evidence", api.RetrievalRequest{AOID: aoid, Versions: versions})
}

// nobody is an AOID that was never given.
func nobody() string { return uid.New(time.Now()).String() }

// unknownOption is a control that no function knows.
func unknownOption() api.PreservationOption {
	return api.PreservationOption{Name: "SomethingUnknown", Value: "x"}
}
