# The contributor's manual: each target is a thing you do.

GO ?= go

.PHONY: build test race lint fmt golden fuzz bench

build: ## the binary, ./fwsync, which needs no library
	CGO_ENABLED=0 $(GO) build -trimpath -o fwsync ./cmd/fwsync

test: ## everything, no network
	$(GO) test ./...

race: ## everything under the race detector, in random order
	GORACE="atexit_sleep_ms=0 no_huge_pages_for_shadow=0" $(GO) test -race -shuffle=on ./...

lint: ## vet, formatting, golangci-lint (few linters, each with a reason)
	$(GO) vet ./...
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	golangci-lint run ./...

fmt: ## format what is ours
	gofmt -w $$(git ls-files '*.go')
	@if command -v terraform >/dev/null; then terraform fmt -recursive terraform; fi

golden: ## rewrite golden files and the JSON schema, then look at the diff
	$(GO) test ./cmd/fwsync ./policies ./detect/maillog -update
	git diff --stat

fuzz: ## each fuzz target for FUZZTIME (default 20s)
	./bench/fuzz.sh $(or $(FUZZTIME),20s)

bench: ## Go benchmarks; bench/README.md has the comparison with grep
	$(GO) test -run '^$$' -bench . -benchmem ./detect/... ./sync/plan ./policies ./cloudfw/... ./ledger/...
