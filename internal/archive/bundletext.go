package archive

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/offline"
)

// What a bundle says of itself promises no more than is proven. Every command in it is
// run by a test against an unpacked bundle.

// steps lists the commands that lead from the members to the time stamp, with
// nothing but openssl and xxd.
func steps(m *offline.Manifest, rec *ers.Record, w *readmeWords) string {
	var b strings.Builder
	first := rec.Chains[0][0]
	for _, x := range m.Members {
		fmt.Fprintf(&b, "   openssl dgst -sha256 %s\n      %s\n", x.File, x.SHA256)
	}
	at := first.Hash.Sum(first.Tree[0]...)
	fmt.Fprintf(&b, "\n   # %s\n", w.group)
	dgst(&b, first.Tree[0], at)
	for _, list := range first.Tree[1:] {
		both := [][]byte{at, list[0]}
		if string(at) > string(list[0]) {
			both = [][]byte{list[0], at}
		}
		at = first.Hash.Sum(both...)
		fmt.Fprintf(&b, "\n   # %s\n", w.pair)
		dgst(&b, both, at)
	}
	return b.String()
}

func dgst(b *strings.Builder, values [][]byte, result []byte) {
	b.WriteString("   printf '%s' \\\n")
	for _, v := range values {
		fmt.Fprintf(b, "     %s \\\n", hex.EncodeToString(v))
	}
	fmt.Fprintf(b, "     | xxd -r -p | openssl dgst -sha256\n      %s\n", hex.EncodeToString(result))
}

// stampCommands verify the tokens: the first one and those that renew it.
func stampCommands(m *offline.Manifest, at bundlePaths) string {
	var b strings.Builder
	for _, t := range m.Tokens {
		b.WriteString(tokenCommands(t, at))
	}
	return b.String()
}

func tokenCommands(t offline.ManifestToken, at bundlePaths) string {
	return fmt.Sprintf(`   openssl ts -reply -token_in -in %[1]s -text
   openssl ts -verify -token_in -in %[1]s -digest %[2]s \
     -CAfile %[3]s -untrusted %[4]s
`, at.file(t.File), t.Imprint, at.anchors, at.chain)
}

// verifyCommand verifies the whole bundle, in the directory where it was unpacked.
func verifyCommand(at bundlePaths) string {
	return "muniment verify --anchors " + at.anchors + " " + at.verify
}

