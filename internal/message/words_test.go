package message

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestDecodeField holds RFC 2047 in its right and in all its wrong forms.
func TestDecodeField(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, charset, want string }{
		{"plain", "Hello", "", "Hello"},
		{"b", "=?UTF-8?B?R3LDvMOfZQ==?=", "", "Grüße"},
		{"q", "=?iso-8859-1?Q?Gr=FC=DFe_aus_K=F6ln?=", "", "Grüße aus Köln"},
		{"lower case", "=?utf-8?q?gr=c3=bc=c3=9fe?= =?utf-8?b?IQ==?=", "", "grüße!"},
		{"adjacent words lose the space", "=?utf-8?q?a?= =?utf-8?q?b?=", "", "ab"},
		{"adjacent words after folding", "=?utf-8?q?a?=\t =?utf-8?q?b?=", "", "ab"},
		{"adjacent words of two sets", "=?utf-8?q?=C3=A4?= =?iso-8859-1?q?=F6?=", "", "äö"},
		{"no space between words", "=?utf-8?q?a?==?utf-8?q?b?=", "", "ab"},
		{"text between words keeps its spaces", "=?utf-8?q?a?= x =?utf-8?q?b?=", "", "a x b"},
		{"character split between q words", "=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "", "ä"},
		{"character split between b words", "=?utf-8?b?4pw=?= =?utf-8?b?hQ==?= ok", "", "✅ ok"},
		{"character split between b and q", "=?UTF-8?b?4pw=?= =?utf-8?Q?=85?=", "", "✅"},
		{"state split between words", "=?iso-2022-jp?b?GyRCJUY=?= =?iso-2022-jp?b?JTklSBsoQg==?=", "", "テスト"},
		{"spaces inside q", "=?utf-8?q?gr=C3=BC=C3=9Fe aus k=C3=B6ln?=", "", "grüße aus köln"},
		{"spaces inside b", "=?utf-8?b?R3LD vMOf ZQ==?=", "", "Grüße"},
		{"no padding", "=?utf-8?b?w6Q?=", "", "ä"},
		{"too much padding", "=?gb18030?B?suLK1A===?=", "", "测试"},
		{"padding in the middle", "=?utf-8?b?YQ==Yg==?=", "", "ab"},
		{"url alphabet", "=?utf-8?b?8J-YgA?=", "", "😀"},
		{"foreign characters in b", "=?utf-8?b?Y,WI=?=", "", "ab"},
		{"no end", "=?utf-8?q?gr=C3=BC=C3=9Fe", "", "grüße"},
		{"no end, then text", "=?utf-8?q?gr=C3=BCn?and =?utf-8?q?b?=", "", "grün?andb"},
		{"no end of b, then text", "=?utf-8?b?w6Q= next", "", "ä next"},
		{"no end, then a word", "=?utf-8?q?=C3=A4 =?utf-8?q?=C3=B6?=", "", "äö"},
		{"end without equals sign", "=?utf-8?b?w6Q=?", "", "ä"},
		{"unencoded question mark", "=?utf-8?q?what?=3D?=", "", "what?="},
		{"only question marks", "=?utf-8?q????=", "", "??"},
		{"inside quotes", `"=?utf-8?q?M=C3=BCller?=" <a@b.example>`, "", `"Müller" <a@b.example>`},
		{"in a comment", "x (=?utf-8?q?M=C3=BCller?=)", "", "x (Müller)"},
		{"glued to text", "Re:=?utf-8?q?=C3=A4?=x", "", "Re:äx"},
		{"language suffix", "=?utf-8*de?q?=C3=A4?=", "", "ä"},
		{"unknown set, bytes are UTF-8", "=?x-foo?q?=C3=A4?=", "", "ä"},
		{"unknown set, bytes are Latin-1", "=?x-foo?q?M=FCller?=", "", "Müller"},
		{"wrong label: UTF-8 called Latin-1", "=?iso-8859-1?q?M=C3=BCller?=", "", "Müller"},
		{"wrong label: Latin-1 called UTF-8", "=?utf-8?q?M=FCller?=", "", "Müller"},
		{"wrong label: ascii", "=?us-ascii?q?M=FCller?=", "", "Müller"},
		{"wrong escapes stay", "=?utf-8?q?a=ZZ=4?=", "", "a=ZZ=4"},
		{"empty text", "=?utf-8?q??=x", "", "x"},
		{"no charset", "=??q?a?=", "", "=??q?a?="},
		{"unknown encoding", "=?utf-8?x?a?=", "", "=?utf-8?x?a?="},
		{"nothing", "=?", "", "=?"},
		{"raw UTF-8 beside a word", "Ä =?utf-8?q?=C3=B6?= ü", "", "Ä ö ü"},
		{"raw Latin-1 beside a word", "\xc4 =?utf-8?q?=C3=B6?= \xfc", "", "Ä ö ü"},
		{"raw UTF-8", "Grüße", "", "Grüße"},
		{"raw UTF-8 in a Latin-1 message", "Grüße", "iso-8859-1", "Grüße"},
		{"raw Latin-1", "Gr\xfc\xdfe aus K\xf6ln", "", "Grüße aus Köln"},
		{"raw Latin-2 declared", "Pa\xf9\xe1k", "iso-8859-2", "Paůák"},
		{"raw GBK declared", "\xb2\xe2\xca\xd4", "gb2312", "测试"},
		{"raw GBK", "\xc8\xab\xd0\xc2\xd4\xad\xd7\xb0\xbd\xf8\xbf\xda", "", "全新原装进口"},
		{"raw Shift-JIS", "\x83\x65\x83\x58\x83\x67\x82\xc5\x82\xb7", "", "テストです"},
		{"raw Shift-JIS kanji", "\x93\x64\x8e\x71\x83\x81\x81\x5b\x83\x8b", "", "電子メール"},
		{"raw EUC-JP", "\xa5\xc6\xa5\xb9\xa5\xc8\xa4\xc7\xa4\xb9", "", "テストです"},
		{"raw Big5", "\xa7\x4b\xb6\x4f\xbd\x75\xa4\x57\xbc\x76\xa4\xf9", "", "免費線上影片"},
		{"raw EUC-KR", "\xbe\xc8\xb3\xe7\xc7\xcf\xbc\xbc\xbf\xe4", "", "안녕하세요"},
		{"raw windows-1251", "\xcf\xf0\xe8\xe2\xe5\xf2 \xe2\xf1\xe5\xec", "", "Привет всем"},
		{"raw KOI8-R", "\xf0\xd2\xc9\xd7\xc5\xd4 \xd7\xd3\xc5\xcd", "", "Привет всем"},
		{"raw Hungarian capitals are not Chinese", "T\xc1J\xc9KOZTAT\xc1S", "", "TÁJÉKOZTATÁS"},
		{"raw umlauts in a row are not Russian", "\xe4\xf6\xfc\xdf\xc4\xd6\xdc", "", "äöüßÄÖÜ"},
		{"raw ISO-2022-JP", "\x1b$B%F%9%H\x1b(B", "", "テスト"},
		{"control characters go", "a\x00b\x07c\x7fd", "", "ab cd"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := decodeField(c.in, c.charset); got != c.want {
				t.Errorf("decodeField(%q, %q) = %q, want %q", c.in, c.charset, got, c.want)
			}
		})
	}
}

