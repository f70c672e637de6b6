package wall

import (
	"archive/zip"
	"bytes"
	"io"
	"path"
	"regexp"
	"slices"
	"testing"
)

// anyTime is a time in the files of a bundle, which tell when it was made.
var anyTime = regexp.MustCompile(`(20[0-9]{2}-[0-9]{2}-[0-9]{2}|[0-9]{2}\.[0-9]{2}\.20[0-9]{2})(T|,? )[0-9:.]{5,}( ?UTC|Z)?`)

// unpacked is what a bundle tells: the names of its files, and all text in them without
// times. Hash values of files that have times in them differ, and so do the pages of the
// report as PDF, which say what those in HTML say.
func unpacked(t *testing.T, b []byte) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, f := range z.File {
		out.WriteString(f.Name + "\n")
		if !slices.Contains([]string{".json", ".csv", ".txt", ".html", ".eml"}, path.Ext(f.Name)) {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(anyTime.ReplaceAll(text, []byte("TIME")))
	}
	return out.Bytes()
}
