package query_test

import (
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/index/query"
)

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := query.Parse(`von:anna betreff:(Angebot OR Auftrag) -"offene Rechnung" Vertrag NEAR/5 Kündigung after:2024-01`, testEnv); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSnippet(b *testing.B) {
	q, err := query.Parse(`rechnung "offene posten" Vertrag NEAR/5 Kündigung`, testEnv)
	if err != nil {
		b.Fatal(err)
	}
	text := strings.Repeat("Sehr geehrte Frau Müller, die Lieferung kommt am Montag. ", 350) + "Ihre Rechnungen und offene Posten"
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if q.Snippet(text, 220).Text == "" {
			b.Fatal("no snippet")
		}
	}
}
