package ldap

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/remote"
)

// session is one connection.
type session struct {
	set   directory.LDAP
	wire  *wire
	conn  *ldap.Conn
	hush  func() bool // ends the watch over the context
	step  func(what, text string)
	cert  string             // SHA-256 of the server's certificate
	notes directory.Snapshot // only its notes
}

// usualPort is the registered port, unless the settings name another.
func usualPort(set directory.LDAP) int {
	switch {
	case set.Port != 0:
		return set.Port
	case set.TLS == remote.Implicit:
		return 636
	}
	return 389
}

// connect dials and encrypts. step is told what has worked.
func (c *Client) connect(ctx context.Context, set directory.LDAP, step func(what, text string)) (*session, error) {
	s := &session{set: set, step: step}
	if step == nil {
		s.step = func(string, string) {}
	}
	limited, cancel := context.WithTimeout(ctx, c.timings.connect)
	defer cancel()
	if net.ParseIP(set.Host) == nil {
		list, err := net.DefaultResolver.LookupHost(limited, set.Host)
		if err != nil {
			return s, err
		}
		s.step("resolve", strings.Join(list, " "))
	}
	raw, err := c.dial(limited, "tcp", net.JoinHostPort(set.Host, strconv.Itoa(usualPort(set))))
	if err != nil {
		return s, err
	}
	s.step("connect", raw.RemoteAddr().String())
	if err := raw.SetDeadline(time.Now().Add(c.timings.connect)); err != nil {
		raw.Close()
		return s, err
	}
	hush := context.AfterFunc(ctx, func() { raw.Close() })
	conn, err := s.encrypt(limited, raw)
	if err != nil {
		hush()
		raw.Close()
		if ctx.Err() != nil {
			err = fmt.Errorf("%w (%w)", ctx.Err(), err)
		}
		return s, err
	}
	if err := raw.SetDeadline(time.Time{}); err != nil {
		hush()
		raw.Close()
		return s, err
	}
	s.hush, s.wire = hush, newWire(conn)
	s.conn = ldap.NewConn(s.wire, set.TLS != remote.NoTLS)
	s.conn.SetTimeout(c.timings.request)
	s.conn.Start()
	return s, nil
}

// encrypt puts TLS over the connection as the settings say. There is no going on
// without.
func (s *session) encrypt(ctx context.Context, raw net.Conn) (net.Conn, error) {
	if s.set.TLS == remote.NoTLS {
		s.step("tls", "none: everybody on the way can read the passwords")
		return raw, nil
	}
	if s.set.TLS == remote.StartTLS {
		if err := startTLS(raw); err != nil {
			return nil, err
		}
	}
	conf := remote.Trust{Host: s.set.Host, CA: s.set.CA, Pin: s.set.Pin}.Config(func(sum string) { s.cert = sum })
	conn := tls.Client(raw, conf)
	if err := conn.HandshakeContext(ctx); err != nil {
		if c := directory.Code(err); c == remote.CodeCertificate || c == remote.CodeTimeout {
			return nil, err
		}
		return nil, directory.Fail(remote.CodeTLS, err)
	}
	state := conn.ConnectionState()
	s.step("tls", tls.VersionName(state.Version)+", "+tls.CipherSuiteName(state.CipherSuite))
	return conn, nil
}

// startTLSRequest is message 1, ExtendedRequest 1.3.6.1.4.1.1466.20037 (RFC 4511
// §4.14).
const startTLSRequest = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + "1.3.6.1.4.1.1466.20037"

