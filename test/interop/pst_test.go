package interop

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/corpustest"
	"github.com/muniment/muniment/internal/mapi"
	"github.com/muniment/muniment/internal/pst"
	"github.com/muniment/muniment/internal/testkit/need"
)

// pstFiles are the PST files of the corpus.
func pstFiles(t *testing.T) (out []string) {
	t.Helper()
	root := filepath.Join(corpustest.Dir(t), "cases", "pst")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if ext := strings.ToLower(filepath.Ext(path)); err == nil && !d.IsDir() && (ext == ".pst" || ext == ".ost") {
			out = append(out, path)
		}
		return err
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("%d PST files, %v", len(out), err)
	}
	return out
}

// folderOf is what is compared of a folder: how many items, their plain texts, and
// the contents of the files attached to them.
type folderOf struct {
	Items  int
	Bodies []string
	Files  []string
}

func (f *folderOf) sorted() *folderOf {
	slices.Sort(f.Bodies)
	slices.Sort(f.Files)
	return f
}

func hashOf(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b))[:16] }

// squeezed is a text without what writers of mail change: white space.
func squeezed(s string) string { return strings.Join(strings.Fields(s), " ") }

// oursOf reads a file with our reader and requires that every item can be written
// and parsed.
func oursOf(t *testing.T, path string) map[string]*folderOf {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := pst.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*folderOf{}
	err = f.Walk(t.Context(), func(it pst.Item) error {
		m, err := it.Message()
		if err != nil {
			return err
		}
		readable(t, it, m)
		// readpst leaves out what Outlook hides, and what is beside its folders.
		// Lists of recipients it has no form for.
		if m.Class() == "IPM.DistList" || it.Associated || len(it.Folder) > 0 && (it.Folder[0] == pst.Root || it.Folder[0] == pst.Lost) {
			return nil
		}
		name := strings.Join(it.Folder, "/")
		if out[name] == nil {
			out[name] = &folderOf{}
		}
		out[name].add(t, m)
		return nil
	})
	if err != nil {
		t.Errorf("%s: %v", path, err)
	}
	return out
}

// readable writes an item as a mail and reads that again.
func readable(t *testing.T, it pst.Item, m *mapi.Message) {
	t.Helper()
	var eml bytes.Buffer
	if err := mapi.WriteEML(&eml, m); err != nil {
		t.Errorf("%s: %v", it.Place(), err)
	}
	if len(m.Warnings) > 0 {
		t.Errorf("%s: warnings %q", it.Place(), m.Warnings)
	}
	msg, err := mail.ReadMessage(&eml)
	if err != nil {
		t.Errorf("%s: %v", it.Place(), err)
		return
	}
	if _, err := partsOf(msg.Header.Get("Content-Type"), msg.Header.Get("Content-Transfer-Encoding"), msg.Body); err != nil {
		t.Errorf("%s: %v", it.Place(), err)
	}
}

func (f *folderOf) add(t *testing.T, m *mapi.Message) {
	t.Helper()
	f.Items++
	if strings.HasPrefix(m.Class(), "IPM.Note") {
		f.Bodies = append(f.Bodies, squeezed(m.Text(mapi.IDBody)))
	}
	for _, a := range m.Attachments {
		if a.Open == nil {
			continue // an embedded message: readpst has no file for it
		}
		r, err := a.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		f.Files = append(f.Files, hashOf(b))
	}
}

// part is a leaf of a message.
type part struct {
	kind string
	body []byte
}

// partsOf takes a message apart, with the standard library only.
func partsOf(kind, encoding string, r io.Reader) ([]part, error) {
	media, params, err := mime.ParseMediaType(kind)
	if err != nil {
		media = "text/plain"
	}
	if strings.HasPrefix(media, "multipart/") {
		var out []part
		for mr := multipart.NewReader(r, params["boundary"]); ; {
			p, err := mr.NextRawPart()
			if errors.Is(err, io.EOF) {
				return out, nil
			}
			if err != nil {
				return out, err
			}
			below, err := partsOf(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p)
			if out = append(out, below...); err != nil {
				return out, err
			}
		}
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	}
	b, err := io.ReadAll(r)
	return []part{{media, b}}, err
}

var (
	itemFile     = regexp.MustCompile(`^\d+$`)
	attachedFile = regexp.MustCompile(`^\d+-`)
)

