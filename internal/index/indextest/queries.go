package indextest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/query"
)

// Queries makes up n queries out of what stands in docs, so that most find
// something: every operator of the grammar alone, then joined. The same docs
// and seed give the same queries.
func Queries(docs []index.Doc, n int, seed uint64) []string {
	g := &generator{docs: docs, rnd: rand.New(rand.NewPCG(seed, 0))} //nolint:gosec // repeatable, not secret
	leaves := []func() string{
		g.word, g.word, g.exact, g.prefix, g.phrase, g.phrase, g.phrasePrefix, g.near, g.nearPhrase, g.tilde,
		g.party, g.party, g.party, g.address, g.address, g.subject, g.subjectNear, g.body, g.file, g.attachment, g.bcc,
		g.kind, g.has, g.is, g.date, g.date, g.size, g.value, g.value, g.id, g.group,
	}
	var out []string
	for i := range n {
		if i < 2*len(leaves) {
			out = append(out, leaves[i%len(leaves)]())
			continue
		}
		leaf := func() string { return leaves[g.rnd.IntN(len(leaves))]() }
		out = append(out, g.join(leaf, 2))
	}
	return out
}

type generator struct {
	docs []index.Doc
	rnd  *rand.Rand
}

// join joins leaves, nested at most depth deep.
func (g *generator) join(leaf func() string, depth int) string {
	part := func() string {
		if depth > 0 && g.rnd.IntN(4) == 0 {
			return "(" + g.join(leaf, depth-1) + ")"
		}
		return leaf()
	}
	switch g.rnd.IntN(6) {
	case 0:
		return part() + " " + part()
	case 1:
		return part() + " OR " + part()
	case 2:
		return part() + " -" + part()
	case 3:
		return "NOT " + part() + " AND " + part()
	case 4:
		return part() + " ODER -" + part() + " " + part()
	}
	return "-(" + part() + " OR " + part() + ")"
}

func (g *generator) doc() *index.Doc { return &g.docs[g.rnd.IntN(len(g.docs))] }

func pick[T any](g *generator, list []T) T { return list[g.rnd.IntN(len(list))] }

// try calls fn until it finds something; there are always documents that have
// what is looked for.
func (g *generator) try(fn func(d *index.Doc) string) string {
	for range 1000 {
		if s := fn(g.doc()); s != "" {
			return s
		}
	}
	return "nothing"
}

// usable reports whether s can stand unquoted in a query as text.
func usable(s string) bool {
	if strings.ContainsAny(s, "*:~=") || strings.HasPrefix(s, "-") || len(s) > 80 {
		return false
	}
	q, err := query.Parse(s, query.Env{})
	if err != nil {
		return false
	}
	m, ok := q.Root().(*query.Match)
	return ok && m.Text == s
}

// run returns n words that stand side by side in a text.
func (g *generator) run(text string, n int) string {
	fields := strings.Fields(text)
	if len(fields) < n {
		return ""
	}
	at := g.rnd.IntN(len(fields) - n + 1)
	for _, f := range fields[at : at+n] {
		if !usable(f) {
			return ""
		}
	}
	return strings.Join(fields[at:at+n], " ")
}

func (g *generator) word() string {
	return g.try(func(d *index.Doc) string { return g.run(pick(g, []string{d.Body, d.Subject, d.Body}), 1) })
}

func (g *generator) exact() string { return "=" + g.word() }

func (g *generator) prefix() string {
	return g.try(func(d *index.Doc) string {
		r := []rune(g.run(d.Body, 1))
		if len(r) < 3 || !usable(string(r[:3])) {
			return ""
		}
		s := string(r[:2+g.rnd.IntN(len(r)-2)]) + "*"
		if _, err := query.Parse(s, query.Env{}); err != nil {
			return ""
		}
		return s
	})
}

func (g *generator) runs() string {
	return g.try(func(d *index.Doc) string { return g.run(pick(g, []string{d.Body, d.Subject}), 2+g.rnd.IntN(3)) })
}

func (g *generator) phrase() string { return `"` + g.runs() + `"` }

func (g *generator) phrasePrefix() string {
	return g.try(func(*index.Doc) string {
		r := []rune(g.runs())
		s := `"` + string(r[:len(r)-1]) + `"*`
		if _, err := query.Parse(s, query.Env{}); err != nil {
			return ""
		}
		return s
	})
}

// near joins two words of one text that are not far apart.
func (g *generator) nearIn(text string) string {
	fields := strings.Fields(text)
	if len(fields) < 12 {
		return ""
	}
	at := g.rnd.IntN(len(fields) - 11)
	a, b := fields[at], fields[at+1+g.rnd.IntN(10)]
	if !usable(a) || !usable(b) {
		return ""
	}
	if g.rnd.IntN(2) == 0 {
		a, b = b, a
	}
	return fmt.Sprintf("%s NEAR/%d %s", a, 1+g.rnd.IntN(8), b)
}

func (g *generator) near() string {
	return g.try(func(d *index.Doc) string { return g.nearIn(d.Body) })
}

func (g *generator) nearPhrase() string {
	return g.try(func(d *index.Doc) string {
		a, b := g.run(d.Body, 2), g.run(d.Body, 1)
		if a == "" || b == "" {
			return ""
		}
		return fmt.Sprintf(`"%s" NAHE/50 %s`, a, b)
	})
}

