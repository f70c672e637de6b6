package inspect

import (
	_ "embed"
	"html/template"
	"io"
)

//go:embed report.html
var reportHTML string

// HTML writes the page as one HTML file that loads nothing and runs nothing.
func (p *Page) HTML(w io.Writer) error {
	t, err := template.New("report").Parse(reportHTML)
	if err != nil {
		return err
	}
	return t.Execute(w, p)
}
