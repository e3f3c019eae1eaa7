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

.PHONY: help deps build data demo test lint format messages bench load faults fuzz sanitize watch clean

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

## make bench     measure kernels, noise, lattice and log against the limits of one core: Benchmarks/latest.json
bench: deps
	$(SWIFT) build -c release --package-path Benchmarks --scratch-path .build/benchmarks
	OMP_NUM_THREADS=1 taskset -c 0 .build/benchmarks/release/KernelBenchmarks Benchmarks/latest.json $(TORCH)

## make load      load a coordinator: 10,000 idle agents, 100 models of 10 MB, a restart under 1,000 agents
load: build
	$(SWIFT) build -c release --package-path Benchmarks --scratch-path .build/benchmarks --product FleetLoad
	for load in "idle 10000" "models 10" "restart 1000"; do \
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
	rm -rf .build .demo .venv Package.resolved Benchmarks/Package.resolved

## make data      fetch the real data sets of the plans into .data/ (NAMES="covertype watch" for some of them)
data: deps
	.venv/bin/python .ci/data $(NAMES)

## make watch     the watch plan on people it has not seen, int8 against fp32, after make data (minutes)
watch: build
	.venv/bin/python .ci/watch
