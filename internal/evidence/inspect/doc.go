// Package inspect writes the inspection report: what the verification of a proof has
// found out, for people who have never heard of hash values. The archive puts it into
// proof bundles, and the offline verifier writes it from its own verdict, so that both
// say the same of the same bundle. It judges nothing itself: everything it tells is in
// the Facts that it is given. It knows neither files nor servers.
//
// The same facts give the same bytes. What comes from mails is foreign: it is cleaned
// before it is shown (text.go), and can neither break the layout nor become markup.
//
//	facts.go   Facts, Object, Log, Selection: what there is to tell
//	header.go  what a message says of itself
//	text.go    foreign text, made harmless
//	page.go    Page: the neutral form, the same for HTML and PDF
//	build.go   facts → page
//	stamps.go  time stamps, certificates, algorithms → page
//	words.go   words_de.go, words_en.go: every sentence in both languages
//	html.go    page → HTML
//	pdf.go     page → PDF
package inspect
