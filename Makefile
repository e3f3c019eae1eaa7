# Everything a person does with a checkout. `make demo` and `make test` need nothing but Debian 12 and a Swift toolchain.

SWIFT := swift
# Tests run against the release build, so that a clean clone compiles once.
BUILD := -c release
TESTS := $(BUILD) --disable-testable-imports
SOURCES := Package.swift Sources Tests Benchmarks
ROUNDS ?= 15
SECONDS ?= 60
SEEDS ?= 1-2000
# The Python that `make bench` looks for PyTorch in.
TORCH ?= .venv/bin/python

.PHONY: help deps build data demo test lint format messages bench bench-peers load overhead growth guard guard-accept faults fuzz sanitize watch clean

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

## make lint      swift-format, strictly, and the tidy tests
lint: deps
	$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)
	$(SWIFT) test $(TESTS) --filter TidyTests

## make format    rewrite the sources as swift-format wants them
format:
	$(SWIFT) format format --in-place --parallel --recursive $(SOURCES)

## make messages  generate the C messages from proto/ again
messages: deps
	.ci/generate-messages

## make bench     measure everything against limits of this machine, in minutes: Benchmarks/latest.json, and a table
bench: build
	$(SWIFT) build -c release --package-path Benchmarks --scratch-path .build/benchmarks
	cp Benchmarks/latest.json .build/latest-before.json
	OMP_NUM_THREADS=1 taskset -c 0 .build/benchmarks/release/KernelBenchmarks Benchmarks/latest.json $(TORCH)
	.build/benchmarks/release/SimulateOverBareLoop .build/release/tributary-coordinator \
		Benchmarks/workload.toml .build Benchmarks/latest.json
	# Less than what is asked for is told, here and in the table, and is no reason to stop: only 2 is a failure.
	.build/benchmarks/release/FleetLoad .build/release/tributary-coordinator .build/load ingest 1000 \
		Benchmarks/latest.json; test $$? -lt 2
	.venv/bin/python Benchmarks/agent_footprint.py --starts 11 --seconds 60 --json Benchmarks/latest.json
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
