package tresor

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/tresor"
)

// three archives an object with three versions.
func (w *world) three(t *testing.T) string {
	t.Helper()
	aoid := w.submit(t, xaipOK())
	w.updated(t, dxaipOK(aoid, 2))
	w.updated(t, dxaipOK(aoid, 3))
	return aoid
}

// versionContents are what the versions of such an object consist of.
func versionContents(n int) map[string]string {
	out := contents(xaipOK(), "V001")
	for i := 2; i <= n; i++ {
		id := dxaipOK("", i).Objects[0].ID
		out[id] = id
	}
	return out
}

func TestMRE01AllVersionsComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.three(t)
	for _, c := range []struct{ ask, want []string }{{nil, []string{"V003"}}, {[]string{"V002"}, []string{"V002"}}, {[]string{"V001"}, []string{"V001"}},
		{[]string{"V001", "V002"}, []string{"V001", "V002"}}, {[]string{"ALL"}, []string{"V001", "V002", "V003"}}} {
		got, r := w.retrieve(t, aoid, c.ask...)
		expect(t, "retrieval", r, tresor.OK, tresor.NoMinor)
		var have []string
		for i := range got.Versions {
			have = append(have, got.Versions[i].ID)
			same(t, got.Versions[i].ID, contents(got, got.Versions[i].ID), versionContents(int(got.Versions[i].ID[3]-'0')))
		}
		same(t, "versions", have, c.want)
	}
	// The archive has them after it was made anew from the vault, too.
	if _, err := w.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	got, r := w.retrieve(t, aoid, "ALL")
	expect(t, "after a rebuild", r, tresor.OK, tresor.NoMinor)
	for i, v := range []string{"V001", "V002", "V003"} {
		same(t, v, contents(got, v), versionContents(i+1))
	}
	w.updated(t, dxaipOK(aoid, 4))
}

func TestMRE02UnknownAOID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.submit(t, xaipOK())
	_, r := w.retrieve(t, nobody())
	expect(t, "unknown", r, tresor.Failure, tresor.UnknownAOID)
	_, r = w.retrieve(t, aoid)
	expect(t, "known", r, tresor.OK, tresor.NoMinor)
}

func TestMRE03UnknownVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.three(t)
	got, r := w.retrieve(t, aoid, "V010")
	expect(t, "unknown", r, tresor.Failure, tresor.UnknownVersionID)
	if got != nil {
		t.Errorf("%+v", got)
	}
	got, r = w.retrieve(t, aoid, "V002", "V010")
	expect(t, "one of two", r, tresor.Warning, tresor.PartlySuccessful)
	same(t, "V002", contents(got, "V002"), versionContents(2))
	if !strings.Contains(r.Message, "V010") || len(got.Versions) != 1 {
		t.Errorf("%q, %+v", r.Message, got.Versions)
	}
}

func TestMRE04UnknownOption(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.submit(t, xaipOK())
	for _, o := range []api.PreservationOption{unknownOption(), {Name: "IncludeERS", Value: "urn:ietf:rfc:6283"}} {
		out := ask[api.RetrievalResponse](t, w, "archive-retrieval", api.RetrievalRequest{AOID: aoid, Options: []api.PreservationOption{o}})
		expect(t, o.Name, out.Result, tresor.Failure, tresor.NotSupported)
		if len(out.XAIP) > 0 {
			t.Error("it comes all the same")
		}
	}
}

func TestMEV01EvidenceOfEachVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.three(t)
	w.seal(t)
	all, _ := w.retrieve(t, aoid, "ALL")
	out := w.records(t, aoid, "ALL")
	expect(t, "evidence", out.Result, tresor.OK, tresor.NoMinor)
	if len(out.Records) != 3 {
		t.Fatalf("%d records", len(out.Records))
	}
	for _, r := range out.Records {
		w.proven(t, all, r.VersionID, r.Record)
	}
	if out := w.records(t, aoid); len(out.Records) != 1 || out.Records[0].VersionID != "V003" {
		t.Errorf("of the newest: %+v", out.Records)
	}
	// Nothing in the archive speaks against itself.
	if err := w.sound(t); err != nil {
		t.Error(err)
	}
}

