// Package httpd is the web door: the REST interface of package api, downloads,
// the web interface's files, health and metrics. It turns requests into verbs of
// package archive and errors into problems; it decides nothing about mail.
//
//	httpd.go     the server and its routes   session.go   log-in and log-out
//	request.go   what belongs to a request   throttle.go  failed log-ins
//	problem.go   errors for clients          search.go    searching
//	german.go    texts of problems in German (german.json)
//	message.go   reading                     download.go  streams
//	cursor.go    pages of results            ui.go        the web interface
//	source.go    sources             completeness.go  their accounts
//	mailboxsecret.go  their passwords   mailboxlogin.go  log-ins to mailboxes by a code
//	history.go   whole mailboxes
//	upload.go    files that people give folder.go      watched folders
//	reach.go     hosts of mailboxes  metrics.go       figures for operators
//	smarthost.go mail that leaves    setup.go    first start, host name and certificate
//	evidence.go  what proves messages            log.go       the event log, its proofs and receipts
//	access.go    access to other people's mail   login.go     second steps, passkeys, links
//	security.go  factors, sessions   user.go  userimport.go  users of a tenant
//	hierarchy.go provision.go usage.go  tenants, resellers and what they use    token.go  programs
//	directory.go user repositories   provider.go  log-in at a provider
//	dashboard.go figures and alarms
//	preservation.go  the functions of BSI TR-03125
//	manual.go    the manual
package httpd

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"golang.org/x/text/language"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/upload"
)

// Time limits of a connection. Downloads may take longer than writeTimeout: they
// extend it as they go.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 2 * time.Minute
	idleTimeout       = 2 * time.Minute
	answerTime        = time.Minute // of work for an answer that is no download
	maxHeader         = 64 << 10    // bytes
)

// Config says what the server stands on. Archive is needed.
type Config struct {
	Archive *archive.Archive
	UI      fs.FS // the built web interface; nil: the REST interface alone
	Manual  fs.FS // the manual in Markdown, a directory for each language; nil: none
	Log     *slog.Logger
	Version string
	// TrustedProxies are believed in X-Forwarded-For and X-Forwarded-Proto.
	TrustedProxies []netip.Prefix
	// MetricsNetworks may read /metrics.
	MetricsNetworks []netip.Prefix
	// Certificates keeps the certificate of the server; nil: it speaks no TLS itself.
	Certificates Certificates
	SiteFixed    bool   // the configuration file sets the certificate
	URLFixed     bool   // the configuration file says where people reach the web interface
	Port         string // where the web interface listens, as people reach it
	// SetupCode lets whoever knows it make the first operator; empty: nobody.
	SetupCode string
	Demo      *Demo // nil: no demonstration
	// Ready reports whether the archive can work; nil: it always can.
	Ready func(context.Context) error
	// Fetcher fetches from remote mailboxes; nil: nobody does here.
	Fetcher Fetcher
	// Mailer sends mail of the archive; nil: nobody does here.
	Mailer Mailer
	// Webhooks tells other programs of events; nil: nobody does here.
	Webhooks Webhooks
	// Sealer has objects stamped; nil: nobody does here.
	Sealer Sealer
	// Post queues letters to people; nil: nobody is written to.
	Post Post
	// Histories archives whole remote mailboxes; nil: nobody does here.
	Histories Histories
	// Uploads keeps what people give; nil: nobody archives that here.
	Uploads *upload.Store
	// AllowPrivate lets remote mailboxes be on this machine or in private networks.
	AllowPrivate bool
	// LogIns asks providers for codes; nil: nobody does here.
	LogIns *oauth.Client
}

// Demo makes the log-ins of a demonstration public.
type Demo struct{ Logins []DemoLogin }

// DemoLogin is a public log-in.
type DemoLogin struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	Name     string `json:"name"`
	Role     string `json:"role"`
}

// Server is the web door.
type Server struct {
	cfg         Config
	handler     http.Handler
	throttle    *throttle
	paces       *paces
	metrics     *metrics
	reminds     chan struct{} // one slot for every forgotten password that is being looked after
	logIns      logIns        // to mailboxes, by codes
	audits      audits
	userImports userImports
	// downloads are the patterns of the routes that stream.
	downloads map[string]bool
	languages language.Matcher
	started   time.Time
	plain     []string // patterns of the routes outside of the document
}

