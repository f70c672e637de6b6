package usercsv

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Write writes rows with a delimiter of , or ; and CRLF at the ends of lines. Read
// gets the same rows from it. What spreadsheet programs would take for a formula gets an
// apostrophe in front, which Read takes away.
func Write(w io.Writer, delimiter rune, rows []Row) error {
	b := bufio.NewWriter(w)
	for _, r := range rows {
		fields := []string{shield(r.ID), r.Password, shield(r.First), shield(r.Last)}
		for _, a := range r.Addresses {
			fields = append(fields, shield(a.Text))
		}
		if len(r.Addresses) == 0 {
			fields = append(fields, "")
		}
		for i, f := range fields {
			if i > 0 {
				_, _ = b.WriteRune(delimiter) // Flush tells what went wrong
			}
			_, _ = b.WriteString(quote(f))
		}
		_, _ = b.WriteString("\r\n")
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write list of users: %w", err)
	}
	return nil
}

// quote puts a field in quotation marks if it needs them, whatever the delimiter.
func quote(text string) string {
	if strings.ContainsAny(text, `",;`) || text != strings.TrimSpace(text) {
		return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
	}
	return text
}
