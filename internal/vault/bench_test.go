package vault_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/vault"
)

// typical is a message of about 11 KB, as most are: headers and plain text.
func typical() []byte {
	var b strings.Builder
	b.WriteString(mail("a typical message"))
	for i := 0; b.Len() < 11<<10; i++ {
		fmt.Fprintf(&b, "> %d. On day %d somebody wrote %x about the number %d.\r\n", i, i*7%31, i*i*2654435761, i*13)
	}
	return []byte(b.String())
}

func BenchmarkPrepare(b *testing.B) {
	x := newBox(b)
	raw := typical()
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		p, err := x.Prepare(b.Context(), x.tenant, vault.Object{AOID: x.id(), Raw: bytes.NewReader(raw), Meta: []byte(`{"v":1}`)})
		if err != nil {
			b.Fatal(err)
		}
		p.Close()
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := newBox(b)
			var batch []*vault.Prepared
			for range n {
				p, err := x.Prepare(b.Context(), x.tenant, vault.Object{AOID: x.id(), Raw: bytes.NewReader(typical())})
				if err != nil {
					b.Fatal(err)
				}
				batch = append(batch, p)
			}
			for b.Loop() {
				if _, err := x.Write(b.Context(), x.tenant, batch, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
