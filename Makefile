# Two commands matter: `make demo` and `make test`. Nothing but Python 3.11 or newer and make has to be there.
# Each step leaves a stamp in .venv/stamps, so that a second run finds it done and needs no network.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo run test lint bench lock screenshot

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
# At a terminal pip shows its progress bars; elsewhere only what goes wrong.
PIP := $(BIN)/python -m pip --disable-pip-version-check $(shell test -t 2 || echo --quiet)
COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--only-binary :all: --no-annotate --no-header --quiet
# On the command line PORT=8010 is shorter than the setting it stands for. A PORT of the environment is somebody else's.
ifeq ($(origin PORT),command line)
export RONDO_PORT := $(PORT)
endif

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMPS)/package ## Make .venv and install what Rondo needs, from requirements.lock.
	@echo "Ready: $(BIN)/rondo help lists the commands."

demo: $(STAMPS)/package ## Load a real loyalty programme, analyse it and serve it at http://localhost:8000 (PORT=8010 to change).
	@exec $(BIN)/rondo demo

run: $(STAMPS)/package ## Serve what is in RONDO_HOME: web, worker and scheduler in one (PORT=8010 to change).
	@exec $(BIN)/rondo up

test: $(STAMPS)/dev ## Run every test, on SQLite and on PostgreSQL, with the browser (ARGS="-k word" to choose).
	@exec $(BIN)/python scripts/run_tests.py $(ARGS)

lint: $(STAMPS)/dev ## Check style, types, floors, migrations and translations.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(BIN)/python scripts/with_scratch_home.py $(BIN)/rondo makemigrations --check --dry-run
	@$(BIN)/python scripts/with_scratch_home.py $(BIN)/rondo translations check

bench: $(STAMPS)/dev ## Measure speed beside baselines taken in the same run (ARGS=... goes to the benchmark).
	@exec $(BIN)/python -m bench $(ARGS)

screenshot: $(STAMPS)/dev ## Take the README's picture anew from the served demo.
	@$(BIN)/python -m pytest -n0 rondo/demo/tests/test_browser_demo.py
	cp test-results/home.png docs/home.png

lock: $(STAMPS)/dev ## Write requirements.lock and requirements-dev.lock anew from pyproject.toml (ARGS=--upgrade for newer versions).
	$(COMPILE) $(ARGS) --group build --output-file requirements.lock
	$(COMPILE) $(ARGS) --group build --group dev --constraint requirements.lock --output-file requirements-dev.lock
	$(BIN)/uv pip compile --group pyproject.toml:spark --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header --quiet $(ARGS) --output-file requirements-spark.lock

setup-dev: $(STAMPS)/dev ## As setup, with what tests and checks need.

$(STAMPS)/venv:
	@python=$$(sh scripts/find_python.sh) || exit 1; \
	echo "Making $(VENV) with $$($$python --version)"; \
	"$$python" -m venv $(VENV) && mkdir -p $(STAMPS) && touch $@

$(STAMPS)/runtime: requirements.lock $(STAMPS)/venv
	@echo "Installing the packages of requirements.lock (a few minutes the first time)"
	@$(PIP) install --require-hashes --only-binary :all: --requirement requirements.lock
	@touch $@

# The build backend is in the lock, so nothing is fetched here.
$(STAMPS)/package: pyproject.toml $(STAMPS)/runtime
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(STAMPS)/dev: requirements-dev.lock $(STAMPS)/package
	@echo "Installing the packages of requirements-dev.lock"
	@$(PIP) install --require-hashes --only-binary :all: --requirement requirements-dev.lock
	@touch $@
