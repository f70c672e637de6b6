package main

import (
	"github.com/muniment/muniment/internal/config"
	"github.com/muniment/muniment/internal/hooks"
	"github.com/muniment/muniment/internal/webhook"
)

// newHooks makes the door that tells other programs of events.
func (a *app) newHooks() (*hooks.Hooks, error) {
	networks, err := config.Networks(a.config.Webhook.Networks)
	if err != nil {
		return nil, err
	}
	return hooks.New(hooks.Config{Archive: a.archive, Log: a.log, Sending: webhook.Config{Networks: networks, Version: version()}})
}
