package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// largest is the text of the attachment of the large message, in bytes.
const largest = 150 << 20

// memory imports what is larger than memory should become.
func (b *bench) memory(ctx context.Context) error {
	fmt.Print("\n## Memory\n\n| what | resident | s |\n|---|---|---|\n")
	type load struct {
		name  string
		write func(io.Writer) error
	}
	loads := []load{
		{"a message of 150 MB, attachment", attachment},
		{"a message of 150 MB, text", func(w io.Writer) error { return letters(w, 1, largest) }},
	}
	if b.long {
		loads = append(loads, load{"an mbox of 2 GB", func(w io.Writer) error { return letters(w, 400_000, 5<<10) }})
	}
	for i, l := range loads {
		data := filepath.Join(b.dir, fmt.Sprintf("memory-%d", i))
		file := data + ".mbox"
		if err := create(file, l.write); err != nil {
			return err
		}
		if _, err := b.muniment(ctx, data, "tenant", "create", "bench"); err != nil {
			return err
		}
		u, err := b.muniment(ctx, data, "import", "bench", "--quiet", file)
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %s | %.1f |\n", l.name, mib(u.resident), u.wall.Seconds())
		b.account("memory, "+l.name, "≤ 512 MiB", mib(u.resident), u.resident <= 512<<20)
		if err := errors.Join(os.RemoveAll(data), os.Remove(file)); err != nil {
			return err
		}
	}
	return nil
}

func create(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	return errors.Join(write(w), w.Flush(), f.Close())
}

// attachment writes one message with an attachment that nothing can compress.
func attachment(w io.Writer) error {
	if _, err := io.WriteString(w, "From a@example.com Mon Jan  5 10:00:00 2026\nFrom: a@example.com\nSubject: large\nMIME-Version: 1.0\n"+
		"Content-Type: application/octet-stream; name=film.bin\nContent-Transfer-Encoding: base64\n\n"); err != nil {
		return err
	}
	random := rand.NewChaCha8([32]byte{1})
	raw, line := make([]byte, 57), make([]byte, 77)
	for range largest / len(line) {
		if _, err := random.Read(raw); err != nil {
			return err
		}
		base64.StdEncoding.Encode(line, raw)
		line[76] = '\n'
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// letters writes a mailbox of n messages of synthetic text.
func letters(w io.Writer, n, size int) error {
	g := newGenerator()
	line := func() string { return g.text(70) + "\n" }
	for i := range n {
		if _, err := fmt.Fprintf(w, "From a@example.com Mon Jan  5 10:00:00 2026\nFrom: a@example.com\nTo: b@example.com\nSubject: letter %d\nMessage-ID: <%d@bench.example>\n\n", i, i); err != nil {
			return err
		}
		for written := 0; written < size; {
			text := line()
			written += len(text)
			if _, err := io.WriteString(w, text); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(w, "\n"); err != nil {
			return err
		}
	}
	return nil
}
