package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// ChunkSize is the largest piece of an upload, in bytes.
const ChunkSize = 4 << 20

// NewUpload begins an upload.
type NewUpload struct {
	Kind     string `json:"kind" enum:"mail,document" doc:"mail: files with mail in them (EML, MSG, PST, mbox, archives), for administrators; document: a file that is archived as it is"`
	Name     string `json:"name" minLength:"1" maxLength:"1000" doc:"Of the file"`
	Size     int64  `json:"size" minimum:"1" doc:"Bytes"`
	Identity string `json:"identity,omitempty" maxLength:"1200" doc:"By which the client knows the file again"`
	Title    string `json:"title,omitempty" maxLength:"500" doc:"Of a document; empty: its name"`
	Date     string `json:"date,omitempty" maxLength:"10" doc:"Of a document, such as 2026-01-31; empty: today"`
	Category string `json:"category,omitempty" maxLength:"200"`
}

// Upload is a file that the user gives.
type Upload struct {
	ID        string        `json:"id"`
	Kind      string        `json:"kind" enum:"mail,document"`
	Name      string        `json:"name"`
	Size      int64         `json:"size"`
	Received  int64         `json:"received" doc:"Bytes that are durable on the server; the next piece begins here"`
	Identity  string        `json:"identity"`
	Title     string        `json:"title"`
	Date      string        `json:"date"`
	Category  string        `json:"category"`
	CreatedAt time.Time     `json:"created_at"`
	State     string        `json:"state" enum:"open,waiting,working,done,failed"`
	Reason    string        `json:"reason" doc:"Why it failed, English"`
	Result    *UploadResult `json:"result,omitempty" doc:"So far, or in the end"`
}

// UploadResult is what became of what is in an upload.
type UploadResult struct {
	Stored    int64 `json:"stored"`
	Duplicate int64 `json:"duplicate" doc:"Had been archived before"`
	// Mail alone is routed by who is named in it; a document never is.
	Quarantined int64        `json:"quarantined" doc:"Seen by nobody before an administrator decides"`
	Excluded    int64        `json:"excluded" doc:"Kept out of the archive by a rule, and stored nowhere"`
	Before      int64        `json:"before" doc:"Archived by this upload before the server was interrupted"`
	Skipped     int64        `json:"skipped" doc:"Rightly left out"`
	Failed      int64        `json:"failed"`
	Omitted     int64        `json:"omitted" doc:"Counted, but not among the items"`
	Items       []UploadItem `json:"items" doc:"Only of a single upload"`
}

// UploadItem is one thing in an upload.
type UploadItem struct {
	Origin  string `json:"origin"`
	Outcome string `json:"outcome" enum:"stored,duplicate,quarantined,excluded,skipped,failed"`
	Reason  string `json:"reason"`
	Detail  string `json:"detail"`
	Bytes   int64  `json:"bytes"`
	Message string `json:"message" doc:"Id of what was archived, if this reader may see it"`
}

// Uploads are the user's own, the newest first.
type Uploads struct {
	Uploads   []Upload `json:"uploads"`
	MayImport bool     `json:"may_import" doc:"The user may give files with mail"`
	MaxSize   int64    `json:"max_size" doc:"Of an upload, bytes"`
	ChunkSize int64    `json:"chunk_size" doc:"Of a piece, at most, bytes"`
}

// UploadEnd says that all bytes were sent.
type UploadEnd struct {
	SHA256 string `json:"sha256,omitempty" pattern:"^([0-9a-fA-F]{64})?$" doc:"Of the whole file, hexadecimal; empty: the client cannot tell"`
}

type (
	byUpload struct {
		ID string `path:"id" doc:"Id of the upload"`
	}
	piece struct {
		ID      string `path:"id" doc:"Id of the upload"`
		Offset  int64  `query:"offset" minimum:"0" required:"true" doc:"Where the piece begins: Received of the upload"`
		RawBody []byte `contentType:"application/octet-stream"`
	}
	endOf struct {
		ID   string `path:"id" doc:"Id of the upload"`
		Body UploadEnd
	}
)

