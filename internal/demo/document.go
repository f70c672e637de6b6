package demo

import _ "embed"

var (
	//go:embed documents/rechnung.pdf
	invoice []byte
	//go:embed documents/maserung.png
	photo []byte
)

// Document is a file of the company that is no mail.
type Document struct {
	Name, Title, Date, Category string
	Owners                      []string
	Content                     []byte
}

// Documents returns what the book-keeper has archived herself.
func Documents() []Document {
	owners := []string{"buchhaltung@nordlicht.example"}
	return []Document{
		{Name: "RE-2024-0307.pdf", Title: "Rechnung RE-2024-0307, unterschrieben zurück", Date: "2024-03-11", Category: "Rechnungen", Owners: owners, Content: invoice},
		{Name: "Maserung geölt.png", Title: "Foto zur Reklamation Esstisch", Date: "2025-09-16", Category: "Reklamationen", Owners: owners, Content: photo},
	}
}
