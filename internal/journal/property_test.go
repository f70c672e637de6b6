package journal

import (
	"bytes"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/muniment/muniment/internal/journal/journaltest"
)

// message draws bytes as messages have them and as they must not.
func message(t *rapid.T) []byte {
	piece := rapid.SampledFrom([]string{
		"Subject: x", "", "\r", "\n", "\r\n", "\r\n\r\n", "--", "--x", "--x--", "-- \n", "\x00", "\xff\xfe", "ä", "From nobody", ".", "--_0de2b673-0fe6-4d53-a06c-733943059a74_--",
		"X-MS-Journal-Report:\r\n", "Content-Type: multipart/mixed; boundary=x\r\n", strings.Repeat("y", 1000), "\n--BOUNDARY-longer\n", "\n--BOUNDARY --\n", " --BOUNDARY", "\r--BOUNDARY\r", "--BOUNDAR",
	})
	var out []byte
	if rapid.Bool().Draw(t, "wild") {
		out = rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "bytes")
	} else {
		out = []byte(strings.Join(rapid.SliceOfN(piece, 1, 20).Draw(t, "pieces"), ""))
	}
	if len(out) == 0 {
		out = []byte("x")
	}
	return out
}

// hasBoundary reports, independently of the reader, whether a line of m is the
// boundary, also when m stands between line ends.
func hasBoundary(m []byte) bool {
	for line := range bytes.SplitSeq(m, []byte("\n")) {
		line = bytes.TrimRight(line, " \t\r")
		if s := string(line); s == "--BOUNDARY" || s == "--BOUNDARY--" {
			return true
		}
	}
	return false
}

// TestEveryByteComesBack: a message is what was put in, whatever it is and
// whatever is around it (JRN-3), and the pieces are the whole (JRN-4).
func TestEveryByteComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		o := journaltest.Options{
			Boundary:      "BOUNDARY",
			EOL:           rapid.SampledFrom([]string{"\r\n", "\n"}).Draw(rt, "eol"),
			HeadEOL:       rapid.SampledFrom([]string{"\r\n", "\n"}).Draw(rt, "header eol"),
			Marker:        rapid.SampledFrom([]string{journaltest.M365, journaltest.Exchange2007, journaltest.Exchange2003, journaltest.Piler}).Draw(rt, "marker"),
			Encoding:      rapid.SampledFrom([]string{"", "quoted-printable", "base64"}).Draw(rt, "encoding"),
			InnerEncoding: rapid.SampledFrom([]string{"", "", "8bit", "binary", "base64", "quoted-printable"}).Draw(rt, "message encoding"),
			Preamble:      rapid.SampledFrom([]string{"", "text\n"}).Draw(rt, "preamble"),
			NDR:           rapid.IntRange(0, maxDepth).Draw(rt, "ndr"),
			Subject:       rapid.SampledFrom([]string{" ", "x", "Größe: To: <a@b>", strings.Repeat("ü", 400)}).Draw(rt, "subject"),
			Recipients: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) journaltest.Recipient {
				addr := rapid.SampledFrom([]string{"a@b.example", `"a, b"@c.example`, "EX:/o=Org/cn=x", "ü@ü.example"})
				r := journaltest.Recipient{Key: rapid.SampledFrom([]string{"To", "Cc", "Bcc", "Recipient"}).Draw(t, "key"), Address: addr.Draw(t, "address")}
				if r.Redirection = rapid.SampledFrom([]string{"", "Expanded", "Forwarded"}).Draw(t, "redirection"); r.Redirection != "" {
					r.RedirectionAddress = addr.Draw(t, "via")
				}
				return r
			}), 1, 5).Draw(rt, "recipients"),
		}
		o.Alternative = o.Marker == journaltest.Exchange2003 && rapid.Bool().Draw(rt, "alternative")
		seed := rapid.Uint64().Draw(rt, "order")
		o.Lines = func(l []string) []string {
			rand.New(rand.NewPCG(seed, 1)).Shuffle(len(l), func(i, j int) { l[i], l[j] = l[j], l[i] })
			return l
		}
		for range rapid.IntRange(1, 2).Draw(rt, "messages") {
			m := message(rt)
			switch o.InnerEncoding {
			case "base64":
			case "quoted-printable": // begins new lines of its own
				m = bytes.ReplaceAll(m, []byte("--BOUNDARY"), []byte("--boundary"))
			default:
				if hasBoundary(m) {
					m = []byte("Subject: instead")
				}
			}
			o.Inner = append(o.Inner, m)
		}
		raw := journaltest.Build(o)
		rep := must(t, raw)
		for i, in := range rep.Inner {
			if got := inner(t, raw, in); !bytes.Equal(got, o.Inner[i]) {
				rt.Fatalf("message is %q, not %q", got, o.Inner[i])
			}
		}
		if rep.Subject != strings.TrimSpace(o.Subject) || rep.Sender != "anna@a.example" || rep.NDR != (o.NDR > 0) || len(rep.Inner) != len(o.Inner) {
			rt.Fatalf("%+v", rep)
		}
		wantRecipients(rt, o, rep)
	})
}

// wantRecipients compares without order, which was drawn.
func wantRecipients(t *rapid.T, o journaltest.Options, rep *Report) {
	var want, got []string
	for _, r := range o.Recipients {
		want = append(want, strings.ToLower(r.Key+" "+r.Address+" "+r.Redirection+" "+r.RedirectionAddress))
	}
	for _, r := range rep.Recipients {
		got = append(got, strings.ToLower(string(r.Role)+" "+r.Address+" "+string(r.Via)+" "+r.ViaAddress))
	}
	slices.Sort(want)
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}

