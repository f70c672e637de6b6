package password

import (
	"slices"
	"strings"
	"unicode"
)

// matcher finds the pieces of a password that people are known to use.
type matcher struct {
	words    map[string]int // with their rank
	personal [][]rune
}

func (m *matcher) pieces(runes []rune) []piece {
	list := m.known(runes)
	list = append(list, keyboard(runes)...)
	list = append(list, sequences(runes)...)
	list = append(list, dates(runes)...)
	return append(list, m.repeats(runes)...)
}

// known are the pieces without repetitions of larger pieces.
func (m *matcher) known(runes []rune) []piece {
	lower := make([]rune, len(runes))
	for i, r := range runes {
		lower[i] = unicode.ToLower(r)
	}
	list := m.dictionary(runes, lower, lower, 1)
	backwards := slices.Clone(lower)
	slices.Reverse(backwards)
	n := len(runes)
	for _, x := range m.dictionary(backwards, backwards, backwards, 2) {
		list = append(list, piece{n - x.j, n - x.i, x.guesses * variations(runes[n-x.j:n-x.i]), x.kind})
	}
	for _, one := range []rune{'i', 'l'} { // 1 and ! may stand for either
		plain := make([]rune, n)
		for i, r := range lower {
			plain[i] = letterFor(r, one)
		}
		if !slices.Equal(plain, lower) {
			list = append(list, m.dictionary(runes, lower, plain, 1)...)
		}
	}
	return list
}

// dictionary finds words of plain, which is lower with letters for the digits and
// signs that stand for them.
func (m *matcher) dictionary(runes, lower, plain []rune, factor float64) []piece {
	var list []piece
	for _, word := range m.personal { // of any length
		for i := 0; i+len(word) <= len(plain); i++ {
			if j := i + len(word); slices.Equal(plain[i:j], word) {
				list = append(list, piece{i, j, factor * spellings(runes[i:j], lower[i:j], plain[i:j]), kindPersonal})
			}
		}
	}
	for i := range plain {
		for j := i + minWord; j <= min(len(plain), i+maxWord); j++ {
			rank := m.words[string(plain[i:j])]
			if rank == 0 {
				continue
			}
			list = append(list, piece{i, j, float64(rank) * factor * spellings(runes[i:j], lower[i:j], plain[i:j]), kindCommon})
		}
	}
	return list
}

// spellings is in how many ways plain can be written, as far as an attacker has to try.
func spellings(runes, lower, plain []rune) float64 {
	n := variations(runes)
	for k := range plain {
		if plain[k] != lower[k] {
			n *= 2
		}
	}
	return n
}

// letterFor returns the letter that people write r for.
func letterFor(r, one rune) rune {
	switch r {
	case '4', '@':
		return 'a'
	case '8':
		return 'b'
	case '(', '<':
		return 'c'
	case '3', '€':
		return 'e'
	case '6', '9':
		return 'g'
	case '1', '!', '|':
		return one
	case '0':
		return 'o'
	case '5', '$':
		return 's'
	case '7', '+':
		return 't'
	case '2':
		return 'z'
	}
	return r
}

// rows are keys that lie beside each other, on German and English keyboards.
func rows() []string {
	return []string{"1234567890ß", "1234567890", "qwertzuiopü", "qwertyuiop", "asdfghjklöä", "asdfghjkl", "yxcvbnm", "zxcvbnm",
		"1qay2wsx3edc4rfv5tgb6zhn7ujm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "qaywsxedcrfvtgbzhnujm", "qazwsxedcrfvtgbyhnujm", "!\"§$%&/()=", "!@#$%^&*()", "147258369", "789456123"}
}

// keyboard finds runs of at least four neighbouring keys.
func keyboard(runes []rune) []piece {
	const least = 4
	text := []rune(strings.ToLower(string(runes)))
	if len(text) != len(runes) {
		return nil // a letter that is several in lower case
	}
	var list []piece
	for _, row := range rows() {
		back := []rune(row)
		slices.Reverse(back)
		for _, row := range []string{row, string(back)} {
			for i := range text {
				for j := len(text); j >= i+least; j-- {
					if strings.Contains(row, string(text[i:j])) {
						list = append(list, piece{i, j, 40 * float64(j-i) * variations(runes[i:j]), kindKeyboard})
						break
					}
				}
			}
		}
	}
	return list
}

