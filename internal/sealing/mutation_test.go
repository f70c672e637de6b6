package sealing_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/sealing"
)

// mutation changes every byte of files of a bundle in turn and asks the verifier.
type mutation struct {
	t     *testing.T
	w     *world
	files []entry
	root  string // file with the trusted certificate
	at    time.Time
	whole string      // what is told of the bundle as it was
	asOf  []time.Time // how recent its revocation data are, by time stamp
	// tokens remembers those that were verified: what lies beside them is never changed
	// while it is used.
	tokens *tsp.Cache
}

func newMutation(t *testing.T, w *world, files []entry) *mutation {
	t.Helper()
	m := &mutation{t: t, w: w, files: files, root: filepath.Join(t.TempDir(), "root.pem"), at: time.Now().Add(time.Minute)}
	if err := os.WriteFile(m.root, []byte(rootPEM(w.tsa)), 0o600); err != nil {
		t.Fatal(err)
	}
	if m.whole = m.said(m.fs()); m.whole == "" {
		t.Fatal("the bundle is not valid")
	}
	return m
}

// fs are the files in memory.
func (m *mutation) fs() fstest.MapFS {
	files := fstest.MapFS{}
	for _, f := range m.files {
		files[f.name] = &fstest.MapFile{Data: f.b}
	}
	return files
}

// lean leaves out what is only for people: it is guarded by the list of hash values
// alone, and looked at by TestBundleTexts. The verification of the rest is quicker.
func lean(list []entry) (out []entry) {
	var sums strings.Builder
	for _, f := range list {
		switch path.Ext(f.name) {
		case ".html", ".pdf", ".txt":
			continue
		}
		if f.name == offline.SumsFile {
			continue
		}
		out = append(out, f)
		h := sha256.Sum256(f.b)
		fmt.Fprintf(&sums, "%x  %s\n", h, f.name)
	}
	if slices.ContainsFunc(list, func(f entry) bool { return f.name == offline.SumsFile }) {
		out = append(out, entry{offline.SumsFile, []byte(sums.String())})
	}
	return out
}

// said is what the verifier says of a bundle; empty if it is not valid. Revocation data may
// be spoilt, so that older ones count: that is told, and claims less.
func (m *mutation) said(files fs.FS) string {
	var out bytes.Buffer
	v, err := offline.RunFS(m.t.Context(), offline.Request{Anchors: []string{m.root}, JSON: true, At: m.at, Cache: m.tokens}, files, &out)
	if err != nil || v != evidence.Valid {
		return ""
	}
	x := &told{}
	if err := json.Unmarshal(out.Bytes(), x); err != nil {
		m.t.Fatal(err)
	}
	if r := x.Bundles[0].Report; r != nil {
		r.Findings = slices.DeleteFunc(r.Findings, func(f evidence.Finding) bool { return f.Code == tsp.CodeOldRevocation })
		for i := range r.Stamps {
			if m.whole == "" {
				m.asOf = append(m.asOf, r.Stamps[i].Revocation)
			} else if at := &r.Stamps[i].Revocation; i < len(m.asOf) && !at.IsZero() && at.Before(m.asOf[i]) {
				*at = m.asOf[i]
			}
		}
	}
	text, err := json.Marshal(x)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(text)
}

// every changes each byte of a file. If forged, the list of hash values is written anew
// by whoever has changed it; then what is still valid must say the same.
func (m *mutation) every(name string, step int, forged bool) {
	m.t.Helper()
	if m.tokens = tsp.NewCache(16); path.Ext(name) == ".der" || path.Ext(name) == ".pem" {
		m.tokens = nil
	}
	files := m.fs()
	good := find(m.t, m.files, name)
	harmless := 0
	for i := 0; i < len(good); i += step {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		files[name] = &fstest.MapFile{Data: bad}
		if forged {
			old, now := sha256.Sum256(good), sha256.Sum256(bad)
			sums := strings.Replace(string(find(m.t, m.files, offline.SumsFile)), hex.EncodeToString(old[:]), hex.EncodeToString(now[:]), 1)
			files[offline.SumsFile] = &fstest.MapFile{Data: []byte(sums)}
		}
		switch said := m.said(files); {
		case said == "":
		case !forged:
			m.t.Errorf("%s: byte %d of %d (%02x instead of %02x): valid", name, i, len(good), bad[i], good[i])
		case said != m.whole:
			m.t.Errorf("%s: byte %d of %d (%02x instead of %02x): valid with another meaning", name, i, len(good), bad[i], good[i])
		default:
			harmless++
		}
	}
	if harmless > 0 {
		m.t.Logf("%s: %d of %d changes leave the bundle valid, and what is told the same", name, harmless, (len(good)+step-1)/step)
	}
	if m.said(m.fs()) == "" {
		m.t.Errorf("%s: the bundle as it was is not valid", name)
	}
}

