# Targets; `make` alone lists them.
SHELL := /bin/bash
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LINT := go tool -modfile=tools/lint/go.mod golangci-lint
# Two packages at a time: every test has a database of its own, and more would only wait for the processor.
# The target test vets all packages beforehand.
TESTFLAGS ?= -p 2 -timeout 20m -vet=off

.DEFAULT_GOAL := help
.PHONY: help setup build run test lint bench soak e2e golden

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Check for Go, PostgreSQL, a browser and fonts, and install what is missing
	@scripts/setup.sh

build: ## Build bin/aldine
	go build -trimpath -buildvcs=false -ldflags '-X main.version=$(VERSION)' -o bin/aldine ./cmd/aldine

run: setup build ## Start Aldine with a demonstration company
	bin/aldine serve --demo

# The server for test databases is stopped afterwards, unless another run is using it.
test: setup ## Check the code and run all tests
	go vet ./...
	@status=0; go test $(TESTFLAGS) ./... || status=$$?; \
	go run ./internal/pgtest/cmd/stop || status=$$?; exit $$status

lint: ## Run the linters (the first time builds them, some minutes)
	$(LINT) run ./...

# Those with a database of their own keep their promises when the power fails; the others' is not durable.
bench: setup ## Run the benchmarks and print one table
	@set -o pipefail; status=0; packages=$$(grep -rl '^func Benchmark' --include='*_test.go' . | xargs -r -n1 dirname | sort -u); \
	go test -p 1 -run '^$$' -bench . -benchtime 1s -timeout 40m $$packages | go run ./internal/benchtable || status=$$?; \
	go run ./internal/pgtest/cmd/stop || status=$$?; exit $$status

soak: setup ## Run the long tests that crash and overload the program
	@status=0; go test -p 1 -tags soak -run Soak -count 1 -timeout 60m -v ./... || status=$$?; \
	go run ./internal/pgtest/cmd/stop || status=$$?; exit $$status

e2e: setup ## Run the browser tests
	@status=0; go test ./cmd/aldine -run E2E -count 1 -timeout 20m -v || status=$$?; \
	go run ./internal/pgtest/cmd/stop || status=$$?; exit $$status

# Only packages with golden files define the flag -update.
golden: setup ## Write the golden files anew; read the difference before you commit it
	@status=0; packages=$$(grep -rlE 'flag\.Bool\("update"' --include='*_test.go' . | xargs -r -n1 dirname | sort -u); \
	if [ -n "$$packages" ]; then go test -count 1 $$packages -update || status=$$?; else echo 'no package has golden files'; fi; \
	go run ./internal/pgtest/cmd/stop || status=$$?; exit $$status
