package archive

import (
	"fmt"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/offline"
)

// What a bundle says of itself promises no more than is proven. Every command in it is
// run by a test against an unpacked bundle.

// verifyCommand verifies the whole bundle, in the directory where it was unpacked.
func verifyCommand(at bundlePaths) string {
	return "muniment verify --anchors " + at.anchors + " " + at.verify
}

// readmeWords are the texts of the instructions in one language.
type readmeWords struct {
	title, test, proves, notProves, qualified, files, member, withheld string
	list                                                               [3]string // record and first time stamp, each renewal, certificates
	logFile, logNone, sumsFile                                         string
	verify, last, logKey, ours, theirs, group, pair, inspection        string
	step                                                               stepWords
	log                                                                [5]string
	checkpoint                                                         checkpointWords
	before                                                             string // commands that make the first member
	yes, no, unknown                                                   string
}

// checkpointWords are for the time stamp on the checkpoint.
type checkpointWords struct{ heading, note, group string }

// stepWords are the headings of the steps, and what explains the commands of a renewal.
type stepWords struct {
	members, stamp, log     string // headings
	byStamp, byTree         string // headings of renewals: time, authority, hash
	token, ancestry, member string
}

// readme writes the instructions.
func readme(p *offline.Parts, rec *ers.Record, at bundlePaths, w *readmeWords) (string, error) {
	var s strings.Builder
	m := p.Manifest
	t := m.Tokens[0]
	fmt.Fprintf(&s, w.title+"\n\n", m.AOID)
	if m.Test {
		s.WriteString("*** " + w.test + " ***\n\n")
	}
	fmt.Fprintf(&s, w.proves+"\n"+w.notProves+"\n", t.GenTime.UTC().Format(time.RFC3339), t.Authority)
	qualified := map[string]string{"yes": w.yes, "no": w.no}[m.Qualified]
	if qualified == "" {
		qualified = w.unknown
	}
	fmt.Fprintf(&s, w.qualified+"\n\n"+w.files+"\n", qualified)
	for _, x := range m.Members {
		fmt.Fprintf(&s, "  %-16s "+w.member+"\n", x.File, x.Name, x.Size)
	}
	for _, x := range m.Withheld {
		fmt.Fprintf(&s, "  ("+w.withheld+")\n", x)
	}
	fmt.Fprintf(&s, w.list[0], m.Record, at.file(t.File))
	for _, x := range m.Tokens[1:] {
		fmt.Fprintf(&s, w.list[1], at.file(x.File), x.GenTime.UTC().Format(time.RFC3339), x.Authority)
	}
	fmt.Fprintf(&s, w.list[2], at.file(m.Sidecar), at.anchors)
	if p.Log != nil {
		s.WriteString(w.logFile)
	}
	if m.Sums != "" {
		s.WriteString(w.inspection + w.sumsFile)
	}
	list, n, err := steps(p, rec, at, w, 0)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&s, "\n%s\n\n%s\n", w.verify, list)
	if p.Log != nil {
		log, err := logSteps(p.Log, w.log)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&s, "%d. %s\n\n%s\n%s\n\n", n+1, w.step.log, log, w.logKey)
		if len(at.log) > 0 {
			stamp, err := logStampSteps(p.Log, at, w, n+1)
			if err != nil {
				return "", err
			}
			s.WriteString(stamp)
		}
	} else {
		s.WriteString(w.logNone + "\n\n")
	}
	fmt.Fprintf(&s, "%s\n\n   %s\n\n%s\n", w.ours, verifyCommand(at), w.theirs)
	return s.String(), nil
}

