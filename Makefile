# The commands of everyday work. Each is one go command: nothing here is needed
# to build or to test.
.DEFAULT_GOAL := build
.PHONY: build test race lint bench fuzz cross golden ci clean

build: ## the program, ./threadmap
	go build -trimpath -o threadmap ./cmd/threadmap

test: ## what README.md says
	go test ./...

race:
	go test -race ./...

lint:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt: $$unformatted"; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	go test -run '^TestArchitecture' ./cmd/threadmap

bench: ## PKG=./topology to run those of one package
	go test -run '^$$' -bench . -benchmem $(or $(PKG),./...)

fuzz: ## FUZZTIME=1m PKG=./diag/... for longer, or fewer
	.ci/fuzz $(PKG)

TARGETS := linux/amd64 linux/arm64 linux/arm darwin/arm64 darwin/amd64 windows/amd64
cross: $(addprefix cross/,$(TARGETS)) ## stripped binaries in dist/
cross/%:
	CGO_ENABLED=0 GOOS=$(word 1,$(subst /, ,$*)) GOARCH=$(word 2,$(subst /, ,$*)) \
		go build -trimpath -ldflags='-s -w' -o dist/$(subst /,-,$*)/ ./cmd/threadmap

golden: ## refresh the expected drawings and documents; look at the difference before you keep it
	UPDATE=1 go test $(or $(PKG),./...)
	git diff --stat

ci: ## all that must hold before a change lands
	.ci/run

clean:
	rm -rf threadmap dist
