package interop

import (
	"bytes"
	"net/smtp"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/corpustest"
	"github.com/muniment/muniment/internal/testkit/need"
)

// byQueue waits until both the archive and the sink have n messages and returns
// pairs of what was archived and what was delivered, by queue id.
func byQueue(t *testing.T, f *filter, s *sink, n int) (kept map[string]archived, out map[string]string) {
	t.Helper()
	// All recipients of a message are behind the same next hop: it comes once.
	until(t, "postfix to deliver everything", func() bool { return len(s.all()) >= n })
	out = map[string]string{}
	for _, d := range s.all() {
		q, rest := trace(t, d.data)
		out[q] = rest
	}
	kept = map[string]archived{}
	for _, a := range f.archived(t) {
		kept[a.queue()] = a
	}
	if len(kept) != n || len(out) != n {
		t.Errorf("%d archived, %d delivered, want %d", len(kept), len(out), n)
	}
	return kept, out
}

// TestMilterOddities writes down what Postfix makes of unusual messages, and
// that the archive has what it delivers. docs/postfix.md says the same.
func TestMilterOddities(t *testing.T) {
	t.Parallel()
	f := openFilter(t, archivetest.Options{})
	p, sink := f.postfix(t)
	const same = "\x00same"
	folded := "Subject: a" + strings.Repeat("\r\n\tb", 1000) + "\r\n\r\n"
	tests := []struct{ name, sent, delivered, archived string }{
		{"missing fields are not added for strangers", "Subject: x\r\n\r\nbody\r\n", same, same},
		{"white space around the colon", "Subject : x\r\nTo\t: y\r\nA:b\r\nC:\td\r\nE:\r\n\r\n", "Subject: x\r\nTo: y\r\nA:b\r\nC:\td\r\nE:\r\n\r\n", same},
		{"folded", folded, same, same},
		{"blank lines within a field", "Subject: x\r\n \r\n\t\r\nX: y\r\n\r\nbody\r\n", same, same},
		{"8 bit", "Subject: gr\xfc\xdfe\r\n\r\nGr\xfc\xdfe\r\n", same, same},
		{"long line", "Subject: x\r\n\r\n" + strings.Repeat("y", 300_000) + "\r\n", same, same},
		{"no end of a line", "Subject: x\r\n\r\nbody", "Subject: x\r\n\r\nbody\r\n", same},
		{"NUL", "Subject: a\x00b\r\nX: y\r\n\r\nbody\x00z\r\n", "Subject: a\r\nX: y\r\n\r\nbody\x00z\r\n", same},
		{"bare LF", "Subject: x\r\nX: a\nY: b\r\n\r\nbody\nlf\r\n", "Subject: x\r\nX: a\r\nY: b\r\n\r\nbody\r\nlf\r\n", same},
		{"huge field", "Subject: x\r\nX: " + strings.Repeat("x", 150_000) + "\r\n\r\n", "", same},
		{"no header", "just text here\r\nmore\r\n", "\r\njust text here\r\nmore\r\n", same},
		{"text within the header", "Subject: x\r\njust text\r\nmore: no\r\n", "Subject: x\r\n\r\njust text\r\nmore: no\r\n", same},
		{"fields that Postfix drops", "Subject: x\r\nBcc: s@x.example\r\nReturn-Path: <a@b>\r\nContent-Length: 5\r\n\r\nbody\r\n", "Subject: x\r\n\r\nbody\r\n", same},
		{"separator of an mbox", "From a@b Mon\r\nSubject: x\r\n\r\n", "X-Mailbox-Line: From a@b Mon\r\nSubject: x\r\n\r\n", same},
		// The protocol has no word for it.
		{"header alone", "Subject: x\r\nTo: y\r\n", same, "Subject: x\r\nTo: y\r\n\r\n"},
		{"empty", "", same, "\r\n"},
	}
	c := dialPostfix(t, p)
	queues := map[string]int{}
	for i, tt := range tests {
		if err := sendRaw(c, "s@a.example", []string{"x@b.example"}, tt.sent); err != nil {
			t.Fatalf("%s: %v\n%s", tt.name, err, p.read())
		}
		for _, a := range f.archived(t) {
			if _, known := queues[a.queue()]; !known {
				queues[a.queue()] = i
			}
		}
	}
	kept, out := byQueue(t, f, sink, len(tests))
	for q, i := range queues {
		tt := tests[i]
		delivered, archived := tt.delivered, tt.archived
		if delivered == same {
			delivered = tt.sent
		}
		if delivered != "" && out[q] != delivered {
			t.Errorf("%s: delivered %.300q, want %.300q", tt.name, out[q], delivered)
		}
		if archived == same {
			archived = out[q]
		}
		if kept[q].data != archived {
			t.Errorf("%s: archived %.300q, want %.300q", tt.name, kept[q].data, archived)
		}
	}
}

