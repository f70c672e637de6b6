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

// TestMembersOnce: a member that is there twice, also in other letters or deep inside, is
// refused, as the schema would be compared with one of them and the other one be read.
func TestMembersOnce(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"role":"user","role":"operator"}`, `{"role":"user","ROLE":"operator"}`, `{"role":"user","r\u006fle":"operator"}`, `{"scopes":[],"\u017fcopes":["x"]}`,
		`{"kind":"a","\u212aind":"b"}`, `{"a":{"b":1,"c":[{"d":1,"D":2}]}}`, `{"a":[],"b":{},"A":1}`, `[{"x":null,"x":null}]`, `{"a":"a","b":"a","a":"c"}`,
	} {
		var v any
		if err := unmarshal([]byte(text), &v); err == nil || !strings.Contains(err.Error(), "is there twice") {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{
		`{"a":"a","b":"a","c":["a","a","b"],"d":{"a":"a","b":"d"},"e":[{"a":1},{"a":2}]}`, `"a"`, `[]`, `{}`, `{"a":{"a":{"a":"a"}}}`, `{"a":"\\ud800","b":"\ud83c\udfe2 \u00e4"}`,
	} {
		var v any
		if err := unmarshal([]byte(text), &v); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestWholeCharacters: half of a character would be kept as another one.
func TestWholeCharacters(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"name":"a\ud800b"}`, `{"name":"\udfe2\ud83c"}`, `["\ud83c"]`, `{"\uDC00":1}`, `["\ud83c\\udfe2"]`} {
		var v any
		if err := unmarshal([]byte(text), &v); err == nil || !strings.Contains(err.Error(), "half of a character") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
