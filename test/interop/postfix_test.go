package interop

import (
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/archivetest"
	smtpdoor "github.com/muniment/muniment/internal/ingest/smtp"
	"github.com/muniment/muniment/internal/testkit/need"
)

// postfix is a mail server of its own in a temporary directory. It listens on
// the loopback interface only.
type postfix struct {
	listen string
	conf   string
	log    string
}

// baseCF retries after five seconds: a shorter time lets the queue manager meet
// a message that its smtp client has not yet put down, and leave it for long.
const baseCF = `compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = %[1]s/mail.log
maillog_file_prefixes = %[1]s
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
local_recipient_maps =
alias_maps =
alias_database =
smtputf8_enable = yes
message_size_limit = 200000000
minimal_backoff_time = 5s
maximal_backoff_time = 5s
queue_run_delay = 2s
smtp_line_length_limit = 0
lmtp_line_length_limit = 0
`

// relayCF sends everything for the journal addresses to the doors.
const relayCF = `relay_domains = journal.invalid
transport_maps = inline:{ { %[1]s = smtp:[127.0.0.1]:%[2]s }, { %[3]s = lmtp:inet:[127.0.0.1]:%[4]s } }
default_transport = error:nothing leaves this machine
smtp_tls_security_level = encrypt
lmtp_tls_security_level = encrypt
`

