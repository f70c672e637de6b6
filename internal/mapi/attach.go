package mapi

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"
)

// maxLine is how long a line of a message may be (RFC 5322 §2.1.1), CR LF
// included.
const maxLine = 1000

// attachment returns the part for an attachment.
func (m *Message) attachment(a *Attachment, depth int, place string) *node {
	switch {
	case a.OpenMessage != nil:
		return &node{write: func(e *emitter) error { return e.embedded(m, a, depth, place) }}
	case a.Open != nil:
		return &node{write: func(e *emitter) error { return e.data(m, a) }}
	}
	where := ""
	for _, id := range []uint16{IDAttachLongPathname, IDAttachPathname} {
		if where == "" {
			where = oneLine(a.Text(id))
		}
	}
	if where == "" {
		m.Warn("attachment %q has no data", a.Name())
		return note(a, "This attachment has no data.")
	}
	return note(a, "This attachment is only a reference to:\r\n"+where)
}

// note returns a part that stands for what is not there.
func note(a *Attachment, s string) *node {
	return &node{write: func(e *emitter) error {
		f := &fields{}
		f.add("Content-Type", "text/plain; charset=utf-8")
		f.add("Content-Transfer-Encoding", "base64")
		f.add("Content-Disposition", "attachment"+parameter("filename", a.Name()+".txt"))
		e.header(f)
		return encode64(e.out, strings.NewReader(s+"\r\n"))
	}}
}

// embedded writes an attached message.
func (e *emitter) embedded(m *Message, a *Attachment, depth int, place string) error {
	if e.messages++; depth+1 >= MaxDepth || e.messages > maxMessages {
		m.Warn("attachment %q: messages are nested too deeply", a.Name())
		return note(a, "This message is nested too deeply to be written.").write(e)
	}
	inner, err := a.OpenMessage()
	if err != nil {
		e.failed(m, a, err)
		if e.err != nil {
			return e.err
		}
		return note(a, "The attached message could not be read.").write(e)
	}
	f := &fields{}
	f.add("Content-Type", "message/rfc822")
	f.add("Content-Transfer-Encoding", "8bit")
	name := a.Name()
	if name == "" {
		name = inner.Subject()
	}
	if !strings.HasSuffix(strings.ToLower(name), ".eml") {
		name += ".eml"
	}
	f.add("Content-Disposition", "attachment"+parameter("filename", name))
	e.header(f)
	e.message(inner, depth+1, place)
	for _, w := range inner.Warnings {
		m.Warn("attached message %q: %s", a.Name(), w)
	}
	return e.err
}

// data writes an attached file.
func (e *emitter) data(m *Message, a *Attachment) error {
	f := &fields{}
	name, kind := a.Name(), a.mediaType()
	message := kind == "message/rfc822" && e.fits(a)
	if strings.HasPrefix(kind, "message/") && !message || strings.HasPrefix(kind, "multipart/") {
		kind = "application/octet-stream" // RFC 2046 §5.2.1 allows no encoding of these
	}
	value := kind
	if name != "" {
		value += parameter("name", name)
	}
	f.add("Content-Type", value)
	if message {
		f.add("Content-Transfer-Encoding", "8bit")
	} else {
		f.add("Content-Transfer-Encoding", "base64")
	}
	id := strings.Trim(oneLine(a.Text(IDAttachContentID)), "<> ")
	disposition := "attachment"
	if id != "" && strings.HasPrefix(kind, "image/") && !a.Bool(IDAttachHidden) || id != "" && a.Int(IDAttachFlags)&4 != 0 {
		disposition = "inline"
	}
	if name != "" {
		disposition += parameter("filename", name)
	}
	f.add("Content-Disposition", disposition)
	if id != "" && !strings.ContainsAny(id, " <>") {
		f.add("Content-ID", "<"+id+">")
	}
	if loc := oneLine(a.Text(IDAttachContentLocation)); loc != "" && plain(loc) && !strings.Contains(loc, " ") {
		f.add("Content-Location", loc)
	}
	e.header(f)
	r, err := a.Open()
	if err == nil {
		if message {
			_, err = io.Copy(e.out, r)
		} else {
			err = encode64(e.out, r)
		}
	}
	if err != nil {
		e.failed(m, a, err)
	}
	return e.err
}

