package offline_test

import (
	"encoding/pem"
	"path/filepath"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/evidence/evidencetest"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

const unsignedList = `<?xml version="1.0" encoding="UTF-8"?>
<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#"><SchemeInformation><TSLSequenceNumber>7</TSLSequenceNumber>
<TSLType>http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUgeneric</TSLType><SchemeTerritory>DE</SchemeTerritory>
<ListIssueDateTime>2026-01-01T00:00:00Z</ListIssueDateTime><NextUpdate><dateTime>2026-06-01T00:00:00Z</dateTime></NextUpdate></SchemeInformation>
</TrustServiceStatusList>`

// What a list says counts only if somebody who is pinned has signed it.
func TestQualifier(t *testing.T) {
	t.Parallel()
	w := evidencetest.New(t, tsa.Options{})
	dir := t.TempDir()
	list := write(t, filepath.Join(dir, "de.xml"), []byte(unsignedList))
	root := w.Authority.Root()
	signer := write(t, filepath.Join(dir, "signer.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}))
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	ask, err := offline.Qualifier([]string{list}, []string{signer}, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	if q, why := ask(root, nil, at.AddDate(0, -1, 0)); q != tsp.NotDetermined || why == "" {
		t.Errorf("by a list that nobody has signed: %s, %s", q, why)
	}
	for name, x := range map[string][2]string{"no list": {signer, signer}, "no signer": {list, list}, "nothing": {t.TempDir(), signer}, "missing": {"none", signer}} {
		if _, err := offline.Qualifier([]string{x[0]}, []string{x[1]}, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
