package wall

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/upload"
)

// Uploads and documents are known to nobody but those whose they are.
func TestUploadsOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.ask(w.as("alpha-anna"), http.MethodPost, "/uploads", `{"kind":"mail","name":"walnuss.zip","size":9}`)
	id := regexp.MustCompile(`0[0-9a-z]{25}`).FindString(a.body)
	if a.status != http.StatusCreated || id == "" {
		t.Fatal(a)
	}
	for _, login := range []string{"", "alpha-bernd", "alpha-dora", "beta-anna"} {
		c := w.as(login)
		for _, o := range operations(t) {
			if !strings.HasPrefix(o.path, "/uploads") {
				continue
			}
			there, nowhere := calls(t, o, id), calls(t, o, uid.New(time.Now()).String())
			for i := range there {
				w.compare(login, o, there[i], w.ask(c, o.method, there[i], body(o, id)), w.ask(c, o.method, nowhere[i], body(o, uid.New(time.Now()).String())))
			}
		}
	}
	if a := w.ask(w.as("alpha-anna"), http.MethodGet, "/uploads/"+id, ""); a.status != http.StatusOK || !strings.Contains(a.body, "walnuss.zip") {
		t.Errorf("the owner gets %s", a)
	}
	if a := w.ask(w.as("alpha-bernd"), http.MethodPost, "/uploads", `{"kind":"mail","name":"x.eml","size":9}`); a.status != http.StatusForbidden {
		t.Errorf("a user imports mail: %s", a)
	}
}

// The report of an upload names messages only to those who may see them.
func TestReportNamesNothingHidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	users, err := w.env.Users(t.Context(), w.alpha.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range users {
		o := upload.Owner{Tenant: w.alpha.ID, User: u.ID}
		x, err := w.uploads.Create(upload.Upload{Owner: o, Kind: upload.Mail, Name: "a.zip", Size: 1})
		if err == nil {
			_, err = w.uploads.Write(o, x.ID, 0, []byte("x"))
		}
		if err == nil {
			_, err = w.uploads.Finish(o, x.ID, "")
		}
		if err != nil {
			t.Fatal(err)
		}
		w.uploads.Take(t.Context())
		if err := w.uploads.Finished(x.ID, &upload.Result{Stored: 1, Items: []upload.Item{{Origin: "1.eml", Outcome: "stored", AOID: w.secret}}}, ""); err != nil {
			t.Fatal(err)
		}
		a := w.ask(w.as(u.Login), http.MethodGet, "/uploads/"+x.ID.String(), "")
		if a.status != http.StatusOK || strings.Contains(a.body, w.secret.String()) != (u.Login == "alpha-anna") {
			t.Errorf("%s gets %s", u.Login, a)
		}
		a = w.ask(w.as(u.Login), http.MethodGet, "/uploads/"+x.ID.String()+"/report.csv", "")
		if a.status != http.StatusOK || strings.Contains(a.body, w.secret.String()) != (u.Login == "alpha-anna") || !strings.Contains(a.body, "1.eml") {
			t.Errorf("%s gets %s", u.Login, a)
		}
	}
}

// A document of anna's is nothing to anybody else, by every way that leads to mail.
func TestDocumentsOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	source, err := w.env.UploadSource(t.Context(), w.alpha.ID, "Walnussquelle")
	if err != nil {
		t.Fatal(err)
	}
	bytesOf := []byte("Walnuss, Zacharias")
	r, err := w.env.Ingest(t.Context(), archive.Submission{Tenant: w.alpha.ID, Source: source.ID, Raw: bytes.NewReader(bytesOf),
		Document: &archive.Document{Name: "walnuss.pdf", Title: "Geheimplan", Date: "2015-07-07", Owners: []string{"anna@firma.example"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.env.AwaitIndex(t.Context(), w.alpha.ID); err != nil {
		t.Fatal(err)
	}
	w.secret = r.AOID
	for _, login := range []string{"", "alpha-bernd", "beta-anna"} {
		c := w.as(login)
		for _, o := range operations(t) {
			switch o.id {
			case "search", "getFacets", "suggest", "getMessage", "getMessageHtml", "getMessageRaw", "getAttachment", "getReport", "checkMessage":
				there, nowhere := calls(t, o, r.AOID.String()), calls(t, o, uid.New(time.Now()).String())
				for i := range there {
					w.compare(login, o, there[i], w.ask(c, o.method, there[i], ""), w.ask(c, o.method, nowhere[i], ""))
				}
			}
		}
	}
	anna := w.as("alpha-anna")
	if a := w.ask(anna, http.MethodGet, "/messages/"+r.AOID.String()+"/raw", ""); a.body != string(bytesOf) || a.header.Get("Content-Type") != "text/plain" ||
		!strings.Contains(fmt.Sprint(a.header["Content-Disposition"]), "walnuss.pdf") || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("anna gets %s", a)
	}
	if a := w.ask(anna, http.MethodGet, "/search?q=is:document", ""); !strings.Contains(a.body, `"total":1`) || !strings.Contains(a.body, `"file":{"name":"walnuss.pdf"`) {
		t.Errorf("anna finds %s", a)
	}
}
