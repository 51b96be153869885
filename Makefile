# Reprise: every command a person needs. `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# torch is a CPU build from PyTorch's own index where the machine reaches it; the
# extra index is asked once, so a machine that does not reach it loses seconds.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup run up protos format lint types test check bench clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --retries 0 --extra-index-url $(TORCH_INDEX) --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[training,dev]'
	@touch $@

node_modules/.installed: package.json | $(VENV)/.installed
	scripts/npm install --no-package-lock --no-audit --no-fund --silent
	@touch $@

setup: $(VENV)/.installed ## make .venv with everything that is pinned
