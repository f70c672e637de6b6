package inspect

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
)

// Measures of the PDF: A4, in millimetres.
const (
	pdfMargin = 18
	pdfWidth  = 210 - 2*pdfMargin
	pdfName   = 52 // width of the column of names
	pdfBottom = 20
	pdfSheets = 400 // pages; what is beyond is a fault
)

// pagesMark stands for the number of pages in the footer.
const pagesMark = "{nb}"

// Families of fonts: the Go fonts, which are embedded as far as they
// are used. They have the Latin, Greek and Cyrillic scripts.
const (
	pdfText = "text"
	pdfMono = "mono"
)

var letters = sync.OnceValues(func() (*sfnt.Font, error) { return sfnt.Parse(goregular.TTF) })

// pdfWriter writes one page of a report, which may take several sheets.
type pdfWriter struct {
	*fpdf.Fpdf
	font    *sfnt.Font
	buf     sfnt.Buffer
	missing bool // a character was shown by its number
}

// PDF writes the page as PDF. at is the date that the file bears.
func (p *Page) PDF(out io.Writer, at time.Time) error {
	f, err := letters()
	if err != nil {
		return err
	}
	w := &pdfWriter{Fpdf: fpdf.New("P", "mm", "A4", ""), font: f}
	w.begin(p, at)
	w.AddPage()
	w.head(p)
	for _, s := range p.Sections {
		w.section(&s)
	}
	if w.missing {
		w.paragraph("\n"+in(p.Language).FontNote, 9)
	}
	if n := w.PageNo(); w.Err() || n > pdfSheets {
		return fmt.Errorf("report of %d pages: %w", n, w.Error())
	}
	return w.Output(out)
}

func (w *pdfWriter) begin(p *Page, at time.Time) {
	w.SetCatalogSort(true)
	w.SetCreationDate(at.UTC())
	w.SetModificationDate(at.UTC())
	w.SetProducer("Muniment", true)
	w.SetLang(string(p.Language))
	w.SetTitle(p.Title+": "+w.known(p.Subtitle), true)
	// The writer changes the bytes of a font while it takes its letters from them. Reports
	// that are made side by side must not share them.
	w.AddUTF8FontFromBytes(pdfText, "", bytes.Clone(goregular.TTF))
	w.AddUTF8FontFromBytes(pdfText, "B", bytes.Clone(gobold.TTF))
	w.AddUTF8FontFromBytes(pdfMono, "", bytes.Clone(gomono.TTF))
	w.SetMargins(pdfMargin, pdfMargin, pdfMargin)
	w.SetAutoPageBreak(true, pdfBottom)
	w.AliasNbPages(pagesMark)
	w.SetFooterFunc(func() {
		w.SetY(-pdfBottom + 6)
		w.SetFont(pdfText, "", 8)
		w.SetTextColor(90, 90, 90)
		w.CellFormat(pdfWidth*0.75, 5, w.known(p.Footer), "", 0, "L", false, 0, "")
		w.CellFormat(pdfWidth*0.25, 5, fmt.Sprintf(in(p.Language).Page, w.PageNo()), "", 0, "R", false, 0, "")
		w.SetTextColor(0, 0, 0)
	})
}

// known replaces characters that the font lacks by their numbers, all that stand side by
// side in one pair of brackets, so that lines can end between them.
func (w *pdfWriter) known(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	s = strings.ReplaceAll(s, pagesMark, "{ nb }") // would become the number of pages
	var b strings.Builder
	within := false
	for _, r := range s {
		if w.lacks(r) {
			w.missing = true
			if within {
				b.WriteByte(' ')
			} else {
				b.WriteByte('[')
			}
			within = true
			b.WriteString(strings.Trim(number(r), "[]"))
			continue
		}
		if within {
			b.WriteByte(']')
			within = false
		}
		b.WriteRune(r)
	}
	if within {
		b.WriteByte(']')
	}
	return b.String()
}

func (w *pdfWriter) lacks(r rune) bool {
	if r == '\n' {
		return false
	}
	i, err := w.font.GlyphIndex(&w.buf, r)
	return r < ' ' || r > 0xffff || err != nil || i == 0
}

func (w *pdfWriter) head(p *Page) {
	w.SetFont(pdfText, "B", 20)
	w.MultiCell(pdfWidth, 9, w.known(p.Title), "", "L", false)
	w.SetTextColor(90, 90, 90)
	w.paragraph(p.Subtitle, 10)
	w.SetTextColor(0, 0, 0)
	w.Ln(3)
	c := map[Tone][3]int{Good: {26, 107, 52}, Odd: {138, 82, 0}, Bad: {164, 14, 38}}[p.Tone]
	top, page := w.GetY(), w.PageNo()
	w.SetLeftMargin(pdfMargin + 5)
	w.SetY(top + 1)
	w.SetTextColor(c[0], c[1], c[2])
	w.SetFont(pdfText, "B", 14)
	w.MultiCell(pdfWidth-5, 7, w.known(p.Banner), "", "L", false)
	w.SetTextColor(0, 0, 0)
	w.SetFont(pdfText, "", 10.5)
	w.MultiCell(pdfWidth-5, 5.2, w.known(p.Lead), "", "L", false)
	w.SetFont(pdfText, "B", 10.5)
	w.SetTextColor(138, 82, 0)
	for _, x := range p.Warnings {
		w.Ln(1)
		w.MultiCell(pdfWidth-5, 5.2, w.known(x), "", "L", false)
	}
	w.SetTextColor(0, 0, 0)
	w.SetLeftMargin(pdfMargin)
	if w.PageNo() == page {
		w.SetFillColor(c[0], c[1], c[2])
		w.Rect(pdfMargin, top, 1.6, w.GetY()-top+1, "F")
	}
	w.SetX(pdfMargin)
	w.Ln(2)
}

