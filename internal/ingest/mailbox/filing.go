package mailbox

import (
	"strings"

	"github.com/muniment/muniment/internal/catalog"
)

// filing tells how a message was filed when it was listed last. The flag \Recent
// tells of sessions and not of the message (RFC 3501 §2.3.2).
func (d *folder) filing(item string) *catalog.Filing {
	e, ok := d.filed[item]
	if !ok {
		e, ok = d.filedBefore[item]
	}
	if !ok {
		e = d.stays[item]
	}
	f := &catalog.Filing{Folder: d.folderName}
	for _, flag := range e.Flags {
		if !strings.EqualFold(flag, `\Recent`) {
			f.Flags = append(f.Flags, flag)
		}
	}
	if at := e.Date; !at.IsZero() {
		f.Date = &at
	}
	return f
}
