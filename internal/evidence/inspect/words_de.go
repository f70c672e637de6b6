package inspect

func german() *words {
	w := &words{
		Title: "Prüfbericht", SelectionTitle: "Prüfbericht zu einem Beweispaket", Object: "Archiviertes Objekt %s", Page: "Seite %d von {nb}",

		Valid: "Gültig", Invalid: "Nicht gültig", Unsure: "Nicht sicher",
		ValidLead:   "Die unten genannten Dateien sind Byte für Byte so, wie sie am %s waren.",
		InvalidLead: "Der Beweis belegt diese Dateien nicht, oder etwas daran ist falsch. Die Befunde unten sagen, was.",
		UnsureLead:  "Es wurde nichts gefunden, was gegen diese Dateien spricht, aber zum Beweis fehlt etwas. Die Befunde unten sagen, was.",
		TestWarning: "Ein Zeitstempel in diesem Beweis stammt von einer TESTSTELLE. Er beweist nichts.",
		OwnWarning:  "Vertraut wurde nur den Zertifikaten, die das Beweispaket selbst mitbringt. Holen Sie sie bei der Zeitstempelstelle oder aus der Vertrauensliste ihres Landes und vergleichen Sie.",

		Result: "Was bewiesen ist", ProvenSince: "Unverändert seit", HoldsUntil: "Der Beweis hält bis", NoEnd: "kein Ende bekannt", CheckedAt: "Geprüft am",
		CheckedBy: "Geprüft von", Checker: "dem Prüfprogramm von Muniment, ohne Netz", Integrity: "Dateien, Hashwerte und Signaturen passen zusammen", IntegrityYes: "ja", IntegrityNo: "nein",

		TheObject: "Das Objekt", AOID: "Kennung (AOID)", Tenant: "Archiv des Mandanten", Subject: "Betreff", From: "Von", Date: "Datum", Arrived: "Im Archiv eingegangen",
		File: "Datei", Size: "Größe", Bytes: "Bytes", Claimed: "Betreff, Absender und Datum sind das, was die Nachricht über sich selbst sagt.",
		Covered: "bewiesen", NotCovered: "NICHT BEWIESEN", Withheld: "Vorenthalten", WithheldWhy: "%s: Der Bestandteil nennt Personen, von denen der Empfänger nicht wissen darf. Die anderen Dateien sind ohne ihn bewiesen. Nummer und Mandant des Objekts sind dann nur behauptet.",
		Original: "Original, wie es eingegangen ist", Metadata: "Metadaten des Eingangs", JournalReport: "Journalbericht, mit dem es kam",

		Stamps: "Zeitstempel", Stamp: "Zeitstempel %d", Renews: "Zeitstempel %d, erneuert den vorigen", Time: "Zeit", Accuracy: "Genauigkeit", Authority: "Signiert von", IssuedBy: "Zertifikat ausgestellt von",
		Policy: "Regelwerk (Policy)", Serial: "Seriennummer", Hash: "Hashverfahren des Baums", Signature: "Signatur", Qualified: "Qualifizierter Zeitstempel", Revocation: "Nicht gesperrt laut Stand vom",
		Chain: "Zertifikate", Anchor: "dem vertraut, wer geprüft hat", ValidFromTo: "%s bis %s", Fingerprint: "SHA-256 des Zertifikats",
		QualifiedYes: "qualifiziert", QualifiedNo: "nicht qualifiziert", QualifiedUnknown: "nicht festgestellt",
		QualifiedWhat: "Ob ein Zeitstempel im Sinne der Verordnung (EU) Nr. 910/2014 qualifiziert ist, kann nur eine Vertrauensliste sagen.",
		Trusted:       "Zertifikat, dem vertraut wurde", FoundThen: "wie das Archiv feststellte, als der Zeitstempel kam",

		Algorithms: "Verfahren, und wie lange sie halten", AlgorithmsWhat: "Nach dem Katalog der Verfahren vom %s, nach %s.", HashUntil: "Hashwerte, %s", SignatureUntil: "Signaturen des letzten Zeitstempels",
		CertificateUntil: "Zertifikate des letzten Zeitstempels", RenewBefore: "Zu erneuern vor dem",
		Renewals: "Erneuerungen", NotRenewed: "noch keine", Renewed: "%d; jede deckt ab, was vor ihr bewiesen war, so dass die erste Zeit weiter gilt",

		TheLog: "Ereignisprotokoll des Archivs", LogNone: "Das Beweispaket zeigt nichts vom Ereignisprotokoll.",
		LogHolds:  "Dass das Objekt ins Archiv aufgenommen wurde, ist ein Ereignis in dessen Protokoll. Der signierte Prüfpunkt legt das Archiv auf alle Ereignisse davor fest.",
		LogBroken: "Der Beweis zum Ereignisprotokoll hält nicht", LogEvent: "Ereignis", LogTime: "Zeit des Ereignisses, nach der Uhr des Archivs", LogSize: "Ereignisse im Prüfpunkt",
		LogSigned: "Prüfpunkt signiert am", LogKey: "Schlüssel des Protokolls", LogKeyKnown: "ist der, der zum Vergleich angegeben wurde", LogKeyUnknown: "wurde nicht verglichen: Wem er gehört, sagt nur ein Schlüssel aus anderer Quelle",
		LogBinds: "Das Ereignis handelt von genau diesen Bytes.", LogStamped: "Zeitstempel auf dem Prüfpunkt", LogNotStamped: "noch keiner", LogOrigin: "Protokoll",

		NotProven: "Was nicht bewiesen ist",
		Check:     "So prüfen Sie es",
		Findings:  "Befunde", FindingsWhat: "Für Fachleute, englisch, in den Worten des Prüfprogramms.", Remark: "Hinweis",
		FontNote: "Zeichen, für die dieses Dokument keine Buchstaben hat, stehen mit ihrer Nummer da, zum Beispiel [U+4F60]. Der Bericht als HTML zeigt sie.",
		Nothing:  "keine", Yes: "ja", No: "nein", Footer: "Von Muniment aus dem Urteil seines Prüfprogramms erstellt am %s.",
		Events: map[string]string{"message.stored": "ins Archiv aufgenommen", "message.quarantined": "ins Archiv aufgenommen, in Quarantäne", "message.restored": "erneut eingetragen"},

		Objects: "Objekte", Contents: "Inhalt", ContentsMore: "und %s weitere: Die Datei contents.csv im Beweispaket nennt alle.", LeftOut: "Nicht im Beweispaket",
		LeftOutWhat: "Diese Objekte gehören zur Auswahl und konnten nicht aufgenommen werden.", LeftOutMore: "und %s weitere: Die Datei complete.json nennt alle.", Selected: "Ausgewählt",
		StampsBetween: "Zeitstempel zwischen", NotChecked: "geschrieben, nicht geprüft", Counts: "%s gültig, %s nicht sicher, %s nicht gültig", Volume: "Dieses Beweispaket ist nicht das letzte der Auswahl: Weitere folgen.",
		SelectionLead: "%s Objekte, jedes mit eigenem Beweis. %s konnten nicht aufgenommen werden.",
		Columns:       []string{"Objekt", "Datum", "Von", "Betreff", "Bewiesen seit", "Urteil"}, LeftColumns: []string{"Objekt", "Grund"},
	}
	w.NotProvenList, w.CheckList, w.SelectionCheck = germanLists()
	w.Reasons = germanReasons()
	return w
}

