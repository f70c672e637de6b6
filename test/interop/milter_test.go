package interop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/smtp"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/milter"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/vault"
)

// filterCF lets Postfix show everything to the filter and send it to the sink.
const filterCF = `smtpd_milters = inet:%[1]s
non_smtpd_milters = inet:%[1]s
milter_protocol = 6
milter_default_action = tempfail
enable_long_queue_ids = yes
default_transport = smtp:%[2]s
smtpd_client_connection_count_limit = 0
virtual_alias_maps = inline:{ { list@alias.example = one@b.example two@b.example } }
virtual_alias_domains = alias.example
hopcount_limit = 200
`

// filter is a whole archive with a mail filter in this process.
type filter struct {
	*archivetest.Env
	tenant *catalog.Tenant
	cfg    milter.Config
	addr   string
	stop   func() // lets the filter finish and be gone
}

func openFilter(t *testing.T, o archivetest.Options) *filter {
	t.Helper()
	f := &filter{Env: archivetest.New(t, o)}
	f.tenant, _ = f.Tenant(t, "acme")
	source, err := f.MilterSource(t.Context(), f.tenant.ID, "Milter", "")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := spool.Open(filepath.Join(t.TempDir(), "spool"))
	if err != nil {
		t.Fatal(err)
	}
	f.cfg = milter.Config{Archive: f.Archive, Spool: dir, Source: source, Log: slog.New(slog.DiscardHandler)}
	f.start(t, "127.0.0.1:0")
	t.Cleanup(func() { f.stop() })
	return f
}

// start serves at addr until stop.
func (f *filter) start(t *testing.T, addr string) *milter.Server {
	t.Helper()
	s, err := milter.New(f.cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := milter.Listen("inet:" + addr)
	if err != nil {
		t.Fatal(err)
	}
	f.addr = ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	f.stop = func() {
		f.stop = func() {}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, milter.ErrClosed) {
			t.Error(err)
		}
	}
	return s
}

// postfix runs one before the filter and a sink behind.
func (f *filter) postfix(t *testing.T) (*postfix, *sink) {
	t.Helper()
	return f.postfixWith(t, "local_header_rewrite_clients =\n") // fields stay as the client wrote them
}

// postfixWith does so with more settings.
func (f *filter) postfixWith(t *testing.T, settings string) (*postfix, *sink) {
	t.Helper()
	s := openSink(t)
	host, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	return runPostfix(t, fmt.Sprintf(filterCF, f.addr, "["+host+"]:"+port)+settings), s
}

// archived is one stored arrival.
type archived struct {
	*catalog.Capture
	data string
}

// queue is the queue id of the message at the mail server.
func (a archived) queue() string {
	f := strings.Fields(a.Origin)
	if len(f) < 2 {
		return ""
	}
	return f[1]
}