func TestMEV02UnknownAOID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	expect(t, "unknown", w.records(t, nobody()).Result, tresor.Failure, tresor.UnknownAOID)
}

func TestMEV03UnknownVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.three(t)
	w.seal(t)
	out := w.records(t, aoid, "V010")
	expect(t, "unknown", out.Result, tresor.Failure, tresor.UnknownVersionID)
	out = w.records(t, aoid, "V002", "V010")
	expect(t, "one of two", out.Result, tresor.Warning, tresor.PartlySuccessful)
	if len(out.Records) != 1 || out.Records[0].VersionID != "V002" {
		t.Errorf("%+v", out.Records)
	}
}

func TestMEV04UnknownOption(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.submit(t, xaipOK())
	for _, o := range []api.PreservationOption{unknownOption(), {Name: "ERSFormat", Value: "urn:ietf:rfc:6283"}} {
		out := ask[api.EvidenceResponse](t, w, "archive-evidence", api.RetrievalRequest{AOID: aoid, Options: []api.PreservationOption{o}})
		expect(t, o.Name, out.Result, tresor.Failure, tresor.NotSupported)
	}
}

func (w *world) remove(t *testing.T, q api.DeletionRequest) api.PreservationResult {
	t.Helper()
	return ask[api.ResultOnly](t, w, "archive-deletion", q).Result
}

func (w *world) there(t *testing.T, aoid string) {
	t.Helper()
	got, r := w.retrieve(t, aoid)
	expect(t, "it is still there", r, tresor.OK, tresor.NoMinor)
	same(t, "objects", contents(got, "V001"), contents(xaipOK(), "V001"))
}

// gone makes sure that an object is not there any more.
func (w *world) gone(t *testing.T, aoid string) {
	t.Helper()
	_, r := w.retrieve(t, aoid)
	expect(t, "it is gone", r, tresor.Failure, tresor.UnknownAOID)
	expect(t, "deletion of what is gone", w.remove(t, api.DeletionRequest{AOID: aoid}), tresor.Failure, tresor.UnknownAOID)
}

func TestMDE01DeletionWithoutReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid, other := w.submit(t, xaipOK()), w.submit(t, xaipOK())
	for _, reason := range []*api.DeletionReason{nil, {Requestor: "Anna"}, {Info: "why"}, {Requestor: " ", Info: " "}} {
		expect(t, "before the end", w.remove(t, api.DeletionRequest{AOID: aoid, Reason: reason}), tresor.Failure, tresor.MissingReason)
	}
	w.there(t, aoid)
	w.ahead.Store(int64(100 * 366 * 24 * time.Hour))
	expect(t, "after the end", w.remove(t, api.DeletionRequest{AOID: aoid}), tresor.OK, tresor.NoMinor)
	w.gone(t, aoid)
	w.there(t, other)
}

func TestMDE02DeletionWithReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid, other := w.submit(t, xaipOK()), w.submit(t, xaipOK())
	expect(t, "deletion", w.remove(t, api.DeletionRequest{AOID: aoid, Reason: &api.DeletionReason{Requestor: "Anna", Info: "why"}}), tresor.OK, tresor.NoMinor)
	w.gone(t, aoid)
	w.there(t, other)
}

func TestMDE03UnknownWithoutReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.submit(t, xaipOK())
	expect(t, "known", w.remove(t, api.DeletionRequest{AOID: aoid}), tresor.Failure, tresor.MissingReason)
	expect(t, "unknown", w.remove(t, api.DeletionRequest{AOID: nobody()}), tresor.Failure, tresor.UnknownAOID)
	w.there(t, aoid)
}

