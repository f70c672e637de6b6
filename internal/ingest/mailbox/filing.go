package mailbox

import "github.com/muniment/muniment/internal/catalog"

// filing tells how a message was filed when it was listed last.
func (d *folder) filing(item string) *catalog.Filing {
	e, ok := d.filed[item]
	if !ok {
		e = d.filedBefore[item]
	}
	f := &catalog.Filing{Folder: d.folderName, Flags: e.Flags}
	if at := e.Date; !at.IsZero() {
		f.Date = &at
	}
	return f
}
