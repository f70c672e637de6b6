package archive

import (
	"context"
	"encoding/base64"
	"io"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
)

// inlineImage bounds the pictures that are put into the HTML view, each.
const inlineImage = 4 << 20

// HTML returns the message's HTML body made safe for a sandboxed frame; pictures
// that the message carries are inside. remote lets references to the outside in.
func (h *Handle) HTML(ctx context.Context, id uid.ID, remote bool) (message.HTMLView, error) {
	row, err := h.row(ctx, id)
	if err != nil {
		return message.HTMLView{}, err
	}
	view, err := h.safeHTML(ctx, row, remote)
	if err != nil {
		return message.HTMLView{}, err
	}
	return view, h.record(ctx, actShown, row, "")
}

// Blocked returns how many references to the outside HTML leaves out, without the
// HTML. message.ErrNoHTML if there is none.
func (h *Handle) Blocked(ctx context.Context, id uid.ID) (int, error) {
	row, err := h.row(ctx, id)
	if err != nil {
		return 0, err
	}
	view, err := h.safeHTML(ctx, row, false)
	return view.Blocked, err
}

func (h *Handle) safeHTML(ctx context.Context, row *catalog.Message, remote bool) (message.HTMLView, error) {
	raw, done, err := h.a.original(ctx, row)
	if err != nil {
		return message.HTMLView{}, err
	}
	defer done()
	if row.Facts.File != nil {
		return documentHTML(row, raw)
	}
	f := message.Parse(ctx, raw)
	return message.SafeHTML(raw, f, message.HTMLOptions{Remote: remote, CID: func(id string) (string, bool) { return inline(raw, f, id) }})
}

// inline returns a picture of the message as a data: URI.
func inline(raw Raw, f *message.Facts, contentID string) (string, bool) {
	for _, p := range f.Parts {
		if p.ContentID != contentID {
			continue
		}
		switch p.Type {
		case "image/png", "image/jpeg", "image/gif", "image/webp":
			b, err := io.ReadAll(io.LimitReader(message.OpenPart(raw, p), inlineImage+1))
			if err != nil || len(b) > inlineImage {
				return "", false
			}
			return "data:" + p.Type + ";base64," + base64.StdEncoding.EncodeToString(b), true
		}
	}
	return "", false
}
