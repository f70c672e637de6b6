package sealing_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/sealing"
)

// mutation changes every byte of files of a bundle in turn and asks the verifier.
type mutation struct {
	t     *testing.T
	w     *world
	files []entry
	at    time.Time
	whole string // what is told of the bundle as it was
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

// said is what the verifier says of a bundle in dir, without the names of files; empty if
// it is not valid.
func (m *mutation) said(dir string) string {
	root := filepath.Join(m.t.TempDir(), "root.pem")
	if err := os.WriteFile(root, []byte(rootPEM(m.w.tsa)), 0o600); err != nil {
		m.t.Fatal(err)
	}
	var out bytes.Buffer
	v, err := offline.Verify(m.t.Context(), offline.Request{Anchors: []string{root}, JSON: true, At: m.at, Files: []string{dir}}, &out)
	if err != nil || v != evidence.Valid {
		return ""
	}
	return strings.ReplaceAll(out.String(), dir, "")
}

// every changes each byte of a file. If forged, the list of hash values is written anew
// by whoever has changed it; then what is still valid must say the same.
func (m *mutation) every(name string, step int, forged bool) {
	m.t.Helper()
	dir := put(m.t, m.t.TempDir(), m.files)
	good := find(m.t, m.files, name)
	harmless := 0
	for i := 0; i < len(good); i += step {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		changed := []entry{{name, bad}}
		if forged {
			old, now := sha256.Sum256(good), sha256.Sum256(bad)
			sums := strings.Replace(string(find(m.t, m.files, offline.SumsFile)), hex.EncodeToString(old[:]), hex.EncodeToString(now[:]), 1)
			changed = append(changed, entry{offline.SumsFile, []byte(sums)})
		}
		put(m.t, dir, changed)
		switch said := m.said(dir); {
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
		m.t.Logf("%s: %d of %d changes leave the bundle valid, and what is told the same", name, harmless, len(good)/step)
	}
	put(m.t, dir, m.files)
	if m.said(dir) == "" {
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

// Every byte of what a bundle proves with, renewed by stamp and by tree: members, log
// proof, manifest, list of hash values. Whoever has changed it writes the list of hash
// values anew. Each byte of a record is changed by the tests of package ers.
func TestBundleMutation(t *testing.T) {
	t.Parallel()
	w, tenant, aoid, _ := sealedMail(t, []byte("From: anna@example.com\r\nTo: bernd@example.com\r\nSubject: S\r\n\r\nB\r\n"))
	for _, hand := range []ers.Action{ers.RenewStamp, ers.RenewTree} {
		w.renew(t, sealing.RenewOptions{Hand: hand})
	}
	m := &mutation{w: w, files: lean(w.bundle(t, tenant, aoid)), at: time.Now().Add(time.Minute)}
	m.t = t
	m.whole = m.said(put(t, t.TempDir(), m.files))
	if m.whole == "" {
		t.Fatal("the bundle is not valid")
	}
	for _, f := range m.files {
		step, forged := everyByte(f.b, 40), f.name != offline.SumsFile
		switch f.name {
		case "original.eml", "metadata.json", "log.json", "bundle.json":
			step = everyByte(f.b, 250)
		}
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			one := *m
			one.t = t
			one.every(f.name, step, forged)
		})
	}
}

// What is for people, in some places: the list of hash values shows each change.
func TestBundleTexts(t *testing.T) {
	t.Parallel()
	w, _, _, list := sealedMail(t, []byte("From: anna@example.com\r\nTo: bernd@example.com\r\nSubject: S\r\n\r\nB\r\n"))
	m := &mutation{t: t, w: w, files: list, at: time.Now().Add(time.Minute)}
	for _, f := range list {
		switch path.Ext(f.name) {
		case ".html", ".pdf", ".txt":
			m.every(f.name, everyByte(f.b, 8), false)
		}
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
	m := &mutation{w: w, files: list, at: time.Now().Add(time.Minute)}
	m.t = t
	if m.whole = m.said(put(t, t.TempDir(), list)); m.whole == "" {
		t.Fatal("the bundle is not valid")
	}
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