const masterCF = `127.0.0.1:%s inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

// startPostfix runs one that relays to the doors until the test ends.
func startPostfix(t *testing.T, r *receiver) *postfix {
	t.Helper()
	_, smtpPort, _ := net.SplitHostPort(r.smtp)
	_, lmtpPort, _ := net.SplitHostPort(r.lmtp)
	return runPostfix(t, fmt.Sprintf(relayCF, r.first, smtpPort, r.second, lmtpPort))
}

// runPostfix runs one with the settings until the test ends. It needs root, as
// Postfix does.
func runPostfix(t *testing.T, settings string) *postfix {
	t.Helper()
	program := need.Program(t, "postfix")
	if os.Getuid() != 0 {
		need.Lacks(t, "postfix", "postfix must be started by root")
	}
	// The queue's sockets have long names; a socket's path has 107 bytes.
	dir, err := os.MkdirTemp("", "pf")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &postfix{conf: filepath.Join(dir, "etc"), log: filepath.Join(dir, "mail.log")}
	owner, err := user.Lookup("postfix")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(owner.Uid)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.listen = ln.Addr().String()
	_, port, _ := net.SplitHostPort(p.listen)
	put(t, filepath.Join(p.conf, "main.cf"), fmt.Sprintf(baseCF, dir)+settings)
	put(t, filepath.Join(p.conf, "master.cf"), fmt.Sprintf(masterCF, port))
	err = errors.Join(ln.Close(), os.Chmod(dir, 0o755), os.Mkdir(filepath.Join(dir, "queue"), 0o755),
		os.Mkdir(filepath.Join(dir, "data"), 0o700), os.Chown(filepath.Join(dir, "data"), uid, -1))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(program, "-c", p.conf, "start").CombinedOutput(); err != nil {
		t.Fatalf("start postfix: %v\n%s\n%s", err, out, p.read())
	}
	t.Cleanup(func() {
		if out, err := exec.Command(program, "-c", p.conf, "stop").CombinedOutput(); err != nil {
			t.Errorf("stop postfix: %v\n%s", err, out)
		}
		if t.Failed() {
			t.Logf("log of postfix:\n%s", p.read())
		}
	})
	return p
}

func (p *postfix) read() string {
	b, _ := os.ReadFile(p.log)
	return string(b)
}

// submit hands a message to postfix.
func (p *postfix) submit(t *testing.T, to []string, message string) {
	t.Helper()
	if err := smtp.SendMail(p.listen, nil, "sender@example.org", to, []byte(message)); err != nil {
		t.Fatalf("submit to postfix: %v\n%s", err, p.read())
	}
}

// TestPostfix relays through Postfix to both doors, over TLS, and compares what
// is stored with what was submitted: only trace fields may have been added.
func TestPostfix(t *testing.T) {
	t.Parallel()
	r := receive(t, archivetest.Options{}, func(c *smtpdoor.Config) { c.RequireTLS = true })
	p := startPostfix(t, r)
	letters := map[string]string{
		"plain":  "Subject: postfix plain\r\nMessage-ID: <1@example.org>\r\nDate: Mon, 02 Jan 2006 15:04:05 +0000\r\nFrom: a@example.org\r\n\r\n.dot\r\n..\r\nend\r\n",
		"8 bit":  "Subject: postfix 8 bit\r\nMessage-ID: <2@example.org>\r\nDate: Mon, 02 Jan 2006 15:04:05 +0000\r\nFrom: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n",
		"latin":  "Subject: postfix latin\r\nMessage-ID: <3@example.org>\r\nDate: Mon, 02 Jan 2006 15:04:05 +0000\r\nFrom: a@example.org\r\n\r\nGr\xfc\xdfe\r\n",
		"large":  "Subject: postfix large\r\nMessage-ID: <4@example.org>\r\nDate: Mon, 02 Jan 2006 15:04:05 +0000\r\nFrom: a@example.org\r\n\r\n" + strings.Repeat(strings.Repeat("y", 76)+"\r\n", 100_000),
		"wide":   "Subject: postfix wide\r\nMessage-ID: <5@example.org>\r\nDate: Mon, 02 Jan 2006 15:04:05 +0000\r\nFrom: a@example.org\r\n\r\n" + strings.Repeat("z", 50_000) + "\r\n",
		"no end": "Subject: postfix no end\r\nMessage-ID: <6@example.org>\r\nDate: Mon, 02 Jan 2006 15:04:05 +0000\r\nFrom: a@example.org\r\n\r\n\r\n\r\n",
	}
	for _, m := range letters {
		p.submit(t, []string{r.first}, m)  // by SMTP
		p.submit(t, []string{r.second}, m) // by LMTP
	}
	until(t, "postfix to deliver everything", func() bool { return strings.Count(p.read(), "status=sent") >= 2*len(letters) })
	stored := r.messages(t)
	if len(stored) != 2*len(letters) {
		t.Errorf("%d messages are stored, want %d", len(stored), 2*len(letters))
	}
	for name, m := range letters {
		n := 0
		for _, s := range stored {
			if strings.HasPrefix(s, "Received: ") && strings.HasSuffix(s, "\r\n"+m) {
				n++
			}
		}
		if n != 2 {
			t.Errorf("%s: %d of 2 came through unchanged", name, n)
		}
	}
	if log := p.read(); strings.Contains(log, "status=deferred") || strings.Contains(log, "status=bounced") || !strings.Contains(log, "250 2.0.0 archived as") {
		t.Error("postfix met trouble")
	}
}

// TestPostfixComesAgain lets the archive be in trouble first: Postfix keeps the
// message and delivers it when the trouble is over.
func TestPostfixComesAgain(t *testing.T) {
	t.Parallel()
	store := &brokenStore{Store: openFiles(t)}
	r := receive(t, archivetest.Options{Blobs: store}, nil)
	store.set(errors.New("no space left on device"))
	p := startPostfix(t, r)
	const m = "Subject: again\r\nMessage-ID: <7@example.org>\r\nDate: Mon, 02 Jan 2006 15:04:05 +0000\r\nFrom: a@example.org\r\n\r\nx\r\n"
	p.submit(t, []string{r.first}, m)
	until(t, "postfix to be put off", func() bool { return strings.Contains(p.read(), "status=deferred") })
	if n := len(r.messages(t)); n != 0 {
		t.Errorf("%d messages are stored", n)
	}
	store.set(nil)
	until(t, "postfix to come again", func() bool { return strings.Contains(p.read(), "status=sent") })
	if got := r.containing(t, "Subject: again"); !strings.HasSuffix(got, "\r\n"+m) {
		t.Errorf("stored %q", got)
	}
}
