package attack

import (
	"net/http"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/uid"
)

const because = "Die Frist ist egal"

// wantsDeletion asks, as somebody, that a message is deleted.
func (w *world) wantsDeletion(t *testing.T, who string, id uid.ID) answer {
	t.Helper()
	return w.ask(t, who, http.MethodPost, "/deletions", `{"messages":["`+id.String()+`"],"reason":"`+because+`","until":"`+soon()+`"}`)
}

func (w *world) decides(t *testing.T, who, request string) answer {
	t.Helper()
	return w.ask(t, who, http.MethodPost, "/access-requests/"+request+"/decision", `{"approve":true}`)
}

func (w *world) carriesOut(t *testing.T, who, request string) answer {
	t.Helper()
	return w.ask(t, who, http.MethodPost, "/deletions/"+request+"/carry-out", "")
}

// held places a hold of alpha's on a message.
func (w *world) held(t *testing.T) (hold string) {
	t.Helper()
	return made(t, w.ask(t, "alpha-dpo", http.MethodPost, "/holds", `{"name":"Prüfung","reason":"`+because+`","messages":["`+w.victim(t).String()+`"]}`))
}

// victim is a message of anna's that nothing else needs.
func (w *world) victim(t *testing.T) uid.ID {
	t.Helper()
	return w.ingest(t, "alpha", "From: x@else.example\r\nTo: anna@alpha.example\r\nSubject: bleibt\r\n\r\nbleibt\r\n")
}

// stays fails if anna cannot read a message any more.
func (w *world) stays(t *testing.T, id uid.ID) {
	t.Helper()
	wants(t, "anna still reads", w.ask(t, "alpha-anna", http.MethodGet, "/messages/"+id.String(), ""), 200)
}

// inForce fails if a hold was lifted.
func (w *world) inForce(t *testing.T, id string) {
	t.Helper()
	if a := w.ask(t, "alpha-dpo", http.MethodGet, "/holds/"+id, ""); a.status != 200 || !strings.Contains(a.body, `"in_force":true`) {
		t.Errorf("the hold is gone: %s", a)
	}
}

