package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/corpustest"
	"github.com/muniment/muniment/internal/journal/journaltest"
)

// read reads a report and checks what holds for every one.
func read(t testing.TB, raw []byte) (*Report, error) {
	t.Helper()
	rep, err := Read(bytes.NewReader(raw))
	if in := (*IncompleteError)(nil); err != nil {
		if rep != nil || !errors.As(err, &in) && !errors.Is(err, ErrNotReport) {
			t.Fatalf("%v, %v", rep, err)
		}
		if in != nil && (in.Form == "" || in.Reason == "") {
			t.Fatalf("%+v", in)
		}
		return nil, err
	}
	var whole []byte
	for _, p := range rep.Pieces {
		if p.Inner >= 0 {
			whole = append(whole, inner(t, raw, rep.Inner[p.Inner])...)
		} else {
			whole = append(whole, raw[p.Offset:p.Offset+p.Length]...)
		}
	}
	if !bytes.Equal(whole, raw) {
		t.Fatalf("pieces make %d bytes, not %d", len(whole), len(raw))
	}
	if n := len(rep.Inner); n != 1 && n != 2 || rep.Inner[0].Decrypted || n == 2 && !rep.Inner[1].Decrypted {
		t.Fatalf("messages: %+v", rep.Inner)
	}
	return rep, nil
}

func must(t testing.TB, raw []byte) *Report {
	t.Helper()
	rep, err := read(t, raw)
	if err != nil {
		t.Fatalf("%v in %.2000q", err, raw)
	}
	return rep
}

