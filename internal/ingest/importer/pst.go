package importer

import (
	"fmt"
	"strings"

	"github.com/muniment/muniment/internal/pst"
)

// pst passes on the items of a PST or OST file. The file itself is not offered: it
// may be larger than anything the archive takes. The identifier of a node names an
// item for good.
func (f feeder) pst(s *source) error {
	file, err := pst.Open(s.raw, s.size)
	if err != nil {
		return f.problem(broken(s.origin, err))
	}
	f.account.notice(s.origin, "the items are archived, each with its folder and identifier, the file itself is not: keep it if it must be kept")
	err = file.Walk(f.ctx, func(it pst.Item) error {
		s.held++
		return f.pstItem(s, &it)
	})
	if err != nil {
		return err
	}
	return f.ended(s)
}

func (f feeder) pstItem(s *source, it *pst.Item) error {
	one := s.found
	folder := s.origin + "#" + shown(strings.Join(it.Folder, "/"))
	one.origin = fmt.Sprintf("%s#0x%08x", folder, it.NID)
	one.place += "/item"
	switch {
	case it.Err != nil: // perhaps of an item that comes nevertheless
		return f.problem(broken(folder, it.Err))
	case it.Associated:
		return f.problem(Problem{Origin: one.origin, Reason: Hidden, Detail: "what Outlook keeps for itself in a folder: a view, a rule, a form"})
	case f.checkpoint.Has(one.key()):
		f.counted(item{found: one}, doneBefore, 0)
		return nil
	}
	m, err := it.Message()
	if err != nil {
		if f.ctx.Err() != nil {
			return f.ctx.Err()
		}
		return f.problem(broken(one.origin, err))
	}
	return f.converted(one, m, nil)
}
