package usercsv

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestRead(t *testing.T) {
	t.Parallel()
	anna := Row{Line: 1, ID: "anna", Password: "geheim", First: "Anna", Last: "Müller", Addresses: []Cell{{5, "anna@firma.example"}, {6, "info@firma.example"}}}
	for name, text := range map[string]string{
		"commas":           "anna,geheim,Anna,Müller,anna@firma.example,info@firma.example\n",
		"semicolons, CRLF": "anna;geheim;Anna;Müller;anna@firma.example;info@firma.example\r\n",
		"byte order mark":  "\ufeffanna,geheim,Anna,Müller,anna@firma.example,info@firma.example",
		"quotes":           `"anna", "geheim" ,"Anna","Müller","anna@firma.example",info@firma.example`,
		"empty at the end": "anna,geheim,Anna,Müller,anna@firma.example,info@firma.example,,,\n\n ,,,\n",
		"spaces":           "anna , geheim, Anna,Müller , anna@firma.example,info@firma.example",
	} {
		f := Read([]byte(text))
		if diff := cmp.Diff([]Row{anna}, f.Rows); diff != "" || len(f.Problems) > 0 {
			t.Errorf("%s: %v\n%s", name, f.Problems, diff)
		}
	}
	f := Read([]byte("\n\"o'neil\",\"a \"\"b\"\",c\",'=1+1,'''@x,\r\nbernd,,,,,,zweite@firma.example"))
	want := []Row{{Line: 2, ID: "o'neil", Password: `a "b",c`, First: "=1+1", Last: "''@x"}, {Line: 3, ID: "bernd", Addresses: []Cell{{7, "zweite@firma.example"}}}}
	if diff := cmp.Diff(want, f.Rows); diff != "" || len(f.Problems) > 0 {
		t.Errorf("%v\n%s", f.Problems, diff)
	}
}

