package inspect

func english() *words {
	w := &words{
		Title: "Inspection report", SelectionTitle: "Inspection report of a bundle", Object: "Archived object %s", Page: "Page %d of {nb}",

		Valid: "Valid", Invalid: "Not valid", Unsure: "Not certain",
		ValidLead:   "The files named below are, byte for byte, what they were on %s.",
		InvalidLead: "The proof does not prove these files, or something in it is wrong. The findings below say what.",
		UnsureLead:  "Nothing was found that speaks against these files, but something is missing to prove them. The findings below say what.",
		TestWarning: "A time stamp in this proof is one of a TEST AUTHORITY. It proves nothing.",
		OwnWarning:  "The only certificates that were trusted are those which the bundle itself brings. Get them from the authority, or from the trusted list of its country, and compare.",

		Result: "What is proven", ProvenSince: "Unchanged since", HoldsUntil: "The proof holds until", NoEnd: "no end is known", CheckedAt: "Checked at",
		CheckedBy: "Checked by", Checker: "the verifier of Muniment, without network", Integrity: "Files, hash values and signatures fit together", IntegrityYes: "yes", IntegrityNo: "no",

		TheObject: "The object", AOID: "Identifier (AOID)", Tenant: "Archive of the tenant", Subject: "Subject", From: "From", Date: "Date", Arrived: "Arrived in the archive",
		File: "File", Size: "Size", Bytes: "bytes", Claimed: "Subject, sender and date are what the message says of itself.",
		Covered: "proven", NotCovered: "NOT PROVEN", Withheld: "Withheld", WithheldWhy: "%s: it names people of whom the reader may not know. The other files are proven without it. Number and tenant of the object are then only claimed.",
		Original: "Original, as it arrived", Metadata: "Metadata of its arrival", JournalReport: "Journal report in which it came",

		Stamps: "Time stamps", Stamp: "Time stamp %d", Renews: "Time stamp %d, renews the one before", Time: "Time", Accuracy: "Accuracy", Authority: "Signed by", IssuedBy: "Certificate issued by",
		Policy: "Policy", Serial: "Serial number", Hash: "Hash algorithm of the tree", Signature: "Signature", Qualified: "Qualified time stamp", Revocation: "Not revoked as of",
		Chain: "Certificates", Anchor: "trusted by whoever checked", ValidFromTo: "%s to %s", Fingerprint: "SHA-256 of the certificate",
		QualifiedYes: "qualified", QualifiedNo: "not qualified", QualifiedUnknown: "not determined",
		QualifiedWhat: "Whether a time stamp is qualified in the sense of Regulation (EU) No 910/2014, only a trusted list can say.",
		Trusted:       "Trusted certificate", FoundThen: "as the archive found when the time stamp came",

		Algorithms: "Algorithms, and how long they hold", AlgorithmsWhat: "By the catalogue of algorithms of %s, after %s.", HashUntil: "Hash values, %s", SignatureUntil: "Signatures of the last time stamp",
		CertificateUntil: "Certificates of the last time stamp", RenewBefore: "Renewal needed before",
		Renewals: "Renewals", NotRenewed: "none yet", Renewed: "%d; each covers what was proven before it, so that the first time still counts",

		TheLog: "Event log of the archive", LogNone: "The bundle shows nothing of the event log.",
		LogHolds:  "That the object was taken into the archive is an event in its log. The signed checkpoint commits the archive to all events before it.",
		LogBroken: "The proof about the event log does not hold", LogEvent: "Event", LogTime: "Time of the event, by the clock of the archive", LogSize: "Events in the checkpoint",
		LogSigned: "Checkpoint signed at", LogKey: "Key of the log", LogKeyKnown: "is the one that was given for comparison", LogKeyUnknown: "was not compared: whose it is, only a key from elsewhere can tell",
		LogBinds: "The event is about these very bytes.", LogStamped: "Time stamp on the checkpoint", LogNotStamped: "not yet", LogOrigin: "Log",

		NotProven: "What is not proven",
		Check:     "How to check it",
		Findings:  "Findings", FindingsWhat: "For experts, in the words of the verifier.", Remark: "remark",
		FontNote: "Characters that this document has no letters for are shown by their number, such as [U+4F60]. The report as HTML shows them.",
		Nothing:  "none", Yes: "yes", No: "no", Footer: "Made by Muniment from the verdict of its verifier at %s.",
		Events: map[string]string{"message.stored": "taken into the archive", "message.quarantined": "taken into the archive, in quarantine", "message.restored": "entered again"},

		Objects: "Objects", Contents: "Contents", ContentsMore: "and %s more: the file contents.csv in the bundle names all.", LeftOut: "Not in the bundle",
		LeftOutWhat: "These objects belong to the selection and could not be put in.", LeftOutMore: "and %s more: the file complete.json names all.", Selected: "Selected",
		StampsBetween: "Time stamps between", NotChecked: "written, not checked", Counts: "%s valid, %s not certain, %s not valid", Volume: "This bundle is not the last one of the selection: more follow.",
		SelectionLead: "%s objects, each with its own proof. %s could not be put in.",
		Columns:       []string{"Object", "Date", "From", "Subject", "Proven since", "Verdict"}, LeftColumns: []string{"Object", "Reason"},
	}
	w.NotProvenList, w.CheckList, w.SelectionCheck = englishLists()
	w.Reasons = englishReasons()
	return w
}

// englishLists are lists of sentences.
func englishLists() (notProven, check, selection []string) {
	notProven = []string{
		"Who wrote the message: the sender is what its header says, and headers can be made up.",
		"That its date, subject and contents are true.",
		"That it was really sent by, or delivered to, the people who are named in it.",
		"That it existed only since the time told: it may be older.",
		"That nothing else was archived, or that no other message is missing: the event log and its receipts are for that.",
		"That the archive was run as the law asks for: this is a matter of how it is used.",
	}
	check = []string{
		"With the small program muniment-verify, which needs neither server nor network: muniment-verify --anchors CERTIFICATES BUNDLE",
		"With openssl and xxd alone: the file README.txt in the bundle holds every command, and what it must print.",
		"With any program for evidence records (RFC 4998) and time stamps (RFC 3161).",
		"Do not trust this page: it is only as good as whoever handed it out. The files beside it prove themselves.",
	}
	selection = []string{
		"All at once, with the small program muniment-verify: muniment-verify --anchors CERTIFICATES BUNDLE",
		"A single one with openssl alone: unpack the bundle, go into the folder of the object and follow its file README.txt.",
		"The file complete.json says how many objects there must be. A bundle without it was cut off.",
	}
	return notProven, check, selection
}

// englishReasons are why a time stamp is qualified or not.
func englishReasons() map[string]string {
	return map[string]string{
		"granted":         "listed by the trusted list as qualified at that time",
		"not-granted":     "in the trusted list, but not as qualified at that time",
		"not-listed":      "not in the trusted list of its country",
		"no-list":         "there is no trusted list",
		"other-territory": "there is no trusted list of its country",
		"list-unsigned":   "the trusted list is not signed",
		"list-signature":  "the signature of the trusted list does not hold",
		"list-signer":     "nobody who is trusted has signed the trusted list",
		"list-stale":      "the trusted list is out of date",
		"time":            "the time stamp is of the future",
	}
}