// New builds the server; nothing listens yet.
func New(cfg Config) (*Server, error) {
	if cfg.Archive == nil {
		return nil, fmt.Errorf("web server: no archive")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: cfg, throttle: newThrottle(), paces: newPaces(), metrics: newMetrics(), reminds: make(chan struct{}, maxReminds),
		downloads: map[string]bool{}, languages: language.NewMatcher(languages()), started: time.Now().UTC()}
	s.metrics.registry.MustRegister(newLagCollector(cfg.Archive))
	mux, err := s.routes()
	if err != nil {
		return nil, err
	}
	compress, err := gzhttp.NewWrapper(gzhttp.ContentTypes([]string{
		"text/html", "text/css", "text/javascript", "application/json", "application/problem+json", "image/svg+xml", "text/plain"}))
	if err != nil {
		return nil, fmt.Errorf("web server: %w", err)
	}
	s.handler = s.begin(mux, s.toTLS(compress(s.guard(mux))))
	return s, nil
}

// HTTP returns a server with its limits, to be given a listener.
func (s *Server) HTTP() *http.Server {
	return &http.Server{
		Handler: s.handler, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
	}
}

func (s *Server) routes() (*http.ServeMux, error) {
	mux := http.NewServeMux()
	api.Register(mux, s, s)
	handlers := map[string]http.HandlerFunc{"getMessageHtml": s.html, "getMessageRaw": s.raw, "getAttachment": s.attachment,
		"getReport": s.report, "getEvidenceRecord": s.evidenceRecord, "getEvidenceBundle": s.evidenceBundle, "getInspectionReport": s.inspectionPDF, "getInspectionPage": s.inspectionHTML, "getMessageXaip": s.messageXAIP, "getExport": s.export, "getCompletenessCsv": s.completenessCSV, "getUploadCsv": s.uploadCSV,
		"getEventProof": s.eventProof, "getCheckpoint": s.checkpoint, "getConsistency": s.consistency, "getReceiptFile": s.receiptFile, "exportLog": s.exportLog,
		"getAccessRecordsCsv": s.accessRecordsCSV, "getTombstonesCsv": s.tombstonesCSV, "exportUsers": s.usersCSV, "getUsageCsv": s.usageCSV, "getLogo": s.logo}
	for _, d := range api.Downloads() {
		h, ok := handlers[d.ID()]
		if !ok {
			return nil, fmt.Errorf("web server: nobody carries out %s", d.ID())
		}
		h = s.wellAsked(d, h)
		if d.Public() {
			mux.Handle(d.Pattern(), h)
		} else {
			mux.Handle(d.Pattern(), s.known(d.Right(), h))
		}
		s.downloads[d.Pattern()] = true
	}
	ui, err := newUI(s.cfg.UI)
	if err != nil {
		return nil, err
	}
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /healthz":                  s.health,
		"GET " + providerStart:          s.startProvider,
		"GET " + directory.CallbackPath: s.finishProvider,
		"GET /metrics":                  s.serveMetrics,
		"GET " + manualPath:             s.newManualDoor().ServeHTTP,
		apiRest:                         func(w http.ResponseWriter, r *http.Request) { s.unknown(mux, w, r) },
		"/":                             ui.ServeHTTP,
	} {
		mux.HandleFunc(pattern, h)
		s.plain = append(s.plain, pattern)
	}
	return mux, nil
}

// wellAsked refuses a download whose parameters are wrong.
func (s *Server) wellAsked(d api.Download, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if errs := d.Mistakes(r.URL.Query()); len(errs) > 0 {
			s.fail(w, r, mistakes(errs...))
			return
		}
		next(w, r)
	}
}

// Plain lists the patterns of the routes that are not in the OpenAPI document, for
// tests that walk all routes.
func (s *Server) Plain() []string { return slices.Clone(s.plain) }

// apiRest takes what no operation takes.
const apiRest = "/api/"

// unknown answers requests that no operation takes: with the method, if another
// one would do, else with not-found.
func (s *Server) unknown(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = m
		if _, pattern := mux.Handler(other); pattern != apiRest {
			w.Header().Add("Allow", m)
		}
	}
	code := api.CodeNotFound
	if w.Header().Get("Allow") != "" {
		code = api.CodeMethod
	}
	s.refuse(w, r, api.NewProblem(code, ""))
}

func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if s.cfg.Ready != nil {
		if err := s.cfg.Ready(r.Context()); err != nil {
			s.cfg.Log.Error("not ready", "error", err)
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
	}
	fmt.Fprintln(w, "ok")
}
