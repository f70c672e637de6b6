package offline

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/muniment/muniment/internal/evidence/inspect"
)

// writeReports writes the inspection report on the one bundle that was verified.
func (r Request) writeReports(reports []*BundleReport) error {
	if len(reports) != 1 {
		return fmt.Errorf("an inspection report is on one bundle, not on %d", len(reports))
	}
	language := inspect.Language(r.Language)
	switch language {
	case inspect.English, inspect.German:
	case "":
		language = inspect.English
	default:
		return fmt.Errorf("language %.20q of the report: want en or de", r.Language)
	}
	b := reports[0]
	var page *inspect.Page
	if b.Many != nil {
		page = inspect.OfSelection(b.Many.selection(), language)
	} else {
		page = inspect.Of(b.facts, language)
	}
	at := r.At
	if b.facts != nil {
		at = b.facts.At
	} else if b.Many != nil {
		at = b.Many.at
	}
	for _, name := range r.Reports {
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		switch strings.ToLower(filepath.Ext(name)) {
		case ".pdf":
			err = page.PDF(f, at)
		case ".html", ".htm":
			err = page.HTML(f)
		default:
			err = fmt.Errorf("%s: name the report .html or .pdf", name)
		}
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// selection is what the report on a bundle of many objects tells.
func (m *ManyReport) selection() *inspect.Selection {
	s := &inspect.Selection{Title: m.Title, At: m.at, Checked: true, Objects: m.Objects, Valid: m.Valid, Unsure: m.Indeterminate, Invalid: m.Invalid,
		First: m.First, Last: m.Last, Test: m.Test, Own: m.own, Rows: m.rows, Beyond: m.Objects - int64(len(m.rows)), More: m.more}
	for _, x := range m.LeftOut {
		if len(s.Left) == inspect.MaxRows {
			s.LeftBeyond++
			continue
		}
		s.Left = append(s.Left, inspect.LeftOut{AOID: x.AOID, Reason: x.Reason})
	}
	return s
}
