package indextest

import (
	"bytes"
	"encoding/base64"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/muniment/muniment/internal/corpustest"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/uid"
)

// Corpus reads up to limit messages of the corpus's bulk folder (all, if limit
// is 0) as documents, with the bytes of the raw messages. It extracts text in
// the plainest way, enough to measure an index with real words; internal/message
// is what the archive uses.
func Corpus(t testing.TB, limit int) (docs []index.Doc, raw int64) {
	t.Helper()
	root := filepath.Join(corpustest.Dir(t), "bulk")
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		raw += int64(len(b))
		docs = append(docs, corpusDoc(b))
		if len(docs) == limit {
			return fs.SkipAll
		}
		return nil
	})
	if err != nil {
		t.Fatalf("read corpus: %v", err)
	}
	return docs, raw
}

func corpusDoc(b []byte) index.Doc {
	d := index.Doc{ID: uid.New(time.Now()), Size: int64(len(b)), Date: time.Unix(0, 0).UTC()}
	m, err := mail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		d.Body = strings.ToValidUTF8(string(b), "?")
		return d
	}
	if t, err := m.Header.Date(); err == nil && t.Year() > 1990 && t.Year() < 2030 {
		d.Date = t.UTC().Truncate(time.Second)
	}
	words := &mime.WordDecoder{CharsetReader: latin1}
	if d.Subject, err = words.DecodeHeader(m.Header.Get("Subject")); err != nil {
		d.Subject = m.Header.Get("Subject")
	}
	d.Subject = strings.ToValidUTF8(d.Subject, "?")
	d.From, d.To, d.Cc = parties(m, "From"), parties(m, "To"), parties(m, "Cc")
	for _, list := range [][]index.Party{d.From, d.To, d.Cc} {
		for _, p := range list {
			d.Access = append(d.Access, p.Address)
		}
	}
	var text strings.Builder
	readPart(&d, &text, partOf{m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), "", m.Body}, 0)
	d.Body = strings.ToValidUTF8(text.String(), " ")
	return d
}

func parties(m *mail.Message, key string) []index.Party {
	p := mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: latin1}}
	list, err := p.ParseList(m.Header.Get(key))
	if err != nil {
		return nil
	}
	out := make([]index.Party, 0, len(list))
	for _, a := range list {
		out = append(out, index.Party{Name: strings.ToValidUTF8(a.Name, "?"), Address: strings.ToLower(a.Address)})
	}
	return out
}

type partOf struct {
	contentType, encoding, disposition string
	body                               io.Reader
}

func readPart(d *index.Doc, text *strings.Builder, p partOf, depth int) {
	kind, params, err := mime.ParseMediaType(p.contentType)
	if err != nil {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") && depth < 10 && params["boundary"] != "" {
		r := multipart.NewReader(p.body, params["boundary"])
		for {
			q, err := r.NextRawPart()
			if err != nil {
				return
			}
			readPart(d, text, partOf{q.Header.Get("Content-Type"), q.Header.Get("Content-Transfer-Encoding"),
				q.Header.Get("Content-Disposition"), q}, depth+1)
		}
	}
	disposition, dparams, _ := mime.ParseMediaType(p.disposition)
	if disposition == "attachment" || !strings.HasPrefix(kind, "text/") {
		name := dparams["filename"]
		if name == "" {
			name = params["name"]
		}
		d.Files = append(d.Files, index.File{Name: strings.ToValidUTF8(name, "?"), Type: kind})
		return
	}
	switch strings.ToLower(strings.TrimSpace(p.encoding)) {
	case "base64":
		p.body = base64.NewDecoder(base64.StdEncoding, p.body)
	case "quoted-printable":
		p.body = quotedprintable.NewReader(p.body)
	}
	b, _ := io.ReadAll(p.body)
	s := string(b)
	if !utf8.ValidString(s) {
		s = fromLatin1(b)
	}
	if kind == "text/html" {
		s = regexp.MustCompile(`(?s)<style.*?</style>|<script.*?</script>|<[^>]*>|&[a-z#0-9]{1,8};`).ReplaceAllString(s, " ")
	}
	text.WriteString(s)
	text.WriteByte('\n')
}

func latin1(_ string, r io.Reader) (io.Reader, error) {
	b, err := io.ReadAll(r)
	return strings.NewReader(fromLatin1(b)), err
}

func fromLatin1(b []byte) string {
	out := make([]rune, len(b))
	for i, c := range b {
		out[i] = rune(c)
	}
	return string(out)
}