// TestParseParams holds RFC 2231 in its right and wrong forms.
func TestParseParams(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, value, key, want string }{
		{"plain", `text/plain; charset=utf-8`, "text/plain", "charset", "utf-8"},
		{"quoted", `a/b; name="x \"y\"; z"`, "a/b", "name", `x "y"; z`},
		{"spaces around", `a/b ; name = "x" ; q=1`, "a/b", "name", "x"},
		{"comment", `text/plain (note); charset=utf-8 (Unicode)`, "text/plain", "charset", "utf-8"},
		{"encoded", `a; filename*=utf-8''M%C3%BCller.txt`, "a", "filename", "Müller.txt"},
		{"encoded with language", `a; filename*=iso-8859-1'de'M%FCller.txt`, "a", "filename", "Müller.txt"},
		{"encoded, empty charset", `a; filename*=''a%20b`, "a", "filename", "a b"},
		{"encoded, no charset at all", `a; filename*=a%20b`, "a", "filename", "a b"},
		{"encoded in quotes", `a; filename*="utf-8''M%C3%BCller.txt"`, "a", "filename", "Müller.txt"},
		{"pieces", `a; filename*0="abc"; filename*1="def"`, "a", "filename", "abcdef"},
		{"pieces out of order", `a; filename*1="def"; filename*0="abc"`, "a", "filename", "abcdef"},
		{"pieces with a gap", `a; filename*0="abc"; filename*2="ghi"`, "a", "filename", "abcghi"},
		{"pieces from one", `a; filename*1="abc"; filename*2="def"`, "a", "filename", "abcdef"},
		{"ten pieces", `a; n*10=k; n*9=j; n*0=a; n*1=b; n*2=c; n*3=d; n*4=e; n*5=f; n*6=g; n*7=h; n*8=i`, "a", "n", "abcdefghijk"},
		{"duplicate piece: the first counts", `a; filename*0="abc"; filename*0="xyz"; filename*1="def"`, "a", "filename", "abcdef"},
		{"encoded pieces", `a; filename*0*=utf-8''M%C3%BC; filename*1*=ller; filename*2=.txt`, "a", "filename", "Müller.txt"},
		{"character split between pieces", `a; filename*0*=utf-8''M%C3; filename*1*=%BCller`, "a", "filename", "Müller"},
		{"only later pieces encoded", `a; filename*0="M"; filename*1*=%C3%BCller`, "a", "filename", "Müller"},
		{"percent without mark", `a; filename*0*=utf-8''M%C3%BC; filename*1=l%20er`, "a", "filename", "Mül er"},
		{"percent garbage", `a; filename*=utf-8''a%ZZ%4`, "a", "filename", "a%ZZ%4"},
		{"unknown charset", `a; filename*=x-none''M%FCller`, "a", "filename", "Müller"},
		{"beside the plain form", `a; filename="plain.txt"; filename*=utf-8''real.txt`, "a", "filename", "real.txt"},
		{"before the plain form", `a; filename*=utf-8''real.txt; filename="plain.txt"`, "a", "filename", "real.txt"},
		{"empty beside the plain form", `a; filename="plain.txt"; filename*=`, "a", "filename", "plain.txt"},
		{"upper case", `a; FILENAME*0*=UTF-8''a; FileName*1=b`, "a", "filename", "ab"},
		{"huge index is a plain name", `a; filename*99999=x`, "a", "filename*99999", "x"},
		{"duplicate: the first counts", `a; name=x; name=y`, "a", "name", "x"},
		{"quote not closed", `a; name="x y`, "a", "name", "x y"},
		{"no value", `a; name; b=c`, "a", "b", "c"},
		{"semicolons", `a;;; name=x;;`, "a", "name", "x"},
		{"spaces without quotes", `a; name=my file.txt; b=c`, "a", "name", "my file.txt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			value, params := parseParams(c.in)
			if value != c.value || params[c.key] != c.want {
				t.Errorf("parseParams(%q) = %q, %q, want %q and %s=%q", c.in, value, params, c.value, c.key, c.want)
			}
		})
	}
}

