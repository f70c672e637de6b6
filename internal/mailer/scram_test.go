package mailer

import (
	"strconv"
	"strings"
	"testing"

	"github.com/wneessen/go-mail/smtp"
)

func TestSCRAMIterations(t *testing.T) {
	t.Parallel()
	for n, ok := range map[int]bool{-1: false, 0: false, 1: false, 4096: true, 15_000: true, 2_000_000_000: false} {
		p := &patient{smtp.ScramSHA256Auth("anna", "secret password")}
		if _, _, err := p.Start(&smtp.ServerInfo{}); err != nil {
			t.Fatal(err)
		}
		first, err := p.Next(nil, true) // the client's first message
		if err != nil {
			t.Fatal(err)
		}
		_, nonce, _ := strings.Cut(string(first), ",r=")
		if _, err := p.Next([]byte("r="+nonce+"x,s=c2FsdA==,i="+strconv.Itoa(n)), true); (err == nil) != ok {
			t.Errorf("%d iterations: %v", n, err)
		}
	}
}
