package interop

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	le "encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/muniment/muniment/internal/corpustest"
)

// writeTNEF writes a winmail.dat with an attachment of size bytes [MS-OXTNEF].
func writeTNEF(w io.Writer, size int, seed uint64) error {
	b := bufio.NewWriter(w)
	attribute := func(level byte, id uint32, size int, data io.Reader) {
		head := le.LittleEndian.AppendUint32([]byte{level}, id)
		b.Write(le.LittleEndian.AppendUint32(head, uint32(size))) //nolint:errcheck // Flush tells
		sum := uint16(0)
		for part := make([]byte, 64<<10); size > 0; {
			part = part[:min(len(part), size)]
			if _, err := io.ReadFull(data, part); err != nil {
				break
			}
			for _, c := range part {
				sum += uint16(c)
			}
			b.Write(part) //nolint:errcheck // Flush tells
			size -= len(part)
		}
		b.Write(le.LittleEndian.AppendUint16(nil, sum)) //nolint:errcheck // Flush tells
	}
	fmt.Fprint(b, "\x78\x9f\x3e\x22\x01\x00")
	attribute(1, 0x00018004, 6, strings.NewReader("large\x00"))
	attribute(2, 0x00069002, 14, strings.NewReader("\x01\x00\xff\xff\xff\xff\x20\x00\x20\x00\x00\x00\x00\x00"))
	attribute(2, 0x00018010, 9, strings.NewReader("film.bin\x00"))
	attribute(2, 0x0006800f, size, rand.NewChaCha8([32]byte{byte(seed)}))
	return b.Flush()
}

// created makes a file that write fills.
func created(t *testing.T, name string, write func(io.Writer) error) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// added puts a file into an archive.
func added(w io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return errors.Join(err, f.Close())
}

// The largest messages, made of Outlook's files and out of archives, with the
// largest window a Zstandard stream may ask for.
func TestImportOfLargeArchives(t *testing.T) {
	i := install(t)
	dir, parts := t.TempDir(), t.TempDir()
	letter, winmail := filepath.Join(parts, "letter"), filepath.Join(parts, "winmail")
	large(t, letter, 1)
	created(t, winmail, func(w io.Writer) error { return writeTNEF(w, largest, 2) })
	created(t, filepath.Join(dir, "all.zip"), func(w io.Writer) error {
		z := zip.NewWriter(w)
		for _, name := range []string{letter, winmail} {
			out, err := z.Create(filepath.Base(name))
			if err := errors.Join(err, added(out, name)); err != nil {
				return err
			}
		}
		return z.Close()
	})
	created(t, filepath.Join(dir, "all.tar.zst"), func(w io.Writer) error {
		z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(128<<20), zstd.WithEncoderConcurrency(1))
		if err != nil {
			return err
		}
		tw := tar.NewWriter(z)
		st, err := os.Stat(letter)
		if err != nil {
			return err
		}
		err = tw.WriteHeader(&tar.Header{Name: "letter", Size: st.Size()})
		return errors.Join(err, added(tw, letter), tw.Close(), z.Close())
	})
	r := i.run("import", "acme", dir)
	t.Logf("%sresident %d MiB", r.out, r.resident>>20)
	if r.code != 0 || !strings.HasPrefix(r.out, "4 offered: 3 new, 1 already there (1 of them the files that messages were made of)") {
		t.Errorf("exit %d, %q, %q", r.code, r.out, r.err)
	}
	if r.resident > mostResident {
		t.Errorf("%d bytes were resident, at most %d may be", r.resident, mostResident)
	}
	i.intact(3)
}

// The files of Outlook and Mailman of the corpus, by the program as it is.
func TestImportOfOutlookFiles(t *testing.T) {
	t.Parallel()
	cases := filepath.Join(corpustest.Dir(t), "cases")
	i := install(t)
	args := []string{"import", "acme", "--report", filepath.Join(t.TempDir(), "r.json")}
	for _, sub := range []string{"outlook-msg", "tnef", "pst", "mbox-pipermail"} {
		args = append(args, filepath.Join(cases, sub))
	}
	r := i.run(args...)
	first := readReport(t, args[3])
	t.Logf("%sresident %d MiB", r.out, r.resident>>20)
	if r.code != 3 || !first.Finished || first.Failed != 0 || first.Stored < 900 || r.resident > mostResident {
		t.Errorf("exit %d, %+v, %d bytes resident", r.code, first, r.resident)
	}
	r = i.run(args...)
	if again := readReport(t, args[3]); r.code != 3 || again.Stored != 0 || again.Duplicate != first.Stored+first.Duplicate {
		t.Errorf("again: exit %d, %+v", r.code, again)
	}
	i.intact(first.Stored)
}