// readmeWords are the texts of the instructions in one language.
type readmeWords struct {
	title, test, proves, notProves, qualified, files, member, withheld, list         string
	logFile, logNone, sumsFile                                                       string
	verify, step1, last, step2, step3, logKey, ours, theirs, group, pair, inspection string
	log                                                                              [5]string
	yes, no, unknown                                                                 string
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
	fmt.Fprintf(&s, w.list, m.Record, at.file(t.File), at.file(m.Sidecar), at.anchors)
	if p.Log != nil {
		s.WriteString(w.logFile)
	}
	if m.Sums != "" {
		s.WriteString(w.inspection + w.sumsFile)
	}
	fmt.Fprintf(&s, "\n%s\n\n%s\n\n%s\n   %s\n      %s\n\n%s\n\n%s\n", w.verify, w.step1, steps(m, rec, w), w.last, t.Imprint, w.step2, stampCommands(m, at))
	if p.Log != nil {
		log, err := logSteps(p.Log, w.log)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&s, "%s\n\n%s\n%s\n\n", w.step3, log, w.logKey)
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
		list: `  %-16s evidence record (RFC 4998): which hash values lead from the members to the time stamp
  %-16s the time stamp (RFC 3161)
  %-16s certificates and revocation data for its verification
  %-16s the certificates that the archive trusted. Do not trust this file: get them from the
                   authority, or from the trusted list of its country, and compare.
  bundle.json      the same for programs
`,
		logFile: "  log.json         proof that the arrival of the object is in the event log of the archive\n",
		logNone: "The bundle shows nothing of the event log of the archive.",
		inspection: `  inspection-report.html, .pdf
                   what the verifier says, for people
`,
		sumsFile: "  SHA256SUMS       hash values of all files, against mishaps: sha256sum -c SHA256SUMS\n",
		verify:   "Verify with openssl and xxd, without the program that made this:",
		step1: `1. The hash values of the members, up to the root that was stamped. Below each command is what it
   must print.`,
		last:  "The last value must be",
		step2: `2. The time stamp on it. The first command shows it, the second verifies it.`,
		step3: `3. The event log: the event of the arrival, up to the root in the checkpoint, and the signature on
   the checkpoint. The object's identifier is in the event.`,
		log: [5]string{"the event, and its hash value", "with its neighbour in the tree of the log", "the root, as the checkpoint writes it", "the checkpoint: name of the log, number of events, root, time",
			"the key of the log, and the signature on the checkpoint"},
		logKey: `   Whose key it is, the archive's operator can tell (muniment log key), or any receipt of the log.`,
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
		list: `  %-16s Beweisdatensatz (RFC 4998): welche Hashwerte von den Bestandteilen zum Zeitstempel führen
  %-16s der Zeitstempel (RFC 3161)
  %-16s Zertifikate und Sperrdaten zu seiner Prüfung
  %-16s die Zertifikate, denen das Archiv vertraut hat. Vertrauen Sie dieser Datei nicht: Holen
                   Sie sie bei der Zeitstempelstelle oder aus der Vertrauensliste ihres Landes und vergleichen Sie.
  bundle.json      dasselbe für Programme
`,
		logFile: "  log.json         Beweis, dass der Eingang des Objekts im Ereignisprotokoll des Archivs steht\n",
		logNone: "Das Beweispaket zeigt nichts vom Ereignisprotokoll des Archivs.",
		inspection: `  Pruefbericht.html, .pdf
                   was das Prüfprogramm sagt, für Menschen
`,
		sumsFile: "  SHA256SUMS       Hashwerte aller Dateien, gegen Versehen: sha256sum -c SHA256SUMS\n",
		verify:   "Prüfen mit openssl und xxd, ohne das Programm, das dies erstellt hat:",
		step1: `1. Die Hashwerte der Bestandteile bis zur gestempelten Wurzel. Unter jedem Befehl steht, was er
   ausgeben muss.`,
		last:  "Der letzte Wert muss lauten:",
		step2: `2. Der Zeitstempel darauf. Der erste Befehl zeigt ihn, der zweite prüft ihn.`,
		step3: `3. Das Ereignisprotokoll: das Ereignis des Eingangs bis zur Wurzel im Prüfpunkt, und die Signatur auf
   dem Prüfpunkt. Die Kennung des Objekts steht im Ereignis.`,
		log: [5]string{"das Ereignis und sein Hashwert", "mit dem Nachbarn im Baum des Protokolls", "die Wurzel, wie der Prüfpunkt sie schreibt", "der Prüfpunkt: Name des Protokolls, Zahl der Ereignisse, Wurzel, Zeit",
			"der Schlüssel des Protokolls, und die Signatur auf dem Prüfpunkt"},
		logKey: `   Wessen Schlüssel es ist, sagt der Betreiber des Archivs (muniment log key) oder jede Quittung des Protokolls.`,
		ours:   "Dasselbe in einem Schritt mit unserem Prüfprogramm, das weder Server noch Netz braucht:",
		theirs: "oder mit jedem Programm für Beweisdatensätze (RFC 4998), etwa der Bibliothek BouncyCastle.",
		group:  "die Gruppe: alle Bestandteile, sortiert, aneinandergehängt", pair: "mit dem Nachbarn im Baum, sortiert",
		yes: "ja, laut Vertrauensliste", no: "nein", unknown: "nicht festgestellt",
	}
}
