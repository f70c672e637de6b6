package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/danielgtaylor/huma/v2/validation"
)

//go:generate go run ./genspec

// sessionScheme names the way to authenticate in the document.
const sessionScheme = "session"

// tokenScheme names the way of programs.
const tokenScheme = "token"

// config is huma without its own pages: no documentation page (it loads scripts
// from elsewhere), no schema links in the values.
func config() huma.Config {
	schemas := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	json := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "Muniment", Version: "1",
				Description: "The archive's interface. Times are RFC 3339 in UTC, sizes are bytes, ids are opaque. Errors are problems (RFC 9457) with a stable code. Unknown members and parameters are refused.",
				License:     &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}},
			Components: &huma.Components{Schemas: schemas, SecuritySchemes: map[string]*huma.SecurityScheme{
				sessionScheme: {Type: "apiKey", In: "cookie", Name: CookieName,
					Description: "Set by logIn. Over TLS the cookie is called " + SecureCookieName + "."},
				tokenScheme: {Type: "http", Scheme: "bearer", Description: "A token for programs; createToken makes one. Operations outside of its scopes are refused, and none lets mail of people be read."},
			}},
			Tags: []*huma.Tag{{Name: "session"}, {Name: "search"}, {Name: "message"}, {Name: "sources"}, {Name: "access"}, {Name: "retention"}, {Name: "administration"}, {Name: "users"}, {Name: "evidence"}, {Name: "preservation"}, {Name: "installation"}, {Name: "hierarchy"}},
		},
		Formats:                      map[string]huma.Format{"application/json": json, "json": json},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}
}