// theirsOf lets readpst unpack a file: one file per item and attachment.
func theirsOf(t *testing.T, readpst, path string) map[string]*folderOf {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	// -D: deleted items too; -j 0: in one process, which numbers items one by one.
	if b, err := exec.CommandContext(ctx, readpst, "-S", "-D", "-q", "-j", "0", "-o", dir, path).CombinedOutput(); err != nil {
		t.Fatalf("readpst: %v\n%s", err, b)
	}
	out := map[string]*folderOf{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, filepath.Dir(p))
		if err != nil {
			return err
		}
		_, name, _ := strings.Cut(filepath.ToSlash(rel), "/") // without the top folder
		if out[name] == nil {
			out[name] = &folderOf{}
		}
		b, err := os.ReadFile(p)
		switch {
		case err != nil:
			return err
		case attachedFile.MatchString(d.Name()):
			out[name].Files = append(out[name].Files, hashOf(b))
		case itemFile.MatchString(d.Name()):
			out[name].Items++
			if body, ok := plainOf(b); ok {
				out[name].Bodies = append(out[name].Bodies, squeezed(body))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// plainOf is the plain text of a mail that readpst wrote; ok is false for cards
// and calendars.
func plainOf(b []byte) (string, bool) {
	if bytes.HasPrefix(b, []byte("BEGIN:")) {
		return "", false
	}
	msg, err := mail.ReadMessage(bytes.NewReader(bytes.TrimLeft(dropFrom(b), "\r\n")))
	if err != nil {
		return "", false
	}
	parts, _ := partsOf(msg.Header.Get("Content-Type"), msg.Header.Get("Content-Transfer-Encoding"), msg.Body)
	for _, p := range parts {
		if p.kind == "text/plain" {
			// What is not UTF-8 is in windows-1252 here, as the header says.
			return mapi.DecodeANSI(p.body, 1252), true
		}
	}
	return "", true
}

// dropFrom removes an mbox separator before the header.
func dropFrom(b []byte) []byte {
	if bytes.HasPrefix(b, []byte("From ")) {
		_, b, _ = bytes.Cut(b, []byte("\n"))
	}
	return b
}

// TestReadpst compares our reader of PST files with readpst: folders, items,
// the plain texts of mails, the contents of attachments.
func TestReadpst(t *testing.T) {
	t.Parallel()
	readpst := need.Program(t, "readpst")
	for _, path := range pstFiles(t) {
		t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			ours, theirs := oursOf(t, path), theirsOf(t, readpst, path)
			for _, name := range slices.Sorted(maps.Keys(ours)) {
				if theirs[name] == nil {
					t.Errorf("readpst has no folder %q", name)
					continue
				}
				if d := cmp.Diff(theirs[name].sorted(), ours[name].sorted()); d != "" {
					t.Errorf("folder %q: readpst -, ours +\n%s", name, d)
				}
			}
			for name := range theirs {
				if ours[name] == nil {
					t.Errorf("only readpst has folder %q", name)
				}
			}
			t.Logf("%d folders with items agree", len(ours))
		})
	}
}

// TestDamagedPST damages the PST files of the corpus at random: every run ends, and
// soon, with items or with a report.
func TestDamagedPST(t *testing.T) {
	t.Parallel()
	const runs, soon = 30, 30 * time.Second
	rnd := rand.New(rand.NewPCG(3, 4))
	items, reports := 0, 0
	for _, path := range pstFiles(t) {
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for until, n := time.Now().Add(2*time.Second), 0; n < runs && time.Now().Before(until); n++ {
			b := bytes.Clone(good)
			for range 1 + rnd.IntN(2000) {
				b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
			}
			if n%3 == 0 {
				b = b[:rnd.IntN(len(b))]
			}
			started := time.Now()
			i, r := damagedOf(t, b)
			if items, reports = items+i, reports+r; time.Since(started) > soon {
				t.Errorf("%s: took %v", path, time.Since(started))
			}
			if i+r == 0 && !bytes.Equal(b, good) && hasItems(t, good) {
				t.Errorf("%s, run %d: neither an item nor a report", path, n)
			}
		}
	}
	t.Logf("%d items, %d reports", items, reports)
}

func hasItems(t *testing.T, b []byte) bool {
	items, _ := damagedOf(t, b)
	return items > 0
}

func damagedOf(t *testing.T, b []byte) (items, reports int) {
	t.Helper()
	f, err := pst.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return 0, 1
	}
	err = f.Walk(t.Context(), func(it pst.Item) error {
		m, err := it.Message()
		if err != nil {
			reports += reportOf(t, it, err)
			return nil
		}
		items++
		err = mapi.WriteEML(io.Discard, m)
		reports += len(m.Warnings)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return items, reports
}

// reportOf counts a report, which must name where it belongs.
func reportOf(t testing.TB, it pst.Item, err error) int {
	t.Helper()
	if !strings.HasPrefix(err.Error(), it.Place()+": ") {
		t.Errorf("%s: the report does not say so: %v", it.Place(), err)
	}
	return 1
}
