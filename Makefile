# `make` lists what can be made. Everything works on a fresh machine that has Go,
# Node, git and make; what else is needed is installed, and said.

export CGO_ENABLED = 0
export MUNIMENT_BIN = $(CURDIR)/bin/muniment

GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.1.4
LONGEST := ./test/interop ./internal/ingest/mailbox ./test/corpus ./internal/archive ./internal/catalog ./test/fault ./internal/index/fts ./internal/vault ./internal/sealing
WEB := $(shell find web/src web/public web/index.html web/*.ts web/*.json -type f 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help build packages run test setup test-go test-web test-e2e bench check fuzz faults generate clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/muniment, web interface included
	@$(MAKE) --no-print-directory -j2 web/dist/index.html packages
	go build -trimpath -buildvcs=auto -o bin/muniment ./cmd/muniment
	go build -trimpath -buildvcs=auto -o bin/muniment-verify ./cmd/muniment-verify

# Most of the compiling needs no web interface: it goes on beside npm.
packages:
	@go build -trimpath ./api/... ./internal/...

run: build ## start a demonstration in ./data and print where it is
	@bin/muniment demo --data ./data

# What scripts/setup has installed must be used; the corpus is not part of the repository.
test: export MUNIMENT_TEST_REQUIRE ?= bash,bouncycastle,dovecot,java,javac,openssl,postfix,python3,readpst,sendmail,slapadd,slapd,strace,xxd
test: ## run every test: unit, conformance, real servers, browser
	$(MAKE) -j3 setup web/dist/index.html packages
	$(MAKE) build
	$(MAKE) test-go
	$(MAKE) test-web
	$(MAKE) test-e2e

setup:
	scripts/setup test

# The packages that take longest go first, so that none of them is left alone
# at the end; half of them mostly wait for servers.
test-go: web/dist/index.html
	go test -p 4 -timeout 25m $(LONGEST) ./...

test-web: web/node_modules/.stamp
	cd web && npm run --silent lint && npm run --silent test

test-e2e: build web/node_modules/.stamp
	cd web && npm run --silent e2e

bench: build ## measure ingest, search, storage, memory, start-up; compare with mu and notmuch
	scripts/setup bench
	go run ./test/bench

faults: build ## kill the archive 200 times under load, fill its disk, fail its system calls
	scripts/setup test
	MUNIMENT_TEST_KILLS=200 go test -count 1 -timeout 60m -v ./test/fault

check: web/node_modules/.stamp web/dist/index.html ## lint, vet, architecture, generated files, known vulnerabilities
	@test -z "$$(gofmt -l api cmd internal test web/*.go)" || { gofmt -l api cmd internal test web/*.go; exit 1; }
	go vet ./...
	go run $(GOLANGCI) run ./...
	go test ./internal/arch ./api
	scripts/generated
	cd web && npm run --silent lint
	@go run $(VULNCHECK) ./... || { test $$? -ne 3 && echo "check: the list of known vulnerabilities is not reachable; not checked"; }

fuzz: ## run every fuzz target for FUZZTIME (default 5m) each
	scripts/fuzz $${FUZZTIME:-5m}

generate: web/node_modules/.stamp ## write the generated files again
	go generate ./...
	cd web && npm run --silent generate

clean: ## remove what was built
	rm -rf bin web/dist/assets web/dist/index.html web/node_modules

web/node_modules/.stamp: web/package-lock.json
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

web/dist/index.html: web/node_modules/.stamp $(WEB)
	cd web && npm run --silent build
	@touch $@
