# Two commands matter: `make demo` and `make test`. Both do all set-up.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
PORT ?= 8080
BIN := .venv/bin

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/ready ## virtual environment from requirements.txt, hashes checked

demo: setup ## the main job on simulated traffic in a real Airflow, no AWS account
	@$(BIN)/bartizan demo --port $(PORT)

up: setup ## Airflow's UI on loopback with the same project and data
	@$(BIN)/bartizan up --port $(PORT)

test: setup lint ## lint, then all tests, on up to four cores
	$(BIN)/pytest --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

e2e: setup ## the demo on a small plan, killed and run again (minutes)
	$(BIN)/pytest -m e2e tests/e2e

lint: setup ## ruff, mypy, import-linter, sqlfluff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=plugins $(BIN)/lint-imports
	$(BIN)/sqlfluff lint --disable-progress-bar include/sql

bench: setup var/bench/peers/ready ## benchmarks with ratios against named peers (an hour)
	$(BIN)/python benchmarks/landing.py --json var/bench/landing.json
	$(BIN)/python benchmarks/linearity.py --json var/bench/linearity.json
	$(BIN)/python benchmarks/layout.py --json var/bench/layout.json
	$(BIN)/python benchmarks/aggregates_50m.py --json var/bench/aggregates_50m.json
	$(BIN)/python benchmarks/backfill_year.py --json var/bench/backfill_year.json
	$(BIN)/python benchmarks/detect_synthetic.py
	$(BIN)/python benchmarks/detect_scale.py --peers --json var/bench/scale.json
	$(BIN)/python benchmarks/detect_accuracy.py --json var/bench/accuracy.json
	$(BIN)/python benchmarks/ui_views.py --json var/bench/ui_views.json
	$(BIN)/python benchmarks/ui_explorer.py
	$(BIN)/python benchmarks/ui_intel.py
	$(BIN)/python benchmarks/blast_radius.py
	$(BIN)/python benchmarks/detect_weeks.py --json var/bench/weeks.json --plot var/bench/weeks.png

var/bench/peers/ready: benchmarks/requirements.txt .venv/ready
	$(BIN)/pip install --disable-pip-version-check -q --require-hashes --no-deps --upgrade \
		--target var/bench/peers -r benchmarks/requirements.txt
	@touch $@

lock: setup ## compile requirements.in to requirements.txt with hashes
	$(BIN)/uv pip compile requirements.in --universal --python-version 3.11 --generate-hashes --upgrade \
		--custom-compile-command 'make lock' --output-file requirements.txt

clean: ## remove the environment and all demo data
	rm -rf .venv var build *.egg-info plugins/*.egg-info

.venv/ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		|| { echo "Bartizan needs Python 3.11, 3.12 or 3.13; this is $$($(PYTHON) --version)." \
		"Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@echo "Setting up .venv from requirements.txt (about 250 packages, one to three minutes) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --disable-pip-version-check --progress-bar off --require-hashes -r requirements.txt \
		| sed -u -n 's/^Collecting \([^ ]*\).*/  \1/p; s/^Installing collected packages.*/  installing .../p'
	@$(BIN)/pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: help setup demo up test e2e lint bench lock clean
