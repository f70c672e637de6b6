package importer

import (
	"bytes"
	"path/filepath"
	"strings"
)

const unpackFirst = "an archive of a kind that is not read; unpack it first"

// foreign says what a file is that very likely holds mail and is of a kind that is
// not read, and what to do; "" for all others.
func foreign(name string, head []byte) string {
	for _, k := range [...]struct{ magic, what string }{
		{"\xfd7zXZ\x00", "xz: " + unpackFirst},
		{"7z\xbc\xaf\x27\x1c", "7-Zip: " + unpackFirst},
		{"Rar!\x1a", "RAR: " + unpackFirst},
		{"MSCF", "cabinet: " + unpackFirst},
		{"LZIP\x01", "lzip: " + unpackFirst},
		{"\x04\x22\x4d\x18", "LZ4: " + unpackFirst},
		{"\x1f\x9d", "compress (.Z): " + unpackFirst},
		{"\x5d\x00\x00", "LZMA: " + unpackFirst},
		{"\xcf\xad\x12\xfe", "a mail folder of Outlook Express (DBX); export its messages as EML files"},
		{"\x1a\x00\x00\x04\x00\x00", "a database of Lotus Notes (NSF); export its messages as EML files"},
		{"BABYL OPTIONS", "a mail file of Emacs (Babyl); convert it to mbox first"},
		{"\x01\x01\x01\x01\n", "a mailbox of the kind MMDF; convert it to mbox first"},
		{"*mbx*\r\n", "a mailbox of the kind MBX; convert it to mbox first"},
	} {
		if bytes.HasPrefix(head, []byte(k.magic)) {
			return k.what
		}
	}
	switch ext := strings.ToLower(filepath.Ext(name)); {
	case looksLikeHeader(fromUTF16(head)):
		return "mail written as UTF-16, which no mail program does; convert it to UTF-8 first"
	case ext == ".emlx" && looksLikeHeader(afterLine(head)):
		return "a message of Apple Mail whose first line is not its length; without that line it is an EML file"
	case len(head) > 7 && string(head[2:5]) == "-lh" && head[6] == '-':
		return "LHA: " + unpackFirst
	case (ext == ".mbox" || ext == ".mbx") && bytes.Contains(head, []byte("\nFrom ")):
		return `an mbox file that does not begin with a line "From "; remove what precedes the first of these lines`
	}
	return ""
}

// fromUTF16 returns the ASCII text of what begins with a byte order mark of
// UTF-16, else nothing.
func fromUTF16(b []byte) []byte {
	at := 0
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		at = 1
	default:
		return nil
	}
	var text []byte
	for i := 2; i+1 < len(b); i += 2 {
		text = append(text, b[i+at])
	}
	return text
}

func afterLine(b []byte) []byte {
	_, rest, _ := bytes.Cut(b, []byte("\n"))
	return rest
}

// besideMessage reports whether a file lies where Apple Mail keeps the attachments
// of a .partial.emlx: Attachments/<message>/<part>/<name>.
func besideMessage(name string) bool {
	parts := strings.Split(filepath.ToSlash(name), "/")
	return len(parts) > 4 && parts[len(parts)-4] == "Attachments"
}

// unread is the problem of a file of a foreign kind.
func unread(f found, what string) Problem {
	return Problem{Origin: f.origin, Reason: Unsupported, Bytes: max(f.size, 0), Detail: what, Failed: true}
}
