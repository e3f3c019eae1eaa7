# Everything a person does with a checkout. `make demo` and `make test` need nothing but Debian 12 and a Swift toolchain.

SWIFT := swift
# Tests run against the release build, so that a clean clone compiles once.
BUILD := -c release
TESTS := $(BUILD) --disable-testable-imports
SOURCES := Package.swift Sources Tests
ROUNDS ?= 15

.PHONY: help deps build demo test lint format messages clean

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

## make clean     remove what was built and the demo's state
clean:
	rm -rf .build .demo .venv Package.resolved
