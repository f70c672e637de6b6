package oauth

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/remote"
)

// answering is a log-in server that always says the same.
type answering struct {
	status     int
	kind, body string
}

func (a answering) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Status: http.StatusText(a.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {a.kind}, "Retry-After": {a.body}}, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

// Whatever a log-in server says, there is a token or an *Error with a code, and no
// secret in it.
func FuzzAnswer(f *testing.F) {
	const secret = "Q~a-secret-of-a-test"
	f.Add(200, "application/json", `{"access_token":"a","expires_in":"3600","refresh_token":"b"}`)
	f.Add(400, "application/json", `{"error":"invalid_grant","error_description":"AADSTS70008: `+secret+`"}`)
	f.Add(400, "text/plain", "error=slow_down")
	f.Add(200, "application/json", `{"device_code":"d","user_code":"u","verification_uri":"https://x.example","expires_in":-9223372036854775808,"interval":-1}`)
	app := App{Provider: remote.Microsoft, Directory: "contoso.example", ClientID: "x"}
	f.Fuzz(func(t *testing.T, status int, kind, body string) {
		if status < 200 || status > 599 || status/100 == 3 {
			t.Skip()
		}
		c := &Client{cfg: Config{Now: time.Now}, http: &http.Client{Transport: &bounded{answering{status, kind, body}, maxAnswer}}}
		_, byClient := c.ByClient(t.Context(), app, []byte(secret))
		_, renewed := c.Renew(t.Context(), app, Grant{Refresh: secret})
		code, begun := c.Begin(t.Context(), app, secret)
		for _, err := range []error{byClient, renewed, begun} {
			if err == nil {
				continue
			}
			if codeOf(t, err) == "" || strings.Contains(err.Error(), secret) {
				t.Errorf("%v", err)
			}
		}
		if begun == nil && (code.Expires.After(time.Now().Add(longestCode+time.Minute)) || code.answer.Interval < 1 || code.answer.Interval > longestInterval) {
			t.Errorf("%+v", code)
		}
	})
}
