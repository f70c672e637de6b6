package naive

import (
	"strings"

	"github.com/muniment/muniment/internal/index/query"
)

// wish is a sequence of words to look for.
type wish struct {
	words  []word
	forms  []string // of the only word, if others than itself will do
	prefix bool     // the last word is the beginning of one
}

func wanted(m *query.Match) wish {
	w := wish{words: words(m.Text), prefix: m.Prefix}
	if len(w.words) == 1 && !w.words[0].char && !m.Exact {
		w.forms = m.Alternatives()
	}
	return w
}

// in reports whether the words stand side by side somewhere in text.
func (w wish) in(text []word) bool {
	for i := range text {
		if w.at(text[i:]) {
			return true
		}
	}
	return false
}

// at reports whether text begins with the words.
func (w wish) at(text []word) bool {
	if len(w.words) == 0 || len(text) < len(w.words) {
		return false
	}
	last := len(w.words) - 1
	for i, want := range w.words {
		have := text[i]
		if i < last && want.char && have.glued != want.glued || have.char != want.char {
			return false
		}
		if i < last || want.char {
			if have.text != want.text {
				return false
			}
			continue
		}
		if !w.ends(have.text, want.text) {
			return false
		}
	}
	return true
}

// ends reports whether have may be the last word.
func (w wish) ends(have, want string) bool {
	forms := w.forms
	if len(forms) == 0 {
		forms = []string{want}
	}
	for _, f := range forms {
		if have == f || w.prefix && strings.HasPrefix(have, f) {
			return true
		}
	}
	return false
}

// length is how many words of distance w takes: a single character counts as a
// word wherever it begins, and two that are glued begin once.
func (w wish) length() int {
	n := len(w.words)
	if n > 1 && w.words[n-1].char && w.words[n-2].glued {
		n--
	}
	return n
}

// closeBy reports whether all wishes stand in text so that between the end of
// each and the beginning of the last there are at most distance words.
func closeBy(text []word, wishes []wish, distance int) bool {
	places := make([][]int, len(wishes))
	for i, w := range wishes {
		for at := range text {
			if w.at(text[at:]) {
				places[i] = append(places[i], at)
			}
		}
		if len(places[i]) == 0 {
			return false
		}
	}
	for _, list := range places {
		for _, last := range list {
			if allBefore(last, distance, wishes, places) {
				return true
			}
		}
	}
	return false
}

func allBefore(last, distance int, wishes []wish, places [][]int) bool {
	for i, list := range places {
		found := false
		for _, at := range list {
			found = found || at <= last && last-(at+wishes[i].length()) <= distance
		}
		if !found {
			return false
		}
	}
	return true
}
