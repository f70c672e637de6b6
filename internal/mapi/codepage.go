package mapi

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// Code pages that are no character sets of their own.
const (
	utf16LE    = 1200
	utf16BE    = 1201
	utf8Page   = 65001
	asciiPage  = 20127
	westernCP  = 1252
	symbolPage = 42 // of RTF fonts: letters are pictures
)

// page returns the decoder and the MIME name of a code page [MS-UCODEREF]
// §2.2.1; nil if we have none.
func page(cp int) (encoding.Encoding, string) {
	switch cp {
	case utf8Page:
		return unicode.UTF8, "utf-8"
	case asciiPage:
		return charmap.Windows1252, "us-ascii"
	case utf16LE:
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "utf-16le"
	case utf16BE:
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), "utf-16be"
	case 932, 943:
		return japanese.ShiftJIS, "shift_jis"
	case 20932, 51932:
		return japanese.EUCJP, "euc-jp"
	case 50220, 50221, 50222:
		return japanese.ISO2022JP, "iso-2022-jp"
	case 936:
		return simplifiedchinese.GBK, "gb2312"
	case 20936, 51936:
		return simplifiedchinese.GBK, "gb2312"
	case 52936:
		return simplifiedchinese.HZGB2312, "hz-gb-2312"
	case 54936:
		return simplifiedchinese.GB18030, "gb18030"
	case 949, 51949:
		return korean.EUCKR, "euc-kr"
	case 950, 20950:
		return traditionalchinese.Big5, "big5"
	}
	return single(cp)
}

// single returns the code pages of one byte.
func single(cp int) (encoding.Encoding, string) {
	switch cp {
	case 437:
		return charmap.CodePage437, "ibm437"
	case 850:
		return charmap.CodePage850, "ibm850"
	case 852:
		return charmap.CodePage852, "ibm852"
	case 855:
		return charmap.CodePage855, "ibm855"
	case 858:
		return charmap.CodePage858, "ibm00858"
	case 860:
		return charmap.CodePage860, "ibm860"
	case 862:
		return charmap.CodePage862, "ibm862"
	case 863:
		return charmap.CodePage863, "ibm863"
	case 865:
		return charmap.CodePage865, "ibm865"
	case 866:
		return charmap.CodePage866, "ibm866"
	case 874:
		return charmap.Windows874, "windows-874"
	case 10000:
		return charmap.Macintosh, "macintosh"
	case 20866:
		return charmap.KOI8R, "koi8-r"
	case 21866:
		return charmap.KOI8U, "koi8-u"
	}
	windows := []encoding.Encoding{
		charmap.Windows1250, charmap.Windows1251, charmap.Windows1252, charmap.Windows1253, charmap.Windows1254,
		charmap.Windows1255, charmap.Windows1256, charmap.Windows1257, charmap.Windows1258,
	}
	if i := cp - 1250; i >= 0 && i < len(windows) {
		return windows[i], "windows-125" + string(rune('0'+i))
	}
	return iso(cp)
}

// iso returns the code pages of ISO 8859.
func iso(cp int) (encoding.Encoding, string) {
	switch cp {
	case 28591:
		return charmap.ISO8859_1, "iso-8859-1"
	case 28592:
		return charmap.ISO8859_2, "iso-8859-2"
	case 28593:
		return charmap.ISO8859_3, "iso-8859-3"
	case 28594:
		return charmap.ISO8859_4, "iso-8859-4"
	case 28595:
		return charmap.ISO8859_5, "iso-8859-5"
	case 28596:
		return charmap.ISO8859_6, "iso-8859-6"
	case 28597:
		return charmap.ISO8859_7, "iso-8859-7"
	case 28598, 38598:
		return charmap.ISO8859_8, "iso-8859-8"
	case 28599:
		return charmap.Windows1254, "iso-8859-9"
	case 28603:
		return charmap.ISO8859_13, "iso-8859-13"
	case 28605:
		return charmap.ISO8859_15, "iso-8859-15"
	}
	return nil, ""
}

// DecodeANSI decodes a text in a code page. An unknown one counts as
// windows-1252; a text above ASCII that is valid UTF-8 never is anything of one
// byte a letter.
func DecodeANSI(b []byte, cp int) string {
	if ascii(b) && cp != 52936 && (cp < 50220 || cp > 50222) || cp == utf8Page && utf8.Valid(b) {
		return string(b)
	}
	enc, _ := page(cp)
	if enc == nil || cp == utf16LE || cp == utf16BE {
		enc = charmap.Windows1252
	}
	if _, one := enc.(*charmap.Charmap); (one || cp == utf8Page) && utf8.Valid(b) {
		return string(b)
	}
	if cp == utf8Page {
		enc = charmap.Windows1252
	}
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return strings.ToValidUTF8(string(out), "\uFFFD")
}

// ascii reports whether b has no byte above ASCII.
func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
