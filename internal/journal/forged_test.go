package journal

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/journal/journaltest"
)

const (
	text   = "Content-Type: text/plain\n\n"
	rfc822 = "Content-Type: message/rfc822\n\n"
	good   = text + "Sender: a@b\nSubject: s\nMessage-ID: <1>\nRecipient: c@d\n"
	mail   = rfc822 + "Subject: s\n\nbody\n"
)

// made puts parts into a report by hand.
func made(parts ...string) string {
	return "X-MS-Journal-Report:\nContent-Type: multipart/mixed; boundary=\"b\"\n\n--b\n" + strings.Join(parts, "\n--b\n") + "\n--b--\n"
}

// TestForged: nothing of this may be believed (JRN-5).
func TestForged(t *testing.T) {
	t.Parallel()
	must(t, []byte(made(good, mail))) // what the forgeries start from
	swap := func(from, to string) string {
		out := strings.Replace(made(good, mail), from, to, 1)
		if !strings.Contains(made(good, mail), from) {
			t.Fatalf("no %q", from)
		}
		return out
	}
	var nested, deep strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&nested, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
		fmt.Fprintf(&deep, "Content-Type: message/rfc822\n\nX-MS-Journal-Report:\n")
	}
	for name, tt := range map[string]struct{ raw, want string }{
		"extra line":              {made(good+"Please pay.\n", mail), "does not belong"},
		"extra line first":        {made(text+"Dear archive,\n"+strings.TrimPrefix(good, text), mail), "does not belong"},
		"extra line, folded":      {made(good+" please pay\n", mail), "no single address"},
		"extra line with URL":     {made(good+"http://b.example/\n", mail), "does not belong"},
		"extra line with colon":   {made(good+"Dear Sir: pay\n", mail), "does not belong"},
		"extra line first folded": {made(text+" x\n"+strings.TrimPrefix(good, text), mail), "does not belong"},
		"footer":                  {made(good+"\n--\nChecked by Antivirus\n", mail), "does not belong"},
		"second sender":           {made(good+"Sender: x@y\n", mail), "several lines sender"},
		"second subject":          {made(good+"subject: x\n", mail), "several lines subject"},
		"no recipient":            {swap("Recipient: c@d\n", ""), "no recipient"},
		"list of 2003":            {swap("Recipient: c@d\n", "Recipients: c@d\n"), "no recipient"},
		"no sender":               {swap("Sender: a@b\n", ""), "no line sender"},
		"no subject":              {swap("Subject: s\n", ""), "no line subject"},
		"no id":                   {swap("Message-ID: <1>\n", ""), "no line message-id"},
		"many unknown":            {made(good+strings.Repeat("X: y\n", maxUnknown+1), mail), "nobody knows"},
		"long line":               {swap("Subject: s", "Subject: "+strings.Repeat("s", maxLine)), "longer"},
		"long folded line":        {swap("Subject: s", "Subject: "+strings.Repeat("sssssssssss\n ", maxLine/12+1)+"\nX: y"), "longer"},
		"record empty":            {made(text, mail), "no line sender"},
		"record without body":     {made("Content-Type: text/plain", mail), "is empty"},
		"record is HTML":          {made(strings.Replace(good, "plain", "html", 1), mail), "not text/plain"},
		"record in HTML beside":   {made("Content-Type: multipart/alternative; boundary=a\n\n--a\n"+text+"Hello\n--a\n"+strings.Replace(good, "plain", "html", 1)+"\n--a--\n", mail), "not text/plain"},
		"alternative of 2007":     {made("Content-Type: multipart/alternative; boundary=a\n\n--a\n"+good+"\n--a--\n", mail), "not text/plain"},
		"record odd encoding":     {swap(text, "Content-Type: text/plain\nContent-Transfer-Encoding: x-uuencode\n\n"), "encoded as"},
		"record false base64":     {made("Content-Transfer-Encoding: base64\n\nU2Vu!", mail), "cannot be decoded"},
		"record two types":        {swap(text, "Content-Type: text/html\nContent-Type: text/plain\n\n"), "2 fields"},
		"record two encodings":    {swap(text, "Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\n"), "2 fields"},
		"record last":             {made(mail, good), "not text/plain"},
		"second text part":        {made(good, text+"Hello\n", mail), "not a message"},
		"second record":           {made(good, mail, good), "not a message"},
		"attachment":              {made(good, mail, "Content-Type: application/pdf\n\nx"), "not a message"},
		"no message":              {made(good), "1 part"},
		"no part":                 {"X-MS-Journal-Report:\nContent-Type: multipart/mixed; boundary=b\n\n--b--\n", "no parts"},
		"three messages":          {made(good, mail, mail, mail), "4 or more"},
		"thousand messages":       {made(append([]string{good}, strings.Split(strings.Repeat(mail+"\x00", 1000), "\x00")...)...), "4 or more"},
		"empty message":           {made(good, rfc822), "is empty"},
		"message without body":    {made(good, "Content-Type: message/rfc822"), "is empty"},
		"message false base64":    {made(good, "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nA!B"), "cannot be decoded"},
		"message empty base64":    {made(good, "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n \n"), "is empty"},
		"message odd encoding":    {made(good, "Content-Type: message/rfc822\nContent-Transfer-Encoding: x-zip\n\nA"), "encoded as"},
		"message partial":         {made(good, "Content-Type: message/partial; id=x\n\nA"), "not a message"},
		"message in a multipart":  {made(good, "Content-Type: multipart/mixed; boundary=c\n\n--c\n"+mail+"\n--c--\n"), "not a message"},
		"cut off":                 {strings.TrimSuffix(made(good, mail), "\n--b--\n"), "cut off"},
		"cut in boundary":         {strings.TrimSuffix(made(good, mail), "--\n"), "cut off"},
		"boundary and text":       {strings.Replace(made(good, mail), "--b--", "--b-- and more", 1), "cut off"},
		"text after":              {made(good, mail) + "More mail\n", "after its closing"},
		"parts after":             {made(good, mail) + "--b\n" + mail + "\n--b--\n", "after its closing"},
		"text far after":          {made(good, mail) + strings.Repeat("\n", 10_000) + "x", "after its closing"},
		"long preamble":           {swap("\n--b\n", "\n"+strings.Repeat("x", maxPreamble+1)+"\n--b\n"), "before its first"},
		"no multipart":            {"X-MS-Journal-Report:\nContent-Type: text/plain\n\n" + strings.TrimPrefix(good, text), "not multipart/mixed"},
		"no type":                 {"X-MS-Journal-Report:\n\n" + strings.TrimPrefix(good, text), "not multipart/mixed"},
		"other multipart":         {swap("multipart/mixed", "multipart/digest"), "not multipart/mixed"},
		"only header":             {"X-MS-Journal-Report:\nContent-Type: multipart/mixed; boundary=b", "ends with its header"},
		"encoded as a whole":      {swap("X-MS", "Content-Transfer-Encoding: base64\nX-MS"), "encoded as a whole"},
		"two types":               {swap("X-MS", "Content-Type: multipart/mixed; boundary=c\nX-MS"), "2 fields"},
		"no boundary":             {swap("; boundary=\"b\"", ""), "no boundary"},
		"empty boundary":          {swap("\"b\"", "\"\""), "no boundary"},
		"two boundaries":          {swap("\"b\"", "\"c\"; boundary=b"), "several ways"},
		"divided boundary":        {swap("boundary=\"b\"", "boundary*0=b; boundary*1=c"), "several ways"},
		"encoded boundary":        {swap("boundary=\"b\"", "boundary*=utf-8''b"), "several ways"},
		"long boundary":           {swap("\"b\"", "\""+strings.Repeat("b", maxBoundary+1)+"\""), "not allowed"},
		"boundary with blank":     {swap("\"b\"", "\"b \""), "not allowed"},
		"long header":             {"X-MS-Journal-Report:\n" + strings.Repeat("X: yyyyyyyyyyyyy\n", maxHeader/16) + "\n", "too long"},
		"long part header":        {swap(text, strings.Repeat("X: yyyyyyyyyyyyy\n", maxPartHeader/16)+text), "too long"},
		"nested parts":            {"X-MS-Journal-Report:\n" + nested.String(), "cut off"},
		"nested parts inside":     {made(nested.String(), mail), "not text/plain"},
		"nested messages":         {deep.String(), "no report"},
	} {
		started := time.Now()
		rep, err := read(t, []byte(tt.raw))
		in := (*IncompleteError)(nil)
		if tt.want == "no report" {
			if !errors.Is(err, ErrNotReport) {
				t.Errorf("%s: %+v, %v", name, rep, err)
			}
		} else if !errors.As(err, &in) || !strings.Contains(in.Reason, tt.want) {
			t.Errorf("%s: %+v, %v; want %s", name, rep, err, tt.want)
		}
		if d := time.Since(started); d > 5*time.Second {
			t.Errorf("%s took %v", name, d)
		}
	}
}

