package tresor

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/tresor"
)

func TestMRI01RetrieveProfiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		profile, status string
		want            int
	}{{archive.PreservationProfile, "", 1}, {"", "inactive", 0}, {"", "all", 1}, {"", "active", 1}, {archive.PreservationProfile, "active", 1},
		{archive.PreservationProfile, "inactive", 0}, {archive.PreservationProfile, "all", 1}, {"", "", 1}} {
		out := ask[api.InfoResponse](t, w, "retrieve-info", api.InfoRequest{Profile: c.profile, Status: c.status})
		expect(t, "info", out.Result, tresor.OK, tresor.NoMinor)
		if len(out.Profiles) != c.want || c.want > 0 && (out.Profiles[0].Identifier != archive.PreservationProfile || out.Profiles[0].Status != "active") {
			t.Errorf("%+v: %+v", c, out.Profiles)
		}
	}
}

func TestMRI02UnknownProfile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	out := ask[api.InfoResponse](t, w, "retrieve-info", api.InfoRequest{Profile: "urn:unknown"})
	expect(t, "info", out.Result, tresor.Failure, tresor.UnknownURI)
	if len(out.Profiles) != 0 {
		t.Errorf("%+v", out.Profiles)
	}
}

func TestMRI03UnknownOption(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	out := ask[api.InfoResponse](t, w, "retrieve-info", api.InfoRequest{Options: []api.PreservationOption{unknownOption()}})
	expect(t, "info", out.Result, tresor.Failure, tresor.NotSupported)
}

func TestMSU01SubmitRetrieveProveVerify(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, p := range []*tresor.Package{xaipOK(), xaipSigned("signature")} {
		aoid := w.submit(t, p)
		got, r := w.retrieve(t, aoid)
		expect(t, "retrieval", r, tresor.OK, tresor.NoMinor)
		if got.AOID != aoid || got.ID != p.ID || got.Info != p.Info || got.Canonical != p.Canonical {
			t.Errorf("header: %+v", got)
		}
		same(t, "objects", contents(got, "V001"), contents(p, "V001"))
		same(t, "manifest", got.Versions[0].Units[0], p.Versions[0].Units[0])
		same(t, "submission", got.Versions[0].Submission, p.Versions[0].Submission)
		for _, o := range p.Objects {
			same(t, "attributes", got.Object(o.ID).Attributes, o.Attributes)
		}
		expect(t, "before there is a time stamp", w.records(t, aoid).Result, tresor.Warning, tresor.PartlySuccessful)
		w.seal(t)
		e := w.records(t, aoid)
		expect(t, "evidence", e.Result, tresor.OK, tresor.NoMinor)
		if len(e.Records) != 1 || e.Records[0].VersionID != "V001" || e.Records[0].AOID != aoid {
			t.Fatalf("%+v", e.Records)
		}
		w.proven(t, got, "V001", e.Records[0].Record)
	}
}

// The same package twice is two objects.
func TestMSU01TwiceIsTwoObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if a, b := w.submit(t, xaipOK()), w.submit(t, xaipOK()); a == b {
		t.Errorf("both are %s", a)
	}
}

func TestMSU01aPackageByReferenceIsNotSupported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reference := `<xaip:xmlData><asic:DataObjectReference xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" URI="x"/></xaip:xmlData>`
	whole := string(text(t, xaipOK()))
	from, to := strings.Index(whole, "<xaip:binaryData"), strings.Index(whole, "</xaip:binaryData>")+len("</xaip:binaryData>")
	w.refused(t, []byte(whole[:from]+reference+whole[to:]), tresor.NotSupported)
}

