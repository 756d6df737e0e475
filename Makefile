# Everything is run through this file; the README's two commands are `make demo` and `make test`.
# It needs Python 3.10 to 3.13, git and make, and installs the rest into folders of the project.
PYTHON ?= python3
UV     := $(CURDIR)/.uv/bin/uv
BIN    := $(CURDIR)/.venv/bin
OUT    ?= out

export UV_CACHE_DIR ?= $(CURDIR)/.uv/cache
# Two cores shared by parallel workers: more threads than that only wait for each other.
export OMP_NUM_THREADS ?= 2
# Every command of the tests is a new Python: without bytecode its imports take twice as long.
unexport PYTHONDONTWRITEBYTECODE
# Two workers, which take what tests/conftest.py binds together in the order that is printed.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest --durations 20
TWO    := --numprocesses 2 --dist loadscope --no-loadscope-reorder
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser)

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types reference unit ray faults browser install-test fresh docs bench lock clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(UV):
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv

.venv/.ready: requirements/dev.txt pyproject.toml | $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	$(UV) pip sync --quiet --python .venv --require-hashes requirements/dev.txt
	$(UV) pip install --quiet --python .venv --no-deps --no-build-isolation --editable .
	touch $@

setup: .venv/.ready  ## make .venv from the lock

demo: setup  ## audit, ERM and CFR on the embedded scenes, into out/demo
	$(BIN)/evenhand demo --out $(OUT)/demo

test: lint types docs  ## lint, types, documentation, and all tests that this machine can run
	$(PYTEST) $(TWO)
ifeq ($(CHROMIUM),)
	@echo "########  SKIPPED: the report's tests in a browser, no chromium here; \`make browser\` runs them  ########"
endif

lint: setup  ## ruff: style and format
	$(BIN)/ruff check src tests scripts benchmarks
	$(BIN)/ruff format --check src tests scripts benchmarks

types: setup  ## mypy, strict
	$(BIN)/mypy
	$(BIN)/mypy benchmarks

reference: setup  ## write the reference and the architecture picture from the code
	$(BIN)/python scripts/cli_reference.py
	$(BIN)/python scripts/python_reference.py
	$(BIN)/python scripts/architecture_picture.py
	$(BIN)/python scripts/results_schema.py

unit: setup  ## every test but the wheel's, the browser's and the cluster's
	$(PYTEST) $(TWO) -m "not install and not browser and not ray"

ray: setup  ## the engine on clusters of this machine, on loopback: workers, machines and drivers that die
	$(PYTEST) tests/ray

faults: setup  ## fifty kills of each command at random instants, full disks, hostile inputs; some minutes
	EVENHAND_FAULT_TRIALS=50 $(PYTEST) $(TWO) tests/faults

browser: setup  ## the report in chromium, which is installed first if it is missing and you are root
	@test -n "$(CHROMIUM)" || { apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium; } \
	  || { echo "make browser needs chromium: install it as root, or name one in CHROMIUM" >&2; exit 1; }
	$(PYTEST) tests/browser

install-test: setup  ## build the wheel, install it elsewhere, run the demo from it
	$(PYTEST) tests/install

fresh:  ## the README's two commands and `make browser`, as on a machine that has never seen them
	.ci/run

docs: setup  ## build the documentation into site/
	$(BIN)/mkdocs build --quiet --strict

PROGRAMS = $(basename $(notdir $(wildcard benchmarks/[a-z]*.py)))
bench: $(PROGRAMS:%=$(OUT)/bench/%.json)  ## run the benchmark programs into out/bench; DATA=DIR adds real sets

# Without DATA these two have the drawn scenes alone, and say so by the sets in their tables.
$(addprefix $(OUT)/bench/,$(addsuffix .json,ablation selection)): SETS = $(if $(DATA),--data $(DATA))
$(OUT)/bench/%.json: benchmarks/%.py setup
	$(BIN)/python $< $(SETS) --out $@

lock: $(UV)  ## renew requirements/*.txt from pyproject.toml
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.10 \
	  pyproject.toml --all-extras --group dev --output-file requirements/dev.txt
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.10 \
	  pyproject.toml --constraint requirements/dev.txt --output-file requirements/core.txt

clean:  ## remove what the other targets made
	rm -rf .venv .uv out dist site .mypy_cache .ruff_cache .hypothesis
