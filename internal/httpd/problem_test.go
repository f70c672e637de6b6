package httpd_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/httpd"
	"github.com/muniment/muniment/internal/index"
)

// Whoever searches in a damaged index learns that it is, and not where it lies.
func TestDamagedIndexIsNamed(t *testing.T) {
	t.Parallel()
	e := archivetest.New(t, archivetest.Options{})
	var log journal
	s, err := httpd.New(httpd.Config{Archive: e.Archive, UI: interfaceFiles(), Log: slog.New(slog.NewTextHandler(&log, nil)), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	p, ok := s.Problem(t.Context(), fmt.Errorf("index /srv/2026.db: %w", index.ErrDamaged)).(*api.Problem)
	if !ok || p.Code != api.CodeInternal || !strings.Contains(p.Detail, "muniment reindex") || strings.Contains(p.Detail, "/srv") {
		t.Errorf("problem %+v", p)
	}
	if !strings.Contains(log.String(), "/srv/2026.db") {
		t.Errorf("the log does not name the file: %s", log.String())
	}
}
