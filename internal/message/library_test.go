package message

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/jhillyerd/enmime/v2"

	"github.com/muniment/muniment/internal/corpustest"
)

// libraryParser reads mail with the enmime library as leniently as it can. The tests
// here hold the claims of docs/decisions/0001 against it: should one of them
// fail after an update of the library, the decision can be thought over.
func libraryParser() *enmime.Parser {
	return enmime.NewParser(enmime.SkipMalformedParts(true), enmime.MultipartWOBoundaryAsSinglePart(true),
		enmime.StripMediaTypeInvalidCharacters(true), enmime.MaxMIMEParts(maxParts))
}

// libraryFinds reports whether the library sees word in the subject or the text.
func libraryFinds(raw, word string) bool {
	e, err := libraryParser().ReadEnvelope(strings.NewReader(raw))
	if err != nil {
		return false
	}
	return strings.Contains(e.GetHeader("Subject"), word) || strings.Contains(e.Text, word) || strings.Contains(e.HTML, word)
}

// weFind does the same with our facts.
func weFind(t *testing.T, raw, word string) bool {
	t.Helper()
	f := Parse(t.Context(), strings.NewReader(raw))
	return strings.Contains(f.Subject, word) || strings.Contains(f.Text, word)
}

// TestLibraryLosesWords sends the same broken mail to both parsers.
func TestLibraryLosesWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, raw, word string }{
		{"subject in raw windows-1252", "Subject: Gr\xfc\xdfe Findling\r\nContent-Type: text/plain; charset=windows-1252\r\n\r\nx\r\n", "Grüße"},
		{"encoded word with broken base64", "Subject: =?utf-8?B?RmluZGxpb?=\r\n\r\nx\r\n", "Findli"},
		{"part without the line that ends its header", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\nein Findling ohne Zeile\r\n--b--\r\n", "Findling"},
		{"text in the character set cp-1252", "Content-Type: text/plain; charset=cp-1252\r\n\r\nGr\xfc\xdfe\r\n", "Grüße"},
		{"text in the character set win-1251", "Content-Type: text/plain; charset=win-1251\r\n\r\n\xcf\xf0\xe8\xe2\xe5\xf2\r\n", "Привет"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if !weFind(t, c.raw, c.word) {
				t.Errorf("we do not find %q", c.word)
			}
			if libraryFinds(c.raw, c.word) {
				t.Errorf("the library finds %q", c.word)
			}
		})
	}
}

// allocated is the memory that f takes in all, given back or not.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// TestLibraryMemory compares what a message with a large attachment takes. Not
// parallel: the figures are of the whole process.
func TestLibraryMemory(t *testing.T) {
	line := strings.Repeat("QUJD", 19) + "\r\n"
	raw := []byte("Subject: large\r\nContent-Type: application/octet-stream; name=film.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat(line, (16<<20)/len(line)))
	size := int64(len(raw))
	ours := allocated(func() { Parse(t.Context(), bytes.NewReader(raw)) })
	library := allocated(func() {
		if _, err := libraryParser().ReadEnvelope(bytes.NewReader(raw)); err != nil {
			t.Error(err)
		}
	})
	t.Logf("a message of %d bytes: ours allocates %d, the library %d", size, ours, library)
	if ours > size/8 {
		t.Errorf("ours allocates %d bytes for a message of %d", ours, size)
	}
	if library < size {
		t.Errorf("the library allocates only %d bytes for a message of %d", library, size)
	}
}

// TestLibraryOnCorpus counts for how many of the torture cases each parser ends
// without an envelope.
func TestLibraryOnCorpus(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(corpustest.Dir(t), "cases", "torture")
	files, refused := 0, 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		if _, err := libraryParser().ReadEnvelope(bytes.NewReader(raw)); err != nil {
			refused++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the library returns an error for %d of %d files; ours has none to return", refused, files)
	if refused == 0 {
		t.Error("the library takes everything")
	}
}

// BenchmarkLibrary is BenchmarkParse with the library.
func BenchmarkLibrary(b *testing.B) {
	all, err := sample(filepath.Join(corpustest.Dir(b), "bulk"), 20)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, _ = libraryParser().ReadEnvelope(bytes.NewReader(all[i%len(all)])) // some it cannot read
	}
}
