package api

import (
	"encoding/json"
	"net/http"
)

// WriteProblem answers a request with a problem, for handlers that are not
// operations.
func WriteProblem(w http.ResponseWriter, requestID string, f Fault) {
	f.Base().RequestID = requestID
	for name, values := range f.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", ProblemMediaType)
	w.WriteHeader(f.GetStatus())
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.Encode(f) //nolint:errcheck // fails only if the client is gone
}
