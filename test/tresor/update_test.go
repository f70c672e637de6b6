package tresor

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/tresor"
)

func (w *world) updated(t *testing.T, p *tresor.Package) {
	t.Helper()
	out := w.update(t, text(t, p))
	expect(t, "update", out.Result, tresor.OK, tresor.NoMinor)
	if out.VersionID != p.Versions[0].ID {
		t.Errorf("version %q", out.VersionID)
	}
}

// notUpdated expects that an update is refused and the object is as before.
func (w *world) notUpdated(t *testing.T, dxaip []byte, aoid string, minor tresor.Minor, options ...api.PreservationOption) {
	t.Helper()
	before := w.objects(t)
	out := ask[api.UpdateResponse](t, w, "archive-update", api.UpdateRequest{DXAIP: dxaip, Options: options})
	expect(t, "update", out.Result, tresor.Failure, minor)
	if out.VersionID != "" || out.Result.Message == "" || w.objects(t) != before {
		t.Errorf("%+v", out)
	}
	if aoid != "" {
		if _, r := w.retrieve(t, aoid); r.Major != string(tresor.OK) {
			t.Errorf("afterwards: %+v", r)
		}
	}
}

func TestMUP01Update(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.submit(t, xaipOK())
	w.updated(t, dxaipOK(aoid, 2))
	w.updated(t, dxaipOK(aoid, 3))
	// One that brings a signature alone.
	signed := w.submit(t, xaipOK())
	p := dxaipOK(signed, 2)
	p.Objects = []*tresor.Object{object(tresor.KindSignature, "CR-01", "", "signature", "DO-01")}
	p.Versions[0].Units[0].Protected[3] = "CR-01"
	w.updated(t, p)
	got, _ := w.retrieve(t, signed)
	want := contents(xaipOK(), "V001")
	want["CR-01"] = "signature"
	same(t, "objects", contents(got, "V002"), want)
}

func TestMUP02UnknownAOID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := nobody()
	_, r := w.retrieve(t, aoid)
	expect(t, "retrieval", r, tresor.Failure, tresor.UnknownAOID)
	w.notUpdated(t, text(t, dxaipOK(aoid, 2)), "", tresor.DXAIPAOID)
}

func TestMUP03WrongForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.submit(t, xaipOK())
	good := text(t, dxaipOK(aoid, 2))
	w.notUpdated(t, bytes.Replace(good, []byte("<xaip:protectedObjectPointer>DO-01"), []byte("<xaip:AOID/><xaip:protectedObjectPointer>DO-01"), 1), aoid, tresor.DXAIPWrong)
	w.notUpdated(t, text(t, xaipOK()), aoid, tresor.DXAIPWrong) // it is an XAIP
	for name, change := range map[string]func(p *tresor.Package){
		"an identifier that the object has": func(p *tresor.Package) {
			p.Update.Kept = p.Update.Kept[1:] // DO-01
			p.Objects = append(p.Objects, object(tresor.KindData, "DO-01", "", "other"))
		},
		"a unit that the object has": func(p *tresor.Package) { p.Versions[0].Units[0].ID = "PIU-01" },
		"what the version does not have": func(p *tresor.Package) {
			p.Update.Kept = append(p.Update.Kept, "DO-77")
			p.Versions[0].Units[0].Protected[3] = "DO-77"
			p.Versions[0].Units[0].Unprotected = []string{"DO-12"}
		},
		"what the new version does not want":   func(p *tresor.Package) { p.Update.Kept = append(p.Update.Kept, "DO-78") },
		"a retention period that is shorter":   func(p *tresor.Package) { p.Versions[0].Retention = "2099-12-31" },
		"an object that belongs to no version": func(p *tresor.Package) { p.Objects = append(p.Objects, object(tresor.KindData, "DO-79", "", "x")) },
	} {
		p := dxaipOK(aoid, 2)
		change(p)
		t.Log(name)
		w.notUpdated(t, text(t, p), aoid, tresor.DXAIPWrong)
	}
	w.updated(t, dxaipOK(aoid, 2))
}

