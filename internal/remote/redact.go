package remote

import (
	"encoding/base64"
	"strings"
)

// maxDetail bounds the words of a server that are kept, in bytes.
const maxDetail = 1000

// Redact takes a secret out of a server's words and bounds them. A secret of less
// than four bytes is left: without it no text could be read.
func Redact(text, user string, secret []byte) string {
	s := string(secret)
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + s))                           // RFC 4616
	token := base64.StdEncoding.EncodeToString([]byte("user=" + user + "\x01auth=Bearer " + s + "\x01\x01")) // XOAUTH2
	for _, form := range []string{plain, token, s, strings.TrimRight(base64.StdEncoding.EncodeToString(secret), "=")} {
		if len(s) >= 4 {
			text = strings.ReplaceAll(text, form, "…")
		}
	}
	if len(text) > maxDetail {
		text = strings.ToValidUTF8(text[:maxDetail], "") + "…"
	}
	return text
}
