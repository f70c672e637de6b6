package uploaded

import (
	"context"
	"strings"

	"github.com/muniment/muniment/internal/ingest/importer"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/upload"
)

func (r *Runner) mail(ctx context.Context, u *upload.Upload, source uid.ID) (*upload.Result, error) {
	c := &counted{Archive: r.Archive}
	rep, err := importer.Run(ctx, importer.Config{Archive: c, Spool: r.Spool, Tenant: u.Owner.Tenant, Source: source, Paths: []string{r.Store.Data(u.ID)}, Name: u.Name,
		Category: u.Category, Workers: inProcess, RetryFor: patience, State: r.Store.Dir(u.ID), Log: r.Log,
		Progress: func(importer.Progress) { r.Store.Progress(u.ID, c.soFar()) }})
	if err != nil {
		return nil, err
	}
	res := c.res
	res.Before, res.Skipped, res.Failed = rep.DoneBefore, rep.Skipped, rep.Failed
	for _, p := range rep.Problems {
		i := upload.Item{Origin: p.Origin, Outcome: "skipped", Reason: string(p.Reason), Detail: p.Detail, Bytes: p.Bytes}
		if p.Failed {
			i.Outcome = "failed"
		}
		res.Add(i)
	}
	res.Omitted += rep.Omitted
	annotate(&res, rep.Notices)
	return &res, nil
}

// maxNotices is how many notices of an item its detail holds.
const maxNotices = 10

// annotate adds to the list what the importer has noted of what is archived: that it is
// not all of it, for instance.
func annotate(res *upload.Result, notices []importer.Notice) {
	texts := map[string][]string{}
	var order []string
	for _, n := range notices {
		if texts[n.Origin] == nil {
			order = append(order, n.Origin)
		}
		if len(texts[n.Origin]) < maxNotices {
			texts[n.Origin] = append(texts[n.Origin], n.Text)
		}
	}
	for i := range res.Items {
		item := &res.Items[i]
		if t := texts[item.Origin]; t != nil && item.Reason == "" {
			item.Reason, item.Detail = string(importer.InPart), strings.Join(t, "; ")
			delete(texts, item.Origin)
		}
	}
	for _, o := range order {
		if t := texts[o]; t != nil {
			res.Add(upload.Item{Origin: o, Outcome: "skipped", Reason: string(importer.Noted), Detail: strings.Join(t, "; ")})
		}
	}
}