func readmeEnglish() *readmeWords {
	return &readmeWords{
		title: "Proof of the archived object %s",
		test:  "THE TIME STAMP IS OF A TEST AUTHORITY. IT PROVES NOTHING.",
		proves: `What this proves: every file listed below as a member existed, byte for byte as it is here, at
%s, if the time stamp of "%s" is trusted.`,
		notProves: `What this does not prove: who wrote the message, that its header tells the truth, or that no
other message is missing.`,
		qualified: "Qualified time stamp in the sense of Regulation (EU) No 910/2014: %s.",
		files:     "Files:", member: "member %q, %d bytes",
		withheld: "The member %q is withheld: it names people of whom you may not know. The others are proven without it.",
		list: [3]string{`  %-16s evidence record (RFC 4998): which hash values lead from the members to the time stamps
  %-16s the time stamp (RFC 3161)
`, "  %-16s its renewal of %s, by \"%s\"\n", `  %-16s certificates and revocation data for its verification
  %-16s the certificates that the archive trusted. Do not trust this file: get them from the
                   authority, or from the trusted list of its country, and compare.
  bundle.json      the same for programs
`},
		logFile: "  log.json         proof that the arrival of the object is in the event log of the archive\n",
		logNone: "The bundle shows nothing of the event log of the archive.",
		inspection: `  inspection-report.html, .pdf
                   what the verifier says, for people
`,
		sumsFile: "  SHA256SUMS       hash values of all files, against mishaps: sha256sum -c SHA256SUMS\n",
		verify:   "Verify with openssl and xxd, without the program that made this:",
		last:     "The last value must be",
		step: stepWords{
			members: `The hash values of the members, up to the root that was stamped. Below each command is what it
   must print.`,
			stamp: `The time stamp on it. The first command shows it, the second verifies it.`,
			byStamp: `Renewal of %s by "%s": a new time stamp covers the one before, so that it goes on
   proving when the old certificate has ended. That is why the old one is verified as of this time.`,
			byTree: `Renewal of %s by "%s", with another hash algorithm (%s): a new time stamp covers
   the members together with the whole proof before it, so that both go on proving when the old algorithm has
   grown weak.`,
			token:    "the hash value of the time stamp before",
			ancestry: "the proof so far: its hash values, with the time stamps between them, as they are in the evidence record",
			member:   "the member %q, and its hash value together with that of the proof so far",
			log: `The event log: the event of the arrival, up to the root in the checkpoint, and the signature on
   the checkpoint. The object's identifier is in the event.`,
		},
		log: [5]string{"the event, and its hash value", "with its neighbour in the tree of the log", "the root, as the checkpoint writes it", "the checkpoint: name of the log, number of events, root, time",
			"the key of the log, and the signature on the checkpoint"},
		logKey: `   Whose key it is, the archive's operator can tell (muniment log key), or any receipt of the log.`,
		checkpoint: checkpointWords{
			heading: `The time stamp on the checkpoint: since then the log up to there cannot have been rewritten unnoticed,
   not even by whoever has its key. Its evidence record is in log.json.`,
			note: "the checkpoint with its signature", group: "with the random value beside it in the evidence record",
		},
		ours:   "The same in one step, with our own verifier, which needs neither server nor network:",
		theirs: "or with any program for evidence records (RFC 4998), such as the library BouncyCastle.",
		group:  "the group: all members, sorted, one after the other", pair: "with its neighbour in the tree, sorted",
		yes: "yes, by the trusted list", no: "no", unknown: "not determined",
	}
}

