# Everything a person does with a checkout. `make demo` and `make test` need nothing but Debian 12 and a Swift toolchain.

SWIFT := swift
# Tests run against the release build, so that a clean clone compiles once.
BUILD := -c release
TESTS := $(BUILD) --disable-testable-imports
SOURCES := Package.swift Sources Tests Benchmarks
ROUNDS ?= 15
SECONDS ?= 60
SEEDS ?= 1-2000
# Where `make install` puts things; DESTDIR is put before it.
PREFIX ?= /usr/local
# The Python whose PyTorch `make bench` compares a training step with.
TORCH ?= .venv-peers/pfl/bin/python

# How many tests run at once. Without it all begin together, with 900 files open; beside a thousand of them Foundation's
# Process, which some tests use, crashes.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= 32

.PHONY: help deps build data demo test lint format docs install deb test-packages test-browser dashboard-picture messages bench bench-peers load overhead growth guard guard-accept faults fuzz sanitize watch clean

help:
	@sed -n 's/^## //p' Makefile

## make deps      install the Debian packages and the Python venv with third-party checks
deps:
	.ci/deps

## make build     build the four programs into .build/release
build: deps
	$(SWIFT) build $(BUILD)

## make demo      the main job on loopback: 12 agents train a signed int8 model on Fashion-MNIST (ROUNDS=15)
demo: build
	.venv/bin/python .ci/demo --rounds $(ROUNDS)

## make test      every test, against the release build
test: build
	$(SWIFT) test $(TESTS)

## make lint      swift-format, strictly, the tidy tests, and the documentation's references
lint: deps
	$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)
	$(SWIFT) test $(TESTS) --filter TidyTests
	.ci/docs

## make format    rewrite the sources as swift-format wants them
format:
	$(SWIFT) format format --in-place --parallel --recursive $(SOURCES)

## make docs      the documentation of every library in .build/docs, without a warning
docs: build
	.ci/docs

## make install   put programs, services, manuals and completions into PREFIX (/usr/local) once built; DESTDIR
install:
	DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" .ci/install

## make deb       build the Debian packages of coordinator, agent and verifier in .build/packages
deb: build
	.ci/deps debhelper dpkg-dev
	.ci/package

## make test-packages  install, use, upgrade and purge the packages on a Debian of their own; lintian, pages and units
test-packages: deb
	.ci/deps lintian debootstrap
	.ci/test-packages

## make test-browser  the dashboard in headless Chromium over a fleet of real programs; pictures in .build/screenshots
test-browser: build
	.ci/deps chromium chromium-driver fonts-dejavu-core
	.ci/test-browser

## make dashboard-picture  the README's picture of the dashboard, of what make demo left in .demo
dashboard-picture: build
	.ci/deps chromium chromium-driver fonts-dejavu-core
	.venv/bin/python -B .ci/browser/picture.py coordinator-config/guides/dashboard.png

## make messages  generate the C messages from proto/ again
messages: deps
	.ci/generate-messages

## make bench     measure everything against limits of this machine, in minutes: Benchmarks/latest.json, and a table
bench: build
	.ci/deps libdnnl-dev
	Benchmarks/peers/install .venv-peers pfl
	$(SWIFT) build -c release --package-path Benchmarks --scratch-path .build/benchmarks
	cp Benchmarks/latest.json .build/latest-before.json
	OMP_NUM_THREADS=1 taskset -c 0 .build/benchmarks/release/KernelBenchmarks Benchmarks/latest.json $(TORCH)
	.build/benchmarks/release/SimulateOverBareLoop .build/release/tributary-coordinator \
		Benchmarks/workload.toml .build Benchmarks/latest.json
	# Less than what is asked for is told, here and in the table, and is no reason to stop: only 2 is a failure.
	.build/benchmarks/release/FleetLoad .build/release/tributary-coordinator .build/load ingest 1000 \
		Benchmarks/latest.json; test $$? -lt 2
	.venv/bin/python Benchmarks/agent_footprint.py --starts 11 --seconds 95 --json Benchmarks/latest.json
	Benchmarks/summary.py --before .build/latest-before.json

## make bench-peers  the same workload with Flower and pfl, which it installs, side by side: Benchmarks/peers.json
bench-peers: build
	Benchmarks/peers/install .venv-peers
	.venv-peers/pfl/bin/python Benchmarks/peers/compare.py --environments .venv-peers

## make overhead  what a round of 12 agents on loopback costs besides training
overhead: build
	.venv/bin/python Benchmarks/round_overhead.py

## make growth    time and memory against the number of agents and of parameters (minutes)
growth: build
	.venv/bin/python Benchmarks/growth.py

## make guard     count the instructions of six hot paths and compare them with Benchmarks/baseline.json
guard: build
	.ci/guard

## make guard-accept  take the counts of today as the baseline
guard-accept: build
	.ci/guard --accept

## make load      load a coordinator: 10,000 idle agents, 100 models of 40 MB, a restart under 1,000 agents
load: build
	$(SWIFT) build -c release --package-path Benchmarks --scratch-path .build/benchmarks --product FleetLoad
	for load in "idle 10000" "models 40" "restart 1000"; do \
		.build/benchmarks/release/FleetLoad .build/release/tributary-coordinator .build/load $$load || exit 1; done

## make faults    simulate a fleet under faults, once a seed: SEEDS=A-B
faults: deps
	$(SWIFT) build $(BUILD) --product FaultSimulation
	.build/release/FaultSimulation $(SEEDS) --workers $$(nproc)

## make sanitize  run the tests under ThreadSanitizer and AddressSanitizer
sanitize: deps
	.ci/sanitize

## make fuzz      fuzz every parser of what a stranger may send, SECONDS=60 each
fuzz: deps
	.ci/fuzz $(SECONDS)

## make clean     remove what was built and the demo's state
clean:
	rm -rf .build .demo .venv .venv-peers Package.resolved Benchmarks/Package.resolved

## make data      fetch the real data sets of the plans into .data/ (NAMES="covertype watch" for some of them)
data: deps
	.venv/bin/python .ci/data $(NAMES)

## make watch     the watch plan on people it has not seen, int8 against fp32, after make data (minutes)
watch: build
	.venv/bin/python .ci/watch
