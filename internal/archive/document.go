package archive

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// roleOwner is the role of the addresses that may see a document.
const roleOwner = "owner"

// Bounds of what is said of a document.
const (
	maxFileName = 255 // bytes
	maxTitle    = 500 // bytes
	maxOwners   = 500
	// firstDocument is the earliest year of a document; before lies a typing error.
	firstDocument = 1800
	sniffed       = 512 // bytes that tell the type, as net/http looks at
)

// Bounds of what is shown of a document without a download, in bytes.
const (
	previewImage = 8 << 20
	previewText  = 1 << 20
)

// Document says that a submission is a file and no mail. It is archived as it is;
// nothing in it is looked for, and nothing of it decides who may see it.
type Document struct {
	Name   string // of the file, without a path
	Title  string // empty: Name
	Date   string // of the document, 2006-01-02; empty: that of its arrival
	Owners []string
	// Package is set for a version of an object of several parts; nil: it is a file.
	// Nobody owns such an object: programs get it back, by Handle.Retrieve.
	Package *Package
}

// Check normalises d and refuses what cannot be kept.
func (d *Document) Check() error {
	d.Name, d.Title = FileName(d.Name), strings.TrimSpace(strings.ToValidUTF8(d.Title, "\uFFFD"))
	if d.Title == "" {
		d.Title = d.Name
	}
	if len(d.Title) > maxTitle || strings.ContainsFunc(d.Title, unicode.IsControl) {
		return invalid("title: want at most %d bytes of text in one line", maxTitle)
	}
	if d.Date != "" {
		if t, err := time.Parse(time.DateOnly, d.Date); err != nil || t.Year() < firstDocument || t.Year() > 9999 {
			return invalid("date %.20q: want a day from %d on, such as 2026-01-31", d.Date, firstDocument)
		}
	}
	if d.Package != nil {
		return d.Package.check()
	}
	owners, err := Addresses(d.Owners)
	if err != nil {
		return err
	}
	slices.Sort(owners)
	d.Owners = slices.Compact(owners)
	if len(d.Owners) == 0 || len(d.Owners) > maxOwners {
		return invalid("owners: want 1 to %d addresses that may see the document", maxOwners)
	}
	return nil
}

// FileName makes a name of a file fit to be kept and shown: without a path, without
// signs that move the cursor or turn the direction of writing, at most 255 bytes.
func FileName(name string) string {
	name = strings.ToValidUTF8(name, "\uFFFD")
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return '_'
		}
		return r
	}, name))
	if len(name) > maxFileName {
		ext := path.Ext(name)
		if len(ext) > 16 {
			ext = ""
		}
		name = strings.ToValidUTF8(name[:maxFileName-len(ext)], "") + ext
	}
	if strings.Trim(name, ".") == "" {
		return "document"
	}
	return name
}

// identity is what no two documents of a tenant have in common: bytes and owners.
// The same file given by somebody else is another document, for nobody may learn
// from it that and how others have archived it. A version of a package is known by its
// number.
func (d *documentRecord) identity(sum [32]byte) [32]byte {
	if d.Package != nil {
		return versionIdentity(d.Package.Object, d.Package.Number)
	}
	h := sha256.New()
	h.Write([]byte("muniment document 1\x00"))
	h.Write(sum[:])
	for _, o := range d.Owners {
		fmt.Fprintf(h, "%d:%s", len(o), o)
	}
	return [32]byte(h.Sum(nil))
}

// documentRecord is what the vault keeps of a document beside its bytes.
type documentRecord struct {
	Name   string   `json:"name"`
	Title  string   `json:"title,omitempty"`
	Date   string   `json:"date,omitempty"`
	Owners []string `json:"owners"`

	Package *Package `json:"package,omitempty"`
}

// contentOf is what the message in a frame is known by, see pending.content. A frame
// whose metadata cannot be read is taken for mail; reading it says what is wrong.
func contentOf(e vault.Entry) [32]byte {
	if rec, err := decodeRecord(e.Meta); err == nil && rec.Document != nil {
		return rec.Document.identity(e.Frame.SHA256)
	}
	return e.Frame.SHA256
}

// knownFrame tells whether the message in a frame is stored, and as what.
func (a *Archive) knownFrame(ctx context.Context, tenant uid.ID, e vault.Entry) (map[[32]byte]uid.ID, error) {
	c := contentOf(e)
	if c != e.Frame.SHA256 {
		return a.catalog.KnownDocuments(ctx, tenant, [][32]byte{c})
	}
	return a.catalog.Known(ctx, tenant, [][32]byte{c})
}

