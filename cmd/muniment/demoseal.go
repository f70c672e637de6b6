package main

import (
	"context"
	"encoding/pem"
	"net"
	"net/http"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/seal"
)

// demoAuthority is the name of the test authority of the demonstration.
const demoAuthority = "Test authority of the demonstration (proves nothing)"

// demoInterval is short, so that visitors see seals.
const demoInterval = time.Minute

// demoSealing runs a test authority on this machine until ctx ends, and has the
// demonstration sealed by it. Its keys are new at each start.
func (a *app) demoSealing(ctx context.Context) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	url := "http://" + ln.Addr().String()
	t, err := tsa.New(tsa.Options{URL: url})
	if err != nil {
		ln.Close()
		return err
	}
	srv := &http.Server{Handler: t.Handler(), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { srv.Close() })
	go func() {
		if err := srv.Serve(ln); ctx.Err() == nil {
			a.log.Error("test authority", "error", err)
		}
	}()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: t.Root().Raw})
	return a.archive.SetSealSetting(ctx, archive.SealDraft{Setting: seal.Setting{Interval: int(demoInterval.Seconds()),
		Authorities: []seal.Authority{{Name: demoAuthority, URL: url + "/", Auth: seal.AuthNone, CA: string(ca), Local: true}}}})
}
