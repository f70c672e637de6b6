package journal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/journal/journaltest"
)

// TestGrammar goes through the product of type, redirection, transfer encoding,
// character set, order, line end and form (JRN-1, JRN-2).
func TestGrammar(t *testing.T) {
	t.Parallel()
	orders := map[string]func([]string) []string{
		"as written":       func(l []string) []string { return l },
		"backwards":        func(l []string) []string { slices.Reverse(l); return l },
		"Message-Id early": func(l []string) []string { l[1], l[2] = strings.Replace(l[2], "-ID", "-Id", 1), l[1]; return l },
	}
	n := 0
	for _, key := range []string{"To", "Cc", "Bcc", "Recipient", "RECIPIENT", "bcc"} {
		for _, via := range []string{"", "Expanded", "Forwarded"} {
			for _, enc := range []string{"7bit", "8bit", "quoted-printable", "base64"} {
				for _, charset := range []string{"us-ascii", "utf-8", "iso-8859-1", "windows-1252", "koi8-r", "iso-2022-jp"} {
					for order, lines := range orders {
						for _, eol := range []string{"\r\n", "\n"} {
							for _, marker := range []string{journaltest.M365, journaltest.Organization, journaltest.Exchange2003Old, journaltest.Piler} {
								n++
								subject := map[string]string{"us-ascii": "Plain", "utf-8": "Größe 日本", "iso-8859-1": "Größe", "windows-1252": "5 €", "koi8-r": "Привет", "iso-2022-jp": "日本語"}[charset]
								o := journaltest.Options{Marker: marker, Subject: subject, Encoding: enc, Charset: charset, Lines: lines, EOL: eol,
									Recipients: []journaltest.Recipient{{Key: key, Address: "a@b.example", Redirection: via}}}
								want := []Recipient{{Role: Role(strings.ToLower(key)), Address: "a@b.example", Via: Via(strings.ToLower(via))}}
								if via != "" {
									o.Recipients[0].RedirectionAddress, want[0].ViaAddress = "dl@b.example", "dl@b.example"
								}
								rep := must(t, journaltest.Build(o))
								if !slices.Equal(rep.Recipients, want) || rep.Subject != subject || rep.MessageID != "<1@a.example>" {
									t.Fatalf("%s %s %s %s %s %q %s: %+v", key, via, enc, charset, order, eol, marker, rep)
								}
							}
						}
					}
				}
			}
		}
	}
	t.Logf("%d reports", n)
}

func TestRecipientLines(t *testing.T) {
	t.Parallel()
	const eol = "\r\n"
	for value, want := range map[string]Recipient{
		"a@b":       {Address: "a@b"},
		"<a@b>":     {Address: "a@b"},
		"SMTP:a@b":  {Address: "a@b"},
		"smtp: a@b": {Address: "a@b"},
		`"Smith, John" <a@b>, Expanded: "All, of us" <smtp:dl@b>`: {Address: "a@b", Via: Expanded, ViaAddress: "dl@b"},
		"Smith, John <a@b>":                                               {Address: "a@b"},
		`"a,b"@c.example, Forwarded: x@y`:                                 {Address: `"a,b"@c.example`, Via: Forwarded, ViaAddress: "x@y"},
		`"a, Expanded: b"@c.example`:                                      {Address: `"a, Expanded: b"@c.example`},
		`"a\", Expanded: @"@c`:                                            {Address: `"a\", Expanded: @"@c`},
		"<\"a, Expanded: b\"@c.example>":                                  {Address: `"a, Expanded: b"@c.example`},
		`"\", Expanded: x@y" <a@b>`:                                       {Address: "a@b"},
		"a@b ,expanded :dl@b":                                             {Address: "a@b", Via: Expanded, ViaAddress: "dl@b"},
		"a@b," + eol + " Expanded: dl@b":                                  {Address: "a@b", Via: Expanded, ViaAddress: "dl@b"},
		eol + "\ta@b":                                                     {Address: "a@b"},
		"EX:/o=Org, Inc/ou=First/cn=Recipients/cn=anna":                   {Address: "EX:/o=Org, Inc/ou=First/cn=Recipients/cn=anna"},
		"/O=ORG/OU=FIRST/CN=RECIPIENTS/CN=ANNA, Expanded: /O=ORG/CN=DL":   {Address: "/O=ORG/OU=FIRST/CN=RECIPIENTS/CN=ANNA", Via: Expanded, ViaAddress: "/O=ORG/CN=DL"},
		"X400:c=US;a= ;p=Org;o=Exch;s=Smith;g=John;":                      {Address: "X400:c=US;a= ;p=Org;o=Exch;s=Smith;g=John;"},
		"IMCEAEX-_O=ORG_OU=FIRST_cn=RECIPIENTS_cn=ANNA@b.example":         {Address: "IMCEAEX-_O=ORG_OU=FIRST_cn=RECIPIENTS_cn=ANNA@b.example"},
		"jürgen@größe.example":                                            {Address: "jürgen@größe.example"},
		"a@[IPv6:2001:db8::1]":                                            {Address: "a@[IPv6:2001:db8::1]"},
		"expanded@b.example, Expanded: forwarded@b.example":               {Address: "expanded@b.example", Via: Expanded, ViaAddress: "forwarded@b.example"},
		"MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@b.example    ": {Address: "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@b.example"},
	} {
		want.Role = RoleCc
		rep := must(t, withLine("Cc: "+value))
		if d := cmp.Diff([]Recipient{{Role: RoleRecipient, Address: "ben@b.example"}, want}, rep.Recipients); d != "" {
			t.Errorf("%q: %s", value, d)
		}
	}
	for _, value := range []string{
		"", "name", "a@b please pay", "a@b\r\n please pay", "a@b, c@d", "a@b; c@d", "a@b, Expanded:", "a@b, Expanded: <>", "<>, Expanded: a@b", "a@b, Expanded: x@y, Forwarded: z@y",
		"a@b, Other: x@y", "@b", "a@", "a@b@c", "a b@c", `"a@b`, "<a@b", "a@b>", "a@b\x00", "a@\tb", "a@b\rBcc: c@d", "http://b.example/", "To: whom it may concern", "<a@b> <c@d>", "Note:this",
	} {
		_, err := read(t, withLine("Cc: "+value))
		if in := (*IncompleteError)(nil); !errors.As(err, &in) {
			t.Errorf("%q: %v", value, err)
		}
	}
	if rep := must(t, withLine("Recipient: <>")); len(rep.Recipients) != 1 || len(rep.Unknown) != 1 {
		t.Errorf("null address: %+v", rep)
	}
}