func TestMDE04UnknownWithReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	expect(t, "unknown", w.remove(t, api.DeletionRequest{AOID: nobody(), Reason: &api.DeletionReason{Requestor: "Anna", Info: "why"}}), tresor.Failure, tresor.UnknownAOID)
}

func TestMDE05UnknownOption(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.submit(t, xaipOK())
	expect(t, "deletion", w.remove(t, api.DeletionRequest{AOID: aoid, Options: []api.PreservationOption{unknownOption()}}), tresor.Failure, tresor.NotSupported)
	w.there(t, aoid)
}

// ArchiveData and ArchiveTrace have no cases.
func TestDataAndTrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.three(t)
	out := ask[api.DataResponse](t, w, "archive-data", api.DataRequest{AOID: aoid, Locations: []api.PreservationLocation{
		{Type: archive.LocationObject, Value: "DO-13"}, {Type: archive.LocationObject, Value: "DO-99"}, {Type: "http://www.w3.org/TR/1999/REC-xpath-19991116", Value: "//x"}}})
	expect(t, "data", out.Result, tresor.Warning, tresor.PartlySuccessful)
	if len(out.Data) != 3 || string(out.Data[0].Value) != "DO-13" {
		t.Fatalf("%+v", out.Data)
	}
	expect(t, "found", out.Data[0].Result, tresor.OK, tresor.NoMinor)
	expect(t, "not found", out.Data[1].Result, tresor.Failure, tresor.ParameterError)
	expect(t, "another type", out.Data[2].Result, tresor.Failure, tresor.NotSupported)
	trace := ask[api.TraceResponse](t, w, "archive-trace", api.TraceRequest{AOID: aoid})
	expect(t, "trace", trace.Result, tresor.OK, tresor.NoMinor)
	count := map[string]int{}
	for i, e := range trace.Events {
		count[e.Action]++
		if i > 0 && e.Seq >= trace.Events[i-1].Seq {
			t.Error("not the newest first")
		}
	}
	same(t, "events", count, map[string]int{"message.stored": 3, "preservation.submitted": 1, "preservation.updated": 2, "preservation.retrieved": 1})
}

// What one archive gives, another takes, with all versions and their evidence.
func TestExportIsImported(t *testing.T) {
	t.Parallel()
	w, other := newWorld(t), newWorld(t)
	aoid := w.three(t)
	w.seal(t)
	out := ask[api.RetrievalResponse](t, w, "archive-retrieval", api.RetrievalRequest{AOID: aoid, Versions: []string{"ALL"}, Options: []api.PreservationOption{{Name: "IncludeERS", Value: archive.ERSFormat}}})
	expect(t, "export", out.Result, tresor.OK, tresor.NoMinor)
	in := ask[api.SubmissionResponse](t, other, "archive-submission", api.SubmissionRequest{XAIP: out.XAIP})
	expect(t, "import", in.Result, tresor.OK, tresor.NoMinor)
	other.seal(t)
	want := must(tresor.Read(bytes.NewReader(out.XAIP)))(t)
	got, _ := other.retrieve(t, in.AOID, "ALL")
	for _, v := range []string{"V001", "V002", "V003"} {
		was := map[string]string{}
		for _, id := range append(want.Version(v).Protected(), want.Version(v).Unprotected()...) {
			was[id] = string(want.Object(id).Bytes())
		}
		same(t, v, contents(got, v), was)
	}
	for _, r := range other.records(t, in.AOID, "ALL").Records {
		other.proven(t, got, r.VersionID, r.Record)
	}
	// The evidence of the first archive still proves what it did.
	records := 0
	for _, o := range want.Objects {
		if o.Kind == tresor.KindEvidence {
			records++
			w.proven(t, want, o.VersionID, got.Object(o.ID).Bytes())
		}
	}
	if records != 3 {
		t.Errorf("%d evidence records", records)
	}
	if err := other.sound(t); err != nil {
		t.Error(err)
	}
}