// UploadService carries out the operations of uploads.
type UploadService interface {
	Uploads(ctx context.Context) (*Uploads, error)
	CreateUpload(ctx context.Context, n NewUpload) (*Upload, error)
	Upload(ctx context.Context, id string) (*Upload, error)
	WriteUpload(ctx context.Context, id string, offset int64, piece []byte) (*Upload, error)
	FinishUpload(ctx context.Context, id string, end UploadEnd) (*Upload, error)
	CancelUpload(ctx context.Context, id string) error
}

func uploads(o operations, s UploadService) {
	changing := []Code{CodeRole, CodeNotFound, CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType, CodeNotRunning}
	add(o, op{id: "listUploads", method: http.MethodGet, path: "/uploads", tag: "uploads", summary: "One's own uploads and their reports", problems: []Code{CodeRole, CodeNotRunning}},
		func(ctx context.Context, _ *empty) (*body[Uploads], error) { return reply(s.Uploads(ctx)) })
	add(o, op{id: "createUpload", method: http.MethodPost, path: "/uploads", tag: "uploads", status: http.StatusCreated,
		summary: "Begin an upload", problems: append([]Code{CodeUploadLimit, CodeEnded}, changing...)},
		func(ctx context.Context, in *body[NewUpload]) (*body[Upload], error) {
			return reply(s.CreateUpload(ctx, in.Body))
		})
	add(o, op{id: "getUpload", method: http.MethodGet, path: "/uploads/{id}", tag: "uploads", summary: "One upload with its report", problems: []Code{CodeRole, CodeNotFound, CodeNotRunning}},
		func(ctx context.Context, in *byUpload) (*body[Upload], error) { return reply(s.Upload(ctx, in.ID)) })
	add(o, op{id: "writeUpload", method: http.MethodPut, path: "/uploads/{id}/data", tag: "uploads", body: ChunkSize, bodyTime: 50 * time.Second,
		summary: "Send the next piece of an upload", problems: append([]Code{CodeUploadLimit, CodeUploadOffset, CodeUploadState}, changing...)},
		func(ctx context.Context, in *piece) (*body[Upload], error) {
			return reply(s.WriteUpload(ctx, in.ID, in.Offset, in.RawBody))
		})
	add(o, op{id: "finishUpload", method: http.MethodPost, path: "/uploads/{id}/finish", tag: "uploads",
		summary: "Say that all bytes were sent; archiving begins", problems: append([]Code{CodeUploadOffset, CodeUploadState}, changing...)},
		func(ctx context.Context, in *endOf) (*body[Upload], error) {
			return reply(s.FinishUpload(ctx, in.ID, in.Body))
		})
	add(o, op{id: "cancelUpload", method: http.MethodDelete, path: "/uploads/{id}", tag: "uploads", status: http.StatusNoContent,
		summary: "Give an upload up, or forget its report; what is archived stays", problems: append([]Code{CodeUploadState}, changing...)},
		func(ctx context.Context, in *byUpload) (*empty, error) { return nil, s.CancelUpload(ctx, in.ID) })
}

// uploadCSV is the report of an upload for spreadsheets.
func uploadCSV() Download {
	return Download{op{id: "getUploadCsv", method: http.MethodGet, path: "/uploads/{id}/report.csv", tag: "uploads", problems: []Code{CodeRole, CodeNotFound, CodeNotRunning},
		summary: "What became of what is in an upload, as CSV (UTF-8 with byte order mark)"},
		[]*huma.Param{{Name: "id", In: "path", Required: true, Description: "Id of the upload", Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "separator", In: "query", Description: "Between the cells", Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"semicolon", "comma"}, Default: "semicolon"}}},
		"text/csv"}
}
