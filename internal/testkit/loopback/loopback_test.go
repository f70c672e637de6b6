package loopback

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
)

// A connection that waits for its peer does not outlive the test, and a certificate
// is trusted for the names it has.
func TestServe(t *testing.T) {
	t.Parallel()
	who, err := Certify(Names{Common: "test"})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{}, 2)
	var client net.Conn
	t.Run("a test of its own", func(t *testing.T) {
		at := Serve(t, func(c net.Conn) {
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{who.TLS}, MinVersion: tls.VersionTLS12})
			io.Copy(s, s) //nolint:errcheck // ends with the connection
			ended <- struct{}{}
		})
		c := who.Trust()
		c.ServerName = "localhost"
		conn, err := tls.Dial("tcp", at.String(), c)
		if err != nil {
			t.Fatal(err)
		}
		client = conn
		c.ServerName = "other.example"
		if _, err := tls.Dial("tcp", at.String(), c); err == nil {
			t.Error("the certificate is good for other names")
		}
	})
	for range 2 {
		select {
		case <-ended:
		default:
			t.Error("a connection was not attended to when its test ended")
		}
	}
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Error("a connection outlives its test")
	}
	client.Close()
}

func TestExpired(t *testing.T) {
	t.Parallel()
	who, err := Certify(Names{Common: "test", Expired: true})
	if err != nil {
		t.Fatal(err)
	}
	at := Serve(t, func(c net.Conn) {
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{who.TLS}, MinVersion: tls.VersionTLS12})
		s.Handshake() //nolint:errcheck // is refused
	})
	if _, err := tls.Dial("tcp", at.String(), who.Trust()); err == nil {
		t.Error("an expired certificate is taken")
	}
}
