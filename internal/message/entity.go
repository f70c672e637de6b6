package message

import "strings"

// entity is a message or a body part (RFC 2045 §2.4) as the scan finds it.
type entity struct {
	fields      []field
	mediaType   string
	params      map[string]string
	encoding    string
	disposition string
	dispParams  map[string]string
	path        string
	children    int
	boundary    []byte // "--" and the boundary of a multipart
	start, end  int64  // of the body
	message     bool   // the entity is a whole message: its child of message/rfc822
	multipart   bool
	parent      *entity
	headerBytes int
}

func identity(encoding string) bool {
	switch encoding {
	case "", "7bit", "8bit", "binary":
		return true
	}
	return false
}

// describe reads what the fields say of the body.
func (e *entity) describe() {
	e.mediaType, e.params = parseParams(e.value("content-type"))
	if i := strings.IndexFunc(e.mediaType, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`<>"()[]:?=@,`, r) }); i >= 0 {
		e.mediaType = e.mediaType[:i] // "text/plain>", "text/html charset=utf-8"
	}
	if e.mediaType == "text" || e.mediaType == "text/" {
		e.mediaType = "text/plain"
	}
	if e.mediaType == "" || !strings.Contains(e.mediaType, "/") {
		e.mediaType = "text/plain"
		if e.parent != nil && e.parent.mediaType == "multipart/digest" {
			e.mediaType = "message/rfc822" // RFC 2046 §5.1.5
		}
	}
	enc := strings.ToLower(strings.TrimSpace(e.value("content-transfer-encoding")))
	enc, _, _ = strings.Cut(enc, ";")
	e.encoding = clean(strings.Trim(strings.TrimSpace(enc), `"`))
	e.disposition, e.dispParams = parseParams(e.value("content-disposition"))
	if e.path == "" {
		e.path = "1"
	}
}

// value returns the first field called key.
func (e *entity) value(key string) string {
	for _, f := range e.fields {
		if f.key == key {
			return f.value
		}
	}
	return ""
}

// fileName returns the decoded file name: filename of the disposition
// (RFC 2183 §2.3), else name of the type.
func (e *entity) fileName() string {
	for _, v := range []string{e.dispParams["filename"], e.params["name"], e.dispParams["name"], e.params["filename"], e.params["file"]} {
		if v != "" {
			return strings.TrimSpace(oneLine(decodeField(v, e.params["charset"])))
		}
	}
	return ""
}