func TestProblemsOfForm(t *testing.T) {
	t.Parallel()
	const good = "gut,,Gut,Er,gut@firma.example\n"
	for name, c := range map[string]struct {
		text string
		want []string
		rows int
	}{
		"empty":            {"", []string{"the file has no lines with users"}, 0},
		"blank":            {"\n \r\n,,,,\n", []string{"the file has no lines with users"}, 0},
		"too large":        {strings.Repeat("x", MaxBytes+1), []string{"the file is larger than 4194304 bytes; divide it"}, 0},
		"UTF-16":           {"\xff\xfea\x00,\x00", []string{"line 1: the file is UTF-16; save it as UTF-8 (Excel: CSV UTF-8)"}, 0},
		"UTF-16, bare":     {"a\x00,\x00b\x00", []string{"line 1: the file is UTF-16; save it as UTF-8 (Excel: CSV UTF-8)"}, 0},
		"Latin-1":          {good + "kai,,Kai,M\xfcller,kai@firma.example\n" + strings.Replace(good, "gut", "gut2", 1), []string{"line 2, column 4 (last name): byte 41 of the file (0xFC) is not UTF-8; save the file as UTF-8 (Excel: CSV UTF-8)"}, 2},
		"mark, Latin-1":    {"\ufeffkai,,Kai,M\xfcller,kai@firma.example\n", []string{"line 1, column 4 (last name): byte 14 of the file (0xFC) is not UTF-8; save the file as UTF-8 (Excel: CSV UTF-8)"}, 0},
		"header":           {"user id,password,first name,last name,e-mail\n" + good, []string{"line 1: this is a header line; the format has none, delete it"}, 1},
		"German header":    {"Benutzer-ID;Passwort;Vorname;Nachname;E-Mail\r\n", []string{"line 1: this is a header line; the format has none, delete it"}, 0},
		"tabs":             {"kai\t\tKai\tM\tkai@firma.example\n", []string{"line 1: the fields are separated by tabs; save the file with commas or semicolons"}, 0},
		"CR alone":         {"kai,,Kai,M,kai@firma.example\rbob,,B,M,bob@firma.example\r", []string{"line 1: the lines end with CR alone, as on very old Macs; save the file with LF or CRLF (Excel: CSV UTF-8)"}, 0},
		"id twice, quoted": {good + `" Gut ",,X,Y,` + "\n", []string{`line 2, column 1 (user id): user id "gut" stands in line 1 already`}, 1},
		"header of others": {"Name;Kennwort;Vorname;Nachname;Mailadresse\n", []string{"line 1: this is a header line; the format has none, delete it"}, 0},
		"few fields":       {good + "kai,,Kai\n", []string{"line 2: has 3 fields; want user id, password, first name, last name, e-mail, all of which but the user id may be empty"}, 1},
		"other divider":    {good + "kai;;Kai;M;kai@firma.example\n", []string{"line 2: has 1 fields; want user id, password, first name, last name, e-mail, all of which but the user id may be empty"}, 1},
		"many fields":      {"kai,,,," + strings.Repeat("x@firma.example,", 100) + "z\n", []string{"line 1: has 105 fields, at most 104 are allowed"}, 0},
		"long field":       {"kai,,Kai," + strings.Repeat("x", MaxField+1) + ",\n", []string{"line 1, column 4 (last name): is longer than 1024 bytes; shorten it"}, 0},
		"open quote":       {`kai,,"Kai,M,kai@firma.example` + "\n" + good, []string{"line 1, column 3 (first name): the quotation mark at its beginning is not closed in this line; close it. A field must not contain a line break"}, 1},
		"line in field":    {"kai,,\"Kai\nUwe\",M,kai@firma.example\n" + good, []string{"line 1, column 3 (first name): the quotation mark at its beginning is not closed in this line; close it. A field must not contain a line break", `line 2, column 1 (user id): a quotation mark stands inside the field; write the field in quotation marks, and those inside it twice`}, 1},
		"behind a quote":   {`kai,,"Kai" Uwe,M,kai@firma.example`, []string{"line 1, column 3 (first name): something stands behind the closing quotation mark; write quotation marks inside a field twice"}, 0},
		"quote inside":     {`kai,,Kai "Uwe",M,kai@firma.example`, []string{"line 1, column 3 (first name): a quotation mark stands inside the field; write the field in quotation marks, and those inside it twice"}, 0},
		"letter lost":      {good + "kai,,M\ufffdller,M,kai@firma.example", []string{"line 2, column 3 (first name): contains a \ufffd in place of a letter that some program could not write; put the letter there"}, 1},
		"header, Nutzer":   {"Nutzer;Kennwort;Vorname;Name;Mail\n", []string{"line 1: this is a header line; the format has none, delete it"}, 0},
		"control":          {"kai,,K\x07ai,M\tX,kai@firma.example", []string{"line 1, column 3 (first name): contains a control character such as a tab; remove it", "line 1, column 4 (last name): contains a control character such as a tab; remove it"}, 0},
		"no id":            {",geheim,Kai,M,kai@firma.example", []string{"line 1, column 1 (user id): the user id is missing"}, 0},
		"id twice":         {good + "kai,,Kai,M,\nGUT,,X,Y,", []string{`line 3, column 1 (user id): user id "gut" stands in line 1 already`}, 2},
	} {
		f := Read([]byte(c.text))
		var got []string
		for _, p := range f.Problems {
			got = append(got, p.String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" || len(f.Rows) != c.rows {
			t.Errorf("%s: %d rows, want %d\n%s", name, len(f.Rows), c.rows, diff)
		}
	}
}

func TestManyProblemsAreCounted(t *testing.T) {
	t.Parallel()
	f := Read(bytes.Repeat([]byte("x\n"), MaxRows+5))
	if len(f.Problems) != maxProblems || len(f.Problems)+f.Left != 2*MaxRows { // too few fields, and all but the first twice; one line too many
		t.Errorf("%d problems and %d more", len(f.Problems), f.Left)
	}
}

// TestWrittenIsRead: what is written is read again, and no field of it is a formula.
func TestWrittenIsRead(t *testing.T) {
	t.Parallel()
	text := rapid.StringMatching(`'{0,2}[=+\-@|%]?[\pL\pN "',;=+@.-]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		delimiter := rapid.SampledFrom([]rune{',', ';'}).Draw(t, "delimiter")
		var rows []Row
		for i := range rapid.IntRange(1, 5).Draw(t, "rows") {
			r := Row{Line: i + 1, ID: "user" + string(rune('a'+i)), Password: text.Draw(t, "password"), First: text.Draw(t, "first"), Last: text.Draw(t, "last")}
			for j := range rapid.IntRange(0, 3).Draw(t, "addresses") {
				if a := text.Draw(t, "address"); a != "" {
					r.Addresses = append(r.Addresses, Cell{ColumnAddress + j, a})
				}
			}
			for j := range r.Addresses { // those behind close up
				r.Addresses[j].Column = ColumnAddress + j
			}
			rows = append(rows, r)
		}
		var b bytes.Buffer
		if err := Write(&b, delimiter, rows); err != nil {
			t.Fatal(err)
		}
		f := Read(b.Bytes())
		if diff := cmp.Diff(rows, f.Rows); diff != "" || len(f.Problems) > 0 {
			t.Errorf("%s\n%v\n%s", b.String(), f.Problems, diff)
		}
		for line := range strings.Lines(b.String()) {
			fields, bad := split(strings.TrimRight(line, "\r\n"), byte(delimiter))
			for i, x := range fields {
				if i+1 != ColumnPassword && x.text != "" && strings.ContainsRune("=+-@|%", rune(x.text[0])) || bad != nil {
					t.Errorf("field %q is a formula (%v)", x.text, bad)
				}
			}
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"", "anna,geheim,Anna,Müller,a@b.example\r\n", "\ufeffa;b;c;d;e;f", `"a""b",,,,`, "\xff\xfe", "a,\xfc,,,", "a\t\n;;;;\n'=x,,,,"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		got := Read(content)
		if len(got.Rows) == 0 && len(got.Problems) == 0 {
			t.Error("nothing is said of a file without users")
		}
		var again []Row
		for i, r := range got.Rows {
			if !utf8.ValidString(r.ID+r.Password+r.First+r.Last) || strings.ContainsFunc(r.ID+r.Password+r.First+r.Last, unicode.IsControl) || r.ID == "" {
				t.Errorf("row %+v", r)
			}
			r.Line = i + 1
			for j := range r.Addresses {
				r.Addresses[j].Column = ColumnAddress + j
			}
			again = append(again, r)
		}
		var b bytes.Buffer
		if err := Write(&b, got.Delimiter, again); err != nil {
			t.Fatal(err)
		}
		back := Read(b.Bytes())
		// A first user called like the column is a header, and a sole one with a
		// delimiter of the other kind looks like that.
		if len(back.Problems) == 0 && len(again) > 0 {
			if diff := cmp.Diff(again, back.Rows); diff != "" && back.Delimiter == got.Delimiter {
				t.Errorf("read again:\n%s", diff)
			}
		}
	})
}
