package offline

import (
	"archive/zip"
	"bytes"
	"io"
	"strconv"
	"testing"
)

// TestZIP64: more files than the end of an old ZIP file can count, and what can be wrong
// there.
func TestZIP64(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	const files = 1<<16 + 1
	for i := range files {
		if _, err := z.CreateRaw(&zip.FileHeader{Name: strconv.Itoa(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	raw := out.Bytes()
	read, err := readZip(bytes.NewReader(raw), int64(len(raw)))
	if err != nil || len(read.File) != files {
		t.Fatalf("%v", err)
	}
	at := len(raw) - endRecord - largeRecord
	for name, i := range map[string]int{"end record": at, "length of the directory": at + 40, "its place": at + 48, "locator": at + 56, "place of the record": at + 64, "end": len(raw) - 2} {
		bad := bytes.Clone(raw)
		bad[i]++
		if _, err := readZip(bytes.NewReader(bad), int64(len(bad))); err == nil {
			t.Errorf("%s: read though it was changed", name)
		}
	}
}

// FuzzReadZip: no bytes make it panic, and what it reads a program that reads from the
// beginning to the end finds as well.
func FuzzReadZip(f *testing.F) {
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		for _, name := range []string{"bundle.json", "trust/anchors.pem"} {
			w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
			if err == nil {
				_, err = io.WriteString(w, "what is in it")
			}
			if err != nil {
				f.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			f.Fatal(err)
		}
		f.Add(out.Bytes())
	}
	f.Add([]byte("PK\x05\x06" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		z, err := readZip(bytes.NewReader(b), int64(len(b)))
		if err != nil || len(z.File) == 0 {
			return
		}
		if !bytes.HasPrefix(b, []byte(localSign)) {
			t.Error("the first file is not at the beginning")
		}
		seen, packed := map[string]bool{}, uint64(0)
		for _, x := range z.File {
			if seen[x.Name] {
				t.Errorf("%q is in it twice", x.Name)
			}
			seen[x.Name] = true
			packed += x.CompressedSize64
		}
		if packed > uint64(len(b)) {
			t.Errorf("%d bytes of contents in %d", packed, len(b))
		}
	})
}