// TestSameAsLibrary compares with the standard library, which takes a multipart
// body apart in its own way.
func TestSameAsLibrary(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		m := message(rt)
		if bytes.HasPrefix(m, []byte("--BOUNDARY")) || bytes.Contains(m, []byte("\n--BOUNDARY")) {
			rt.Skip() // to the library, more than the exact line is one
		}
		raw := journaltest.Build(journaltest.Options{Boundary: "BOUNDARY", Inner: [][]byte{m}})
		_, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
		r := multipart.NewReader(bytes.NewReader(body), "BOUNDARY")
		var want []byte
		for range 2 {
			p, err := r.NextRawPart()
			if err != nil {
				rt.Fatal(err)
			}
			if want, err = io.ReadAll(p); err != nil {
				rt.Fatal(err)
			}
		}
		if got := inner(t, raw, must(t, raw).Inner[0]); !bytes.Equal(got, want) || !bytes.Equal(got, m) {
			rt.Fatalf("%q, the library finds %q", got, want)
		}
	})
}

// repeated is a message of head, then a piece again and again, then tail.
type repeated struct {
	head, piece, tail string
	size              int64
}

func (r repeated) Size() int64 { return r.size }

func (r repeated) ReadAt(p []byte, off int64) (int, error) {
	for i := 0; i < len(p); {
		at := off + int64(i)
		switch {
		case at >= r.size:
			return i, io.EOF
		case at < int64(len(r.head)):
			i += copy(p[i:], r.head[at:])
		case at >= r.size-int64(len(r.tail)):
			i += copy(p[i:], r.tail[at-r.size+int64(len(r.tail)):])
		default:
			from := (at - int64(len(r.head))) % int64(len(r.piece))
			i += copy(p[i:], r.piece[from:min(int64(len(r.piece)), from+r.size-int64(len(r.tail))-at)])
		}
	}
	return len(p), nil
}

// TestBounds reads large messages that are made to be slow or to fill memory.
func TestBounds(t *testing.T) {
	const size, most = 32 << 20, 100 << 20
	head := "X-MS-Journal-Report:\nContent-Type: multipart/mixed; boundary=b\n\n--b\n" + good + "\n--b\n"
	ndr := strings.Repeat("Content-Type: multipart/report; boundary=b\n\n--b\n"+rfc822, maxDepth)
	for name, tt := range map[string]struct {
		r    repeated
		fine bool
	}{
		"text":              {repeated{head + rfc822, "Some text in lines of usual length, as mail has it.\r\n", "\n--b--", size}, true},
		"no lines":          {repeated{head + rfc822, "x", "\n--b--", size}, true},
		"almost boundaries": {repeated{head + rfc822, "\n--bb", "\n--b--", size}, true},
		"padded boundaries": {repeated{head + rfc822, "\n--b" + strings.Repeat(" ", maxPadding+5), "\n--b--", size}, true},
		"line ends":         {repeated{head + rfc822, "\n", "\n--b--", size}, true},
		"dashes":            {repeated{head + rfc822, "-", "\n--b--", size}, true},
		"base64":            {repeated{head + "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n", "QUJD", "\n--b--", size}, true},
		"blank base64":      {repeated{head + "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n", "   \n", "\n--b--", size}, false},
		"quoted":            {repeated{head + "Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n", "=41=\n", "\n--b--", size}, true},
		"quoted long line":  {repeated{head + "Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n", "=41", "\n--b--", size}, false},
		"record":            {repeated{"X-MS-Journal-Report:\nContent-Type: multipart/mixed; boundary=b\n\n--b\n" + good, "X: y\n", "\n--b\n" + mail + "\n--b--", size}, false},
		"record, folded":    {repeated{"X-MS-Journal-Report:\nContent-Type: multipart/mixed; boundary=b\n\n--b\n" + good + "X: y\n", " y\n", "\n--b\n" + mail + "\n--b--", size}, false},
		"header":            {repeated{"X-MS-Journal-Report:\n", "X: y\n", "", size}, false},
		"header, one line":  {repeated{"X-MS-Journal-Report:\nX: ", "y", "", size}, false},
		"header, folded":    {repeated{"X-MS-Journal-Report:\nX: ", "y\n ", "", size}, false},
		"parts":             {repeated{head, "\n--b\n", "", size}, false},
		"epilogue":          {repeated{head + mail + "\n--b--", "\n", "", size}, true},
		"returned":          {repeated{ndr + "X: y\n\n", "\n--bb", "", size}, false},
	} {
		t.Run(name, func(t *testing.T) {
			tt.r.size -= (tt.r.size - int64(len(tt.r.head)+len(tt.r.tail))) % int64(len(tt.r.piece)) // whole pieces
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			started := time.Now()
			rep, err := Read(tt.r)
			took := time.Since(started)
			runtime.ReadMemStats(&after)
			if (err == nil) != tt.fine {
				t.Errorf("%v", err)
			}
			if took > 30*time.Second {
				t.Errorf("took %v", took)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > most {
				t.Errorf("%d MB allocated in all", n>>20)
			}
			if rep != nil && rep.Pieces[len(rep.Pieces)-1].Offset+rep.Pieces[len(rep.Pieces)-1].Length != tt.r.size {
				t.Errorf("pieces %+v", rep.Pieces)
			}
			t.Logf("%v, %d KB allocated, %v", took, (after.TotalAlloc-before.TotalAlloc)>>10, err)
		})
	}
}