// sequences finds characters that follow each other: abc, 9876.
func sequences(runes []rune) []piece {
	var list []piece
	for i := 0; i+2 < len(runes); i++ {
		step := runes[i+1] - runes[i]
		if step != 1 && step != -1 {
			continue
		}
		j := i + 2
		for j < len(runes) && runes[j]-runes[j-1] == step {
			j++
		}
		if j-i < minWord {
			continue
		}
		start := 26.0
		if strings.ContainsRune("aAzZ019", runes[i]) {
			start = 4
		} else if unicode.IsDigit(runes[i]) {
			start = 10
		}
		for end := i + minWord; end <= j; end++ {
			list = append(list, piece{i, end, start * float64(end-i) * float64(2-(step+1)/2), kindSequence})
		}
	}
	return list
}

// years that people were born in, married in, or live in.
const (
	firstYear = 1920
	lastYear  = 2039
)

// dates finds years, and dates of six or eight digits or with dots, slashes or dashes
// in between.
func dates(runes []rune) []piece {
	const (
		yearGuesses = lastYear - firstYear
		dateGuesses = 365 * yearGuesses
	)
	var list []piece
	for i := range runes {
		digits, seps := 0, 0
		for j := i; j < min(len(runes), i+10); j++ {
			switch {
			case unicode.IsDigit(runes[j]) && runes[j] < 128:
				digits++
			case strings.ContainsRune("./-_ ", runes[j]) && j > i && unicode.IsDigit(runes[j-1]) && seps < 2:
				seps++
				continue
			default:
				j = len(runes)
				continue
			}
			text := strings.Map(func(r rune) rune {
				if unicode.IsDigit(r) {
					return r
				}
				return -1
			}, string(runes[i:j+1]))
			switch {
			case digits == 4 && seps == 0 && year(text):
				list = append(list, piece{i, j + 1, yearGuesses, kindDate})
			case (digits == 8 || digits == 6) && seps != 1 && date(text):
				list = append(list, piece{i, j + 1, dateGuesses * float64(1+3*min(seps, 1)), kindDate})
			}
		}
	}
	return list
}

func number(s string) int {
	n := 0
	for _, r := range s {
		n = 10*n + int(r-'0')
	}
	return n
}

func year(s string) bool { n := number(s); return n >= firstYear && n <= lastYear }

func dayMonth(a, b int) bool { return a >= 1 && a <= 31 && b >= 1 && b <= 12 }

// date reports whether digits may be day, month and year in some order.
func date(s string) bool {
	two := func(i int) int { return number(s[i : i+2]) }
	pair := func(i int) bool { return dayMonth(two(i), two(i+2)) || dayMonth(two(i+2), two(i)) }
	if len(s) == 6 {
		return pair(0) || pair(2)
	}
	return year(s[4:]) && pair(0) || year(s[:4]) && pair(4)
}

// repeats finds pieces that stand there at least twice, one behind the other.
func (m *matcher) repeats(runes []rune) []piece {
	const longest = 16            // of what is repeated
	inner := map[string]float64{} // guesses of what is repeated
	var list []piece
	for i := range runes {
		for unit := 1; unit <= min(longest, (len(runes)-i)/2); unit++ {
			count := 1
			for j := i + unit; j+unit <= len(runes) && slices.Equal(runes[j:j+unit], runes[i:i+unit]); j += unit {
				count++
			}
			if count < 2 || unit == 1 && count < minWord {
				continue
			}
			text := string(runes[i : i+unit])
			if inner[text] == 0 {
				inner[text] = cheapest(unit, m.known(runes[i:i+unit])).total
			}
			list = append(list, piece{i, i + unit*count, inner[text] * float64(count), kindRepeat})
		}
	}
	return list
}
