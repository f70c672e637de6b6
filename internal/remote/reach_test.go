package remote

import (
	"errors"
	"testing"
)

func TestCheckHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]error{
		"mail.example.com": nil, "192.0.2.1": nil, "2001:db8::1": nil, "100.63.0.1": nil, "64:ff9b::c000:201": nil,
		"metadata": ErrNoServer, "Metadata.Google.Internal.": ErrNoServer, "169.254.169.254": ErrNoServer, "::ffff:169.254.169.254": ErrNoServer,
		"fe80::1%eth0": ErrNoServer, "0.0.0.0": ErrNoServer, "::": ErrNoServer, "0.1.2.3": ErrNoServer, "224.0.0.1": ErrNoServer, "ff02::1": ErrNoServer,
		"255.255.255.255": ErrNoServer, "fd00:ec2::254": ErrNoServer, "100.100.100.200": ErrNoServer, "168.63.129.16": ErrNoServer,
		"64:ff9b::a9fe:a9fe": ErrNoServer, "2002:a9fe:a9fe::1": ErrNoServer, "::169.254.169.254": ErrNoServer,
		"localhost": ErrPrivate, "a.LOCALHOST": ErrPrivate, "127.0.0.1": ErrPrivate, "127.1.2.3": ErrPrivate, "::1": ErrPrivate, "10.1.2.3": ErrPrivate,
		"172.16.0.1": ErrPrivate, "192.168.1.1": ErrPrivate, "fd12::1": ErrPrivate, "fec0::1": ErrPrivate, "100.64.0.1": ErrPrivate,
		"::ffff:10.1.2.3": ErrPrivate, "64:ff9b::10.1.2.3": ErrPrivate, "2002:0a01:0203::1": ErrPrivate, "198.18.0.1": ErrPrivate,
	} {
		if err := CheckHost(host, true); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", host, err, want)
		}
		if errors.Is(want, ErrPrivate) {
			want = nil
		}
		if err := CheckHost(host, false); !errors.Is(err, want) {
			t.Errorf("%s, private networks allowed: %v, want %v", host, err, want)
		}
	}
}
