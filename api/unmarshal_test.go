package api

import (
	"strings"
	"testing"
)

// TestNumbersInPlainWords: a number that does not fit is told with its member and a cure,
// without names of types.
func TestNumbersInPlainWords(t *testing.T) {
	t.Parallel()
	for _, number := range []string{"99999999999999999999", "1e300", "1.5", "-9223372036854775809"} {
		var v struct {
			Limits struct {
				Mailboxes int `json:"mailboxes"`
			} `json:"limits"`
		}
		err := unmarshal([]byte(`{"limits":{"mailboxes":`+number+`}}`), &v)
		if err == nil || !strings.Contains(err.Error(), "limits.mailboxes") || !strings.Contains(err.Error(), "whole number") || strings.Contains(err.Error(), "Go ") || strings.Contains(err.Error(), " int") {
			t.Errorf("%s: %v", number, err)
		}
	}
}
