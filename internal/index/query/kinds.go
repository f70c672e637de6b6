package query

import (
	"path"
	"slices"
	"strings"
)

// fileKind is a kind of file people know, with the ways to recognise it.
type fileKind struct {
	name    string   // canonical
	de      string   // German name; empty: the same
	aliases []string // further names
	mimes   []string // MIME types; one that ends in "/" stands for all of a class
	exts    []string // extensions
}

var fileKinds = []fileKind{
	{"pdf", "", nil, []string{"application/pdf", "application/x-pdf"}, []string{"pdf"}},
	{"word", "", []string{"doc", "docx", "text-document", "textdokument"},
		[]string{"application/msword", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
			"application/vnd.ms-word.document.macroenabled.12", "application/vnd.oasis.opendocument.text", "application/rtf", "text/rtf"},
		[]string{"doc", "docx", "docm", "dot", "dotx", "odt", "rtf"}},
	{"excel", "", []string{"xls", "xlsx", "spreadsheet", "tabelle"},
		[]string{"application/vnd.ms-excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
			"application/vnd.ms-excel.sheet.macroenabled.12", "application/vnd.ms-excel.sheet.binary.macroenabled.12",
			"application/vnd.oasis.opendocument.spreadsheet", "text/csv"},
		[]string{"xls", "xlsx", "xlsm", "xlsb", "ods", "csv"}},
	{"powerpoint", "", []string{"ppt", "pptx", "presentation", "präsentation", "praesentation"},
		[]string{"application/vnd.ms-powerpoint", "application/vnd.openxmlformats-officedocument.presentationml.presentation",
			"application/vnd.oasis.opendocument.presentation"},
		[]string{"ppt", "pptx", "pptm", "pps", "ppsx", "odp"}},
	{"image", "bild", []string{"picture", "photo", "foto", "grafik"}, []string{"image/"},
		[]string{"jpg", "jpeg", "png", "gif", "bmp", "tif", "tiff", "webp", "heic", "svg"}},
	{"audio", "", []string{"ton", "sound"}, []string{"audio/"}, []string{"mp3", "wav", "ogg", "m4a", "flac", "aac"}},
	{"video", "", []string{"film"}, []string{"video/"}, []string{"mp4", "mov", "avi", "mkv", "webm", "wmv", "mpg", "mpeg"}},
	{"archive", "archiv", []string{"zip", "compressed"},
		[]string{"application/zip", "application/x-zip-compressed", "application/x-7z-compressed", "application/x-rar-compressed",
			"application/vnd.rar", "application/gzip", "application/x-gzip", "application/x-tar", "application/x-bzip2", "application/x-xz", "application/zstd"},
		[]string{"zip", "7z", "rar", "gz", "tgz", "tar", "bz2", "xz", "zst"}},
	{"mail", "nachricht", []string{"message", "eml", "msg"}, []string{"message/rfc822", "message/global", "application/vnd.ms-outlook"}, []string{"eml", "msg"}},
	{"calendar", "kalender", []string{"ics", "invitation", "einladung", "termin"}, []string{"text/calendar", "application/ics"}, []string{"ics"}},
	{"contact", "kontakt", []string{"vcf", "vcard"}, []string{"text/vcard", "text/x-vcard", "text/directory"}, []string{"vcf"}},
	{"html", "", []string{"webseite"}, []string{"text/html", "application/xhtml+xml"}, []string{"html", "htm", "xhtml"}},
	{"xml", "", []string{"xrechnung"}, []string{"application/xml", "text/xml"}, []string{"xml"}},
	{"text", "", nil, []string{"text/plain", "text/markdown", "text/x-patch", "text/x-diff"}, []string{"txt", "md", "log", "patch", "diff"}},
	{"program", "programm", []string{"executable"},
		[]string{"application/x-msdownload", "application/x-msdos-program", "application/vnd.microsoft.portable-executable", "application/x-sh", "application/x-executable"},
		[]string{"exe", "com", "bat", "cmd", "scr", "js", "vbs", "ps1", "jar", "msi", "sh", "apk", "dll"}},
	{"signature", "signatur", nil, []string{"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"}, []string{"p7s", "asc", "sig"}},
}

// KindsOf returns the kinds (values of type:) of a file by its MIME type and the
// extension of its name: mail programs often know only one of the two.
func KindsOf(name, mimeType string) []string {
	ext := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	mimeType = strings.ToLower(mimeType)
	var out []string
	for i := range fileKinds {
		k := &fileKinds[i]
		if ext != "" && slices.Contains(k.exts, ext) || mimeType != "" && k.hasMIME(mimeType) {
			out = append(out, k.name)
		}
	}
	return out
}

// names returns the names that people know, the canonical one first.
func (k *fileKind) names() []string {
	out := append([]string{k.name}, k.aliases...)
	if k.de != "" {
		out = append(out, k.de)
	}
	return out
}

func (k *fileKind) german() string {
	if k.de != "" {
		return k.de
	}
	return k.name
}

func (k *fileKind) hasMIME(t string) bool {
	for _, m := range k.mimes {
		if m == t || strings.HasSuffix(m, "/") && strings.HasPrefix(t, m) {
			return true
		}
	}
	return false
}

// kindNamed returns the canonical name of a kind of file.
func kindNamed(name string) (string, bool) {
	name = strings.ToLower(name)
	for i := range fileKinds {
		k := &fileKinds[i]
		if k.name == name || k.de == name || slices.Contains(k.aliases, name) || slices.Contains(k.exts, name) {
			return k.name, true
		}
	}
	return "", false
}
