package query

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Snippet is an extract of a text: one line, with the places that match.
type Snippet struct {
	Text  string
	Marks []Mark // in runes of Text
}

// ellipsis stands where a snippet leaves text out.
const ellipsis = '…'

// Snippet returns the extract of a body text, of at most maxRunes runes, that
// shows most of what the query asks for. Its Text is empty if nothing matches.
func (q *Query) Snippet(text string, maxRunes int) Snippet {
	hits := q.hits(text)
	if len(hits) == 0 || maxRunes < 1 {
		return Snippet{}
	}
	slices.SortFunc(hits, func(a, b hit) int { return a.start - b.start })
	best := bestHit(hits, maxRunes)
	out := extract(text, back(text, hits[best].start, max(maxRunes/3-2, 0)), maxRunes)
	var b strings.Builder
	for _, p := range out {
		b.WriteRune(p.r)
	}
	return Snippet{Text: b.String(), Marks: out.marks(hits)}
}

// bestHit returns the first hit from which a snippet shows the most different
// things that were asked for, then the most hits.
func bestHit(hits []hit, width int) int {
	best, score := 0, -1
	inside := map[int]int{} // hits in the window by pattern
	end := 0
	for i, h := range hits {
		for ; end < len(hits) && hits[end].end-h.start <= width*3/4; end++ {
			inside[hits[end].want]++
		}
		if s := len(inside)*1000 + end - i; s > score {
			best, score = i, s
		}
		if end <= i { // longer than the window
			end = i + 1
		} else if inside[h.want]--; inside[h.want] == 0 {
			delete(inside, h.want)
		}
	}
	return best
}

// back goes n runes back from a place, to the beginning of a word.
func back(s string, at, n int) int {
	start := at
	for ; n > 0 && start > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(s[:start])
		start -= size
	}
	if start == 0 {
		return 0
	}
	for i, r := range s[start:at] {
		if unicode.IsSpace(r) {
			return start + i
		}
	}
	return start
}

// extracted is an extract with the byte of the text each rune comes from.
type extracted []place

type place struct {
	r  rune
	at int // -1: of no place
}

// extract copies at most most runes of text from start on, white space and
// control characters as single spaces, with an ellipsis where text is left out.
func extract(text string, start, most int) extracted {
	var out extracted
	if strings.TrimSpace(text[:start]) != "" {
		out = append(out, place{ellipsis, -1})
	}
	space := -1 // where the space lies that is due
	first := true
	for i, r := range text[start:] {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			if space < 0 && !first {
				space = start + i
			}
			continue
		}
		first = false
		if space >= 0 {
			out = append(out, place{' ', space})
			space = -1
		}
		out = append(out, place{r, start + i})
		if len(out) > most {
			out = out[:most]
			out[most-1].r = ellipsis
			break
		}
	}
	return out
}

// marks returns the places of hits, sorted by their start, in the extract.
func (x extracted) marks(hits []hit) []Mark {
	index := func(at int) int {
		i, _ := slices.BinarySearchFunc(x, at, func(p place, at int) int { return p.at - at })
		return i
	}
	var out []Mark
	for _, h := range hits {
		m := Mark{index(h.start), index(h.end)}
		if m.Start >= m.End {
			continue
		}
		if n := len(out); n > 0 && m.Start < out[n-1].End {
			out[n-1].End = max(out[n-1].End, m.End)
			continue
		}
		out = append(out, m)
	}
	return out
}
