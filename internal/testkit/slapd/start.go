package slapd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/muniment/muniment/internal/testkit/loopback"
	"github.com/muniment/muniment/internal/testkit/need"
)

const (
	startTimeout = time.Minute // until it answers
	stopTimeout  = time.Minute
)

// keeper runs the server as long as its standard input is open, that is as long as
// the test process lives.
const keeper = `
"$1" -d none -h "$3" -f "$2/slapd.conf" >"$2/out" 2>&1 &
server=$!
cat >/dev/null
kill -TERM $server 2>/dev/null
wait $server
`

// conf is slapd.conf. The schema beyond the usual one has what other servers know.
const conf = `
include %[2]s/core.schema
include %[2]s/cosine.schema
include %[2]s/inetorgperson.schema
include %[2]s/nis.schema
attributetype ( 1.3.6.1.4.1.32473.1.1 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.32473.1.2 NAME 'mailAlternateAddress' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
attributetype ( 1.3.6.1.4.1.32473.1.3 NAME 'nsAccountLock' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.32473.1.4 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.32473.2.1 NAME 'mailThing' SUP top AUXILIARY MAY ( mail $ proxyAddresses $ mailAlternateAddress $ nsAccountLock $ userAccountControl ) )
objectclass ( 1.3.6.1.4.1.32473.2.2 NAME 'publicFolder' SUP top STRUCTURAL MUST cn MAY ( mail $ proxyAddresses ) )
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile %[1]s/pid
TLSCertificateFile %[1]s/cert.pem
TLSCertificateKeyFile %[1]s/key.pem
sizelimit size.soft=%[3]d size.hard=%[3]d size.pr=noEstimate size.prtotal=unlimited
database mdb
suffix "` + Suffix + `"
rootdn "` + RootDN + `"
rootpw "` + Password + `"
directory %[1]s/db
maxsize 268435456
dbnosync
index objectClass,entryUUID,uid eq
overlay ppolicy
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="` + ReaderDN + `" read by anonymous auth by users read
%[4]s
`

// root is the first part of the LDIF.
const root = `dn: ` + Suffix + `
objectClass: dcObject
objectClass: organization
dc: firma
o: Firma

dn: ` + ReaderDN + `
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: ` + ReaderPassword + `

`

func (s *Server) start(program string, opts Options) error {
	if opts.SizeLimit == 0 {
		opts.SizeLimit = 500
	}
	text := fmt.Sprintf(conf, s.dir, "/etc/ldap/schema", opts.SizeLimit, opts.Settings)
	err := errors.Join(s.makeCertificate(), os.Mkdir(filepath.Join(s.dir, "db"), 0o700),
		os.WriteFile(filepath.Join(s.dir, "slapd.conf"), []byte(text), 0o600),
		os.WriteFile(filepath.Join(s.dir, "data.ldif"), []byte(root+opts.LDIF), 0o600))
	if err != nil {
		return err
	}
	add := exec.Command(need.Find("slapadd"), "-q", "-f", filepath.Join(s.dir, "slapd.conf"), "-l", filepath.Join(s.dir, "data.ldif"))
	if out, err := add.CombinedOutput(); err != nil {
		return fmt.Errorf("slapadd: %w: %s", err, out)
	}
	if s.LDAP, err = freePort(); err != nil {
		return err
	}
	if s.LDAPS, err = freePort(); err != nil {
		return err
	}
	if err := s.run(program); err != nil {
		return err
	}
	if err := s.await(); err != nil {
		return errors.Join(err, s.Stop())
	}
	return nil
}

func (s *Server) run(program string) error {
	sh := exec.Command("/bin/sh", "-c", keeper, "keeper", program, s.dir, "ldap://"+s.LDAP+" ldaps://"+s.LDAPS)
	var err error
	if s.life, err = sh.StdinPipe(); err != nil {
		return err
	}
	if err := sh.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	s.done = done
	go func() {
		sh.Wait() //nolint:errcheck // the server's own output says what was wrong
		close(done)
	}()
	return nil
}

// await tries until the server answers: there is nothing else to wait for.
func (s *Server) await() error {
	var err error
	for end := time.Now().Add(startTimeout); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var conn *ldap.Conn
		if conn, err = ldap.DialURL("ldap://" + s.LDAP); err == nil {
			err = conn.Bind(ReaderDN, ReaderPassword)
			conn.Close()
			if err == nil {
				return nil
			}
		}
	}
	out, _ := os.ReadFile(filepath.Join(s.dir, "out")) // best effort, to explain
	return fmt.Errorf("it does not answer: %w: %s", err, out)
}

// Stop ends the server and waits for that. It may be called again.
func (s *Server) Stop() error {
	if s.life == nil {
		return nil
	}
	err := s.life.Close()
	s.life = nil
	select {
	case <-s.done:
	case <-time.After(stopTimeout):
		err = errors.Join(err, errors.New("the server does not end"))
	}
	return err
}

func freePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

func (s *Server) makeCertificate() error {
	who, err := loopback.Certify(loopback.Names{Common: "slapd"})
	if err != nil {
		return err
	}
	key, err := who.KeyPEM()
	if err != nil {
		return err
	}
	s.CA = string(who.PEM())
	return errors.Join(os.WriteFile(filepath.Join(s.dir, "cert.pem"), who.PEM(), 0o600), os.WriteFile(filepath.Join(s.dir, "key.pem"), key, 0o600))
}
