package mailbox

import "github.com/muniment/muniment/internal/catalog"

// filing tells how a message was filed when it was listed last.
func (d *folder) filing(item string) *catalog.Filing {
	f := &catalog.Filing{Folder: d.folderName, Flags: d.filed[item].Flags}
	if at := d.filed[item].Date; !at.IsZero() {
		f.Date = &at
	}
	return f
}