// describeDocument fills what a row says of a document. A reader of the text in it
// would put its result into Facts.Preview and, in documentDoc, into the file's Text.
func describeDocument(row *catalog.Message, d *documentRecord, raw Raw) error {
	head := make([]byte, min(sniffed, raw.Size()))
	if _, err := io.ReadFull(io.NewSectionReader(raw, 0, raw.Size()), head); err != nil {
		return fmt.Errorf("read document: %w", err)
	}
	row.Document = d.identity(row.SHA256)
	row.Date = row.ReceivedAt.UTC().Truncate(time.Second)
	if day, err := time.Parse(time.DateOnly, d.Date); err == nil {
		row.Date = day.UTC().Add(12 * time.Hour) // the same day in almost every zone
	}
	row.Parties = nil
	for _, o := range d.Owners {
		row.Parties = append(row.Parties, catalog.Party{Role: roleOwner, Address: o})
	}
	row.Facts = catalog.Facts{Version: documentFacts, Subject: d.Title, File: &catalog.File{Name: d.Name, Type: fileType(head, d.Name), Date: d.Date}}
	if d.Package != nil {
		row.Facts.File.Type = packageType
	}
	return nil
}

// documentFacts is the version of what is told of documents.
const documentFacts = 1

// documentDoc is what the index is told of a document.
func documentDoc(row *catalog.Message, source string) index.Doc {
	return index.Doc{ID: row.AOID, Date: row.Date, Size: row.Size, Subject: row.Facts.Subject, Document: true,
		Files:    []index.File{{Name: row.Facts.File.Name, Type: row.Facts.File.Type}},
		Category: row.Category, Class: row.Class, Tags: row.Tags, Source: source, Access: accessList(row.Parties)}
}

// byName are types that the beginning of a file cannot tell from their container.
var byName = map[string]map[string]string{
	"application/zip": {
		".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation", ".odt": "application/vnd.oasis.opendocument.text",
		".ods": "application/vnd.oasis.opendocument.spreadsheet", ".odp": "application/vnd.oasis.opendocument.presentation"},
	"text/plain": {".csv": "text/csv", ".rtf": "application/rtf", ".eml": "message/rfc822", ".json": "application/json", ".ics": "text/calendar"},
	"application/octet-stream": {".doc": "application/msword", ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint", ".msg": "application/vnd.ms-outlook",
		".tif": "image/tiff", ".tiff": "image/tiff", ".heic": "image/heic"},
}

// fileType tells the type of a file by its beginning; its name only chooses among
// those that begin alike, and never makes something be shown that is not.
func fileType(head []byte, name string) string {
	t, _, err := mime.ParseMediaType(http.DetectContentType(head))
	if err != nil {
		t = "application/octet-stream"
	}
	if better := byName[t][strings.ToLower(path.Ext(name))]; better != "" {
		return better
	}
	return t
}

// shownTypes are the documents that can be looked at without a download.
func shownTypes(t string) bool {
	switch t {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "text/plain", "text/csv":
		return true
	}
	return false
}

// previewable reports whether documentHTML shows a document.
func previewable(row *catalog.Message) bool {
	limit := int64(previewText)
	if strings.HasPrefix(row.Facts.File.Type, "image/") {
		limit = previewImage
	}
	return shownTypes(row.Facts.File.Type) && row.Size > 0 && row.Size <= limit
}

// documentHTML shows a picture or a plain text as a page without anything that acts.
// message.ErrNoHTML for all others.
func documentHTML(row *catalog.Message, raw Raw) (message.HTMLView, error) {
	if !previewable(row) {
		return message.HTMLView{}, message.ErrNoHTML
	}
	b, err := io.ReadAll(io.NewSectionReader(raw, 0, raw.Size()))
	if err != nil {
		return message.HTMLView{}, err
	}
	const before, after = `<!DOCTYPE html><html><head><meta charset="utf-8"><style>body{margin:8px;background:#fff;color:#111;font:14px/1.45 monospace}` +
		`pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}img{max-width:100%;height:auto}</style></head><body>`, `</body></html>`
	t := row.Facts.File.Type
	if strings.HasPrefix(t, "image/") {
		return message.HTMLView{HTML: before + `<img alt="` + html.EscapeString(row.Facts.Subject) + `" src="data:` + t + `;base64,` +
			base64.StdEncoding.EncodeToString(b) + `">` + after}, nil
	}
	return message.HTMLView{HTML: before + "<pre>" + html.EscapeString(plainText(b)) + "</pre>" + after}, nil
}

// plainText reads a text file: by its byte order mark, as UTF-8, or else as
// Windows-1252 without its odd signs.
func plainText(b []byte) string {
	if len(b) >= 2 && (b[0] == 0xff && b[1] == 0xfe || b[0] == 0xfe && b[1] == 0xff) {
		units := make([]uint16, 0, len(b)/2)
		for i := 2; i+1 < len(b); i += 2 {
			lo, hi := b[i], b[i+1]
			if b[0] == 0xfe {
				lo, hi = hi, lo
			}
			units = append(units, uint16(hi)<<8|uint16(lo))
		}
		return string(utf16.Decode(units))
	}
	if utf8.Valid(b) {
		return strings.TrimPrefix(string(b), "\uFEFF")
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

// factsOf parses mail; a document has no header and no parts.
func factsOf(ctx context.Context, row *catalog.Message, raw Raw) *message.Facts {
	if row.Facts.File == nil {
		return message.Parse(ctx, raw)
	}
	return &message.Facts{Version: row.Facts.Version, Subject: row.Facts.Subject, HTML: previewable(row)}
}
