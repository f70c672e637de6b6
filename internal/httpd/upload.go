package httpd

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/upload"
)

// rightTo is the right that an upload of a kind needs.
func rightTo(kind string) access.Right {
	if kind == upload.Mail {
		return access.ImportMail
	}
	return access.UploadDocuments
}

// giver finds who gives, and checks that he may give at all.
func (s *Server) giver(ctx context.Context) (upload.Owner, access.Actor, error) {
	a, err := accountOf(ctx)
	if err != nil {
		return upload.Owner{}, access.Actor{}, err
	}
	if err := a.Actor.Check(access.UploadDocuments); err != nil {
		return upload.Owner{}, access.Actor{}, err
	}
	if s.cfg.Uploads == nil {
		return upload.Owner{}, access.Actor{}, api.NewProblem(api.CodeNotRunning, "This server takes no uploads.")
	}
	return upload.Owner{Tenant: a.Actor.Tenant, User: a.Actor.User}, a.Actor, nil
}

// uploadFault turns the errors of uploads into problems.
func uploadFault(err error) error {
	var offset *upload.OffsetError
	var limit *upload.LimitError
	switch {
	case errors.As(err, &offset):
		return api.NewProblem(api.CodeUploadOffset, "The next piece begins at byte "+strconv.FormatInt(offset.Want, 10)+".")
	case errors.As(err, &limit):
		return api.NewProblem(api.CodeUploadLimit, limit.Text)
	case errors.Is(err, upload.ErrNotFound):
		return api.NewProblem(api.CodeNotFound, "")
	case errors.Is(err, upload.ErrBusy), errors.Is(err, upload.ErrState):
		return api.NewProblem(api.CodeUploadState, "")
	case errors.Is(err, upload.ErrFull):
		return api.NewProblem(api.CodeBusy, "The disk of the server has no room for this upload at present.")
	}
	return err
}

// given answers with an upload.
func given(u *upload.Upload, err error) (*api.Upload, error) {
	if err != nil {
		return nil, uploadFault(err)
	}
	return describeUpload(u, nil), nil
}

// describeUpload tells of an upload; of what is archived in it only what the reader
// may see.
func describeUpload(u *upload.Upload, may map[uid.ID]bool) *api.Upload {
	out := &api.Upload{ID: u.ID.String(), Kind: u.Kind, Name: u.Name, Size: u.Size, Received: u.Received, Identity: u.Identity, Title: u.Title,
		Date: u.Date, Category: u.Category, CreatedAt: u.CreatedAt, State: u.State, Reason: u.Reason}
	if r := u.Result; r != nil {
		out.Result = &api.UploadResult{Stored: r.Stored, Duplicate: r.Duplicate, Quarantined: r.Quarantined, Excluded: r.Excluded, Before: r.Before, Skipped: r.Skipped, Failed: r.Failed, Omitted: r.Omitted, Items: []api.UploadItem{}}
		for _, i := range r.Items {
			x := api.UploadItem{Origin: i.Origin, Outcome: i.Outcome, Reason: i.Reason, Detail: i.Detail, Bytes: i.Bytes}
			if may[i.AOID] {
				x.Message = i.AOID.String()
			}
			out.Result.Items = append(out.Result.Items, x)
		}
	}
	return out
}

