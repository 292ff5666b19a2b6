# The commands of developers and CI; CONTRIBUTING.md says when to use which.
MODULES  := shared loadgen controller
PACKAGES := $(MODULES:%=./%/...)
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GOLANGCI := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# The distribution's own client has BuildKit built in; others need a plugin.
DOCKER ?= $(firstword $(wildcard /usr/bin/docker) docker)
export DOCKER

# The CA certificates to put into the image (Debian, Fedora, macOS).
CA_BUNDLE ?= $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem))

# -buildvcs=false: the version comes from VERSION, so that git is not needed. SQLite needs cgo; only the image needs a
# static controller.
FLAGS        = -trimpath -buildvcs=false
LD_FLAGS     = -s -w -X main.version=$(VERSION)
STATIC_BUILD = CGO_ENABLED=0 go build $(FLAGS) -ldflags '$(LD_FLAGS)'
SQLITE_TAGS  = sqlite_omit_load_extension,netgo,osusergo
SQLITE_BUILD = CGO_ENABLED=1 go build $(FLAGS) -tags $(SQLITE_TAGS)
STATIC_C     = -linkmode external -extldflags -static

# The web interface is built if npm is installed; without it the controller serves a placeholder page.
WEB         := controller/web
WEB_SOURCES  = $(shell find $(WEB)/src $(WEB)/public -type f) $(wildcard $(WEB)/*.json $(WEB)/*.js $(WEB)/*.ts $(WEB)/index.html)

.PHONY: build bin/loadgen bin/controller licences web test test-go test-web no-images check format check-web deps fuzz generate demo run up \
        bench bench-controller images image-loadgen image-controller image-files pictures release release/loadgen release/controller clean

build: web ## bin/loadgen, static, and bin/controller
	@$(MAKE) --no-print-directory bin/loadgen bin/controller

bin/loadgen: licences
	$(STATIC_BUILD) -o $@ ./loadgen

bin/controller: licences
	$(SQLITE_BUILD) -ldflags '$(LD_FLAGS)' -o $@ ./controller

# Both programs embed the licences of all Go modules, and of the web interface if it was built.
LICENCES := shared/licences/text/THIRD_PARTY.txt

licences: ## the licence texts embedded in programs and images
	@go run ./shared/licences/collect --output $(LICENCES) --bundle $(WEB)/dist/.vite/license.md --tags $(SQLITE_TAGS) ./loadgen ./controller

web: ## the web interface embedded in the controller, if this machine can build it
	@why=$$($(WEB)/packages.sh); case $$? in \
	0) $(MAKE) --no-print-directory $(WEB)/dist/index.html ;; \
	3) test -f $(WEB)/dist/index.html || echo "The controller is built without its web interface: $$why." ;; \
	*) exit 1 ;; \
	esac

$(WEB)/dist/index.html: $(WEB_SOURCES)
	cd $(WEB) && npm run build

# The file that lists skipped tests, one per line: what, a tab, why.
LEFT_OUT ?= /dev/stdout

test: ## all tests that this machine can run; the last lines list what was skipped and why
	@rm -f bin/left-out
	@$(MAKE) --no-print-directory LEFT_OUT=$(CURDIR)/bin/left-out test-go test-web
	@if [ -s bin/left-out ]; then echo "Skipped on this machine:"; \
	awk -F '\t' '!seen[$$0]++ { printf "  %-50s %s\n", $$1, $$2 }' bin/left-out; else echo "Nothing was skipped."; fi

# Programs and images are built once and passed to the tests in TRAFFICINATOR_BIN. TRAFFICINATOR_BUILD and
# TRAFFICINATOR_PAGES invalidate go test's cache when programs, docs or examples change. Tests wait more than they
# compute, so twice as many packages run in parallel as there are cores. -trimpath shares the build cache between clones
# on one machine. -vet=off: make check runs vet.
test-go: build
	@why=$$($(MAKE) -s no-images); test -n "$$why" || $(MAKE) --no-print-directory images || exit 1; \
	TRAFFICINATOR_NO_IMAGES="$$why" TRAFFICINATOR_BIN=$(CURDIR)/bin TRAFFICINATOR_BUILD="$$(cksum bin/loadgen bin/controller)" \
	TRAFFICINATOR_PAGES="$$(cat $(PAGES) | cksum)" \
	go run ./shared/testbed/gotest --left-out=$(LEFT_OUT) -race -trimpath -vet=off -timeout 30m -p $$(( 2 * $$(getconf _NPROCESSORS_ONLN) )) $(PACKAGES)

PAGES = $(wildcard *.md */*.md */*/*.md docs/*.json docs/img/* examples/*)

no-images: ## prints why images cannot be built here, or nothing
	@mkdir -p bin; if ! $(DOCKER) info >/dev/null 2>&1; then echo "no Docker engine is running"; \
	elif ! echo 'int main(void) { return 0; }' | $(CC) -static -x c -o bin/static - 2>/dev/null; then \
	echo "the C compiler has no static libraries to build the controller's image with"; fi

# The browser for the tests.
export CHROMIUM ?= $(firstword $(wildcard /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome))

test-web: build ## the web interface: unit tests, then end-to-end tests in a real browser with the real programs
	@why=$$($(WEB)/packages.sh); case $$? in \
	0) cd $(WEB) && npm test || exit 1; if [ -x "$(CHROMIUM)" ]; then TRAFFICINATOR_BIN=$(CURDIR)/bin npm run e2e; else \
	   printf 'tests of the interface in a browser\tChromium is not installed; install it or set CHROMIUM=file\n' >> $(LEFT_OUT); fi ;; \
	3) printf 'tests of the interface\t%s\n' "$$why" >> $(LEFT_OUT) ;; \
	*) exit 1 ;; \
	esac

check: ## format (make format fixes it), lint, import rules, tidy modules, generated files, docs/dependencies.txt, known vulnerabilities
	$(GOLANGCI) run --allow-parallel-runners $(PACKAGES)
	@for m in $(MODULES); do echo "go mod tidy -diff ($$m)"; (cd $$m && go mod tidy -diff) || exit 1; done
	go test ./controller/internal/settings/generate
	@go run ./shared/testbed/deps | diff -u docs/dependencies.txt - || { echo 'docs/dependencies.txt is stale; run make deps'; exit 1; }
	$(MAKE) check-web
	.ci/audit

format: ## formats Go and the web interface, with lines of at most 120 columns
	$(GOLANGCI) fmt $(PACKAGES)
	$(WEB)/packages.sh && cd $(WEB) && npm run format

check-web: ## types, format and generated API types of the web interface
	@why=$$($(WEB)/packages.sh); case $$? in \
	0) mkdir -p bin && go run ./controller/internal/api/openapi > bin/openapi.json && \
	   cd $(WEB) && npm run check && npm run generate -- --check ;; \
	3) echo "The interface is not checked: $$why." ;; \
	*) exit 1 ;; \
	esac

fuzz: ## sends requests generated from the OpenAPI document for FUZZ_SECONDS (60): valid ones, and ones that break one rule
	FUZZ_SECONDS=$${FUZZ_SECONDS:-60} go test -race -trimpath -vet=off -count=1 -v -run TestEveryAnswer ./controller/internal/api

deps: ## writes docs/dependencies.txt: packages with lines and imports, and the modules in each program
	@go run ./shared/testbed/deps > docs/dependencies.txt

generate: ## writes the settings in docs/configuration.md, the compose file and the interface, and the API's types
	go run ./controller/internal/settings/generate docs/configuration.md docker-compose.yml $(WEB)/src/text/settings.gen.ts
	mkdir -p bin && go run ./controller/internal/api/openapi > bin/openapi.json
	$(WEB)/packages.sh && cd $(WEB) && npm run generate

demo: build ## controller, web interface and a run against the built-in sink; DEMO_SECONDS=20 ends it after 20 s
	go run ./controller/demo

run: build ## controller and web interface on 127.0.0.1:8000; no traffic is started
	RUNTIME=$${RUNTIME:-process} LOADGEN_BIN=./bin/loadgen PRESETS_DIR=./presets bin/controller serve

up: ## starts the compose stack; writes the settings of this machine to .env first
	@VERSION='$(VERSION)' controller/up.sh

bench: build ## speed, pacing and memory compared with other tools; writes loadgen/bench/RESULTS.md
	go run ./loadgen/bench

bench-controller: build image-loadgen ## the API with 200 clients and 50 streams for a minute, while containers are stopped
	go run ./controller/bench

images: image-loadgen image-controller ## images from prebuilt binaries, without a base image

image-loadgen: image-files
	DOCKER_BUILDKIT=1 $(DOCKER) build --build-arg BUILD=prebuilt --build-arg VERSION=$(VERSION) -f loadgen/Dockerfile -t trafficinator-loadgen:local .

image-controller: image-files
	DOCKER_BUILDKIT=1 $(DOCKER) build --build-arg BUILD=prebuilt --build-arg VERSION=$(VERSION) -f controller/Dockerfile -t trafficinator-controller:local .

image-files: web licences ## the files of the images; the Dockerfiles run this too
	@test -n "$(CA_BUNDLE)" || { echo "no CA certificates found; install ca-certificates or set CA_BUNDLE=file"; exit 1; }
	GOOS=linux $(STATIC_BUILD) -o bin/image/loadgen ./loadgen
	GOOS=linux $(SQLITE_BUILD) -ldflags '$(LD_FLAGS) $(STATIC_C)' -o bin/image/controller ./controller
	cp $(LICENCES) LICENSE bin/image/
	cp -L $(CA_BUNDLE) bin/image/ca-certificates.crt
	chmod 0644 bin/image/ca-certificates.crt

pictures: build ## writes docs/img: screenshots of a demo in Chromium
	@test -x "$(CHROMIUM)" || { echo "Chromium is not installed; install it or set CHROMIUM=file"; exit 1; }
	cd $(WEB) && node pictures.mjs

release: ## writes dist/: archives of the checked-out tag for linux and darwin, with SBOMs and checksums
	VERSION='$(VERSION)' .ci/release

# Builds a program for GOOS and GOARCH as OUTPUT. The Linux controller is static, so that it runs with any C library.
release/loadgen:
	$(STATIC_BUILD) -o $(OUTPUT) ./loadgen

release/controller:
	$(SQLITE_BUILD) -ldflags '$(LD_FLAGS)$(if $(filter linux,$(GOOS)), $(STATIC_C))' -o $(OUTPUT) ./controller

clean:
	rm -rf bin dist
