# Two commands matter: `make demo` and `make test`. Both make the virtual environment where it is missing or older than pyproject.toml.
#
#   make demo PORT=8000 DATA_DIR=.citygraph   serve Helsinki on this machine
#   make test                                 the whole test suite; ARGS="-k telemetry" picks
#   make soak                                 the repetitions that the suite does on a small scale, in full (some 45 minutes)
#   make check                                formatting, lint, types, layers, Dockerfile, schema.graphql
#   make format                               put formatting right
#   make schema                               write schema.graphql anew

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
DATA_DIR ?= .citygraph
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CODE := graph resolvers subgraphs tests migrations benchmarks demo

.PHONY: demo test soak check format schema install clean
.DEFAULT_GOAL := demo

# exec: a signal that ends make's shell must reach the server, and its exit status must be ours.
demo: $(STAMP)
	@exec $(BIN)/citygraph demo --port "$(PORT)" --data-dir "$(DATA_DIR)"

test: $(STAMP)
	@$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

soak: $(STAMP)
	@CITYGRAPH_SOAK=1 $(BIN)/pytest -m soak --timeout=3600 $(ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	@$(BIN)/citygraph export-schema | diff -u schema.graphql - \
		|| { echo "schema.graphql is stale: run 'make schema'" >&2; exit 1; }

format: $(STAMP)
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

schema: $(STAMP)
	$(BIN)/citygraph export-schema --output schema.graphql

install: $(STAMP)

$(STAMP): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "CityGraph needs Python 3.11 or newer: '$(PYTHON)' is not there (PYTHON= names another)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "CityGraph needs Python 3.11 or newer: '$(PYTHON)' is $$($(PYTHON) -V 2>&1) (PYTHON= names another)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
		|| { echo "Python's venv module is not complete: on Debian, 'apt-get install python3-venv'" >&2; exit 1; }
	@echo "Installing CityGraph into $(VENV) …" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(STAMP)

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist
