package inspect

// Page is a report in a form that HTML and PDF are made from, so that both say the
// same. Its texts are clean.
type Page struct {
	Language Language
	Title    string
	Subtitle string
	// Tone colours the banner.
	Tone     Tone
	Banner   string // one or two words
	Lead     string // one or two sentences
	Warnings []string
	Sections []Section
	Footer   string
}

// Tone is how serious a banner is.
type Tone string

// The tones.
const (
	Good Tone = "good"
	Odd  Tone = "odd"
	Bad  Tone = "bad"
)

// Section is a part of a page, in this order.
type Section struct {
	Heading string
	Text    []string // paragraphs
	Rows    []Row
	Points  []string // a list
	Table   *Table
	Code    []string // commands, a line each
}

// Row is a name with its value.
type Row struct {
	Name, Value string
	// Mono says that the value is one of computers, such as a hash value.
	Mono bool
	// Sub begins a group of rows; Value is empty then.
	Sub bool
}

// Table is a table. Widths are parts of the whole.
type Table struct {
	Head   []string
	Widths []float64
	Rows   [][]string
}

func (s *Section) row(name, value string) {
	if value != "" {
		s.Rows = append(s.Rows, Row{Name: name, Value: value})
	}
}

func (s *Section) mono(name, value string) {
	if value != "" {
		s.Rows = append(s.Rows, Row{Name: name, Value: value, Mono: true})
	}
}

func (s *Section) sub(name string) { s.Rows = append(s.Rows, Row{Name: name, Sub: true}) }