func inner(t testing.TB, raw []byte, in Inner) []byte {
	t.Helper()
	b, err := io.ReadAll(in.Open(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestForms(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		marker string
		want   Form
	}{
		{journaltest.M365, M365},
		{journaltest.Exchange2007, Exchange2007},
		{"x-ms-journal-REPORT : whatever", Exchange2007},
		{journaltest.Organization, Exchange2007},
		{journaltest.Exchange2003, Exchange2003},
		{journaltest.Exchange2003Old, Exchange2003},
		{journaltest.Piler, Piler},
	} {
		if rep := must(t, journaltest.Build(journaltest.Options{Marker: tt.marker})); rep.Form != tt.want {
			t.Errorf("%q: %s", tt.marker, rep.Form)
		}
	}
	for _, marker := range []string{
		"X-Other: y", "X-WM-Journal-Report: no", "Content-Identifier: other", "X-Note: X-MS-Journal-Report:", "X-Note:\n X-MS-Journal-Report:",
	} {
		if _, err := read(t, journaltest.Build(journaltest.Options{Marker: marker})); !errors.Is(err, ErrNotReport) {
			t.Errorf("%q: %v", marker, err)
		}
	}
}

func TestNotReports(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"", "\n", "\r\n\r\n", "x", "From: a@b\n\nX-MS-Journal-Report:\n", "X-MS-Journal-Report", journaltest.Message,
		"Content-Type: multipart/report; boundary=b\n\n--b\n\n--b--\n", "Content-Type: multipart/report\n\n", "Content-Type: multipart/report; boundary=b",
	} {
		if _, err := read(t, []byte(raw)); !errors.Is(err, ErrNotReport) {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestWholeRecord(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 3, 5, 17, 1, 14, 0, time.UTC)
	raw := journaltest.Build(journaltest.Options{
		Sender: "anna@a.example", OnBehalfOf: "boss@a.example", Subject: "Größe: To: €", MessageID: "<x@y>", Label: "Étude", Mailbox: "m@a.example",
		SentUtc: at, ReceivedUtc: at.Add(time.Second),
		Recipients: []journaltest.Recipient{{Key: "To", Address: "b@b.example"}, {Key: "bcc", Address: "c@b.example", Redirection: "Expanded", RedirectionAddress: "dl@b.example"}},
		Lines:      func(lines []string) []string { return append(lines, "X-Later: 1, 2", "Rule-Names:") },
	})
	rep := must(t, raw)
	rep.Pieces, rep.Inner = nil, nil
	want := &Report{
		Form: M365, Sender: "anna@a.example", OnBehalfOf: "boss@a.example", Subject: "Größe: To: €", MessageID: "<x@y>", Label: "Étude", Mailbox: "m@a.example",
		SentAt: at, ReceivedAt: at.Add(time.Second),
		Recipients: []Recipient{{RoleTo, "b@b.example", Direct, ""}, {RoleBcc, "c@b.example", Expanded, "dl@b.example"}},
		Unknown:    []Line{{"X-Later", "1, 2"}, {"Rule-Names", ""}},
	}
	if d := cmp.Diff(want, rep); d != "" {
		t.Error(d)
	}
}

// TestTwoMessages reads what Exchange makes of a message with protected rights
// (JRN-6).
func TestTwoMessages(t *testing.T) {
	t.Parallel()
	sealed, clear := []byte("Subject: x\r\nContent-Class: rpmsg.message\r\n\r\nsealed"), []byte("Subject: x\r\n\r\nclear\r\n")
	for _, enc := range []string{"", "base64"} {
		raw := journaltest.Build(journaltest.Options{Inner: [][]byte{sealed, clear}, InnerEncoding: enc})
		rep := must(t, raw)
		if len(rep.Inner) != 2 || !bytes.Equal(inner(t, raw, rep.Inner[0]), sealed) || !bytes.Equal(inner(t, raw, rep.Inner[1]), clear) {
			t.Errorf("%+v", rep.Inner)
		}
		if want := map[string]int{"": 5, "base64": 1}[enc]; len(rep.Pieces) != want {
			t.Errorf("%q: pieces %+v", enc, rep.Pieces)
		}
	}
}

// TestReturned reads reports that came back (JRN-7).
func TestReturned(t *testing.T) {
	t.Parallel()
	nested := []byte("From: x\n\nlone LF and --_boundary_ lines\n--x\n")
	for depth := 1; depth <= maxDepth; depth++ {
		raw := journaltest.Build(journaltest.Options{NDR: depth, Inner: [][]byte{nested}})
		rep := must(t, raw)
		if !rep.NDR || rep.Form != M365 || !bytes.Equal(inner(t, raw, rep.Inner[0]), nested) {
			t.Errorf("%d deep: %+v", depth, rep)
		}
	}
	for _, depth := range []int{maxDepth + 1, 200} {
		if _, err := read(t, journaltest.Build(journaltest.Options{NDR: depth})); !errors.Is(err, ErrNotReport) {
			t.Errorf("%d deep: %v", depth, err)
		}
	}
	// a report about a non-delivery report is not the report inside that one
	outer := journaltest.Build(journaltest.Options{NDR: 1, Subject: "inner report"})
	raw := journaltest.Build(journaltest.Options{Subject: "outer report", Inner: [][]byte{outer}})
	if rep := must(t, raw); rep.NDR || rep.Subject != "outer report" || !bytes.Equal(inner(t, raw, rep.Inner[0]), outer) {
		t.Errorf("%+v", rep)
	}
}

func TestReturnedIncomplete(t *testing.T) {
	t.Parallel()
	ndr := func(parts ...string) []byte {
		return []byte("Content-Type: multipart/report; boundary=\"n\"\n\n--n\n\ntext\n--n\n" + strings.Join(parts, "\n--n\n") + "\n--n--\n")
	}
	rfc822 := "Content-Type: message/rfc822\n"
	report := string(journaltest.Build(journaltest.Options{}))
	for name, tt := range map[string]struct {
		raw  []byte
		want string
	}{
		"cut off inside": {journaltest.Build(journaltest.Options{NDR: 2, Unclosed: true}), "cut off"},
		"only header":    {ndr("Content-Type: text/rfc822-headers\n\nX-MS-Journal-Report:\nSubject: x\n"), "nothing but its header"},
		"base64":         {ndr(rfc822 + "Content-Transfer-Encoding: base64\n\nWC1NUy1Kb3VybmFsLVJlcG9ydDoKCng="), "encoded"},
		"two reports":    {ndr(rfc822+"\n"+report, rfc822+"\n"+report), "two"},
		"none inside":    {append([]byte("X-MS-Journal-Report:\n"), ndr(rfc822+"\nSubject: x\n\n")...), "without a journal report"},
	} {
		_, err := read(t, tt.raw)
		if in := (*IncompleteError)(nil); !errors.As(err, &in) || !strings.Contains(in.Reason, tt.want) || in.NDR != (name != "none inside") {
			t.Errorf("%s: %#v", name, err)
		}
	}
	for name, raw := range map[string][]byte{
		"not base64":   ndr(rfc822 + "Content-Transfer-Encoding: base64\n\n!!!"),
		"other header": ndr("Content-Type: text/rfc822-headers\n\nSubject: x\n"),
		"other mail":   ndr(rfc822 + "\nSubject: x\n\nbody\n"),
	} {
		if _, err := read(t, raw); !errors.Is(err, ErrNotReport) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// failing is a message that cannot be read from an offset on.
type failing struct {
	raw  []byte
	from int64
}

func (f failing) Size() int64 { return int64(len(f.raw)) }

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.from {
		return 0, os.ErrDeadlineExceeded
	}
	return copy(p, f.raw[off:]), nil
}

// short says that it is longer than it is.
type short struct{ *bytes.Reader }

func (s short) Size() int64 { return s.Reader.Size() + 1 }

// TestUnreadable: trouble with the medium must not look like another kind of
// message.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	for _, o := range []journaltest.Options{{}, {InnerEncoding: "base64"}, {Encoding: "base64"}, {NDR: 2}, {Alternative: true, Marker: journaltest.Exchange2003}} {
		raw := journaltest.Build(o)
		for from := range raw {
			if rep, err := Read(failing{raw, int64(from)}); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("unreadable from %d of %d: %v, %v", from, len(raw), rep, err)
			}
		}
		if _, err := Read(short{bytes.NewReader(raw)}); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("short: %v", err)
		}
	}
	long := journaltest.Options{Recipients: slices.Repeat([]journaltest.Recipient{{Key: "To", Address: "a@b.example"}}, 20_000)}
	for _, long.Encoding = range []string{"", "base64", "quoted-printable"} {
		raw := journaltest.Build(long)
		for from := 0; from < len(raw); from += 9973 {
			if rep, err := Read(failing{raw, int64(from)}); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("long record, %q, unreadable from %d: %v, %v", long.Encoding, from, rep, err)
			}
		}
	}
}