func TestMSU02WrongForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := text(t, xaipOK())
	for name, bad := range map[string][]byte{
		"a data object in the manifest": bytes.Replace(good, []byte("<xaip:protectedObjectPointer>DO-01"), []byte(`<xaip:dataObject/><xaip:protectedObjectPointer>DO-01`), 1),
		"XAIP_NOK_VERSION":              bytes.Replace(good, []byte(`XAIPVersion="1.3.0"`), []byte(`XAIPVersion="1.1.0"`), 1),
		"no XML":                        []byte("x"),
	} {
		t.Log(name)
		w.refused(t, bad, tresor.XAIPWrong)
	}
	p := xaipOK()
	p.Objects[1].Sum = &tresor.Sum{Algorithm: "SHA-256", Value: make([]byte, 32)} // it does not fit
	w.refused(t, text(t, p), tresor.XAIPWrong)
	p = xaipOK()
	p.Versions[0].ID = "V002"
	w.refused(t, text(t, p), tresor.XAIPWrong) // versions begin with V001
}

func TestMSU03Expired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := xaipOK()
	p.Versions[0].Retention = "2021-01-01+01:00"
	w.refused(t, text(t, p), tresor.XAIPExpired)
}

func TestMSU04SubmissionTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, away := range []time.Duration{-72 * time.Hour, 72 * time.Hour} {
		p := xaipOK()
		p.Versions[0].Submission.Time = time.Now().Add(away).UTC().Format(time.RFC3339)
		w.refused(t, text(t, p), tresor.XAIPSubmissionTime)
	}
	p := xaipOK()
	p.Versions[0].Submission.Time = time.Now().UTC().Format(time.RFC3339)
	w.submit(t, p)
}

// The case wants XAIP_NOK_SIG. This archive keeps what it is given and says that it has
// not judged the signature (TRE-7).
func TestMSU05BadSignatureIsKeptAndNotJudged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := xaipSigned("no signature at all")
	out := ask[api.SubmissionResponse](t, w, "archive-submission", api.SubmissionRequest{XAIP: text(t, p)})
	expect(t, "submission", out.Result, tresor.OK, tresor.NoMinor)
	if !strings.Contains(out.Result.Message, "not determined") {
		t.Errorf("message %q", out.Result.Message)
	}
	got, _ := w.retrieve(t, out.AOID)
	same(t, "objects", contents(got, "V001"), contents(p, "V001"))
	v := ask[api.VerifyResponse](t, w, "verify", api.VerifyRequest{XAIP: text(t, p)})
	expect(t, "verify", v.Result, tresor.Warning, tresor.PartlySuccessful)
}

func TestMSU06BadEvidenceRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.withEvidence(t)
	w.submit(t, p)
	// One of its objects is another now.
	p.Object("DO-02").SetBytes([]byte("drei"))
	p.Object("DO-02").Sum = nil
	w.refused(t, text(t, p), tresor.XAIPEvidence)
	// One object more is protected than it covers.
	p = w.withEvidence(t)
	p.Objects = append(p.Objects, object(tresor.KindData, "DO-99", "text/plain", "mehr"))
	p.Versions[0].Units[0].Protected = append(p.Versions[0].Units[0].Protected, "DO-99")
	w.refused(t, text(t, p), tresor.XAIPEvidence)
	// It is none.
	p = w.withEvidence(t)
	for _, o := range p.Objects {
		if o.Kind == tresor.KindEvidence {
			o.SetBytes([]byte("no record"))
		}
	}
	w.refused(t, text(t, p), tresor.XAIPEvidence)
}

// withEvidence is a package as an archive gives it, with its evidence record.
func (w *world) withEvidence(t *testing.T) *tresor.Package {
	t.Helper()
	aoid := w.submit(t, xaipOK())
	w.seal(t)
	out := ask[api.RetrievalResponse](t, w, "archive-retrieval", api.RetrievalRequest{AOID: aoid, Options: []api.PreservationOption{{Name: "IncludeERS", Value: archive.ERSFormat}}})
	expect(t, "retrieval", out.Result, tresor.OK, tresor.NoMinor)
	p := must(tresor.Read(bytes.NewReader(out.XAIP)))(t)
	records := 0
	for _, o := range p.Objects {
		if o.Kind == tresor.KindEvidence {
			records++
			w.proven(t, p, "V001", o.Bytes())
		}
	}
	if records != 1 {
		t.Fatalf("%d evidence records", records)
	}
	return p
}

func TestMSU07UnknownOption(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refused(t, text(t, xaipOK()), tresor.NotSupported, unknownOption())
}

