package inspect

import "fmt"

// MaxRows bounds the objects that a report on many names.
const MaxRows = 500

// OfSelection returns the report on a bundle of many objects.
func OfSelection(x *Selection, l Language) *Page {
	w := in(l)
	p := &Page{Language: l, Title: w.SelectionTitle, Subtitle: clean(x.Title), Footer: fmt.Sprintf(w.Footer, l.moment(x.At)), Tone: Odd, Banner: w.Unsure}
	left := int64(len(x.Left)) + x.LeftBeyond
	p.Lead = fmt.Sprintf(w.SelectionLead, l.number(x.Objects), l.number(left))
	switch {
	case !x.Checked:
		p.Banner = w.NotChecked
	case x.Invalid > 0:
		p.Tone, p.Banner = Bad, w.Invalid
	case x.Unsure == 0 && x.Objects > 0 && x.Valid == x.Objects:
		p.Tone, p.Banner = Good, w.Valid
	}
	if x.Test {
		p.Warnings = append(p.Warnings, w.TestWarning)
		if p.Tone == Good {
			p.Tone = Odd
		}
	}
	if x.Own {
		p.Warnings = append(p.Warnings, w.OwnWarning)
	}
	if x.More {
		p.Warnings = append(p.Warnings, w.Volume)
	}
	s := Section{Heading: w.Result}
	s.row(w.Selected, clean(x.Title))
	s.row(w.Objects, l.number(x.Objects))
	if x.Checked {
		s.row(w.CheckedBy, fmt.Sprintf(w.Counts, l.number(x.Valid), l.number(x.Unsure), l.number(x.Invalid)))
	}
	if !x.First.IsZero() {
		s.row(w.StampsBetween, l.moment(x.First)+" – "+l.moment(x.Last))
	}
	s.row(w.CheckedAt, l.moment(x.At))
	p.Sections = append(p.Sections, s)
	if left > 0 {
		p.Sections = append(p.Sections, leftOut(x, l, w))
	}
	p.Sections = append(p.Sections, contents(x, l, w), Section{Heading: w.NotProven, Points: w.NotProvenList}, Section{Heading: w.Check, Points: w.SelectionCheck})
	return p
}

func leftOut(x *Selection, l Language, w *words) Section {
	t := &Table{Head: w.LeftColumns, Widths: []float64{0.4, 0.6}}
	for _, o := range x.Left {
		t.Rows = append(t.Rows, []string{clean(o.AOID), clean(o.Reason)})
	}
	s := Section{Heading: w.LeftOut, Text: []string{w.LeftOutWhat}, Table: t}
	if x.LeftBeyond > 0 {
		s.Text = append(s.Text, fmt.Sprintf(w.LeftOutMore, l.number(x.LeftBeyond)))
	}
	return s
}

func contents(x *Selection, l Language, w *words) Section {
	t := &Table{Head: w.Columns, Widths: []float64{0.19, 0.12, 0.2, 0.25, 0.12, 0.12}}
	for _, r := range x.Rows {
		date := "–"
		if !r.Date.IsZero() {
			date = l.day(r.Date)
		}
		t.Rows = append(t.Rows, []string{clean(r.AOID), date, orDash(clean(r.From)), orDash(clean(r.Subject)), l.day(r.Proven), r.verdict(w)})
	}
	s := Section{Heading: w.Contents, Table: t}
	if x.Beyond > 0 {
		s.Text = append(s.Text, fmt.Sprintf(w.ContentsMore, l.number(x.Beyond)))
	}
	return s
}

// verdict is that of a row.
func (r *SelectionRow) verdict(w *words) string {
	switch {
	case r.Valid:
		return w.Valid
	case r.Unsure:
		return w.Unsure
	}
	return w.Invalid
}