// TestFileNames are encoded words where RFC 2231 wants its own form.
func TestFileNames(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		`Content-Disposition: attachment; filename="=?utf-8?q?M=C3=BCller.txt?="`:                "Müller.txt",
		`Content-Disposition: attachment; filename==?utf-8?b?TcO8bGxlci50eHQ=?=`:                 "Müller.txt",
		"Content-Disposition: attachment;\n filename=\"M\xfcller.txt\"":                          "Müller.txt",
		"Content-Disposition: attachment;\n filename=\"Müller.txt\"":                             "Müller.txt",
		"Content-Disposition: attachment;\n filename=\"\xb2\xe2\xca\xd4.doc\"":                   "测试.doc",
		"Content-Type: a/b; name=\"x.bin\"":                                                      "x.bin",
		"Content-Type: a/b;\nname=\"x.bin\"":                                                     "x.bin",
		"Content-Type: a/b; file=\"x.bin\"":                                                      "x.bin",
		"Content-Type: a/b; name=\"t.bin\"\nContent-Disposition: attachment; filename=d.bin":     "d.bin",
		"Content-Disposition: attachment; filename*0*=windows-1251''%EF%F0; filename*1*=%E8.HTM": "при.HTM",
	} {
		f := parse(header + "\n\nx")
		if len(f.Parts) != 1 || f.Parts[0].Name != want {
			t.Errorf("%q: %+v, want %q", header, f.Parts, want)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	want := time.Date(2024, 2, 29, 13, 14, 15, 0, time.UTC)
	for _, s := range []string{
		"Thu, 29 Feb 2024 13:14:15 +0000", "Thu, 29 Feb 2024 14:14:15 +0100", "29 Feb 2024 13:14:15 GMT", "Thu, 29 Feb 2024 13:14:15 UT",
		"Thu, 29 Feb 2024 13:14:15 +0000 (UTC)", "Thu, 29 Feb 2024 08:14:15 EST", "thu, 29 feb 2024 13:14:15 +0000", "Thu,29 Feb 2024 13:14:15 +0000",
		"Thu, 29 Feb 24 13:14:15 +0000", "Thursday, 29 Feb 2024 13:14:15 +0000", "Thu, 29 February 2024 13:14:15 +0000", "Thu, Feb 29 2024 13:14:15 +0000",
		"2024-02-29T13:14:15Z", "2024-02-29 13:14:15 +0000", "2024-02-29 13:14:15", "Thu Feb 29 13:14:15 2024", "Thu Feb 29 13:14:15 UTC 2024",
		"Thu, 29 Feb 2024 13.14.15 +0000", "Thu, 29-Feb-2024 13:14:15 +0000", "Thu, 29 Feb 2024 13:14:15 GMT+0000", "Thu, 29 Feb 2024 13:14:15 Foo/Bar",
		"Thu, 29 Feb 2024 13:14:15", "Thu, 29 Feb 2024 1:14:15 PM +0000", "  Thu,  29  Feb 2024   13:14:15   +0000 ", "Thu, 29 Feb 2024 13:14:15 +00:00",
		"Thu, 29 Feb 2024 13:14:15 --0000", "Thu, 29 Feb 2024 13:14:15 \"GMT\"", "Mon, 29 Feb 2024 13:14:15 +0000",
		"Thu, 29 Feb 2024\t13:14:15 +0000", "Thu, 29 Feb 124 13:14:15 +0000", "Do, 29 Feb 2024 13:14:15 +0000", "Thu, 29 Feb 2024 13:14:15 Z",
	} {
		if got, ok := parseDate(s); !ok || !got.Equal(want) {
			t.Errorf("parseDate(%q) = %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "yesterday", "0", "Thu, 31 Feb 2024 13:14:15 +0000", "Thu, 29 Feb 0001 13:14:15 +0000", "99999999999999999999", "(", "2024"} {
		if got, ok := parseDate(s); ok {
			t.Errorf("parseDate(%q) = %v, want none", s, got)
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		"<a@b> <c@d>": {"a@b", "c@d"}, "<a@b><c@d>": {"a@b", "c@d"}, "junk <a@b> junk": {"a@b"}, "<a@b": nil, "": nil, "<>": nil, "< a@b >": {"a@b"},
	} {
		if diff := cmp.Diff(want, ids(in)); diff != "" {
			t.Errorf("ids(%q): %s", in, diff)
		}
	}
}