func readmeGerman() *readmeWords {
	return &readmeWords{
		title: "Beweis zum archivierten Objekt %s",
		test:  "DER ZEITSTEMPEL STAMMT VON EINER TESTSTELLE. ER BEWEIST NICHTS.",
		proves: `Was dies beweist: Jede unten als Bestandteil genannte Datei lag Byte für Byte so, wie sie hier ist, am
%s vor, sofern dem Zeitstempel von „%s“ vertraut wird.`,
		notProves: `Was dies nicht beweist: wer die Nachricht verfasst hat, ob ihre Kopfzeilen stimmen, und ob keine
andere Nachricht fehlt.`,
		qualified: "Qualifizierter Zeitstempel im Sinne der Verordnung (EU) Nr. 910/2014: %s.",
		files:     "Dateien:", member: "Bestandteil %q, %d Bytes",
		withheld: "Der Bestandteil %q fehlt: Er nennt Personen, von denen Sie nicht wissen dürfen. Die anderen sind ohne ihn bewiesen.",
		list: [3]string{`  %-16s Beweisdatensatz (RFC 4998): welche Hashwerte von den Bestandteilen zu den Zeitstempeln führen
  %-16s der Zeitstempel (RFC 3161)
`, "  %-16s seine Erneuerung vom %s, von „%s“\n", `  %-16s Zertifikate und Sperrdaten zu seiner Prüfung
  %-16s die Zertifikate, denen das Archiv vertraut hat. Vertrauen Sie dieser Datei nicht: Holen
                   Sie sie bei der Zeitstempelstelle oder aus der Vertrauensliste ihres Landes und vergleichen Sie.
  bundle.json      dasselbe für Programme
`},
		logFile: "  log.json         Beweis, dass der Eingang des Objekts im Ereignisprotokoll des Archivs steht\n",
		logNone: "Das Beweispaket zeigt nichts vom Ereignisprotokoll des Archivs.",
		inspection: `  Pruefbericht.html, .pdf
                   was das Prüfprogramm sagt, für Menschen
`,
		sumsFile: "  SHA256SUMS       Hashwerte aller Dateien, gegen Versehen: sha256sum -c SHA256SUMS\n",
		verify:   "Prüfen mit openssl und xxd, ohne das Programm, das dies erstellt hat:",
		last:     "Der letzte Wert muss lauten:",
		step: stepWords{
			members: `Die Hashwerte der Bestandteile bis zur gestempelten Wurzel. Unter jedem Befehl steht, was er
   ausgeben muss.`,
			stamp: `Der Zeitstempel darauf. Der erste Befehl zeigt ihn, der zweite prüft ihn.`,
			byStamp: `Erneuerung vom %s durch „%s“: Ein neuer Zeitstempel deckt den vorigen ab, damit er
   auch dann noch beweist, wenn dessen Zertifikat abgelaufen ist. Darum wird der vorige zum Zeitpunkt der Erneuerung geprüft.`,
			byTree: `Erneuerung vom %s durch „%s“ mit einem anderen Hashverfahren (%s): Ein neuer
   Zeitstempel deckt die Bestandteile zusammen mit dem ganzen bisherigen Beweis ab, damit beides auch dann noch
   beweist, wenn das alte Verfahren schwach geworden ist.`,
			token:    "der Hashwert des vorigen Zeitstempels",
			ancestry: "der bisherige Beweis: seine Hashwerte, dazwischen die Zeitstempel, wie sie im Beweisdatensatz stehen",
			member:   "der Bestandteil %q, und sein Hashwert zusammen mit dem des bisherigen Beweises",
			log: `Das Ereignisprotokoll: das Ereignis des Eingangs bis zur Wurzel im Prüfpunkt, und die Signatur auf
   dem Prüfpunkt. Die Kennung des Objekts steht im Ereignis.`,
		},
		log: [5]string{"das Ereignis und sein Hashwert", "mit dem Nachbarn im Baum des Protokolls", "die Wurzel, wie der Prüfpunkt sie schreibt", "der Prüfpunkt: Name des Protokolls, Zahl der Ereignisse, Wurzel, Zeit",
			"der Schlüssel des Protokolls, und die Signatur auf dem Prüfpunkt"},
		logKey: `   Wessen Schlüssel es ist, sagt der Betreiber des Archivs (muniment log key) oder jede Quittung des Protokolls.`,
		checkpoint: checkpointWords{
			heading: `Der Zeitstempel auf dem Prüfpunkt: Seither kann das Protokoll bis dorthin nicht unbemerkt umgeschrieben
   worden sein, auch nicht von dem, der seinen Schlüssel hat. Sein Beweisdatensatz steht in log.json.`,
			note: "der Prüfpunkt mit seiner Signatur", group: "mit dem Zufallswert, der im Beweisdatensatz daneben steht",
		},
		ours:   "Dasselbe in einem Schritt mit unserem Prüfprogramm, das weder Server noch Netz braucht:",
		theirs: "oder mit jedem Programm für Beweisdatensätze (RFC 4998), etwa der Bibliothek BouncyCastle.",
		group:  "die Gruppe: alle Bestandteile, sortiert, aneinandergehängt", pair: "mit dem Nachbarn im Baum, sortiert",
		yes: "ja, laut Vertrauensliste", no: "nein", unknown: "nicht festgestellt",
	}
}

// exportReadme tells what is in a bundle of many messages.
func exportReadme(c offline.Complete, german bool) string {
	if german {
		return fmt.Sprintf(`Beweispaket mit %d Objekten; %d konnten nicht aufgenommen werden.

  objects/          je Objekt ein Ordner: das Original, was es beweist, und LIESMICH.txt mit jedem Befehl für openssl
  contents.csv      was enthalten ist, und was nicht
  shared/, trust/   was mehrere Objekte gemeinsam haben: Zeitstempel, Zertifikate, Sperrdaten
  Pruefbericht.*    was das Prüfprogramm sagt, für Menschen
  complete.json     wie viele Objekte es sein müssen, und was fehlt; ohne diese Datei wurde das Paket abgeschnitten
  SHA256SUMS        Hashwerte dieser Dateien, gegen Versehen: sha256sum -c SHA256SUMS

Alles auf einmal prüfen, in dem Ordner, in dem dieses Paket ausgepackt wurde:

   muniment verify --anchors trust/anchors.pem .

trust/anchors.pem sind die Zertifikate, denen das Archiv vertraut hat. Holen Sie sie bei der
Zeitstempelstelle oder aus der Vertrauensliste ihres Landes und vergleichen Sie.
`, c.Objects, len(c.LeftOut))
	}
	return fmt.Sprintf(`Proof bundle of %d objects; %d could not be put in.

  objects/          a folder for each object: the original, what proves it, and README.txt with every command for openssl
  contents.csv      what is in it, and what is not
  shared/, trust/   what several objects have in common: time stamps, certificates, revocation data
  inspection-report.*  what the verifier says, for people
  complete.json     how many objects there must be, and what is missing; without this file the bundle was cut off
  SHA256SUMS        hash values of these files, against mishaps: sha256sum -c SHA256SUMS

Verify all at once, in the folder where this bundle was unpacked:

   muniment verify --anchors trust/anchors.pem .

trust/anchors.pem are the certificates that the archive trusted. Get them from the authority, or
from the trusted list of its country, and compare.
`, c.Objects, len(c.LeftOut))
}