// archived reads everything that is stored, with its arrivals.
func (f *filter) archived(t *testing.T) []archived {
	t.Helper()
	var all []archived
	err := f.Catalog.WalkMessages(t.Context(), f.tenant.ID, func(m *catalog.Message, err error) error {
		if err != nil {
			return err
		}
		captures, err := f.Catalog.Captures(t.Context(), m.Tenant, m.AOID)
		if err != nil {
			return err
		}
		c, err := f.Vault.Open(t.Context(), m.Tenant, vault.Ref{Segment: m.Segment, Frame: m.Frame}, vault.Want{})
		if err != nil {
			return err
		}
		b, err := io.ReadAll(c)
		for _, one := range captures {
			all = append(all, archived{one, string(b)})
		}
		return errors.Join(err, c.Close())
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// trace splits what Postfix delivered into the queue id in the Received field
// that it put first, and the rest.
func trace(t *testing.T, data string) (queue, rest string) {
	t.Helper()
	if !strings.HasPrefix(data, "Received: ") {
		t.Fatalf("delivered without a Received field: %.200q", data)
	}
	end := strings.Index(data, "\r\n")
	for end >= 0 && len(data) > end+2 && (data[end+2] == '\t' || data[end+2] == ' ') {
		end += 2 + strings.Index(data[end+2:], "\r\n")
	}
	field := data[:end]
	_, id, _ := strings.Cut(strings.Join(strings.Fields(field), " "), " id ")
	id, _, _ = strings.Cut(id+";", ";")
	queue, _, _ = strings.Cut(id, " ")
	return queue, data[end+2:]
}

func dialPostfix(t *testing.T, p *postfix) *smtp.Client {
	t.Helper()
	c, err := smtp.Dial(p.listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestMilter sends messages with open, copied and blind recipients through
// Postfix: the archive has every byte and every party, and what Postfix delivers
// is what was sent.
func TestMilter(t *testing.T) {
	t.Parallel()
	f := openFilter(t, archivetest.Options{})
	p, sink := f.postfix(t)
	const n = 200
	sent, to := map[string]string{}, map[string][]string{}
	var clients []*smtp.Client
	for range 4 {
		clients = append(clients, dialPostfix(t, p))
	}
	for i := range n {
		id := fmt.Sprintf("<%d@milter.example>", i)
		sent[id], to[id] = generated(i, id)
		if err := sendRaw(clients[i%len(clients)], fmt.Sprintf("sender-%d@a.example", i), to[id], sent[id]); err != nil {
			t.Fatalf("%v\n%s", err, p.read())
		}
	}
	stored := f.archived(t) // all were acknowledged, so all are there
	if len(stored) != n {
		t.Errorf("%d are archived, want %d", len(stored), n)
	}
	for _, a := range stored {
		id := messageID(a.data)
		if a.data != sent[id] {
			t.Errorf("%s: archived %.300q, sent %.300q", id, a.data, sent[id])
		}
		if d := cmp.Diff(to[id], a.EnvelopeTo); d != "" || !strings.HasPrefix(a.EnvelopeFrom, "sender-") || !strings.HasPrefix(a.Peer, "127.0.0.1, HELO localhost") || a.queue() == "" {
			t.Errorf("%s: from %q by %q, origin %q, %s", id, a.EnvelopeFrom, a.Peer, a.Origin, d)
		}
	}
	got := map[string][]string{}
	count := func() (total int) {
		clear(got)
		for _, d := range sink.all() {
			id := messageID(d.data)
			got[id] = append(got[id], d.to...)
			total += len(d.to)
		}
		return total
	}
	want := 0
	for _, list := range to {
		want += len(list)
	}
	until(t, "postfix to deliver everything", func() bool { return count() >= want })
	for id, list := range to {
		if d := cmp.Diff(sorted(list), sorted(got[id])); d != "" {
			t.Errorf("%s was delivered to others: %s", id, d)
		}
	}
	for _, d := range sink.all() {
		if _, rest := trace(t, d.data); rest != sent[messageID(d.data)] {
			t.Errorf("delivered %.300q, sent %.300q", rest, sent[messageID(d.data)])
		}
	}
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func messageID(m string) string {
	_, rest, _ := strings.Cut(m, "Message-ID: ")
	id, _, _ := strings.Cut(rest, "\r\n")
	return id
}

// generated returns an invented message and its envelope recipients, of whom
// some are in no header field.
func generated(i int, id string) (message string, to []string) {
	var open, copied []string
	for k := range 1 + i%4 {
		open = append(open, fmt.Sprintf("to-%d-%d@b.example", i, k))
	}
	for k := range i % 3 {
		copied = append(copied, fmt.Sprintf("cc-%d-%d@c.example", i, k))
	}
	to = append(append(to, open...), copied...)
	for k := range i % 5 {
		to = append(to, fmt.Sprintf("bcc-%d-%d@d.example", i, k))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "From: Sender <sender-%d@a.example>\r\nTo: %s\r\n", i, strings.Join(open, ",\r\n\t"))
	if len(copied) > 0 {
		fmt.Fprintf(&b, "Cc:%s\r\n", strings.Join(copied, ", "))
	}
	fmt.Fprintf(&b, "Message-ID: %s\r\nDate: Mon, 02 Jan 2006 15:04:05 +0000\r\nSubject:   blanks  %d\r\nX-Tab:\tb\r\nX-Empty:\r\n", id, i)
	if i%2 == 0 {
		fmt.Fprintf(&b, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße %d\r\n.\r\n..dots\r\n", i)
	} else {
		fmt.Fprintf(&b, "\r\n\r\n%s\r\n.\r\n\r\n", strings.Repeat("long ", i*i))
	}
	if i%50 == 49 {
		b.WriteString(strings.Repeat("0123456789012345678901234567890123456789\r\n", 50_000)) // 2 MB
	}
	return b.String(), to
}

// tree lists the files below a directory in order.
func tree(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