// TestTolerated: what Exchange and honest mail servers do.
func TestTolerated(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"preamble":         string(journaltest.Build(journaltest.Options{Preamble: "This is a multi-part message in MIME format.\n\n"})),
		"blank epilogue":   made(good, mail) + "\n \n\r\n",
		"no last line end": strings.TrimSuffix(made(good, mail), "\n"),
		"padding":          strings.ReplaceAll(made(good, mail), "--b\n", "--b \t \n"),
		"no type":          made("\n"+strings.TrimPrefix(good, text), mail),
		"From line":        "From a@b Mon Jan  2 15:04:05 2006\n" + made(good, mail),
		"odd header line":  "no field\n continued\n" + made(good, mail),
		"comment":          strings.Replace(made(good, mail), "multipart/mixed;", "Multipart/Mixed (a; \\) comment) ; x=y ;;", 1),
		"token":            strings.Replace(made(good, mail), `"b"`, "b ; charset=us-ascii", 1),
		"escaped":          strings.Replace(made(good, mail), `"b"`, `"\b"`, 1),
		"unknown charset":  strings.Replace(made(good, mail), "text/plain", "text/plain; charset=x-unknown", 1),
		"charset 2022-kr":  strings.Replace(made(good, mail), "text/plain", "text/plain; charset=iso-2022-kr", 1),
		"blanks in base64": made("Content-Transfer-Encoding: Base64 (x)\n\nU2VuZGVyOiBhQGIKU3ViamVj \t\n dDogcwpNZXNzYWdlLUlEOiA8MT4KUmVjaXBpZW50OiBjQGQK", mail),
	} {
		if rep, err := read(t, []byte(raw)); err != nil || len(rep.Recipients) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	latin := must(t, []byte(strings.Replace(made(good, mail), "Subject: s", "Subject: Gr\xf6\xdfe", 1)))
	if latin.Subject != "Größe" {
		t.Errorf("subject %q", latin.Subject)
	}
}
