# Reprise: every command a person needs. `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# torch is a CPU build from PyTorch's own index where the machine reaches it; the
# extra index is asked once, so a machine that does not reach it loses seconds.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
BUF := node_modules/.bin/buf
# Whatever builds images: docker, podman or buildah.
ENGINE ?= docker
IMAGE_OPTIONS ?=
TAG ?= dev
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup run up train protos format lint types test check reliability bench load images clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --retries 0 --extra-index-url $(TORCH_INDEX) --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[training,server,dev]'
	@touch $@

node_modules/.installed: package.json | $(VENV)/.installed
	scripts/npm install --no-package-lock --no-audit --no-fund --silent
	@touch $@

setup: $(VENV)/.installed ## make .venv with everything, as pinned in constraints.txt

run: setup ## sample data, training, all services, the first recommendations; keeps serving
	$(BIN)/reprise demo

up: setup ## start the services on what is in var/ and keep serving
	$(BIN)/reprise up

train: setup ## train on the recorded events and publish a bundle
	$(BIN)/reprise train

protos: setup ## generate the stubs of the contracts into libs/contracts
	scripts/generate-stubs

format: setup node_modules/.installed ## format code and contracts
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BUF) format --write

lint: setup node_modules/.installed ## style, import rules, contracts, manifests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BUF) lint
	$(BUF) format --diff --exit-code
	$(BUF) breaking --against protos/baseline.binpb
	scripts/check-stubs
	$(BIN)/hadolint docker/Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec \
	  docker/compose.yaml docker/compose.server.yaml
	scripts/check-kubernetes

types: setup ## mypy, strict
	$(BIN)/mypy

test: setup node_modules/.installed ## all tests, end to end ones included
	$(BIN)/pytest --quiet --numprocesses auto --maxprocesses 4

check: lint types test ## what CI runs

load: setup ## a few seconds of load on candidates, ranking and events; ONLY=name picks one
	$(BIN)/python -m tests.load $(ONLY)

reliability: setup ## identity, wrong messages, kills, power cuts, full disks, writers at once, recaps: all in full
	$(BIN)/pytest tests/reliability tests/end_to_end/test_servers.py \
	  --messages 10000 --states 10000 --prompt-profiles 10000 --quiz-sequences 10000 \
	  --profiles 10000 --kills 20 --server-kills 21 --events 100000 --timeout 1800

bench: setup ## figures beside a peer or a limit; ONLY=name picks one
	$(BIN)/python -m benchmarks $(ONLY)

images: ## build reprise/<service>:$(TAG) and reprise/training:$(TAG) with $(ENGINE)
	for service in events candidates ranking recap; do \
	  $(ENGINE) build --file docker/Dockerfile --target service --build-arg SERVICE=$$service \
	    --tag reprise/$$service:$(TAG) $(IMAGE_OPTIONS) . || exit 1; \
	done
	$(ENGINE) build --file docker/Dockerfile --target training --build-arg TORCH_INDEX=$(TORCH_INDEX) \
	  --tag reprise/training:$(TAG) $(IMAGE_OPTIONS) .

clean: ## remove what was installed and cached; data in var/ stays
	rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
