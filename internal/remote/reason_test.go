package remote

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
)

// TestReason: what went wrong stays, whose resolver and address it was does not.
func TestReason(t *testing.T) {
	t.Parallel()
	mine, theirs := &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 40000}, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}
	for want, err := range map[string]error{
		"dial: lookup hook.example: no such host":           fmt.Errorf("dial: %w", &net.DNSError{Err: "no such host", Name: "hook.example", Server: "10.1.2.53:53", IsNotFound: true}),
		"lookup hook.example: the look-up took too long":    &net.DNSError{Err: "read udp 10.1.2.3:1->10.1.2.53:53: i/o timeout", Name: "hook.example", Server: "10.1.2.53:53", IsTimeout: true},
		"lookup hook.example: the name cannot be looked up": &net.DNSError{Err: "server misbehaving", Name: "hook.example", Server: "10.1.2.53:53"},
		"read tcp 192.0.2.1:443: connection reset by peer":  &net.OpError{Op: "read", Net: "tcp", Source: mine, Addr: theirs, Err: errors.New("connection reset by peer")},
		"x509: certificate signed by unknown authority":     errors.New("x509: certificate signed by unknown authority"),
	} {
		if got := Reason(err); got != want || strings.Contains(got, "10.1.2.") {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
