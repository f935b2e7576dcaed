# The front door: `make figures` and `make test` do everything, from nothing.
PYTHON ?= python3
DATA ?= digits
OUT ?= figures
JOBS ?= $(shell nproc)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

EXPERIMENTS := $(filter-out __init__,$(basename $(notdir $(wildcard experiments/*.py))))
SOURCES := $(shell find linssl experiments/shared -name '*.py')
MADE = $(foreach suffix,pdf png csv json,$(EXPERIMENTS:%=$(OUT)/%.$(suffix)))
REFERENCE := figures/reference

ifneq ($(words $(OUT)),1)
$(error OUT must be one folder without spaces; got '$(OUT)')
endif
ifeq ($(abspath $(OUT)),$(abspath $(REFERENCE)))
$(error OUT must not be $(REFERENCE), which is tracked: `make figures-reference` renews it)
endif
# In recipes as "$$DATA", so that any file name is safe.
export DATA
export JAX_COMPILATION_CACHE_DIR ?= $(CURDIR)/.cache/jax
export JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS ?= 0

# Compiling is most of the suite, and of the figures from nothing: they ask XLA for plain code, in half
# the time. `pytest` by itself, the long figures and the rest compile as users do.
QUICK ?= --xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false
# As many processes as cores: more threads in each would only fight.
TESTED := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 XLA_FLAGS='$(QUICK)'
# A file stays in one process, for what its tests share; rooms come in order, short files last.
PYTEST := $(TESTED) $(BIN)/pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder

.PHONY: help setup figures figures-full figures-check figures-reference docs quick test test-float32 bench \
  lint types check clean FORCE
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

help: ## list the targets
	@grep -hE '^[a-z0-9%/.-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20
	@echo "figures: $(EXPERIMENTS)"
	@echo "DATA=$$DATA (digits, NAME of \$$LINSSL_DATA/NAME.npz, or a path)"

setup: $(READY) ## make .venv and install what everything needs

# uv where there is one, for speed; else venv and pip.
$(READY): pyproject.toml constraints.txt
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python "$(PYTHON)" $(VENV) && \
	  uv pip install --quiet --python $(BIN)/python --constraint constraints.txt -e '.[dev]'; \
	else \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "linssl needs python >= 3.11: make PYTHON=/path/to/python3.11"; exit 1; }; \
	  $(PYTHON) -m venv $(VENV) || \
	    { echo "python's venv module is missing: install python3-venv, or uv"; exit 1; }; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --constraint constraints.txt -e '.[dev]'; \
	fi
	@touch $@

figures: $(MADE) ## the main job: every figure as PDF, PNG, CSV and JSON
	@for why in '$(OUT)'/*.unfit; do \
	  test ! -e "$$why" || echo "left out: $$(basename "$$why" .unfit): $$(cat "$$why")"; \
	done
	@echo "figures are in $(OUT)/"

figures-full: ## the same with more seeds and finer grids, in $(OUT)/full
	$(MAKE) figures OUT=$(OUT)/full FULL=--full

# One run of an experiment makes its four files. The data stamp changes when DATA or its bytes do.
# Status 3: the data aren't for this figure, and why is in NAME.unfit; others are made all the same.
$(OUT)/%.pdf $(OUT)/%.png $(OUT)/%.csv $(OUT)/%.json: experiments/%.py $(SOURCES) $(OUT)/.data | $(READY)
	$(if $(FULL),,XLA_FLAGS='$(QUICK)') $(BIN)/python -m experiments.$* --data "$$DATA" --out '$(OUT)' $(FULL) || \
	  { [ $$? = 3 ] && rm -f $(foreach suffix,pdf png csv json,'$(OUT)/$*.$(suffix)'); }

$(OUT)/.data: FORCE
	@mkdir -p '$(OUT)'
	@{ echo "$$DATA $(FULL)"; cat "$$DATA" "$$LINSSL_DATA/$$DATA.npz" 2>/dev/null | cksum; } > $@.new
	@cmp -s $@ $@.new && rm $@.new || mv $@.new $@

figures-check: figures ## compare the numbers with those of figures/reference, made on digits
	$(BIN)/python -m tools.figures.compare '$(OUT)'

figures-reference: figures ## renew figures/reference: numbers, records and small pictures
	$(BIN)/python -m tools.figures.renew '$(OUT)'

docs: $(READY) ## the documentation, in site/: offline, any warning or broken link is an error
	$(BIN)/python -m tools.site.build

test: $(READY) ## every test, in double precision (HYPOTHESIS_PROFILE=deep for the long run)
	$(PYTEST)

quick: $(READY) ## the unit tests alone, within a minute: shapes, refusals, files, what the package promises
	$(PYTEST) tests/unit

test-float32: $(READY) ## the numerics again, in single precision: theorems and contracts
	JAX_ENABLE_X64=0 $(PYTEST) tests/theorems tests/contract

bench: $(READY) ## ratios against naive loops, LAPACK and CCA libraries, in benchmarks/results.json
	$(BIN)/python -m benchmarks

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/pyright --pythonpath $(BIN)/python

# What uses one core runs beside the figures, the tests by themselves. Numbers are compared on digits.
check: ## ruff, pyright, the site, the figures and all tests: what CI runs
	$(MAKE) --jobs 2 --output-sync=target lint types docs \
	  $(if $(filter digits,$(DATA)),figures-check,figures)
	$(MAKE) test
	$(MAKE) test-float32

clean: ## remove what was made, but not .venv
	rm -f $(foreach made,$(MADE),'$(made)') $(EXPERIMENTS:%='$(OUT)'/%_*.csv) '$(OUT)'/*.unfit '$(OUT)/.data'
	rm -rf '$(OUT)/full' build site .cache .pytest_cache .ruff_cache .hypothesis
