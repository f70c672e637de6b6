package httpd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/evidence/inspect"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/uid"
)

// export sends a proof bundle of many messages.
func (s *Server) export(w http.ResponseWriter, r *http.Request) {
	h, err := s.handle(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	q := r.URL.Query()
	req := archive.ExportRequest{Query: q.Get("q"), After: q.Get("after")}
	if text := q.Get("volume"); text != "" {
		if req.Volume, err = strconv.Atoi(text); err != nil || req.Volume < 1 {
			s.refuse(w, r, api.NewProblem(api.CodeNotFound, "The volume is not a number from 1."))
			return
		}
	}
	for text := range strings.SplitSeq(q.Get("ids"), ",") {
		if text == "" {
			continue
		}
		id, err := uid.Parse(text)
		if err != nil || len(req.IDs) == archive.MaxExportIDs {
			s.refuse(w, r, api.NewProblem(api.CodeNotFound, "Choose at most 200 messages by their ids, or all that a search finds."))
			return
		}
		req.IDs = append(req.IDs, id)
	}
	e, err := h.Export(r.Context(), req)
	switch {
	case errors.Is(err, archive.ErrExport), errors.Is(err, index.ErrCursor):
		s.refuse(w, r, api.NewProblem(api.CodeNotFound, "There is nothing to export like this: a place to go on at, or a number of messages, is not right."))
		return
	case err != nil:
		s.fail(w, r, err)
		return
	}
	s.sendZIP(w, r, e.Name(), func(ctx context.Context, out io.Writer) error {
		_, err := e.WriteZIP(ctx, out)
		return err
	})
}

// inspectionPDF sends the inspection report of a message as PDF.
func (s *Server) inspectionPDF(w http.ResponseWriter, r *http.Request) { s.inspection(w, r, ".pdf") }

// inspectionHTML sends it as a file of HTML, which loads nothing.
func (s *Server) inspectionHTML(w http.ResponseWriter, r *http.Request) {
	s.inspection(w, r, ".html")
}

func (s *Server) inspection(w http.ResponseWriter, r *http.Request, ext string) {
	h, id, err := s.open(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	b, err := h.Bundle(r.Context(), id)
	if err != nil {
		s.failEvidence(w, r, err)
		return
	}
	language := inspect.Language(r.URL.Query().Get("language"))
	if language != inspect.German && language != inspect.English {
		language = inspect.Language(requestOf(r.Context()).language)
	}
	page, at, err := b.Inspection(r.Context(), language)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	var out bytes.Buffer
	kind := "application/pdf"
	if ext == ".html" {
		kind, err = "text/html; charset=utf-8", page.HTML(&out)
	} else {
		err = page.PDF(&out, at)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.send(w, r, &out, archive.Download{Name: b.ReportName(language) + ext, Type: kind, Size: int64(out.Len())})
}