func (g *generator) tilde() string { return fmt.Sprintf(`"%s"~%d`, g.runs(), 1+g.rnd.IntN(5)) }

func (g *generator) subject() string {
	return "betreff:" + g.try(func(d *index.Doc) string { return g.run(d.Subject, 1) })
}

func (g *generator) subjectNear() string {
	return "subject:(" + g.try(func(d *index.Doc) string {
		a, b := g.run(d.Subject, 1), g.run(d.Subject, 1)
		if a == "" || b == "" {
			return ""
		}
		return a + " NEAR/3 " + b
	}) + ")"
}

func (g *generator) body() string {
	return "body:" + pick(g, []func() string{g.word, g.phrase, g.prefix})()
}

func (g *generator) group() string {
	return "inhalt:(" + g.word() + " OR -" + g.word() + " " + g.phrase() + ")"
}

// partyOf returns one of the parties that a field is about.
func (g *generator) partyOf(d *index.Doc, field string) (index.Party, bool) {
	list := map[string][]index.Party{"from": d.From, "to": d.To, "cc": d.Cc, "bcc": d.Bcc, "with": append(d.From[:len(d.From):len(d.From)], d.Cc...)}[field]
	if len(list) == 0 {
		return index.Party{}, false
	}
	return pick(g, list), true
}

func (g *generator) party() string {
	field := pick(g, []string{"from", "to", "cc", "with"})
	return g.try(func(d *index.Doc) string {
		p, ok := g.partyOf(d, field)
		name := g.run(p.Name, 1)
		if _, domain, found := strings.Cut(p.Address, "@"); found && g.rnd.IntN(2) == 0 {
			name = "@" + domain
		}
		if !ok || name == "" || !usable(name) {
			return ""
		}
		if g.rnd.IntN(4) == 0 {
			name += "*"
		}
		return field + ":" + name
	})
}

func (g *generator) address() string {
	field := pick(g, []string{"from", "to", "cc", "with"})
	return g.try(func(d *index.Doc) string {
		p, ok := g.partyOf(d, field)
		if !ok || !usable(p.Address) || !strings.Contains(p.Address, "@") {
			return ""
		}
		return field + ":" + p.Address
	})
}

func (g *generator) bcc() string {
	return g.try(func(d *index.Doc) string {
		p, ok := g.partyOf(d, "bcc")
		if !ok || !usable(p.Address) {
			return ""
		}
		return "bcc:" + pick(g, []string{p.Address, strings.TrimLeft(p.Address[strings.LastIndex(p.Address, "@")+1:], "."), p.Address[:2] + "*"})
	})
}

func (g *generator) fileOf(fn func(f index.File) string) string {
	return g.try(func(d *index.Doc) string {
		if len(d.Files) == 0 {
			return ""
		}
		return fn(pick(g, d.Files))
	})
}

func (g *generator) file() string {
	return "dateiname:" + g.fileOf(func(f index.File) string { return g.run(f.Name, 1) })
}

func (g *generator) attachment() string {
	return "attachment:" + g.fileOf(func(f index.File) string { return g.run(f.Text, 1) })
}

func (g *generator) kind() string {
	return g.fileOf(func(f index.File) string {
		if kinds := query.KindsOf(f.Name, f.Type); len(kinds) > 0 && g.rnd.IntN(2) == 0 {
			return "type:" + kinds[0]
		}
		major, _, ok := strings.Cut(f.Type, "/")
		if _, err := query.Parse("type:"+f.Type, query.Env{}); err != nil || !ok {
			return ""
		}
		return "typ:" + pick(g, []string{f.Type, major + "/*"})
	})
}

func (g *generator) is() string {
	return pick(g, []string{"is:document", "ist:dokument", "is:mail", "ist:nachricht"})
}

func (g *generator) has() string { return pick(g, []string{"has:attachment", "hat:anhang"}) }

func (g *generator) date() string {
	a, b := g.doc().Date, g.doc().Date
	if b.Before(a) {
		a, b = b, a
	}
	day := time.DateOnly
	return pick(g, []string{
		"before:" + a.Format(day), "nach:" + b.Format("02.01.2006"), "bis:" + a.Format("2006-01"), "date:" + a.Format(day),
		"am:" + b.Format("2006"), "date:" + a.Format(day) + ".." + b.Format(day), "seit:" + b.Format(day),
	})
}

func (g *generator) size() string {
	n := g.doc().Size
	return pick(g, []string{fmt.Sprintf("larger:%d", n), fmt.Sprintf("kleiner:%d", n), fmt.Sprintf("größer:%dk", n/1000+1)})
}

func (g *generator) value() string {
	return g.try(func(d *index.Doc) string {
		field := pick(g, []string{"category", "klasse", "source", "tag"})
		v := map[string]string{"category": d.Category, "klasse": d.Class, "source": d.Source, "tag": strings.Join(d.Tags[:min(len(d.Tags), 1)], "")}[field]
		if v == "" {
			return ""
		}
		if r := []rune(v); g.rnd.IntN(3) == 0 && len(r) > 3 {
			return field + ":" + query.Quote(strings.TrimSpace(string(r[:3]))) + "*"
		}
		return field + ":" + query.Quote(strings.ToUpper(v))
	})
}

func (g *generator) id() string { return "id:" + g.doc().ID.String() }
