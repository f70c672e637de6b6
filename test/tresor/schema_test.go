package tresor

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/tresor"
	"github.com/muniment/muniment/internal/uid"
)

// BSI's schema of XAIP 1.3 and what it imports are somebody else's, and not part of
// this repository. Who has them says where: MUNIMENT_XAIP_SCHEMA names
// tr-esor-xaip-v1.3.xsd, with the others beside it; MUNIMENT_XAIP_DATA a directory of
// packages (*.xml), such as the test data of BSI's test bed.

// xmllint tells whether a document is as the schema says.
func xmllint(t *testing.T, doc []byte) (bool, string) {
	t.Helper()
	schema := os.Getenv("MUNIMENT_XAIP_SCHEMA")
	if schema == "" {
		if slices.Contains(strings.Split(os.Getenv("MUNIMENT_TEST_REQUIRE"), ","), "xaip-schema") {
			t.Fatal("MUNIMENT_XAIP_SCHEMA is not set (MUNIMENT_TEST_REQUIRE asks for xaip-schema)")
		}
		t.Skip("MUNIMENT_XAIP_SCHEMA does not say where BSI's schema is")
	}
	cmd := exec.CommandContext(t.Context(), "xmllint", "--nonet", "--noout", "--huge", "--schema", schema, "-")
	cmd.Stdin = bytes.NewReader(doc)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return true, ""
	}
	if e := (*exec.ExitError)(nil); !asExit(err, &e) || e.ExitCode() != 1 && e.ExitCode() != 3 && e.ExitCode() != 4 {
		t.Fatalf("xmllint: %v: %s", err, out)
	}
	return false, string(out)
}

func asExit(err error, to **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError) //nolint:errorlint // as Run gives it
	*to = e
	return ok
}

// What this archive writes is as the public schema says.
func TestWrittenPackagesFitTheSchema(t *testing.T) {
	t.Parallel()
	xmllint(t, text(t, xaipOK())) // skips before anything is started
	w := newWorld(t)
	aoid := w.three(t)
	signed := w.submit(t, xaipSigned("signature"))
	r := must(w.Ingest(t.Context(), archive.Submission{Tenant: w.tenant.ID, Source: w.source.ID, Raw: bytes.NewReader([]byte(mail)), EnvelopeTo: []string{"bernd@example.com"}}))(t)
	docs := map[string][]byte{"a DXAIP": text(t, dxaipOK(aoid, 4)), "a package": text(t, xaipSigned("x")), "mail without a stamp": w.exported(t, r.AOID)}
	w.seal(t)
	docs["mail"] = w.exported(t, r.AOID)
	for name, q := range map[string]api.RetrievalRequest{"all versions": {AOID: aoid, Versions: []string{"ALL"}}, "one version": {AOID: aoid, Versions: []string{"V002"}}, "with a signature": {AOID: signed}} {
		q.Options = []api.PreservationOption{{Name: "IncludeERS", Value: archive.ERSFormat}}
		docs[name] = ask[api.RetrievalResponse](t, w, "archive-retrieval", q).XAIP
	}
	for name, doc := range docs {
		if ok, why := xmllint(t, doc); !ok {
			t.Errorf("%s: %s\n%s", name, why, doc)
		}
		if _, err := tresor.Read(bytes.NewReader(doc)); err != nil {
			t.Errorf("%s: our own reader: %v", name, err)
		}
	}
	if ok, _ := xmllint(t, bytes.Replace(docs["mail"], []byte("retentionPeriod>9999"), []byte("retentionPeriod>x9999"), 1)); ok {
		t.Error("the schema finds no mistake at all")
	}
}

func (w *world) exported(t *testing.T, id uid.ID) []byte {
	t.Helper()
	x := must(w.XAIP(t.Context(), w.tenant.ID, id))(t)
	defer x.Close()
	return text(t, x.Package)
}

// Of other people's packages our reader thinks what the schema thinks.
func TestReaderAgreesWithTheSchema(t *testing.T) {
	t.Parallel()
	names := must(filepath.Glob(filepath.Join(os.Getenv("MUNIMENT_XAIP_DATA"), "*.xml")))(t)
	if os.Getenv("MUNIMENT_XAIP_DATA") == "" || len(names) == 0 {
		t.Skip("MUNIMENT_XAIP_DATA does not say where packages are")
	}
	compared := 0
	for _, name := range names {
		doc := must(os.ReadFile(name))(t)
		if !bytes.Contains(doc, []byte(tresor.Namespace)) {
			continue // something else
		}
		compared++
		ok, why := xmllint(t, doc)
		if _, err := tresor.Read(bytes.NewReader(doc)); (err == nil) != ok {
			t.Errorf("%s: the schema: %v %s; our reader: %v", filepath.Base(name), ok, why, err)
		}
	}
	if compared == 0 {
		t.Error("there are no packages in MUNIMENT_XAIP_DATA")
	}
}

// Mail has no version but its first, and its evidence record covers just what the XAIP
// protects.
func TestMailAsXAIP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := must(w.Ingest(t.Context(), archive.Submission{Tenant: w.tenant.ID, Source: w.source.ID, Raw: bytes.NewReader([]byte(mail)), EnvelopeTo: []string{"bernd@example.com"}}))(t)
	w.seal(t)
	p := must(tresor.Read(bytes.NewReader(w.exported(t, r.AOID))))(t)
	records := 0
	for _, o := range p.Objects {
		if o.Kind == tresor.KindEvidence {
			records++
			w.proven(t, p, "V001", o.Bytes())
		}
	}
	if records != 1 || string(p.Object("DO-original").Bytes()) != mail || p.Object("DO-original").Mime != "message/rfc822" || p.AOID != r.AOID.String() {
		t.Errorf("%d records, %+v", records, p)
	}
	if _, err := w.XAIP(t.Context(), w.tenant.ID, r.AOID, 2); err == nil {
		t.Error("a second version is there")
	}
	// Whoever may read it gets it; others do not learn of it.
	x := must(w.As(w.admin).XAIP(t.Context(), r.AOID))(t)
	x.Close()
	carla := w.User(t, w.tenant, "carla", "user", "carla@example.com")
	if _, err := w.As(carla).XAIP(t.Context(), r.AOID); err == nil {
		t.Error("carla gets it")
	}
}
