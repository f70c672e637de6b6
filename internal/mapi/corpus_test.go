package mapi_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/corpustest"
	"github.com/muniment/muniment/internal/mapi"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/msg"
	"github.com/muniment/muniment/internal/tnef"
)

// patience is how long any input may take, on a machine that does much else.
const patience = 20 * time.Second

// open reads a sample by its extension.
func open(name string, b []byte) (*mapi.Message, error) {
	if filepath.Ext(name) == ".msg" {
		return msg.Read(bytes.NewReader(b), int64(len(b)))
	}
	return tnef.Read(bytes.NewReader(b), int64(len(b)))
}

// samples returns the samples of the corpus by their names.
func samples(t *testing.T) map[string][]byte {
	t.Helper()
	dir, out := corpustest.Dir(t), map[string][]byte{}
	for _, sub := range []string{"cases/tnef", "cases/outlook-msg"} {
		err := filepath.WalkDir(filepath.Join(dir, sub), func(path string, d os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".msg") && !strings.HasSuffix(path, ".dat") && !strings.HasSuffix(path, ".tnef") {
				return err
			}
			b, err := os.ReadFile(path)
			rel, _ := filepath.Rel(dir, path)
			out[rel] = b
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(out) < 50 {
		t.Fatalf("only %d samples", len(out))
	}
	return out
}

// TestCorpus writes every sample as a message and finds in it again what the
// sample has: subject, text, every attachment byte for byte.
func TestCorpus(t *testing.T) {
	t.Parallel()
	for name, b := range samples(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			m, err := open(name, b)
			if err != nil {
				t.Fatal(err)
			}
			checkMessage(t, m)
		})
	}
}

func checkMessage(t *testing.T, m *mapi.Message) {
	t.Helper()
	raw, f := write(t, m)
	if got, want := strings.Join(strings.Fields(f.Subject), " "), strings.Join(strings.Fields(m.Subject()), " "); got != want {
		t.Errorf("subject %q, want %q", got, want)
	}
	if n := len(strings.Fields(m.Text(mapi.IDBody))); n > 0 && len(strings.Fields(f.Text)) < n {
		t.Errorf("the text has %d words, want %d at least", len(strings.Fields(f.Text)), n)
	}
	written := map[[32]byte]bool{}
	for _, p := range f.Parts {
		r := message.OpenPart(strings.NewReader(raw), p)
		h := sha256.New()
		if _, err := io.Copy(h, r); err != nil {
			t.Errorf("part %s: %v", p.Path, err)
		}
		written[[32]byte(h.Sum(nil))] = true
	}
	for _, a := range m.Attachments {
		if a.OpenMessage != nil {
			inner, err := a.OpenMessage()
			if err != nil {
				t.Error(err)
				continue
			}
			checkMessage(t, inner)
		}
		if a.Open == nil {
			continue
		}
		r, err := a.Open()
		if err != nil {
			t.Error(err)
			continue
		}
		h := sha256.New()
		n, err := io.Copy(h, r)
		if err != nil || a.Size >= 0 && n != a.Size {
			t.Errorf("attachment %q has %d bytes, want %d: %v", a.Name(), n, a.Size, err)
		}
		if !written[[32]byte(h.Sum(nil))] {
			t.Errorf("attachment %q is not in the message as it was", a.Name())
		}
	}
}

// TestExpected compares with what came beside the samples: the files that were
// packed, and the RTF.
func TestExpected(t *testing.T) {
	t.Parallel()
	all, dir := samples(t), corpustest.Dir(t)
	const quick = "cases/tnef/apache+poi/test-data/hmef/quick-winmail.dat"
	m, err := open(quick, all[quick])
	if err != nil {
		t.Fatal(err)
	}
	expected := filepath.Join(dir, filepath.Dir(quick), "quick-contents")
	raw, f := write(t, m)
	for _, name := range []string{"quick.doc", "quick.html", "quick.pdf", "quick.txt", "quick.xml", "message.rtf"} {
		want, err := os.ReadFile(filepath.Join(expected, name))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, p := range f.Parts {
			if p.Name == name || name == "message.rtf" && p.Type == "text/rtf" {
				got, _ := io.ReadAll(message.OpenPart(strings.NewReader(raw), p))
				found = bytes.Equal(got, want)
			}
		}
		if !found {
			t.Errorf("%s is not in the message as it was packed", name)
		}
	}
	if !strings.Contains(f.Text, "Five files from Hell!  (Well Outlook actually)") {
		t.Errorf("text %q", f.Text)
	}
}

// TestKnown looks for what samples are known to hold.
func TestKnown(t *testing.T) {
	t.Parallel()
	all := samples(t)
	for name, want := range map[string]string{
		"umlaut.tnef":                          "UmlautAnhang-äüö.txt",
		"bad_checksum.tnef":                    "image001.png",
		"HTMLBodyBinary_CP1251.msg":            "автоматически",
		"HTMLBodyBinary_UTF-8.msg":             "öäü",
		"ASCII_UTF-8_CP1252_LCID1031_HTML.msg": "öäü",
		"cyrillic_message.msg":                 "Почта России",
		"Test Meeting.msg":                     "Location: Online",
		"MapiTask.msg":                         "Owner: Darius",
		"contact.msg":                          "Company: CompanyName",
		"NewGroup.msg":                         "user2@gmail.com",
		"NoteMessage.msg":                      "This is a yellow color note",
		"RtfSampleEmail.msg":                   "you are no longer my friend",
		"EmailWith2Attachments.msg":            "Installatiehandleiding S&I Agro.xlsx",
		"IPM-DistList.tnef":                    "X-Mapi-Message-Class: IPM.DistList",
		"WithEmbeddedMsg.msg":                  "creating an outlook message file",
		"EmbeddedImage1.msg":                   "barcode",
	} {
		found := false
		for sample, b := range all {
			if filepath.Base(sample) != name {
				continue
			}
			m, err := open(sample, b)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			raw, f := write(t, m)
			text := f.Subject + f.Text + raw
			for _, p := range f.Parts {
				text += "\n" + p.Name
			}
			found = strings.Contains(text, want)
		}
		if !found {
			t.Errorf("%s: %q is not found", name, want)
		}
	}
}

// TestMutatedCorpus damages every sample in many ways: nothing panics, nothing
// takes long.
func TestMutatedCorpus(t *testing.T) {
	t.Parallel()
	rounds := 100
	if testing.Short() {
		rounds = 20
	}
	for name, b := range samples(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(7, uint64(len(b))))
			for range min(rounds, 20_000_000/(len(b)+1)+10) {
				c := bytes.Clone(b)
				for range 1 + rnd.IntN(10) {
					c[rnd.IntN(min(len(c), 1<<(4+rnd.IntN(20))))] ^= 1 << rnd.IntN(8)
				}
				if rnd.IntN(8) == 0 {
					c = c[:rnd.IntN(len(c))]
				}
				start := time.Now()
				if m, err := open(name, c); err == nil {
					if err := mapi.WriteEML(io.Discard, m); err != nil {
						t.Errorf("write: %v", err)
					}
				}
				if d := time.Since(start); d > patience {
					t.Errorf("took %v", d)
				}
			}
		})
	}
}