// TestCorpus reads the real reports; what they hold is found again with regular
// expressions.
func TestCorpus(t *testing.T) {
	t.Parallel()
	dir := corpustest.Dir(t)
	marker := regexp.MustCompile(`(?mi)\A(?:.+\n)*?(?:x-ms-journal-report|content-identif[i]?er: *exjournalreport|x-wm-journal-report:)`)
	found, others := 0, 0
	for _, sub := range []string{"cases/journal", "cases/dsn", "bulk/enron-spam-raw"} {
		err := filepath.WalkDir(filepath.Join(dir, sub), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Base(path) == "SOURCE.txt" {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if !marker.Match(raw) {
				others++
				if _, err := read(t, raw); !errors.Is(err, ErrNotReport) {
					t.Errorf("%s: %v", path, err)
				}
				return nil
			}
			found++
			sameAsGrep(t, path, raw)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if found < 2 || others < 500 {
		t.Errorf("%d reports and %d others", found, others)
	}
	t.Logf("%d reports read, %d other messages are none", found, others)
}

func sameAsGrep(t *testing.T, path string, raw []byte) {
	rep := must(t, raw)
	b := regexp.MustCompile(`boundary="([^"]+)"`).FindSubmatch(raw)[1]
	parts := bytes.Split(raw, append([]byte("--"), b...))
	recipients := regexp.MustCompile(`(?m)^(?:To|Cc|Bcc|Recipient): (\S+)`).FindAllSubmatch(parts[1], -1)
	if len(recipients) != len(rep.Recipients) || len(recipients) == 0 {
		t.Fatalf("%s: %d recipients, grep finds %d", path, len(rep.Recipients), len(recipients))
	}
	for i, r := range recipients {
		if rep.Recipients[i].Address != string(r[1]) {
			t.Errorf("%s: %s, grep finds %s", path, rep.Recipients[i].Address, r[1])
		}
	}
	_, want, _ := bytes.Cut(parts[2], []byte("\n\n"))
	want = bytes.TrimSuffix(want, []byte("\n"))
	if got := inner(t, raw, rep.Inner[0]); !bytes.Equal(got, want) {
		t.Errorf("%s: message of %d bytes, grep finds %d", path, len(got), len(want))
	}
	id := regexp.MustCompile(`(?mi)^message-id:\s+(\S+)`).FindSubmatch(want)
	if id == nil || rep.MessageID != string(id[1]) || rep.Form != M365 || rep.Subject == "" || rep.Sender == "" {
		t.Errorf("%s: %+v", path, rep)
	}
}

// TestManyRecipients: as many as the limit allows, and one more.
func TestManyRecipients(t *testing.T) {
	t.Parallel()
	for n := MaxRecipients; n <= MaxRecipients+1; n++ {
		var o journaltest.Options
		for i := range n {
			o.Recipients = append(o.Recipients, journaltest.Recipient{Key: "Bcc", Address: fmt.Sprintf("r%d@b.example", i), Redirection: "Expanded", RedirectionAddress: "all@b.example"})
		}
		rep, err := read(t, journaltest.Build(o))
		if in := (*IncompleteError)(nil); n > MaxRecipients && !errors.As(err, &in) || n <= MaxRecipients && (err != nil || len(rep.Recipients) != n) {
			t.Errorf("%d recipients: %v", n, err)
		}
	}
}
