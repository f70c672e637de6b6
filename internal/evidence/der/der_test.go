package der_test

import (
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/evidence/der"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hex string
		ber bool
		ok  bool
	}{
		"sequence":                {"3003020101", false, true},
		"empty sequence":          {"3000", false, true},
		"true":                    {"0101ff", false, true},
		"boolean of 1":            {"010101", true, false},
		"indefinite length":       {"30800201010000", true, false},
		"indefinite inside":       {"3006a08002010100", true, false},
		"long form of a short":    {"30810302010a", true, false},
		"leading zero in length":  {"3082000302010a", true, false},
		"integer with padding":    {"02020001", true, false},
		"negative with padding":   {"0202ff80", true, false},
		"empty integer":           {"0200", false, false},
		"constructed string":      {"2403040101", true, false},
		"unused bits set":         {"03020101", true, false},
		"bit string":              {"03020102", false, true},
		"bytes after the end":     {"300000", false, false},
		"cut off":                 {"3003020a", false, false},
		"length of five bytes":    {"3085ffffffffff", false, false},
		"huge length":             {"3084ffffffff", false, false},
		"high tag":                {"9f8101020101", false, true},
		"high tag, constructed":   {"bf1f03020101", false, true},
		"high tag, broken inside": {"bf1f03020201", false, false},
		"high tag of a low one":   {"9f1e00", false, false},
		"high tag with padding":   {"9f801f00", false, false},
		"high tag of five bytes":  {"9f818181810100", false, false},
		"high tag, cut off":       {"9f81", false, false},
		"high tag, no length":     {"9f1f", false, false},
		"null with contents":      {"050100", false, false},
		"open object identifier":  {"060181", false, false},
		"primitive sequence":      {"1003020101", false, false},
		"nothing":                 {"", false, false},
		"context tag, primitive":  {"800101", false, true},
		"context, constructed":    {"a003020101", false, true},
		"context, of broken ones": {"a003020201", false, false},
	} {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(err)
		}
		err = der.Check(b)
		if (err == nil) != c.ok || errors.Is(err, der.ErrBER) != c.ber {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDepth(t *testing.T) {
	t.Parallel()
	b := []byte{}
	for range der.MaxDepth + 2 {
		var err error
		if b, err = asn1.Marshal(asn1.RawValue{Tag: 16, IsCompound: true, Bytes: b}); err != nil {
			t.Fatal(err)
		}
	}
	if err := der.Check(b); err == nil || !strings.Contains(err.Error(), "nested") {
		t.Errorf("got %v", err)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte("\x30\x03\x02\x01\x01"))
	f.Add([]byte("\x30\x80\x02\x01\x01\x00\x00"))
	f.Add([]byte("\xbf\x81\x01\x03\x02\x01\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if der.Check(b) != nil {
			return
		}
		// What passes is one element for the standard library too.
		var raw asn1.RawValue
		if rest, err := asn1.Unmarshal(b, &raw); err != nil || len(rest) != 0 {
			t.Errorf("%x passed: %v", b, err)
		}
	})
}