// Spec returns the OpenAPI document as indented JSON; the same bytes for the
// same source.
func Spec() ([]byte, error) {
	a := humago.NewWithPrefix(http.NewServeMux(), Base, config())
	describe(operations{api: a}, nil)
	raw, err := json.Marshal(a.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("openapi document: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return nil, fmt.Errorf("openapi document: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// polish removes from the document what the server does not do or what makes
// generated clients awkward: arrays that are null, numbers beyond 2^53, and
// huma's own form of errors, which Register replaces.
func polish(doc *huma.OpenAPI) {
	schemas := doc.Components.Schemas.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	var codes []any
	for _, k := range Kinds() {
		codes = append(codes, k.Code)
	}
	for schema, s := range schemas {
		for name, p := range s.Properties {
			if p.Type == huma.TypeArray {
				p.Nullable = false
			}
			if p.Type == huma.TypeInteger {
				p.Format = ""
			}
			if name == "code" && (schema == "Problem" || schema == "SearchProblem" || schema == "StepProblem") {
				p.Enum = codes
			}
		}
	}
	for _, path := range doc.Paths {
		for _, o := range []*huma.Operation{path.Get, path.Post, path.Put, path.Patch, path.Delete} {
			if o == nil {
				continue
			}
			for _, p := range o.Parameters {
				p.Schema.Format = ""
			}
		}
	}
}

// addProblem documents that a response may be a problem of kind k.
func addProblem(r *huma.Response, k Kind, schemas huma.Registry) {
	m := r.Content[ProblemMediaType]
	if m == nil {
		m = &huma.MediaType{Schema: schemas.Schema(reflect.TypeFor[Problem](), true, ""), Examples: map[string]*huma.Example{}}
		r.Content[ProblemMediaType] = m
	}
	const requestID = "aamjfefjy4wshrwln4wudu3fzm"
	p := NewProblem(k.Code, "")
	p.RequestID = requestID
	var example Fault = p
	if k.Code == CodeQuery {
		m.Schema = &huma.Schema{AnyOf: []*huma.Schema{schemas.Schema(reflect.TypeFor[SearchProblem](), true, ""), m.Schema}}
		example = &SearchProblem{Problem: *p, Start: 8, End: 14, Proposal: "before:2024-02-29"}
	}
	if k.Code == CodeSecondFactor {
		m.Schema = &huma.Schema{AnyOf: []*huma.Schema{schemas.Schema(reflect.TypeFor[StepProblem](), true, ""), m.Schema}}
		example = &StepProblem{Problem: *p, Factors: []string{"totp", "recovery"}, ExpiresAt: time.Date(2026, 3, 2, 10, 10, 0, 0, time.UTC)}
	}
	if k.Code == CodeInvalid {
		p.Errors = []ProblemError{{Location: "query.limit", Message: "expected number <= 200"}}
	}
	m.Examples[string(k.Code)] = &huma.Example{Summary: k.Title, Value: example}
}

// describeDownloads documents the operations that stream. They are not huma's:
// the server registers plain handlers for them.
func describeDownloads(o operations) {
	for _, d := range Downloads() {
		o.api.OpenAPI().AddOperation(d.document(o.api.OpenAPI().Components.Schemas))
	}
}

// Download is an operation whose answer is no JSON but streamed bytes.
type Download struct {
	op
	params    []*huma.Param
	mediaType string
}

// Pattern returns the pattern of the operation for http.ServeMux.
func (d Download) Pattern() string { return d.method + " " + Base + d.path }

// Public reports whether the operation needs no session.
func (d Download) Public() bool { return d.public }

// ID returns the operation's id.
func (d Download) ID() string { return d.id }

// Mistakes lists what is wrong with the parameters of a request, as huma does for all
// other operations: one that does not exist would be forgotten, and the file be another
// one than was asked for. The parameter grant belongs to who asks, and is judged there.
func (d Download) Mistakes(q url.Values) []ProblemError {
	var out []ProblemError
	for _, name := range slices.Sorted(maps.Keys(q)) {
		i := slices.IndexFunc(d.params, func(p *huma.Param) bool { return p.In == "query" && p.Name == name })
		if i < 0 {
			if name != "grant" {
				out = append(out, ProblemError{Location: "query." + clip(name), Message: "unknown query parameter"})
			}
			continue
		}
		schema, value := d.params[i].Schema, q.Get(name)
		_, err := strconv.ParseBool(value)
		switch {
		case schema.Type == huma.TypeBoolean && err != nil:
			out = append(out, ProblemError{Location: "query." + name, Message: validation.MsgExpectedBoolean})
		case len(schema.Enum) > 0 && value != "" && !slices.Contains(schema.Enum, any(value)):
			out = append(out, ProblemError{Location: "query." + name, Message: fmt.Sprintf(validation.MsgExpectedOneOf, strings.Trim(fmt.Sprint(schema.Enum), "[]"))})
		}
	}
	return out
}

// Downloads lists the operations that stream.
func Downloads() []Download {
	problems := []Code{CodeRole, CodeNotFound, CodeCorrupt}
	id := &huma.Param{Name: "id", In: "path", Required: true, Description: "Id of the message", Schema: &huma.Schema{Type: huma.TypeString}}
	grant := &huma.Param{Name: "grant", In: "query", Description: grantDoc, Schema: &huma.Schema{Type: huma.TypeString}}
	flag := func(name, text string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: text, Schema: &huma.Schema{Type: huma.TypeBoolean, Default: false}}
	}
	return slices.Concat([]Download{
		{op{id: "getMessageHtml", method: http.MethodGet, path: "/messages/{id}/html", tag: "message", problems: append([]Code{CodeNoHTML}, problems...),
			summary: "The message's HTML, made safe, for a sandboxed frame"},
			[]*huma.Param{id, grant, flag("remote", "Let references to other servers in")}, "text/html"},
		{op{id: "getMessageRaw", method: http.MethodGet, path: "/messages/{id}/raw", tag: "message", problems: problems,
			summary: "The message as it arrived, or the file that a document is"},
			[]*huma.Param{id, grant, flag("inline", "Only the first MiB, as plain text to be shown")}, "message/rfc822"},
		{op{id: "getAttachment", method: http.MethodGet, path: "/messages/{id}/attachments/{no}", tag: "message", problems: problems,
			summary: "The bytes of an attachment"},
			[]*huma.Param{id, grant, {Name: "no", In: "path", Required: true, Description: "No of the attachment", Schema: &huma.Schema{Type: huma.TypeInteger}}},
			"application/octet-stream"},
		{op{id: "getReport", method: http.MethodGet, path: "/messages/{id}/reports/{capture}", tag: "message", problems: problems,
			summary: "The whole journal report in which the message came; for the sender alone"},
			[]*huma.Param{id, grant, {Name: "capture", In: "path", Required: true, Description: "Id of the capture", Schema: &huma.Schema{Type: huma.TypeString}}},
			"message/rfc822"},
		completenessCSV(),
		uploadCSV(),
		accessCSV(),
		tombstonesCSV(),
		usersCSV(),
	}, evidenceDownloads(id, problems), logDownloads(), hierarchyDownloads())
}

func (d Download) document(schemas huma.Registry) *huma.Operation {
	h := d.operation(schemas)
	h.Parameters = d.params
	h.Responses["200"] = &huma.Response{Description: http.StatusText(http.StatusOK), Content: map[string]*huma.MediaType{
		d.mediaType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
	return &h
}
