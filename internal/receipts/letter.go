package receipts

import (
	"fmt"
	"strings"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/mailer"
	"github.com/muniment/muniment/internal/outbox"
)

// letter is the mail with a receipt. It tells nothing that is not in the receipt but
// the name of the tenant.
func letter(o *archive.LogOwner, x *catalog.Receipt) outbox.Letter {
	name := o.Name
	subject, text := english, englishText
	if o.Language == "de" {
		subject, text = german, germanText
	}
	if name == "" {
		name = o.Slug
	}
	name = strings.TrimLeft(name, "_")
	return outbox.Letter{Tenant: o.Tenant, Kind: "receipt", Key: "receipt " + x.Day, To: o.To,
		Subject: fmt.Sprintf(subject, name, x.Day), Text: fmt.Sprintf(text, name, x.Day, x.Size),
		Files: []mailer.File{{Name: fileName(o, x), Type: "application/json", Data: []byte(x.Body)}}}
}

const (
	english     = "Receipt of the event log of %s, %s"
	englishText = `This is the daily receipt of the event log of the archive of %s,
made on %s. The log has %d entries.

Please keep the attached file, as you keep a receipt: outside of the
archive. With it you, or anybody you give it to, can find out later
whether entries before it were removed, changed, inserted or put into
another order:

    muniment verify-log --receipt EARLIER.json --receipt LATER.json --proof PROOF.json

The program needs neither the archive nor a network. The proof between
two receipts is on the page "Event log" of the archive. The receipt says
nothing about anybody's mail.
`
	german     = "Beleg des Ereignisprotokolls von %s, %s"
	germanText = `Dies ist der tägliche Beleg des Ereignisprotokolls des Archivs von %s,
erstellt am %s. Das Protokoll hat %d Einträge.

Bitte heben Sie die angehängte Datei außerhalb des Archivs auf, so wie
Sie andere Belege aufheben. Mit ihr können Sie oder jeder, dem Sie sie
geben, später feststellen, ob Einträge davor entfernt, geändert,
eingefügt oder umgestellt wurden:

    muniment verify-log --receipt FRÜHER.json --receipt SPÄTER.json --proof NACHWEIS.json

Das Programm braucht dafür weder das Archiv noch ein Netz. Den Nachweis
zwischen zwei Belegen gibt es auf der Seite „Ereignisprotokoll“ des
Archivs. Der Beleg sagt nichts über den Inhalt von E-Mails.
`
)