func withLine(line string) []byte {
	return journaltest.Build(journaltest.Options{Encoding: "8bit", Charset: "utf-8", Lines: func(l []string) []string { return append(l, line) }})
}

// TestLines: what other lines mean.
func TestLines(t *testing.T) {
	t.Parallel()
	edit := func(from, to string) *Report {
		return must(t, journaltest.Build(journaltest.Options{Lines: func(l []string) []string {
			return strings.Split(strings.Replace(strings.Join(l, "\n"), from, to, 1), "\n")
		}}))
	}
	for _, tt := range []struct {
		from, to string
		got      func(*Report) string
		want     string
	}{
		{"anna@a.example", "<>", func(r *Report) string { return r.Sender }, ""},
		{"anna@a.example", "Unspecified Address", func(r *Report) string { return r.Sender }, ""},
		{"anna@a.example", `"Anna, A" <SMTP:anna@a.example>`, func(r *Report) string { return r.Sender }, "anna@a.example"},
		{"anna@a.example", "what ever", func(r *Report) string { return r.Sender }, "what ever"},
		{"Sender: anna@a.example", "SENDER:anna@a.example", func(r *Report) string { return r.Sender }, "anna@a.example"},
		{"Sender: ", "\ufeffSender: ", func(r *Report) string { return r.Sender }, "anna@a.example"},
		{"Sender: ", "\n\nSender: ", func(r *Report) string { return r.Sender }, "anna@a.example"},
		{"Subject: Offer", "Subject:", func(r *Report) string { return r.Subject }, ""},
		{"Subject: Offer", "Subject: Sender: x@y", func(r *Report) string { return r.Subject }, "Sender: x@y"},
		{"Subject: Offer", "Subject: a\n b\n\tc", func(r *Report) string { return r.Subject }, "a b c"},
		{"Subject: Offer", "Subject: a\x00b\rc", func(r *Report) string { return r.Subject }, "a\ufffdb\ufffdc"},
		{"<1@a.example>", "Unknown Message-ID", func(r *Report) string { return r.MessageID }, ""},
		{"Recipient:", "SentUtc: yesterday\nRecipient:", func(r *Report) string { return fmt.Sprint(r.SentAt.IsZero(), r.Unknown) }, "true [{sentutc yesterday}]"},
		{"Recipient:", "Received: from a by b; Mon\nReceived: 2024-03-05T17:01:14Z\nReceived: 2025-03-05T17:01:14Z\nRecipient:",
			func(r *Report) string { return fmt.Sprint(r.ReceivedAt.Year(), len(r.Unknown)) }, "2024 2"},
	} {
		if got := tt.got(edit(tt.from, tt.to)); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.to, got, tt.want)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	want := time.Date(2024, 3, 5, 17, 1, 14, 0, time.UTC)
	for _, s := range []string{
		"2024-03-05T17:01:14Z", "2024-03-05T18:01:14.0000000+01:00", "2024-03-05 17:01:14Z", "2024-03-05 17:01:14", "03/05/2024 17:01:14", "3/5/2024 5:01:14 PM",
		"Tue, 05 Mar 2024 17:01:14 +0000", "Tue, 5 Mar 2024 18:01:14 +0100", "Tue, 05 Mar 2024 17:01:14 GMT", "2024-03-05T17:01:14",
	} {
		if got, ok := parseTime(s); !ok || !got.Truncate(time.Second).Equal(want) {
			t.Errorf("%q: %v %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "13/05/2024 17:01:14", "05.03.2024 17:01:14", "0001-01-01T00:00:00Z", "x"} {
		if got, ok := parseTime(s); ok {
			t.Errorf("%q: %v", s, got)
		}
	}
}

// TestExchange2003 reads the list of recipients, broken as that version breaks
// lines: anywhere, without a sign.
func TestExchange2003(t *testing.T) {
	t.Parallel()
	long := `"A very long name, with a comma, that does not fit" <EX:/O=Organisation/OU=First/CN=Recipients/CN=anna>`
	for name, tt := range map[string]struct {
		lines []string
		want  []string
	}{
		"plain":       {[]string{"Recipients:", `"B" <SMTP:b@x>,`, `"C" <SMTP:c@x>`}, []string{"b@x", "c@x"}},
		"same line":   {[]string{`Recipients: "B" <SMTP:b@x>,`, `<SMTP:c@x>`}, []string{"b@x", "c@x"}},
		"bare":        {[]string{"Recipients:", "b@x", "\tBen <c@x>"}, []string{"b@x", "c@x"}},
		"broken":      {[]string{"Recipients:", long[:20], long[20:70], long[70:] + ",", `"C" <SMTP:c@x>`, "", "X-Later: y"}, []string{"EX:/O=Organisation/OU=First/CN=Recipients/CN=anna", "c@x"}},
		"then others": {[]string{"Recipients:", "<SMTP:b@x>", "Label: z", "To: c@x"}, []string{"b@x", "c@x"}},
		"null":        {[]string{"Recipients:", `"" <SMTP:<>>,`, "b@x"}, []string{"b@x"}},
		"2007 lines":  {[]string{"To: b@x", "Cc: c@x, Expanded: d@x"}, []string{"b@x", "c@x"}},
	} {
		for _, alternative := range []bool{false, true} {
			rep, err := read(t, journaltest.Build(journaltest.Options{Marker: journaltest.Exchange2003, Alternative: alternative, Lines: func([]string) []string {
				return append([]string{`Sender: "Anna, with a`, ` name" <SMTP:anna@`, "a.example>", "Message-ID:", "<1@a.exam", "ple>"}, tt.lines...)
			}}))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			var got []string
			for _, r := range rep.Recipients {
				got = append(got, r.Address)
			}
			if !slices.Equal(got, tt.want) || rep.Sender != "anna@a.example" || rep.MessageID != "<1@a.example>" {
				t.Errorf("%s: %q %+v", name, got, rep)
			}
		}
	}
	for name, lines := range map[string][]string{
		"no list":        {"Sender: a@b", "Message-ID: <1>"},
		"no sender":      {"Message-ID: <1>", "Recipients:", "b@x"},
		"no id":          {"Sender: a@b", "Recipients:", "b@x"},
		"empty list":     {"Sender: a@b", "Message-ID: <1>", "Recipients:"},
		"text in list":   {"Sender: a@b", "Message-ID: <1>", "Recipients:", "b@x", "please pay", ""},
		"text between":   {"Sender: a@b", "please pay", "Message-ID: <1>", "Recipients:", "b@x"},
		"text in sender": {"Sender: a b", "please pay", "Message-ID: <1>", "Recipients:", "b@x"},
		"text in id":     {"Sender: a@b", "Message-ID: 1", "please pay>", "Recipients:", "b@x"},
		"text after":     {"Sender: a@b", "Message-ID: <1>", "Recipients:", "b@x", "", "please pay"},
		"two on a line":  {"Sender: a@b", "Message-ID: <1>", "Recipients:", "b@x, c@x"},
		"endless entry":  append([]string{"Sender: a@b", "Message-ID: <1>", "Recipients:"}, slices.Repeat([]string{`"x`}, 1000)...),
	} {
		_, err := read(t, journaltest.Build(journaltest.Options{Marker: journaltest.Exchange2003, Lines: func([]string) []string { return lines }}))
		if in := (*IncompleteError)(nil); !errors.As(err, &in) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
