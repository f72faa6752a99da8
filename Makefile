# Every target does its own set-up: a virtual environment in .venv from hash-pinned requirements, and
# system packages only where a target needs a real program (installed as root, else named).
#
#   make demo       the whole gateway in one process, with sample traffic   (ARGS=--once: then end)
#   make test       every test                                             (ARGS=…: passed to pytest)
#   make setup      only the environment: .venv/bin/facegate
#   make check      format, lint, types, imports, dependencies, spelling
#   make coverage   every test with branch coverage
#   make bench      a log of a million decisions replayed; benchmarks beside a plain proxy and nginx
#   make prove-all  the long proofs, and the fuzzer; not in CI
#   make fuzz       classification, guided by coverage                     (ARGS="--seconds 600 facepp")
#   make capture    records what each provider's SDK sends, anew           (SDKS="tencent …": these)
#   make lock       pin the requirements again, from pyproject.toml        (UPGRADE=1: newest versions)

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= python3
UV ?= uv
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
# The markers stand inside the environment, so that removing it removes them.
CREATED := $(VENV)/.created
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
FUZZ := $(VENV)/.fuzz
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
PINNED := $(PIP) --require-hashes --no-deps

# needs: names the Debian packages of the programs that are missing, and installs them as root.
# $(call needs,program:package …)
define needs
missing=(); \
for pair in $(1); do command -v "$${pair%%:*}" >/dev/null || missing+=("$${pair##*:}"); done; \
if (( $${#missing[@]} )); then $(call install,$${missing[*]}); fi
endef

# install: $(call install,package …), or say what is missing and end with 2.
define install
if (( EUID == 0 )) && command -v apt-get >/dev/null; then \
  echo "make: installing $(1)"; \
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends $(1); } >/dev/null; \
else echo "make: missing system packages; as root: apt-get install $(1)" >&2; exit 2; fi
endef

.PHONY: demo test setup check coverage bench fuzz prove-all capture lock format clean

setup: $(RUNTIME)

demo: $(RUNTIME)
	@$(BIN)/facegate demo $(ARGS)

test: $(DEV)
	@$(call needs,strace:strace)
	@$(BIN)/python -m pytest -q -n 3 $(ARGS)

check: $(DEV)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/deptry .
	$(BIN)/codespell

coverage: $(DEV)
	@$(call needs,strace:strace)
	@$(BIN)/coverage run -m pytest -q $(ARGS)
	@$(BIN)/coverage report

bench: $(DEV)
	@$(call needs,nginx:nginx-light wrk:wrk)
	@$(BIN)/python -m tests.bench.replay
	@$(BIN)/python -m tests.bench $(ARGS)

prove-all: $(DEV)
	@$(call needs,strace:strace)
	@$(BIN)/python -m pytest -q --hypothesis-profile=prove $(ARGS)
	@$(BIN)/python -m tests.core.policy.mutation
	@$(MAKE) --no-print-directory fuzz ARGS=

fuzz: $(FUZZ)
	@$(BIN)/python -m tests.fuzz $(ARGS)

# Each SDK in an environment of its own, with nothing of this one's: no proxy, no account, no home.
CAPTURED := alibaba azure_classic baidu clarifai compreface facepp google huawei luxand oci regula tencent
SDKS ?= aws azure $(CAPTURED)
RECORD = env -i PATH="$$PATH" PYTHONPATH=. LANG=C.UTF-8 $(1) -m tests.capture.record

capture: $(DEV) $(patsubst %,build/capture/%/.ready,$(filter $(CAPTURED),$(SDKS)))
	@mkdir -p build/capture
	@for sdk in $(SDKS); do \
	  python=build/capture/$$sdk/bin/python; \
	  [[ -x $$python ]] || python=$(BIN)/python; \
	  echo "make: recording $$sdk"; \
	  $(call RECORD,$$python) $$sdk >build/capture/$$sdk.jsonl; \
	  mv build/capture/$$sdk.jsonl tests/capture/recorded/$$sdk.jsonl; \
	done

build/capture/%/.ready: deploy/requirements-capture_%.txt
	@echo "make: installing the SDK of $*"
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --no-deps -r $<
	@touch $@

format: $(DEV)
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

clean:
	rm -rf $(VENV) build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

# --- the environment ---------------------------------------------------------------------------------

$(CREATED):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { $(call install,python3-venv); }
	@echo "make: creating $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(RUNTIME): $(CREATED) deploy/requirements-build.txt deploy/requirements.txt pyproject.toml
	@echo "make: installing the run-time requirements"
	@$(PINNED) -r deploy/requirements-build.txt
	@$(PINNED) -r deploy/requirements.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(RUNTIME) deploy/requirements-dev.txt
	@echo "make: installing the development requirements"
	@$(PINNED) -r deploy/requirements-dev.txt
	@touch $@

# A Python or a machine for which there is no wheel goes without: `tests.fuzz` says so.
$(FUZZ): $(DEV) deploy/requirements-fuzz.txt
	@echo "make: installing the fuzzer"
	@$(PINNED) --only-binary :all: -r deploy/requirements-fuzz.txt
	@touch $@

# --- pinning -----------------------------------------------------------------------------------------

# One resolution for every platform and for CPython 3.11 to 3.14. Nothing of the machine that runs it
# gets into the files: no index, no path, no header.
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-annotate --no-header $(if $(UPGRADE),--upgrade)

lock:
	@command -v $(UV) >/dev/null || { echo "make: uv is needed: pip install uv, or make lock UV=/path/to/uv" >&2; exit 2; }
	$(COMPILE) pyproject.toml --output-file deploy/requirements.txt
	$(COMPILE) --group dev --constraint deploy/requirements.txt --output-file deploy/requirements-dev.txt
	$(COMPILE) --group build --constraint deploy/requirements-dev.txt --output-file deploy/requirements-build.txt
	$(COMPILE) --group fuzz --output-file deploy/requirements-fuzz.txt
	for sdk in $(CAPTURED); do \
	  $(COMPILE) --group capture_$$sdk --output-file deploy/requirements-capture_$$sdk.txt; \
	done
