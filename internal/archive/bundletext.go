package archive

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/evidence/ers"
)

// What a bundle says of itself promises no more than is proven.

// steps lists the commands that lead from the members to the time stamp, with
// nothing but openssl and xxd.
func steps(m *manifest, rec *ers.Record, group, pair string) string {
	var b strings.Builder
	first := rec.Chains[0][0]
	for _, x := range m.Members {
		fmt.Fprintf(&b, "   openssl dgst -sha256 %s\n      %s\n", x.File, x.SHA256)
	}
	at := first.Hash.Sum(first.Tree[0]...)
	fmt.Fprintf(&b, "\n   # %s\n", group)
	dgst(&b, first.Tree[0], at)
	for _, list := range first.Tree[1:] {
		both := [][]byte{at, list[0]}
		if string(at) > string(list[0]) {
			both = [][]byte{list[0], at}
		}
		at = first.Hash.Sum(both...)
		fmt.Fprintf(&b, "\n   # %s\n", pair)
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

// stampCommands verify a token.
func stampCommands(t manifestToken) string {
	return fmt.Sprintf(`   openssl ts -reply -token_in -in %[1]s -text
   openssl ts -verify -token_in -in %[1]s -digest %[2]s \
     -CAfile trust/anchors.pem -untrusted trust/chain.pem
`, t.File, t.Imprint)
}

// verifyCommand verifies the whole bundle, in the directory where it was unpacked.
func verifyCommand(m *manifest) string { return "muniment verify --anchors " + m.Anchors + " ." }

func readmeEnglish(m *manifest, rec *ers.Record) string {
	var s strings.Builder
	t := m.Tokens[0]
	fmt.Fprintf(&s, "Proof of the archived object %s\n\n", m.AOID)
	if m.Test {
		s.WriteString("*** THE TIME STAMP IS OF A TEST AUTHORITY. IT PROVES NOTHING. ***\n\n")
	}
	fmt.Fprintf(&s, `What this proves: every file listed below existed, byte for byte as it is here, at
%s, if the time stamp of "%s" is trusted.
What this does not prove: who wrote the message, that its header tells the truth, or that no
other message is missing.
`, t.GenTime.UTC().Format(time.RFC3339), t.Authority)
	fmt.Fprintf(&s, "Qualified time stamp in the sense of Regulation (EU) No 910/2014: %s.\n\nFiles:\n", qualifiedText(m.Qualified, false))
	for _, x := range m.Members {
		fmt.Fprintf(&s, "  %-16s member %q, %d bytes\n", x.File, x.Name, x.Size)
	}
	for _, x := range m.Withheld {
		fmt.Fprintf(&s, "  (the member %q is withheld: it names people of whom you may not know. The others are proven without it.)\n", x)
	}
	fmt.Fprintf(&s, `  evidence.er      evidence record (RFC 4998): which hash values lead from the members to the time stamp
  token-1.tst      the time stamp (RFC 3161)
  sidecar.der      certificates and revocation data for its verification, also in trust/
  trust/anchors.pem  the certificates that the archive trusted. Do not trust this file: get them from the
                   authority, or from the trusted list of its country, and compare.
  bundle.json      the same for programs

Verify with openssl and xxd, without the program that made this:

1. The hash values of the members, up to the root that was stamped. Below each command is what it
   must print.

%s
   The last value must be
      %s

2. The time stamp on it. The first command shows it, the second verifies it.

%s
The same in one step, with our own verifier, which needs neither server nor network:

   %s

or with any program for evidence records (RFC 4998), such as the library BouncyCastle.
`, steps(m, rec, "the group: all members, sorted, one after the other", "with its neighbour in the tree, sorted"), t.Imprint, stampCommands(t), verifyCommand(m))
	return s.String()
}

func readmeGerman(m *manifest, rec *ers.Record) string {
	var s strings.Builder
	t := m.Tokens[0]
	fmt.Fprintf(&s, "Beweis zum archivierten Objekt %s\n\n", m.AOID)
	if m.Test {
		s.WriteString("*** DER ZEITSTEMPEL STAMMT VON EINER TESTSTELLE. ER BEWEIST NICHTS. ***\n\n")
	}
	fmt.Fprintf(&s, `Was dies beweist: Jede unten genannte Datei lag Byte für Byte so, wie sie hier ist, am
%s vor, sofern dem Zeitstempel von „%s“ vertraut wird.
Was dies nicht beweist: wer die Nachricht verfasst hat, ob ihre Kopfzeilen stimmen, und ob keine
andere Nachricht fehlt.
`, t.GenTime.UTC().Format(time.RFC3339), t.Authority)
	fmt.Fprintf(&s, "Qualifizierter Zeitstempel im Sinne der Verordnung (EU) Nr. 910/2014: %s.\n\nDateien:\n", qualifiedText(m.Qualified, true))
	for _, x := range m.Members {
		fmt.Fprintf(&s, "  %-16s Bestandteil „%s“, %d Bytes\n", x.File, x.Name, x.Size)
	}
	for _, x := range m.Withheld {
		fmt.Fprintf(&s, "  (Der Bestandteil „%s“ fehlt: Er nennt Personen, von denen Sie nicht wissen dürfen. Die anderen sind ohne ihn bewiesen.)\n", x)
	}
	fmt.Fprintf(&s, `  evidence.er      Beweisdatensatz (RFC 4998): welche Hashwerte von den Bestandteilen zum Zeitstempel führen
  token-1.tst      der Zeitstempel (RFC 3161)
  sidecar.der      Zertifikate und Sperrdaten zu seiner Prüfung, auch in trust/
  trust/anchors.pem  die Zertifikate, denen das Archiv vertraut hat. Vertrauen Sie dieser Datei nicht: Holen
                   Sie sie bei der Zeitstempelstelle oder aus der Vertrauensliste ihres Landes und vergleichen Sie.
  bundle.json      dasselbe für Programme

Prüfen mit openssl und xxd, ohne das Programm, das dies erstellt hat:

1. Die Hashwerte der Bestandteile bis zur gestempelten Wurzel. Unter jedem Befehl steht, was er
   ausgeben muss.

%s
   Der letzte Wert muss lauten:
      %s

2. Der Zeitstempel darauf. Der erste Befehl zeigt ihn, der zweite prüft ihn.

%s
Dasselbe in einem Schritt mit unserem Prüfprogramm, das weder Server noch Netz braucht:

   %s

oder mit jedem Programm für Beweisdatensätze (RFC 4998), etwa der Bibliothek BouncyCastle.
`, steps(m, rec, "die Gruppe: alle Bestandteile, sortiert, aneinandergehängt", "mit dem Nachbarn im Baum, sortiert"), t.Imprint, stampCommands(t), verifyCommand(m))
	return s.String()
}

// qualifiedText says the verdict, as it was when the time stamp came.
func qualifiedText(verdict string, german bool) string {
	switch {
	case verdict == "yes" && german:
		return "ja, laut Vertrauensliste"
	case verdict == "yes":
		return "yes, by the trusted list"
	case verdict == "no" && german:
		return "nein"
	case verdict == "no":
		return "no"
	case german:
		return "nicht festgestellt"
	}
	return "not determined"
}
