package watch

import (
	"errors"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/setting"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	good := Settings{Directory: "invoices/2026", Owners: []string{"anna@example.com"}}
	for _, dir := range []string{"", "invoices", "Rechnungen Süd", "a/done"} {
		s := good
		s.Directory = dir
		if err := s.Check(); err != nil {
			t.Errorf("%q: %v", dir, err)
		}
	}
	for _, dir := range []string{"..", "../x", "a/../../b", "/etc", "a//b", "a/", "./a", "a\x00b", `a\b`, "done", "failed/x", "a\xff"} {
		s := good
		s.Directory = dir
		var f *setting.Error
		if err := s.Check(); !errors.As(err, &f) || f.Field != "directory" {
			t.Errorf("%q: %v", dir, err)
		}
	}
	for field, change := range map[string]func(*Settings){
		"owners":         func(s *Settings) { s.Owners = nil },
		"settle_seconds": func(s *Settings) { s.Settle = -1 },
	} {
		s := good
		change(&s)
		var f *setting.Error
		if err := s.Check(); !errors.As(err, &f) || f.Field != field || err.Error() == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	if good.SettleTime() != 10*time.Second {
		t.Errorf("settles after %v", good.SettleTime())
	}
	if _, err := Parse([]byte(`{"directory":"a","onwers":[]}`)); err == nil {
		t.Error("a misspelt setting is taken")
	}
}
func TestOverlaps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		x, y string
		want bool
	}{
		{"", "", true}, {"", "a", true}, {"a", "a", true}, {"a", "a/b", true}, {"a/b/c", "a", true},
		{"a", "b", false}, {"a", "ab", false}, {"a/b", "a/c", false}, {"a/b", "a/bc", false},
	} {
		x, y := Settings{Directory: c.x}, Settings{Directory: c.y}
		if x.Overlaps(y) != c.want || y.Overlaps(x) != c.want {
			t.Errorf("%q, %q: not %v", c.x, c.y, c.want)
		}
	}
}
