package httpd

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// germanTexts has the texts of problems: the English one as the program makes it, with
// verbs as fmt has them, and the German one, in which %s is what stood there, in order.
//
//go:embed german.json
var germanTexts []byte

// maxSaid bounds how deep texts are looked for within texts, and how long one may be.
const (
	maxSaid      = 3
	maxSaidBytes = 4096
)

// joinsTexts joins texts that have to be known: by itself it says nothing.
const joinsTexts = "%s und %s"

// verb is what fmt fills in.
var verb = regexp.MustCompile(`%[0-9.]*[a-zA-Z]`)

// memberName is what stands before a text that is about a member of a request.
var memberName = regexp.MustCompile(`^([a-z_.]+(?:\[[0-9]+\])?(?:\.[a-z_]+)?): `)

// german says texts of problems in German.
type german struct {
	whole    map[string]string // those without verbs
	patterns []germanPattern   // those that say most come first
}

type germanPattern struct {
	match *regexp.Regexp
	verbs []byte // of each group the letter of its verb
	text  string
	fixed int // letters that are not filled in
}

// loadGerman reads the texts once.
var loadGerman = sync.OnceValues(func() (*german, error) { return parseGerman(germanTexts) })

func parseGerman(content []byte) (*german, error) {
	var texts map[string]string
	if err := json.Unmarshal(content, &texts); err != nil {
		return nil, fmt.Errorf("texts in German: %w", err)
	}
	g := &german{whole: map[string]string{}}
	for english, text := range texts {
		at := verb.FindAllStringIndex(english, -1)
		if len(at) == 0 {
			g.whole[english] = text
			continue
		}
		p := germanPattern{text: text}
		form, last := `(?s)^`, 0
		for _, x := range at {
			form += regexp.QuoteMeta(english[last:x[0]]) + `(.*?)`
			p.fixed += x[0] - last
			p.verbs = append(p.verbs, english[x[1]-1])
			last = x[1]
		}
		p.fixed += len(english) - last
		if n := strings.Count(text, "%s"); n != len(at) || p.fixed == 0 {
			return nil, fmt.Errorf("texts in German: %q: %d of %d places", english, n, len(at))
		}
		p.match = regexp.MustCompile(form + regexp.QuoteMeta(english[last:]) + `$`)
		g.patterns = append(g.patterns, p)
	}
	slices.SortFunc(g.patterns, func(x, y germanPattern) int { return cmp.Or(y.fixed-x.fixed, cmp.Compare(x.text, y.text)) })
	return g, nil
}

// say returns a text in German; ok is false, and the text as it is, if there is none.
func (g *german) say(english string) (text string, ok bool) { return g.within(english, maxSaid) }

func (g *german) within(english string, depth int) (string, bool) {
	if text, ok := g.whole[english]; ok {
		return text, true
	}
	if depth == 0 || len(english) > maxSaidBytes {
		return english, false
	}
	for _, p := range g.patterns {
		groups := p.match.FindStringSubmatch(english)
		if groups == nil {
			continue
		}
		args, known := make([]any, len(groups)-1), true
		for i, said := range groups[1:] {
			if v := p.verbs[i]; v == 's' || v == 'v' { // what is quoted is what somebody has typed
				var ok bool
				said, ok = g.within(said, depth-1)
				known = known && ok
			}
			args[i] = said
		}
		if !known && p.text == joinsTexts {
			continue
		}
		return fmt.Sprintf(p.text, args...), true
	}
	if m := memberName.FindString(english); m != "" {
		text, ok := g.within(english[len(m):], depth-1)
		return m + text, ok
	}
	return english, false
}