// The cases want signed containers to be archived, and bad ones to be refused. This
// archive takes bytes only in a package.
func TestMSU08And09DataWithoutPackageAreNotSupported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	out := ask[api.SubmissionResponse](t, w, "archive-submission", api.SubmissionRequest{Data: []api.PreservationData{{Type: "http://uri.etsi.org/ades/CAdES", Value: []byte("x")}}})
	expect(t, "submission", out.Result, tresor.Failure, tresor.NotSupported)
	if out.AOID != "" || w.objects(t) != 0 {
		t.Errorf("%+v", out)
	}
	out = ask[api.SubmissionResponse](t, w, "archive-submission", api.SubmissionRequest{})
	expect(t, "nothing", out.Result, tresor.Failure, tresor.ParameterError)
}

// Only a token with the scope gets in, and it reaches nothing but its tenant's packages.
func TestWall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.submit(t, xaipOK())
	if status, b := w.post(t, w.newToken(t, archive.ScopeReportsRead), "archive-retrieval", api.RetrievalRequest{AOID: aoid}); status != http.StatusForbidden {
		t.Errorf("another scope: %d %s", status, b)
	}
	if status, b := w.post(t, "", "archive-retrieval", api.RetrievalRequest{AOID: aoid}); status != http.StatusUnauthorized {
		t.Errorf("nobody: %d %s", status, b)
	}
	if _, _, err := w.As(w.admin).Retrieve(t.Context(), aoid, nil, nil); err == nil {
		t.Error("an administrator without a token gets it")
	}
	r := must(w.Ingest(t.Context(), archive.Submission{Tenant: w.tenant.ID, Source: w.source.ID, Raw: bytes.NewReader([]byte(mail)), EnvelopeTo: []string{"bernd@example.com"}}))(t)
	doc := must(w.Ingest(t.Context(), archive.Submission{Tenant: w.tenant.ID, Source: w.source.ID, Raw: bytes.NewReader([]byte("x")), Document: &archive.Document{Name: "x", Owners: []string{"bernd@example.com"}}}))(t)
	if _, err := w.As(w.admin).Message(t.Context(), r.AOID); err != nil {
		t.Fatal(err) // bernd has it, the program does not
	}
	other, _ := w.Tenant(t, "other")
	foreign := w.token
	w.token = func() string {
		actor := w.User(t, other, "carla", "tenant-admin", "carla@example.org")
		secret, _, err := w.As(actor).CreateToken(t.Context(), "x", []archive.Scope{archive.ScopePreserve}, time.Time{})
		return must(secret, err)(t)
	}()
	asked := map[string]string{"another tenant's": aoid}
	for name, id := range asked {
		w.knowsNothing(t, name, id)
	}
	w.token = foreign
	for name, id := range map[string]string{"mail": r.AOID.String(), "a document": doc.AOID.String(), "nothing": nobody(), "no id": "x"} {
		w.knowsNothing(t, name, id)
	}
}

func (w *world) knowsNothing(t *testing.T, name, id string) {
	t.Helper()
	got, res := w.retrieve(t, id)
	expect(t, name, res, tresor.Failure, tresor.UnknownAOID)
	if got != nil {
		t.Errorf("%s: %+v", name, got)
	}
	expect(t, name, w.records(t, id).Result, tresor.Failure, tresor.UnknownAOID)
	expect(t, name, ask[api.TraceResponse](t, w, "archive-trace", api.TraceRequest{AOID: id}).Result, tresor.Failure, tresor.UnknownAOID)
	expect(t, name, ask[api.DataResponse](t, w, "archive-data", api.DataRequest{AOID: id, Locations: []api.PreservationLocation{{Type: "x", Value: "y"}}}).Result, tresor.Failure, tresor.UnknownAOID)
	expect(t, name, ask[api.ResultOnly](t, w, "archive-deletion", api.DeletionRequest{AOID: id}).Result, tresor.Failure, tresor.UnknownAOID)
	expect(t, name, w.update(t, text(t, dxaipOK(id, 2))).Result, tresor.Failure, tresor.DXAIPAOID)
}
