package inspect

import (
	"fmt"
	"strconv"

	"github.com/muniment/muniment/internal/evidence"
)

// Of returns the report on one object.
func Of(f *Facts, l Language) *Page {
	w := in(l)
	p := &Page{Language: l, Title: w.Title, Subtitle: fmt.Sprintf(w.Object, clean(f.Object.AOID)), Banner: w.verdict(f.Report.Verdict), Footer: fmt.Sprintf(w.Footer, l.moment(f.At))}
	switch f.Report.Verdict {
	case evidence.Valid:
		p.Tone, p.Lead = Good, fmt.Sprintf(w.ValidLead, l.moment(f.Report.Proven))
	case evidence.Invalid:
		p.Tone, p.Lead = Bad, w.InvalidLead
	case evidence.Indeterminate:
		p.Tone, p.Lead = Odd, w.UnsureLead
	}
	if f.Report.Test {
		p.Warnings = append(p.Warnings, w.TestWarning)
		if p.Tone == Good {
			p.Tone = Odd
		}
	}
	if f.Own {
		p.Warnings = append(p.Warnings, w.OwnWarning)
	}
	b := &builder{f: f, l: l, w: w}
	p.Sections = append(p.Sections, b.result(), b.object())
	p.Sections = append(p.Sections, b.stamps(), b.algorithms(), b.log())
	p.Sections = append(p.Sections, Section{Heading: w.NotProven, Points: w.NotProvenList}, Section{Heading: w.Check, Points: w.CheckList})
	if s := b.findings(); s != nil {
		p.Sections = append(p.Sections, *s)
	}
	return p
}

// builder makes the sections of one report.
type builder struct {
	f *Facts
	l Language
	w *words
}

func (b *builder) result() Section {
	r, w := b.f.Report, b.w
	s := Section{Heading: w.Result}
	if !r.Proven.IsZero() && r.Verdict == evidence.Valid {
		s.row(w.ProvenSince, b.l.moment(r.Proven))
		if r.Until.IsZero() {
			s.row(w.HoldsUntil, w.NoEnd)
		} else {
			s.row(w.HoldsUntil, b.l.moment(r.Until))
		}
	}
	fits := w.IntegrityNo
	if r.Integrity == evidence.Valid {
		fits = w.IntegrityYes
	}
	s.row(w.Integrity, fits)
	s.row(w.CheckedAt, b.l.moment(b.f.At))
	s.row(w.CheckedBy, w.Checker)
	return s
}

func (b *builder) object() Section {
	o, w := &b.f.Object, b.w
	s := Section{Heading: w.TheObject}
	if o.Message {
		s.row(w.Subject, orDash(clean(o.Subject)))
		s.row(w.From, orDash(clean(o.From)))
		if o.Date.IsZero() {
			s.row(w.Date, w.Nothing)
		} else {
			s.row(w.Date, b.l.moment(o.Date))
		}
	}
	if !o.Arrived.IsZero() {
		s.row(w.Arrived, b.l.moment(o.Arrived))
	}
	s.mono(w.AOID, clean(o.AOID))
	s.mono(w.Tenant, clean(o.Tenant))
	for _, m := range b.f.Members {
		state := w.NotCovered
		if m.Covered {
			state = w.Covered
		}
		s.sub(fmt.Sprintf("%s: %s", w.member(m.Name), state))
		s.row(w.File, clean(m.File))
		s.row(w.Size, bytesText(b.l, w, m.Size))
		s.mono("SHA-256", clean(m.SHA256))
	}
	for _, name := range b.f.Withheld {
		s.row(w.Withheld, fmt.Sprintf(w.WithheldWhy, w.member(name)))
	}
	if o.Message {
		s.Text = append(s.Text, w.Claimed)
	}
	return s
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func (b *builder) log() Section {
	w, x := b.w, b.f.Log
	s := Section{Heading: w.TheLog}
	if x == nil {
		s.Text = []string{w.LogNone}
		return s
	}
	if x.Problem != "" {
		s.row(w.LogBroken, clean(x.Problem))
		return s
	}
	s.Text = []string{w.LogHolds}
	event := x.Event
	if t, ok := w.Events[event]; ok {
		event = t
	}
	s.row(w.LogEvent, fmt.Sprintf("%s (%s)", b.l.number(x.Seq), clean(event)))
	if x.Binds {
		s.Text = append(s.Text, w.LogBinds)
	}
	s.row(w.LogTime, b.l.moment(x.Time))
	s.row(w.LogSize, b.l.number(x.Size))
	s.row(w.LogSigned, b.l.moment(x.Signed))
	if x.Stamped.IsZero() {
		s.row(w.LogStamped, w.LogNotStamped)
	} else {
		s.row(w.LogStamped, b.l.moment(x.Stamped))
	}
	s.mono(w.LogOrigin, clean(x.Origin))
	s.mono(w.LogKey, clean(x.Key))
	known := w.LogKeyUnknown
	if x.KeyKnown {
		known = w.LogKeyKnown
	}
	s.Rows = append(s.Rows, Row{Value: known})
	return s
}

func (b *builder) findings() *Section {
	if len(b.f.Report.Findings) == 0 {
		return nil
	}
	w := b.w
	s := &Section{Heading: w.Findings, Text: []string{w.FindingsWhat}}
	for _, x := range b.f.Report.Findings {
		kind := w.Remark
		if x.Verdict != evidence.Valid {
			kind = w.verdict(x.Verdict)
		}
		at := ""
		if x.Chain >= 0 {
			at = " (" + strconv.Itoa(x.Chain+1) + "." + strconv.Itoa(x.Stamp+1) + ")"
		}
		s.Points = append(s.Points, fmt.Sprintf("%s: %s", kind, clean(list(string(x.Code)+at+":", x.Member, x.Detail))))
	}
	return s
}