// everyByte is 1 in long runs; else a step, so that a file is looked at in so many places.
func everyByte(b []byte, places int) int {
	if os.Getenv("MUNIMENT_TEST_LONG") != "" {
		return 1
	}
	return max(1, len(b)/places)
}

// Every byte of what a bundle proves with: members, record with its time stamp, log proof,
// manifest, list of hash values; some places of what only helps. Whoever has changed it writes the list of
// hash values anew. Of a bundle that was renewed by stamp and by tree, some places.
func TestBundleMutation(t *testing.T) {
	t.Parallel()
	w, tenant, aoid, list := sealedMail(t, []byte("From: anna@example.com\r\nTo: bernd@example.com\r\nSubject: S\r\n\r\nB\r\n"))
	whole := []string{"original.eml", "metadata.json", "evidence.er", "log.json", offline.ManifestFile, offline.SumsFile}
	m := newMutation(t, w, lean(list))
	for _, f := range m.files {
		step := everyByte(f.b, 40)
		if slices.Contains(whole, f.name) {
			step = 1
		}
		m.start(t, f, step)
	}
	for _, hand := range []ers.Action{ers.RenewStamp, ers.RenewTree} {
		w.renew(t, sealing.RenewOptions{Hand: hand})
	}
	m = newMutation(t, w, lean(w.bundle(t, tenant, aoid)))
	for _, f := range m.files {
		m.start(t, f, everyByte(f.b, 15))
	}
}

// start changes a file in a test of its own.
func (m *mutation) start(t *testing.T, f entry, step int) {
	t.Run(fmt.Sprintf("%s of %d", f.name, len(m.files)), func(t *testing.T) {
		t.Parallel()
		one := *m
		one.t = t
		one.every(f.name, step, f.name != offline.SumsFile)
	})
}

// What is for people, in some places: the list of hash values shows each change.
func TestBundleTexts(t *testing.T) {
	t.Parallel()
	w, _, _, list := sealedMail(t, []byte("From: anna@example.com\r\nTo: bernd@example.com\r\nSubject: S\r\n\r\nB\r\n"))
	m := newMutation(t, w, list)
	for _, f := range list {
		switch path.Ext(f.name) {
		case ".html", ".pdf", ".txt":
			m.every(f.name, everyByte(f.b, 8), false)
		}
	}
	// What somebody has put beside it is told, and nothing of its own is taken for that.
	files := m.fs()
	files["trust/Expert opinion.pdf"] = &fstest.MapFile{Data: []byte("x")}
	if strings.Contains(m.whole, string(offline.CodeUnlisted)) || !strings.Contains(m.said(files), `\"trust/Expert opinion.pdf\": no part of the bundle`) {
		t.Errorf("%s\n%s", m.whole, m.said(files))
	}
}

// Every byte of what holds a bundle of many objects together.
func TestExportMutation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, archivetest.Options{})
	tenant, source := w.Tenant(t, "a")
	anna := w.User(t, tenant, "anna", access.RoleUser, "anna@example.com")
	ids := w.ingest(t, tenant, source, 0, 2)
	w.now(t)
	late := w.ingest(t, tenant, source, 4, 1)[0] // is left out
	_, list, _ := export(t, w.As(anna), archive.ExportRequest{IDs: append(ids, late)})
	m := newMutation(t, w, list)
	for _, f := range list {
		switch f.name {
		case offline.ContentsFile, offline.CompleteFile, offline.ManyFile, offline.SumsFile:
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				one := *m
				one.t = t
				one.every(f.name, everyByte(f.b, 150), false)
			})
		}
	}
}
