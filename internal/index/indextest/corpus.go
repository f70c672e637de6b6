package indextest

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/corpustest"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
)

// maxFile bounds the files of the corpus that are read as messages.
const maxFile = 512 << 10

// Corpus reads limit messages spread over the corpus's bulk folder (all, if
// limit is 0) as documents, as the archive would, with the bytes of the raw
// messages. A sample is always the same.
func Corpus(t testing.TB, limit int) (docs []index.Doc, raw int64) {
	t.Helper()
	return read(t, "bulk", limit)
}

// Cases reads all files of the corpus's cases folder as documents: mail or not,
// everything can be in an archive.
func Cases(t testing.TB) (docs []index.Doc, raw int64) {
	t.Helper()
	return read(t, "cases", 0)
}

func read(t testing.TB, folder string, limit int) (docs []index.Doc, raw int64) {
	t.Helper()
	files := list(t, filepath.Join(corpustest.Dir(t), folder))
	if limit <= 0 || limit > len(files) {
		limit = len(files)
	}
	for i := range limit {
		b, err := os.ReadFile(files[i*len(files)/limit])
		if err != nil {
			t.Fatal(err)
		}
		raw += int64(len(b))
		docs = append(docs, document(t, b, i))
	}
	return docs, raw
}

func list(t testing.TB, root string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Size() <= maxFile {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatalf("read corpus: %v", err)
	}
	slices.Sort(files)
	return files
}

// received is when the corpus came into the archive.
var received = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// Values that documents get in turn, since no mail has them.
var (
	categories = []string{"", "Rechnung", "Büro Süd", "C++ / C#", "Rechnungen 2024"}
	classes    = []string{"handel-6", "handel-8", ""}
	sources    = []string{"Journal", "Import 2024", "journal (alt)"}
	tags       = [][]string{nil, {"wichtig"}, {"Straße", "wichtig!"}, {"中文"}}
)

// document describes a message to the index as package archive does, and adds
// what only an archive knows.
func document(t testing.TB, b []byte, n int) index.Doc {
	t.Helper()
	f := message.Parse(t.Context(), bytes.NewReader(b))
	d := index.Doc{
		ID: uid.New(received.Add(time.Duration(n) * time.Millisecond)), Size: int64(len(b)), Date: f.Date.UTC().Truncate(time.Second),
		Subject: f.Subject, Body: f.Text,
		Category: categories[n%len(categories)], Class: classes[n%len(classes)], Source: sources[n%len(sources)], Tags: tags[n%len(tags)],
	}
	if d.Date.Year() < 1980 || d.Date.After(received) {
		d.Date = received
	}
	addParties(&d, f)
	for _, p := range f.Attachments() {
		file := index.File{Name: p.Name, Type: p.Type}
		if n%2 == 0 { // as if text had been extracted
			file.Text = f.Text[:min(len(f.Text), 1000)] + " " + f.Subject
			file.Text = strings.ToValidUTF8(file.Text, "")
		}
		d.Files = append(d.Files, file)
	}
	return d
}

func addParties(d *index.Doc, f *message.Facts) {
	for _, p := range f.Parties {
		ip := index.Party{Name: p.Name, Address: p.Address}
		switch p.Role {
		case message.RoleFrom, message.RoleSender:
			if !slices.Contains(d.From, ip) {
				d.From = append(d.From, ip)
			}
			d.BccAccess = grow(d.BccAccess, p.Address)
		case message.RoleTo:
			d.To = append(d.To, ip)
		case message.RoleCc:
			d.Cc = append(d.Cc, ip)
		case message.RoleBcc:
			d.Bcc = append(d.Bcc, ip)
		default:
			continue
		}
		d.Access = grow(d.Access, p.Address)
	}
	if len(d.Bcc) == 0 && len(d.To) > 1 { // hardly any message has blind copies: hide a recipient
		d.Bcc, d.To = d.To[1:2], slices.Delete(slices.Clone(d.To), 1, 2)
	}
	if len(d.Bcc) == 1 {
		d.BccAccess = grow(d.BccAccess, d.Bcc[0].Address)
	}
}

func grow(list []string, address string) []string {
	if address == "" || slices.Contains(list, address) {
		return list
	}
	return append(list, address)
}