// germanLists are lists of sentences.
func germanLists() (notProven, check, selection []string) {
	notProven = []string{
		"Wer die Nachricht verfasst hat: Der Absender ist, was in ihren Kopfzeilen steht, und die können erfunden sein.",
		"Dass Datum, Betreff und Inhalt stimmen.",
		"Dass sie wirklich von den genannten Personen gesendet oder ihnen zugestellt wurde.",
		"Dass es sie erst seit der genannten Zeit gibt: Sie kann älter sein.",
		"Dass nichts anderes archiviert wurde oder keine andere Nachricht fehlt: Dafür gibt es das Ereignisprotokoll und seine Quittungen.",
		"Dass das Archiv so betrieben wurde, wie es das Gesetz verlangt: Das hängt davon ab, wie es genutzt wird.",
	}
	check = []string{
		"Mit dem kleinen Programm muniment-verify, das weder Server noch Netz braucht: muniment-verify --anchors ZERTIFIKATE BEWEISPAKET",
		"Mit openssl und xxd allein: Die Datei LIESMICH.txt im Beweispaket enthält jeden Befehl und was er ausgeben muss.",
		"Mit jedem Programm für Beweisdatensätze (RFC 4998) und Zeitstempel (RFC 3161).",
		"Vertrauen Sie nicht dieser Seite: Sie ist nur so gut wie der, der sie ausgehändigt hat. Die Dateien daneben beweisen sich selbst.",
	}
	selection = []string{
		"Alle auf einmal, mit dem kleinen Programm muniment-verify: muniment-verify --anchors ZERTIFIKATE BEWEISPAKET",
		"Ein einzelnes mit openssl allein: Paket auspacken, in den Ordner des Objekts gehen und dessen Datei LIESMICH.txt folgen.",
		"Die Datei complete.json sagt, wie viele Objekte es sein müssen. Ein Paket ohne sie wurde abgeschnitten.",
	}
	return notProven, check, selection
}

// germanReasons are why a time stamp is qualified or not.
func germanReasons() map[string]string {
	return map[string]string{
		"the time stamp does not state that it is qualified": "der Zeitstempel sagt von sich nicht, dass er qualifiziert ist",
		"no trusted list was asked":                          "keine Vertrauensliste wurde befragt",
		"of a test authority":                                "von einer Teststelle",
		"granted":                                            "in der Vertrauensliste zu dieser Zeit als qualifiziert geführt",
		"not-granted":                                        "in der Vertrauensliste, aber zu dieser Zeit nicht als qualifiziert geführt",
		"not-listed":                                         "in der Vertrauensliste des Landes nicht enthalten",
		"no-list":                                            "keine Vertrauensliste vorhanden",
		"other-territory":                                    "keine Vertrauensliste des Landes vorhanden",
		"list-unsigned":                                      "die Vertrauensliste ist nicht signiert",
		"list-signature":                                     "die Signatur der Vertrauensliste hält nicht",
		"list-signer":                                        "niemand, dem vertraut wird, hat die Vertrauensliste signiert",
		"list-stale":                                         "die Vertrauensliste ist veraltet",
		"time":                                               "der Zeitstempel liegt in der Zukunft",
	}
}
