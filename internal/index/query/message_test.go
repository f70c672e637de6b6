package query_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/index/query"
)

func TestMessages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, en, de string }{
		{"foo fromm:anna",
			"Character 5, “fromm”: There is no such search field. Put it in quotes to search for it as text.",
			"Zeichen 5, „fromm“: Dieses Suchfeld gibt es nicht. In Anführungszeichen wird danach als Text gesucht."},
		{"a (b",
			"Character 3, “(”: This parenthesis is not closed. Add a closing one.",
			"Zeichen 3, „(“: Diese Klammer wird nicht geschlossen. Ergänzen Sie eine schließende Klammer."},
		{"date:" + strings.Repeat("1", 60),
			"Character 6, “" + strings.Repeat("1", 39) + "…”: This is not a date. Write 2024-05-17, 2024-05, 2024, 7d, 2w, 3m, 1y, today or yesterday.",
			"Zeichen 6, „" + strings.Repeat("1", 39) + "…“: Das ist kein Datum. Möglich sind 17.05.2024, 05.2024, 2024, 7t, 2w, 3m, 1j, heute oder gestern."},
	} {
		_, err := query.Parse(c.text, testEnv)
		var e *query.Error
		if !errors.As(err, &e) {
			t.Fatalf("%s: got %v", c.text, err)
		}
		if got := e.Message("en"); got != c.en {
			t.Errorf("got %s, want %s", got, c.en)
		}
		if got := e.Message("de"); got != c.de {
			t.Errorf("got %s, want %s", got, c.de)
		}
		if got := e.Error(); got != "query: "+c.en {
			t.Errorf("got %s", got)
		}
	}
}

// Every mistake has its own words in both languages.
func TestEveryCodeHasMessages(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, code := range query.Codes() {
		for _, lang := range []string{"en", "de"} {
			m := (&query.Error{Code: code, Arg: "x"}).Message(lang)
			if other, ok := seen[m]; ok {
				t.Errorf("%s and %s say the same: %s", code, other, m)
			}
			seen[m] = code + " " + lang
			if !strings.HasSuffix(m, ".") {
				t.Errorf("%s: no sentence: %s", code, m)
			}
		}
	}
}
