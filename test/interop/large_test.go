package interop

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mostResident is the bound on memory of DESIGN for any message and mailbox.
const mostResident = 512 << 20

// largest is about the largest message that mail servers send: the text of the
// attachment of the large letters.
const largest = 150 << 20

// writeLarge writes a message with an attachment of largest bytes, as base64,
// that nothing can compress.
func writeLarge(w io.Writer, seed uint64) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "From: a@example.org\r\nSubject: large %d\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"+
		"--b\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n--b\r\nContent-Type: application/octet-stream; name=film.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n", seed)
	random := rand.NewChaCha8([32]byte{byte(seed)})
	var raw [57]byte
	line := make([]byte, 78)
	for range largest / len(line) {
		random.Read(raw[:]) //nolint:errcheck // it never fails
		base64.StdEncoding.Encode(line, raw[:])
		line[76], line[77] = '\r', '\n'
		b.Write(line) //nolint:errcheck // Flush tells
	}
	fmt.Fprint(b, "--b--\r\n")
	return b.Flush()
}

// large makes a large letter in a file.
func large(t *testing.T, name string, seed uint64) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(writeLarge(f, seed), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// Four at a time must not take more memory than there is.
func TestImportOfLargeMessages(t *testing.T) {
	i := install(t)
	dir := t.TempDir()
	for n := range 4 {
		large(t, filepath.Join(dir, fmt.Sprintf("%d.eml", n)), uint64(n))
	}
	r := i.run("import", "acme", dir)
	t.Logf("%sresident %d MiB", r.out, r.resident>>20)
	if r.code != 0 || !strings.HasPrefix(r.out, "4 offered: 4 new") {
		t.Errorf("exit %d, %q, %q", r.code, r.out, r.err)
	}
	if r.resident > mostResident {
		t.Errorf("%d bytes were resident, at most %d may be", r.resident, mostResident)
	}
	r = i.run("fsck")
	if r.code != 0 || r.resident > mostResident {
		t.Errorf("fsck: exit %d, %d bytes were resident, %s%s", r.code, r.resident, r.out, r.err)
	}
}

// The SMTP door takes two large messages at the same time.
func TestLargeMessagesBySMTP(t *testing.T) {
	i := install(t)
	server, addr := i.serve()
	done := make(chan error, 2)
	for n := range 2 {
		go func() { done <- deliverLarge(addr, i.journal, uint64(n)) }()
	}
	if err := errors.Join(<-done, <-done); err != nil {
		t.Error(err)
	}
	got := resident(t, server)
	t.Logf("resident %d MiB", got>>20)
	if got > mostResident {
		t.Errorf("%d bytes were resident, at most %d may be", got, mostResident)
	}
	i.intact(2)
}

func deliverLarge(addr, to string, seed uint64) error {
	c, err := smtp.Dial(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := errors.Join(c.Mail("a@example.org"), c.Rcpt(to)); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	return errors.Join(writeLarge(w, seed), w.Close(), c.Quit())
}

// TestImportOfHugeMbox takes 256 MB, or 2 GB with MUNIMENT_TEST_LONG=1, one
// message of 150 MB among them, and watches the memory.
func TestImportOfHugeMbox(t *testing.T) {
	i := install(t)
	size := int64(256 << 20)
	if os.Getenv("MUNIMENT_TEST_LONG") == "1" {
		size = 2 << 30
	}
	box := filepath.Join(t.TempDir(), "huge")
	n, err := writeHuge(box, size)
	if err != nil {
		t.Fatal(err)
	}
	r := i.run("import", "acme", box)
	t.Logf("%d messages, %d MB: %s resident %d MiB", n, size>>20, r.out, r.resident>>20)
	if r.code != 0 || !strings.HasPrefix(r.out, fmt.Sprintf("%d offered: %d new, 0 already there", n, n)) {
		t.Errorf("exit %d, %q, %q", r.code, r.out, r.err)
	}
	if r.resident > mostResident {
		t.Errorf("%d bytes were resident, at most %d may be", r.resident, mostResident)
	}
	i.intact(n)
}

// writeHuge writes an mboxrd file of about size bytes and returns the number of
// messages. It holds little in memory: what this process has resident counts
// for the programs it starts.
func writeHuge(name string, size int64) (n int, err error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	random := rand.New(rand.NewPCG(1, 2))
	var noise [4096]byte
	for i := range noise {
		noise[i] = "abcdefghijklmnopqrstuvwxyz0123456789 "[random.IntN(37)]
	}
	const line = 76
	b := bufio.NewWriter(f)
	for written := int64(0); written < size; n++ {
		body := random.IntN(200 << 10)
		if n == 10 {
			body = 150 << 20
		}
		fmt.Fprint(b, "From - Mon Jan  2 15:04:05 2006\n", letter(n))
		for range body / (line + 1) {
			at := random.IntN(len(noise) - line)
			b.Write(noise[at : at+line]) //nolint:errcheck // Flush tells
			b.WriteByte('\n')            //nolint:errcheck // Flush tells
		}
		b.WriteByte('\n') //nolint:errcheck // Flush tells
		written += int64(body)
	}
	return n, b.Flush()
}
