package main

import (
	"fmt"
	"os"

	"github.com/muniment/muniment/internal/config"
)

type configCmd struct{}

func (configCmd) Run(g *Globals, s *streams) error {
	c, err := g.load()
	if err != nil {
		return err
	}
	for _, k := range config.Values(c) {
		fmt.Fprintf(s.out, "# %s\n%s: %s\n", k.Help, k.Name, k.Value)
	}
	return nil
}

// load reads the settings; mistakes in them are wrong use.
func (g *Globals) load() (config.Config, error) {
	flags := map[string]string{}
	for k, v := range g.Set {
		flags[k] = v
	}
	if g.Data != "" {
		flags["data"] = g.Data
	}
	c, err := config.Load(config.Sources{File: g.ConfigFile, Environ: os.Environ(), Flags: flags})
	if err != nil {
		return c, usage(err)
	}
	return c, nil
}