func actAttempts() []attempt {
	return []attempt{
		{"deletion-under-grant", func(t *testing.T, w *world) {
			id := w.victim(t)
			grant := w.approved(t, "Verdacht auf Betrug")
			wants(t, "carries out a grant for reading", w.carriesOut(t, "alpha-auditor", grant), 403, 404, 422)
			a := w.ask(t, "alpha-auditor", http.MethodPost, "/deletions?grant="+grant, `{"messages":["`+id.String()+`"],"reason":"`+because+`","until":"`+soon()+`"}`)
			if a.status == http.StatusCreated {
				wants(t, "carries out at once", w.carriesOut(t, "alpha-auditor", made(t, a)), 403)
			}
			w.stays(t, id)
		}},
		{"deletion-foreign", func(t *testing.T, w *world) {
			id := w.victim(t)
			for _, who := range []string{"beta-admin", "beta-dpo"} {
				if a := w.wantsDeletion(t, who, id); a.status < 400 || strings.Contains(a.body, "unclassified") {
					t.Errorf("%s: %s", who, a)
				}
			}
			request := made(t, w.wantsDeletion(t, "alpha-dpo", id))
			wants(t, "beta approves", w.decides(t, "beta-admin", request), 404)
			wants(t, "beta looks", w.ask(t, "beta-admin", http.MethodGet, "/deletions/"+request, ""), 404)
			wants(t, "alpha approves", w.decides(t, "alpha-admin", request), 200)
			wants(t, "beta carries out", w.carriesOut(t, "beta-admin", request), 404)
			w.stays(t, id)
		}},
		{"deletion-approved-alone", func(t *testing.T, w *world) {
			id := w.victim(t)
			for _, who := range []string{"alpha-anna", "operator"} {
				wants(t, who+" asks", w.wantsDeletion(t, who, id), 403)
			}
			for _, who := range []string{"alpha-admin", "alpha-auditor", "alpha-dpo"} {
				request := made(t, w.wantsDeletion(t, who, id))
				wants(t, who+" approves the own request", w.decides(t, who, request), 403)
				wants(t, who+" carries out what nobody has approved", w.carriesOut(t, who, request), 403)
				wants(t, "a user approves", w.decides(t, "alpha-anna", request), 403, 404)
			}
			w.stays(t, id)
		}},
		{"lift-approved-alone", func(t *testing.T, w *world) {
			id := w.held(t)
			request := made(t, w.ask(t, "alpha-dpo", http.MethodPost, "/holds/"+id+"/lift-requests", `{"reason":"`+because+`","until":"`+soon()+`"}`))
			wants(t, "approves the own request", w.decides(t, "alpha-dpo", request), 403)
			wants(t, "a user approves", w.decides(t, "alpha-anna", request), 403, 404)
			w.inForce(t, id)
		}},
		{"grant-of-the-dismissed", func(t *testing.T, w *world) {
			id := made(t, w.ask(t, "alpha-admin", http.MethodPost, "/users", `{"login":"rita","role":"auditor","password":"walnuss kaffee zebra 71"}`))
			in := w.ask(t, "", http.MethodPost, "/session", `{"login":"rita","tenant":"alpha","password":"walnuss kaffee zebra 71"}`)
			rita := set("Cookie", strings.Split(in.header.Get("Set-Cookie"), ";")[0])
			request := made(t, w.ask(t, "", http.MethodPost, "/access-requests", `{"kind":"mailbox","addresses":["anna@alpha.example"],"reason":"`+because+`","until":"`+soon()+`"}`, rita))
			lift := made(t, w.ask(t, "", http.MethodPost, "/holds/"+w.held(t)+"/lift-requests", `{"reason":"`+because+`","until":"`+soon()+`"}`, rita))
			wants(t, "rita is data-protection officer now", w.ask(t, "alpha-admin", http.MethodPatch, "/users/"+id, `{"role":"dpo"}`), 200)
			for _, x := range []string{request, lift} {
				wants(t, "approves what she asked for in another role", w.ask(t, "", http.MethodPost, "/access-requests/"+x+"/decision", `{"approve":true}`, rita), 401, 403, 404)
				wants(t, "somebody approves what she could not ask for now", w.decides(t, "alpha-admin", x), 422)
			}
			wants(t, "rita has gone", w.ask(t, "alpha-admin", http.MethodPatch, "/users/"+id, `{"disabled":true,"role":"auditor"}`), 200)
			for _, x := range []string{request, lift} {
				wants(t, "somebody approves what she has left behind", w.decides(t, "alpha-admin", x), 422)
			}
			wants(t, "goes on", w.ask(t, "", http.MethodGet, "/access-requests", "", rita), 401)
		}},
		{"hold-by-user", func(t *testing.T, w *world) {
			id := w.held(t)
			for _, who := range []string{"alpha-anna", "operator"} {
				wants(t, who+" places one", w.ask(t, who, http.MethodPost, "/holds", `{"name":"x","reason":"`+because+`","all":true}`), 403)
				wants(t, who+" lists", w.ask(t, who, http.MethodGet, "/holds", ""), 403)
				wants(t, who+" sees one", w.ask(t, who, http.MethodGet, "/holds/"+id, ""), 403, 404)
			}
		}},
		{"lift-foreign", func(t *testing.T, w *world) {
			id := w.held(t)
			body := `{"reason":"` + because + `","until":"` + soon() + `"}`
			for _, who := range []string{"beta-admin", "beta-dpo"} {
				wants(t, who+" sees", w.ask(t, who, http.MethodGet, "/holds/"+id, ""), 404)
				wants(t, who+" asks", w.ask(t, who, http.MethodPost, "/holds/"+id+"/lift-requests", body), 404)
			}
			request := made(t, w.ask(t, "alpha-dpo", http.MethodPost, "/holds/"+id+"/lift-requests", body))
			wants(t, "beta approves", w.decides(t, "beta-admin", request), 404)
			w.inForce(t, id)
		}},
	}
}