func TestMUP04Expired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.submit(t, xaipOK())
	p := dxaipOK(aoid, 2)
	p.Versions[0].Retention = "2021-01-01+01:00"
	w.notUpdated(t, text(t, p), aoid, tresor.DXAIPExpired)
}

func TestMUP05SubmissionTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.submit(t, xaipOK())
	for _, away := range []time.Duration{-72 * time.Hour, 72 * time.Hour} {
		p := dxaipOK(aoid, 2)
		p.Versions[0].Submission = &tresor.Submission{Client: tresor.Name{Value: "x"}, Time: time.Now().Add(away).UTC().Format(time.RFC3339)}
		w.notUpdated(t, text(t, p), aoid, tresor.DXAIPSubmissionTime)
	}
}

// The case wants DXAIP_NOK_SIG; see TestMSU05.
func TestMUP06BadSignatureIsKeptAndNotJudged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.submit(t, xaipOK())
	p := dxaipOK(aoid, 2)
	p.Objects = append(p.Objects, object(tresor.KindSignature, "CR-01", "", "no signature", "DO-01"))
	p.Versions[0].Units[0].Unprotected = []string{"CR-01"}
	w.updated(t, p)
	if out := w.records(t, aoid, "V002"); out.Result.Major != string(tresor.Warning) {
		t.Errorf("%+v", out)
	}
}

func TestMUP07BadEvidenceRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.submit(t, xaipOK())
	p := dxaipOK(aoid, 2)
	record := object(tresor.KindEvidence, "CR-05", "", "no record", "V002")
	p.Objects = append(p.Objects, record)
	p.Versions[0].Units[0].Unprotected = []string{"CR-05"}
	w.notUpdated(t, text(t, p), aoid, tresor.DXAIPEvidence)
	record.SetBytes(w.recordOf(t, "another object"))
	w.notUpdated(t, text(t, p), aoid, tresor.DXAIPEvidence)
}

func TestMUP08Version(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.submit(t, xaipOK())
	p := dxaipOK(aoid, 2)
	p.Update.Previous = "V010" // there is none
	w.notUpdated(t, text(t, p), aoid, tresor.DXAIPVersion)
	w.updated(t, dxaipOK(aoid, 2))
	w.notUpdated(t, text(t, dxaipOK(aoid, 2)), aoid, tresor.DXAIPVersion) // once more
	p = dxaipOK(aoid, 3)
	p.Update.Previous = "V001" // not the newest
	w.notUpdated(t, text(t, p), aoid, tresor.DXAIPVersion)
	w.notUpdated(t, text(t, dxaipOK(aoid, 5)), aoid, tresor.DXAIPVersion) // a gap
}

// Of several programs that give the next version at once, one does.
func TestMUP08AtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.submit(t, xaipOK())
	const programs = 4
	results := make(chan api.UpdateResponse, programs)
	for i := range programs {
		p := dxaipOK(aoid, 2)
		p.Objects[0].SetBytes(fmt.Append(nil, i))
		body := text(t, p)
		go func() { results <- w.update(t, body) }()
	}
	done := 0
	for range programs {
		switch r := <-results; r.Result.Minor {
		case "":
			done++
		default:
			expect(t, "the others", r.Result, tresor.Failure, tresor.DXAIPVersion)
		}
	}
	if done != 1 {
		t.Errorf("%d have", done)
	}
	got, _ := w.retrieve(t, aoid, "ALL")
	if len(got.Versions) != 2 {
		t.Errorf("%d versions", len(got.Versions))
	}
}

func TestMUP09UnknownOption(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.submit(t, xaipOK())
	w.notUpdated(t, text(t, dxaipOK(aoid, 2)), aoid, tresor.NotSupported, unknownOption())
	w.updated(t, dxaipOK(aoid, 2))
	w.updated(t, dxaipOK(aoid, 3))
}
