package main

import (
	"strings"
	"testing"
)

// TestReadOrder: an order that is not read whole is none.
func TestReadOrder(t *testing.T) {
	t.Parallel()
	if o, err := readOrder([]byte(" {\"name\":\"Müller\"}\n")); err != nil || o.Name != "Müller" {
		t.Errorf("%+v, %v", o, err)
	}
	for file, want := range map[string]string{`{"name":"x"} {"name":"y"}`: "follows", `{"name":"x"}]`: "follows", "{\"name\":\"M\xfcller\"}": "UTF-8", `{"nam":"x"}`: "unknown", "": "EOF"} {
		if _, err := readOrder([]byte(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", file, err)
		}
	}
}