// fits reports whether the data can stand as they are as an attached message:
// lines end in CR LF and are short, and there is no NUL (RFC 2045 §2.8).
func (e *emitter) fits(a *Attachment) bool {
	r, err := a.Open()
	if err != nil {
		return false
	}
	in := bufio.NewReaderSize(r, 4*maxLine)
	for {
		line, err := in.ReadSlice('\n')
		if len(line) > maxLine || bytes.IndexByte(line, 0) >= 0 {
			return false
		}
		if err != nil {
			return err == io.EOF && bytes.IndexByte(line, '\r') < 0
		}
		if i := bytes.IndexByte(line, '\r'); i != len(line)-2 || bytes.HasPrefix(line, []byte("--=_")) {
			return false
		}
	}
}

// inline reports whether a body shows the attachment: the HTML names its content
// identifier or location.
func (a *Attachment) inline(bodies []body) bool {
	if a.Open == nil {
		return false
	}
	id := strings.Trim(oneLine(a.Text(IDAttachContentID)), "<> ")
	loc := oneLine(a.Text(IDAttachContentLocation))
	for _, b := range bodies {
		if b.kind != "html" {
			continue
		}
		if id != "" && (a.Int(IDAttachFlags)&4 != 0 || a.Bool(IDAttachHidden) || bytes.Contains(b.data, []byte("cid:"+id))) {
			return true
		}
		if loc != "" && bytes.Contains(b.data, []byte(loc)) {
			return true
		}
	}
	return false
}

// mediaType returns the type of the data: as declared, else by the extension.
func (a *Attachment) mediaType() string {
	if t := strings.ToLower(oneLine(a.Text(IDAttachMIMETag))); mediaType(t) {
		return t
	}
	if a.Int(IDAttachMethod) == AttachOLE {
		return "application/x-ole-storage"
	}
	name := strings.ToLower(a.Name())
	ext := name[strings.LastIndexByte(name, '.')+1:]
	for t, names := range extensions() {
		if slices.Contains(strings.Fields(names), ext) {
			return t
		}
	}
	return "application/octet-stream"
}

// mediaType reports whether t is type "/" subtype (RFC 2045 §5.1).
func mediaType(t string) bool {
	kind, sub, ok := strings.Cut(t, "/")
	bad := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`()<>@,;:\"/[]?=`, r) }
	return ok && kind != "" && sub != "" && len(t) < 120 && !strings.ContainsFunc(kind, bad) && !strings.ContainsFunc(sub, bad)
}

// extensions lists file name extensions by media type: our own short table,
// because that of the machine would make the output depend on it. No extension
// is there twice.
func extensions() map[string]string {
	return map[string]string{
		"application/msword": "doc dot", "application/vnd.ms-excel": "xls xlt", "application/vnd.ms-powerpoint": "ppt pps",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   "docx",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         "xlsx",
		"application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
		"application/vnd.oasis.opendocument.text":                                   "odt",
		"application/vnd.oasis.opendocument.spreadsheet":                            "ods",
		"application/pdf": "pdf", "application/rtf": "rtf", "application/zip": "zip", "application/xml": "xml", "application/json": "json",
		"application/x-7z-compressed": "7z", "application/gzip": "gz", "application/vnd.ms-outlook": "msg", "application/ms-tnef": "dat",
		"application/pkcs7-mime": "p7m", "application/pkcs7-signature": "p7s", "text/plain": "txt log", "text/html": "htm html",
		"text/csv": "csv", "text/calendar": "ics", "text/vcard": "vcf", "image/jpeg": "jpg jpeg", "image/png": "png", "image/gif": "gif",
		"image/bmp": "bmp", "image/tiff": "tif tiff", "image/svg+xml": "svg", "image/webp": "webp", "image/x-emf": "emf", "image/x-wmf": "wmf",
		"audio/mpeg": "mp3", "audio/x-wav": "wav", "video/mp4": "mp4", "message/rfc822": "eml",
	}
}