// room begins another sheet if less than h is left on this one.
func (w *pdfWriter) room(h float64) {
	_, height := w.GetPageSize()
	if w.GetY()+h > height-pdfBottom {
		w.AddPage()
	}
}

func (w *pdfWriter) paragraph(s string, size float64) {
	w.SetFont(pdfText, "", size)
	w.MultiCell(pdfWidth, size*0.48, w.known(s), "", "L", false)
}

func (w *pdfWriter) section(s *Section) {
	w.Ln(4)
	w.room(24)
	w.SetFont(pdfText, "B", 13)
	w.MultiCell(pdfWidth, 7, w.known(s.Heading), "B", "L", false)
	w.Ln(1.5)
	for _, t := range s.Text {
		w.paragraph(t, 10)
		w.Ln(1)
	}
	for _, r := range s.Rows {
		w.row(&r)
	}
	for _, t := range s.Points {
		w.point(t)
	}
	if s.Table != nil {
		w.table(s.Table)
	}
}

func (w *pdfWriter) row(r *Row) {
	if r.Sub {
		w.room(16)
		w.Ln(1.5)
		w.SetFont(pdfText, "B", 10)
		w.MultiCell(pdfWidth, 5.5, w.known(r.Name), "", "L", false)
		return
	}
	const line = 4.8
	w.SetFont(pdfText, "", 9.5)
	names := w.SplitText(w.known(r.Name), pdfName-3)
	size := 10.0
	family := pdfText
	if r.Mono {
		family, size = pdfMono, 8.5
	}
	w.SetFont(family, "", size)
	values := w.SplitText(w.known(r.Value), pdfWidth-pdfName-2)
	for i := range max(len(names), len(values)) {
		w.room(line)
		if i < len(names) {
			w.SetFont(pdfText, "", 9.5)
			w.SetTextColor(90, 90, 90)
			w.CellFormat(pdfName, line, names[i], "", 0, "L", false, 0, "")
			w.SetTextColor(0, 0, 0)
		}
		if i < len(values) {
			w.SetX(pdfMargin + pdfName)
			w.SetFont(family, "", size)
			w.CellFormat(pdfWidth-pdfName, line, values[i], "", 0, "L", false, 0, "")
		}
		w.Ln(line)
	}
}

func (w *pdfWriter) point(s string) {
	w.SetFont(pdfText, "", 10)
	w.room(5)
	w.SetX(pdfMargin)
	w.CellFormat(5, 4.8, "•", "", 0, "L", false, 0, "")
	for i, line := range w.SplitText(w.known(s), pdfWidth-7) {
		if i > 0 {
			w.room(4.8)
		}
		w.SetX(pdfMargin + 5)
		w.CellFormat(pdfWidth-5, 4.8, line, "", 0, "L", false, 0, "")
		w.Ln(4.8)
	}
	w.Ln(0.6)
}

func (w *pdfWriter) table(t *Table) {
	w.cells(t, t.Head, "B")
	for _, r := range t.Rows {
		w.cells(t, r, "")
	}
}

// cells writes a row of a table, which stays on one sheet.
func (w *pdfWriter) cells(t *Table, texts []string, style string) {
	const line, most = 4.0, 8
	w.SetFont(pdfText, style, 8)
	lines := make([][]string, len(texts))
	high := 1
	for i, s := range texts {
		lines[i] = w.SplitText(w.known(s), t.Widths[i]*pdfWidth-2)
		if len(lines[i]) > most {
			lines[i] = append(lines[i][:most-1], "…")
		}
		high = max(high, len(lines[i]))
	}
	w.room(float64(high)*line + 1)
	top, x := w.GetY(), float64(pdfMargin)
	for i := range texts {
		for j, s := range lines[i] {
			w.SetXY(x, top+float64(j)*line)
			w.CellFormat(t.Widths[i]*pdfWidth, line, s, "", 0, "L", false, 0, "")
		}
		x += t.Widths[i] * pdfWidth
	}
	w.SetXY(pdfMargin, top+float64(high)*line+0.6)
	w.SetDrawColor(200, 200, 200)
	w.Line(pdfMargin, w.GetY(), pdfMargin+pdfWidth, w.GetY())
	w.SetDrawColor(0, 0, 0)
	w.Ln(0.4)
}
