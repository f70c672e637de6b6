package message

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// guessSample is how many bytes are looked at to guess a character set.
const guessSample = 32 << 10

// guess names the character set of bytes that nobody declared, or declared
// wrongly, and that are not UTF-8. It knows those that were much used in mail
// before UTF-8; everything else is windows-1252, which always reads.
func guess(b []byte) string {
	b = b[:min(len(b), guessSample)]
	if russianWords(b, 0xc0) {
		return "koi8-r" // pairs would take it for Chinese
	}
	best, name := 0.6, "windows-1252"
	for _, c := range []struct {
		name string
		rate func(lead, trail byte) float64
	}{{"shift_jis", rateShiftJIS}, {"euc-jp", rateEUCJP}, {"euc-kr", rateEUCKR}, {"gbk", rateGBK}, {"big5", rateBig5}} {
		if score := pairs(b, c.rate); score > best {
			best, name = score, c.name
		}
	}
	if name == "windows-1252" {
		return cyrillic(b)
	}
	return name
}

// pairs rates b as text in a set of two-byte characters: 1 if all of them are
// common ones, 0 if a pair is impossible or the pairs do not stand side by side,
// as accented letters among others do not.
func pairs(b []byte, rate func(lead, trail byte) float64) float64 {
	sum, n, beside, wrong, high := 0.0, 0, 0, 0, 0
	last := -1
	for i := 0; i < len(b); i++ {
		if b[i] < 0x80 {
			continue
		}
		if i+1 == len(b) {
			break // cut within a character
		}
		v := rate(b[i], b[i+1])
		if v < 0 {
			wrong++
			continue
		}
		if last == i {
			beside++
		}
		if b[i+1] >= 0x80 {
			high++
		}
		sum += v
		n++
		i++
		last = i + 1
	}
	if n < 2 || wrong*20 > n || beside*3 < (n-1)*2 || high*8 < n {
		return 0
	}
	return sum / float64(n)
}

func within(c, from, to byte) bool { return c >= from && c <= to }

func rateShiftJIS(lead, trail byte) float64 {
	switch {
	case !within(lead, 0x81, 0x9f) && !within(lead, 0xe0, 0xfc) || trail < 0x40 || trail == 0x7f || trail > 0xfc:
		return -1
	case lead == 0x82 && within(trail, 0x9f, 0xf1), lead == 0x83 && trail <= 0x96, lead == 0x81 && trail <= 0x7c:
		return 1.1 // kana and punctuation
	case within(lead, 0x88, 0x97):
		return 0.7 // kanji of the first level
	}
	return 0
}

func rateEUCJP(lead, trail byte) float64 {
	switch {
	case lead < 0xa1 && lead != 0x8e || trail < 0xa1:
		return -1
	case lead == 0xa4 && trail <= 0xf3, lead == 0xa5 && trail <= 0xf6:
		return 1.2
	case within(lead, 0xb0, 0xcf), lead == 0xa1:
		return 0.6
	}
	return 0
}

func rateEUCKR(lead, trail byte) float64 {
	switch {
	case lead < 0xa1 || trail < 0xa1:
		return -1
	case within(lead, 0xb0, 0xc8):
		return 1.02 // Hangul; Chinese text would use more of the leads
	case lead <= 0xa3:
		return 0.5
	}
	return 0
}

func rateGBK(lead, trail byte) float64 {
	switch {
	case lead < 0x81 || lead > 0xfe || trail < 0x40 || trail == 0x7f || trail == 0xff:
		return -1
	case within(lead, 0xb0, 0xd7) && trail >= 0xa1:
		return 1.01
	case within(lead, 0xa1, 0xa3) && trail >= 0xa1:
		return 0.9
	}
	return 0
}

func rateBig5(lead, trail byte) float64 {
	switch {
	case lead < 0x81 || lead > 0xfe || trail < 0x40 || within(trail, 0x7f, 0xa0) || trail == 0xff:
		return -1
	case within(lead, 0xa4, 0xc6):
		return 1
	case within(lead, 0xa1, 0xa3):
		return 0.8
	}
	return 0
}

// cyrillic tells windows-1251 and KOI8-R, where letters above ASCII stand in
// words, from western text, where they stand alone. Small letters lie in the
// upper half of the one and in the lower half of the other.
func cyrillic(b []byte) string {
	high, beside, upper, lower, german := 0, 0, 0, 0, 0
	for i, c := range b {
		if c < 0x80 {
			continue
		}
		high++
		if i > 0 && b[i-1] >= 0x80 {
			beside++
		}
		if bytes.IndexByte([]byte("\xe4\xf6\xfc\xdf\xc4\xd6\xdc"), c) >= 0 {
			german++
		}
		switch {
		case c >= 0xe0:
			upper++
		case c >= 0xc0:
			lower++
		}
	}
	switch {
	case high < 4 || german == high || beside*10 < high*6 || (upper+lower)*10 < high*8:
		return "windows-1252"
	case upper*10 >= high*6:
		return "windows-1251"
	case lower*10 >= high*6:
		return "koi8-r"
	}
	return "windows-1252"
}

// russianWords reports whether all bytes above ASCII form words whose small
// letters are the 32 from small on, in which capitals only begin words or fill
// them.
func russianWords(b []byte, small byte) bool {
	high, runs := 0, 0
	for len(b) > 0 {
		n := 0
		for n < len(b) && b[n] >= 0x80 {
			n++
		}
		if n == 0 {
			b = b[1:]
			continue
		}
		smalls, capitals := 0, 0
		for _, c := range b[:n] {
			switch {
			case c < 0xc0:
				return false
			case within(c, small, small+31):
				smalls++
			default:
				capitals++
			}
		}
		first := !within(b[0], small, small+31)
		if capitals > 0 && smalls > 0 && (!first || capitals > 1) {
			return false
		}
		high, runs, b = high+n, runs+1, b[n:]
	}
	return high >= 8 && high >= 3*runs
}

// mostlyUTF8 reports whether b is UTF-8 with some damage: it has more whole
// characters above ASCII than bytes that fit nowhere.
func mostlyUTF8(b []byte) bool {
	good, bad := 0, 0
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n <= 1:
			bad++
		case n > 1:
			good++
		}
		b = b[max(n, 1):]
	}
	return good > 2*bad
}

// replaced reports whether decoding met bytes that mean nothing.
func replaced(s string) bool { return strings.ContainsRune(s, utf8.RuneError) }