// TestMilterLocal submits by the sendmail command and by SMTP from the machine
// itself: Postfix adds missing fields, and shows them. Addresses that stand for
// others are seen as they were said.
func TestMilterLocal(t *testing.T) {
	t.Parallel()
	f := openFilter(t, archivetest.Options{})
	p, sink := f.postfixWith(t, "local_header_rewrite_clients = permit_inet_interfaces\nalways_bcc = always@d.example\n")
	const m = "Subject: local\r\n\r\nbody\r\n"
	if err := sendRaw(dialPostfix(t, p), "s@a.example", []string{"list@alias.example", "bcc@c.example"}, m); err != nil {
		t.Fatal(err)
	}
	sendmail := exec.Command(need.Program(t, "sendmail"), "-C", p.conf, "-i", "-f", "s@a.example", "list@alias.example", "bcc@c.example")
	sendmail.Stdin = strings.NewReader(strings.ReplaceAll(m, "\r\n", "\n"))
	if b, err := sendmail.CombinedOutput(); err != nil {
		t.Fatalf("sendmail: %v: %s\n%s", err, b, p.read())
	}
	kept, out := byQueue(t, f, sink, 2)
	for q, a := range kept {
		if d := cmp.Diff([]string{"list@alias.example", "bcc@c.example"}, a.EnvelopeTo); d != "" || a.EnvelopeFrom != "s@a.example" {
			t.Errorf("from %q: %s", a.EnvelopeFrom, d)
		}
		if a.data != out[q] {
			t.Errorf("archived %q, delivered %q", a.data, out[q])
		}
		if rest := out[q]; !strings.HasPrefix(rest, "Subject: local\r\n") || !strings.HasSuffix(rest, "\r\n\r\nbody\r\n") || !strings.Contains(rest, "\r\nMessage-Id: ") || !strings.Contains(rest, "\r\nDate: ") {
			t.Errorf("delivered %q", rest)
		}
	}
}

// TestMilterCorpus sends real messages: 500 of them, or 5,000 with
// MUNIMENT_TEST_LONG=1. Postfix may change them; the archive has what it
// delivers.
func TestMilterCorpus(t *testing.T) {
	t.Parallel()
	n := 500
	if os.Getenv("MUNIMENT_TEST_LONG") == "1" {
		n = 5000
	}
	letters := bulk(t, corpustest.Dir(t), n)
	f := openFilter(t, archivetest.Options{})
	p, sink := f.postfixWith(t, "local_header_rewrite_clients =\nmessage_drop_headers =\n")
	clients := make(chan *smtp.Client, 4)
	for range cap(clients) {
		clients <- dialPostfix(t, p)
	}
	failed := make(chan error, len(letters))
	for _, m := range letters {
		c := <-clients
		go func() {
			failed <- sendRaw(c, "s@a.example", []string{"to@b.example", "bcc@c.example"}, m)
			clients <- c
		}()
	}
	for range letters {
		if err := <-failed; err != nil {
			t.Fatalf("%v\n%s", err, p.read())
		}
	}
	kept, out := byQueue(t, f, sink, n)
	changed, alone := 0, 0
	sent := map[string]bool{}
	for _, m := range letters {
		sent[strings.TrimSuffix(m, "\r\n")] = true
	}
	for q, a := range kept {
		switch {
		case a.data == out[q]+"\r\n" && !strings.Contains(out[q], "\r\n\r\n"):
			alone++ // a header alone
		case a.data != out[q]:
			t.Errorf("archived %.500q, delivered %.500q", a.data, out[q])
		case !sent[strings.TrimSuffix(a.data, "\r\n")]:
			changed++
		}
		if len(a.EnvelopeTo) != 2 {
			t.Errorf("recipients %q", a.EnvelopeTo)
		}
	}
	t.Logf("%d messages: Postfix changed %d on their way, %d are a header alone", n, changed, alone)
	if changed > n/20 { // those that begin with the separator of an mbox, or hold NUL or bare CR
		t.Error("too many are not what was sent")
	}
}

// bulk returns n different real messages, evenly chosen, with CR LF.
func bulk(t *testing.T, dir string, n int) (all []string) {
	t.Helper()
	names := tree(t, dir+"/bulk")
	seen := map[string]bool{}
	for i := 0; i < len(names) && len(all) < n; i += max(1, len(names)/(n+n/4)) {
		b, err := os.ReadFile(names[i])
		if err != nil {
			t.Fatal(err)
		}
		m := string(bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n")))
		if m != "" && !seen[m] {
			seen[m] = true
			all = append(all, m)
		}
	}
	if len(all) < n {
		t.Fatalf("the corpus has only %d messages for this test", len(all))
	}
	return all
}
