package mapi

import (
	"bufio"
	"io"
	"strings"
)

// secured returns the attachment that is the body of an S/MIME message
// [MS-OXOSMIME] §2.1, nil if m is none.
func (m *Message) secured() *Attachment {
	class := strings.ToUpper(m.Class())
	if !strings.HasPrefix(class, "IPM.") || !strings.Contains(class, ".SMIME") || len(m.Attachments) != 1 || m.Attachments[0].Open == nil {
		return nil
	}
	return m.Attachments[0]
}

// secured writes an S/MIME body: a clear-signed one is a whole entity with its
// header, which must stay as it is; another is data in CMS.
func (e *emitter) secured(m *Message, a *Attachment) {
	r, err := a.Open()
	if err != nil {
		e.failed(m, a, err)
		r = strings.NewReader("")
	}
	in := bufio.NewReader(r)
	start, _ := in.Peek(len("Content-Type: multipart/"))
	if strings.HasPrefix(strings.ToLower(string(start)), "content-type:") {
		if _, err := io.Copy(e.out, in); err != nil {
			e.failed(m, a, err)
		}
		return
	}
	f := &fields{}
	kind := strings.ToLower(oneLine(a.Text(IDAttachMIMETag)))
	if !strings.Contains(kind, "pkcs7-mime") || !mediaType(kind) {
		kind = "application/pkcs7-mime"
	}
	name := a.Name()
	if name == "" {
		name = "smime.p7m"
	}
	f.add("Content-Type", kind+parameter("name", name))
	f.add("Content-Transfer-Encoding", "base64")
	f.add("Content-Disposition", "attachment"+parameter("filename", name))
	e.header(f)
	if err := encode64(e.out, in); err != nil {
		e.failed(m, a, err)
	}
	e.line("")
}
