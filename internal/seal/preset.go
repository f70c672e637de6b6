package seal

// Standing says what is known of an authority that one may choose.
type Standing string

// Standings. Whether a stamp is qualified, a trusted list decides and nothing else.
const (
	StatesQualified Standing = "states-qualified" // says so itself; look it up in the trusted list
	NotQualified    Standing = "not-qualified"
	OnContract      Standing = "contract"  // addresses and terms are in the contract with it
	Unchecked       Standing = "unchecked" // named in public collections; look it up
)

// Preset is an authority that one may choose. None is ever chosen by itself
// (QTS-7). Its certificates are for whoever chooses it to get and to check.
type Preset struct {
	ID       string
	Name     string
	URL      string // empty: in the contract
	Auth     string
	Standing Standing
	Country  string // of its trusted list
	Pause    int    // seconds it asks for between two requests
}

// Presets lists them.
func Presets() []Preset {
	return []Preset{
		{ID: "sectigo-qualified", Name: "Sectigo Qualified", URL: "http://timestamp.sectigo.com/qualified", Auth: AuthNone, Standing: StatesQualified, Country: "ES", Pause: 15},
		{ID: "telesec", Name: "Deutsche Telekom TeleSec", URL: "https://tsp.telesec.de/TSPBasic/TSPProxy.pl", Auth: AuthBasic, Standing: OnContract, Country: "DE"},
		{ID: "d-trust", Name: "D-Trust (Bundesdruckerei)", Auth: AuthCertificate, Standing: OnContract, Country: "DE"},
		{ID: "bnotk", Name: "Bundesnotarkammer", Auth: AuthCertificate, Standing: OnContract, Country: "DE"},
		{ID: "swisssign", Name: "SwissSign", Auth: AuthBasic, Standing: OnContract, Country: "CH"},
		{ID: "a-trust", Name: "A-Trust", Auth: AuthBasic, Standing: OnContract, Country: "AT"},
		{ID: "globaltrust", Name: "GlobalTrust", Auth: AuthBasic, Standing: OnContract, Country: "AT"},
		{ID: "belgium", Name: "tsa.belgium.be", URL: "http://tsa.belgium.be/connect", Auth: AuthNone, Standing: Unchecked, Country: "BE"},
		{ID: "quovadis", Name: "QuoVadis EU", URL: "http://ts.quovadisglobal.com/eu", Auth: AuthNone, Standing: Unchecked},
		{ID: "izenpe", Name: "Izenpe", URL: "http://tsa.izenpe.com", Auth: AuthNone, Standing: Unchecked, Country: "ES"},
		{ID: "dfn", Name: "DFN (for members)", URL: "http://zeitstempel.dfn.de", Auth: AuthNone, Standing: NotQualified},
		{ID: "digicert", Name: "DigiCert", URL: "http://timestamp.digicert.com", Auth: AuthNone, Standing: NotQualified},
		{ID: "globalsign", Name: "GlobalSign", URL: "http://timestamp.globalsign.com/tsa/r6advanced1", Auth: AuthNone, Standing: NotQualified},
		{ID: "freetsa", Name: "freetsa.org", URL: "https://freetsa.org/tsr", Auth: AuthNone, Standing: NotQualified},
	}
}