// Uploads implements api.Service.
func (s *Server) Uploads(ctx context.Context) (*api.Uploads, error) {
	o, actor, err := s.giver(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.Uploads{Uploads: []api.Upload{}, MayImport: actor.Check(access.ImportMail) == nil, MaxSize: s.cfg.Uploads.MaxSize, ChunkSize: upload.MaxChunk}
	all := s.cfg.Uploads.List(o)
	for i := range all {
		out.Uploads = append(out.Uploads, *describeUpload(&all[i], nil))
	}
	return out, nil
}

// CreateUpload implements api.Service.
func (s *Server) CreateUpload(ctx context.Context, n api.NewUpload) (*api.Upload, error) {
	o, actor, err := s.giver(ctx)
	if err != nil {
		return nil, err
	}
	if err := actor.Check(rightTo(n.Kind)); err != nil {
		return nil, err
	}
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Archive.Takes(ctx, a.Actor.Tenant); err != nil {
		return nil, err
	}
	own := a.User.Addresses // not those of alias domains, which come and go: a document is known by its owners
	u := upload.Upload{Owner: o, Kind: n.Kind, Name: archive.FileName(n.Name), Size: n.Size, Identity: strings.ToValidUTF8(n.Identity, ""), Category: strings.TrimSpace(n.Category)}
	errs := labels(archive.SourceDraft{Name: "x", Category: u.Category})
	if n.Kind == upload.Document {
		d := archive.Document{Name: u.Name, Title: n.Title, Date: n.Date, Owners: own}
		if len(own) == 0 {
			return nil, mistake("", "your account has no mail address, so you could not see the document; ask your administrator for one")
		}
		if err := d.Check(); err != nil {
			errs = append(errs, api.ProblemError{Location: "body", Message: err.Error()})
		}
		u.Title, u.Date, u.Owners = d.Title, d.Date, d.Owners
		if n.Size > archive.MaxMessage {
			return nil, api.NewProblem(api.CodeUploadLimit, "A document may have at most "+strconv.Itoa(archive.MaxMessage)+" bytes.")
		}
	}
	if len(errs) > 0 {
		return nil, mistakes(errs...)
	}
	return given(s.cfg.Uploads.Create(u))
}

// uploadOf finds an upload of the user. What is no id does not exist.
func (s *Server) uploadOf(ctx context.Context, id string) (upload.Owner, *upload.Upload, error) {
	o, _, err := s.giver(ctx)
	if err != nil {
		return o, nil, err
	}
	at, err := uid.Parse(id)
	if err != nil {
		return o, nil, api.NewProblem(api.CodeNotFound, "")
	}
	u, err := s.cfg.Uploads.Get(o, at)
	if err != nil {
		return o, nil, uploadFault(err)
	}
	return o, u, nil
}

// Upload implements api.Service.
func (s *Server) Upload(ctx context.Context, id string) (*api.Upload, error) {
	_, u, err := s.uploadOf(ctx, id)
	if err != nil {
		return nil, err
	}
	var ids []uid.ID
	if u.Result != nil {
		for _, i := range u.Result.Items {
			if !i.AOID.IsZero() {
				ids = append(ids, i.AOID)
			}
		}
	}
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	may, err := h.Visible(ctx, ids)
	if err != nil {
		return nil, err
	}
	return describeUpload(u, may), nil
}

// WriteUpload implements api.Service.
func (s *Server) WriteUpload(ctx context.Context, id string, offset int64, piece []byte) (*api.Upload, error) {
	o, u, err := s.uploadOf(ctx, id)
	if err != nil {
		return nil, err
	}
	return given(s.cfg.Uploads.Write(o, u.ID, offset, piece))
}

// FinishUpload implements api.Service.
func (s *Server) FinishUpload(ctx context.Context, id string, end api.UploadEnd) (*api.Upload, error) {
	o, u, err := s.uploadOf(ctx, id)
	if err != nil {
		return nil, err
	}
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	// The role may have changed since the upload began.
	if u.State == upload.Open {
		if err := h.Uploaded(ctx, u.ID, rightTo(u.Kind)); err != nil {
			return nil, err
		}
	}
	return given(s.cfg.Uploads.Finish(o, u.ID, strings.ToLower(end.SHA256)))
}

// CancelUpload implements api.Service.
func (s *Server) CancelUpload(ctx context.Context, id string) error {
	o, u, err := s.uploadOf(ctx, id)
	if err != nil {
		return err
	}
	if err := s.cfg.Uploads.Cancel(o, u.ID); err != nil {
		return uploadFault(err)
	}
	return nil
}

// uploadCSV sends the report of an upload for spreadsheets.
func (s *Server) uploadCSV(w http.ResponseWriter, r *http.Request) {
	u, err := s.Upload(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	comma := ';'
	if r.URL.Query().Get("separator") == "comma" {
		comma = ','
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", disposition("upload "+u.Name+".csv"))
	io.WriteString(w, "\uFEFF") //nolint:errcheck // fails only if the client is gone
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = comma, true
	rows := [][]string{{"file", "item", "outcome", "reason", "detail", "bytes", "message"}}
	if u.Result != nil {
		for _, i := range u.Result.Items {
			rows = append(rows, []string{cell(u.Name), cell(i.Origin), i.Outcome, i.Reason, cell(i.Detail), strconv.FormatInt(i.Bytes, 10), i.Message})
		}
		if u.Result.Omitted > 0 {
			rows = append(rows, []string{cell(u.Name), "", "", "", "and " + strconv.FormatInt(u.Result.Omitted, 10) + " more", "", ""})
		}
	}
	if u.Reason != "" {
		rows = append(rows, []string{cell(u.Name), "", "failed", "", cell(u.Reason), strconv.FormatInt(u.Size, 10), ""})
	}
	out.WriteAll(rows) //nolint:errcheck // fails only if the client is gone
}