// startTLS asks for TLS. The library is not trusted with it: what comes before the
// handshake must not be taken for a part of what comes after.
func startTLS(raw net.Conn) error {
	if _, err := raw.Write([]byte(startTLSRequest)); err != nil {
		return err
	}
	in := bufio.NewReader(raw)
	b, err := readMessage(in)
	if err != nil {
		return err
	}
	op, err := checkMessage(b)
	if err != nil || op != 0x78 { // ExtendedResponse
		return directory.Fail(remote.CodeProtocol, errors.Join(errors.New("no answer to StartTLS"), err))
	}
	_, content, _, _ := element(b)       // checkMessage has read these
	_, _, rest, _ := element(content)    // the number
	_, answer, _, _ := element(rest)     // the operation
	tag, code, _, err := element(answer) // resultCode
	if err != nil || tag != 0x0a || len(code) != 1 {
		return directory.Fail(remote.CodeProtocol, errors.New("an answer to StartTLS without a result"))
	}
	if code[0] != 0 {
		return directory.Fail(remote.CodeTLS, fmt.Errorf("the server refuses StartTLS: %s", ldap.LDAPResultCodeMap[uint16(code[0])]))
	}
	if in.Buffered() > 0 {
		return directory.Fail(remote.CodeTLS, errors.New("something unprotected was slipped in before the handshake"))
	}
	return nil
}

// open connects and binds as the user that reads.
func (c *Client) open(ctx context.Context, set directory.LDAP, secret []byte, step func(what, text string)) (*session, error) {
	s, err := c.connect(ctx, set, step)
	if err != nil {
		return s, err
	}
	if err := s.bind(set.BindDN, string(secret)); err != nil {
		s.close()
		if errors.Is(err, directory.ErrPassword) {
			err = directory.Fail(remote.CodeAuth, errors.New(err.Error())) // says nothing about a user
		}
		return s, err
	}
	s.step("bind", set.BindDN)
	return s, nil
}

// bind binds simply. A server takes an empty password for "nobody" and says yes
// (RFC 4513 §5.1.2); it never goes out. directory.ErrPassword if the server says no.
func (s *session) bind(dn, password string) error {
	if dn == "" || password == "" {
		return fmt.Errorf("%w: no name or no password", directory.ErrPassword)
	}
	s.wire.request()
	_, err := s.conn.SimpleBind(&ldap.SimpleBindRequest{Username: dn, Password: password})
	if err == nil {
		return nil
	}
	if ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInappropriateAuthentication,
		ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultInvalidDNSyntax, ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultConstraintViolation) {
		return fmt.Errorf("%w: %s", directory.ErrPassword, err.Error())
	}
	if ldap.IsErrorAnyOf(err, ldap.LDAPResultConfidentialityRequired, ldap.LDAPResultStrongAuthRequired) {
		return directory.Fail(remote.CodeTLS, fmt.Errorf("the server takes no password without TLS: %w", err))
	}
	return s.explain(err)
}

// explain gives an error of the library its code.
func (s *session) explain(err error) error {
	if err == nil {
		return nil
	}
	var known *directory.Error
	if errors.As(err, &known) {
		return err
	}
	if cause := s.wire.failure(); cause != nil && !ldap.IsErrorAnyOf(err, ldap.LDAPResultSizeLimitExceeded) {
		return directory.Fail(directory.Code(cause), fmt.Errorf("%w: %w", err, cause))
	}
	for code, results := range map[string][]uint16{
		directory.CodeTooLarge: {ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultAdminLimitExceeded},
		remote.CodeUnavailable: {ldap.LDAPResultBusy, ldap.LDAPResultUnavailable, ldap.LDAPResultServerDown},
		remote.CodeTimeout:     {ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultTimeout},
		directory.CodeDenied:   {ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultOperationsError},
		directory.CodeFilter: {ldap.LDAPResultFilterError, ldap.ErrorFilterCompile, ldap.LDAPResultUndefinedAttributeType, ldap.LDAPResultInappropriateMatching,
			ldap.LDAPResultInvalidAttributeSyntax},
		directory.CodeBase: {ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax, ldap.LDAPResultReferral},
	} {
		if ldap.IsErrorAnyOf(err, results...) {
			return directory.Fail(code, err)
		}
	}
	if strings.Contains(err.Error(), "timed out") {
		return directory.Fail(remote.CodeTimeout, err)
	}
	return directory.Fail(directory.Code(err), err)
}

// close ends the connection.
func (s *session) close() {
	if s == nil || s.conn == nil {
		return
	}
	s.hush()
	_ = s.wire.Close() // at once: a server that reads nothing must not keep us
	_ = s.conn.Close() // likewise
	s.conn = nil
}
