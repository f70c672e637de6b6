package mailer

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/wneessen/go-mail/smtp"
)

// Iterations of SCRAM that are done. Fewer let everybody on the way guess the password
// (RFC 5802 §5.1, RFC 7677 §4: at least 4096); more keep this machine busy, and
// nothing could stop that.
const (
	leastIterations = 4096
	mostIterations  = 1_000_000
)

// patient is a log-in by SCRAM that does not do whatever work a server asks for.
type patient struct{ smtp.Auth }

// Next implements smtp.Auth.
func (p *patient) Next(said []byte, more bool) ([]byte, error) {
	for field := range bytes.SplitSeq(said, []byte(",")) {
		text, ok := bytes.CutPrefix(field, []byte("i="))
		if !ok || !bytes.HasPrefix(said, []byte("r=")) {
			continue
		}
		if n, err := strconv.Atoi(string(text)); err != nil || n < leastIterations || n > mostIterations {
			return nil, fmt.Errorf("log-in by SCRAM: the server asks for %.20q iterations, want %d to %d", text, leastIterations, mostIterations)
		}
	}
	return p.Auth.Next(said, more)
}
