# Two commands matter: `make demo` runs the bus, `make test` passes the tests. `make help` lists the rest.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed

.PHONY: setup demo test conformance services fuzz soak chaos promises check help
help:           ## this list
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

setup:          ## everything into .venv; quick when nothing changed
	@if [ -e $(VENV) ] && ! $(VENV)/bin/python -c 'import pip' 2>/dev/null; then \
	  echo "setup: $(VENV) is broken or half made; making it anew"; rm -rf $(VENV); fi
	@$(MAKE) --silent --no-print-directory $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || \
	  { echo "There is no $(PYTHON) on the PATH. Install Python 3.11 to 3.13, or name it: make PYTHON=/path/to/python setup" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(not ((3,11) <= sys.version_info[:2] <= (3,13)))' || \
	  { echo "Lineshaft needs Python 3.11 to 3.13; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 setup" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "This Python has no venv or ensurepip. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 2; }
	@test -x $(VENV)/bin/python || { echo "setup: making $(VENV)"; $(PYTHON) -m venv $(VENV); } || \
	  { rm -rf $(VENV); echo "$(PYTHON) could not make $(VENV). On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 2; }
	@echo "setup: installing the pinned packages (about a minute the first time)"
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[kafka,sftp,sql,dev]' || \
	  { echo "setup: the packages could not be installed; the reason is above. Behind a proxy set HTTPS_PROXY, then make setup again." >&2; exit 3; }
	@touch $(STAMP)
	@echo "setup: done"

demo: setup     ## 140 real work orders through Salesforce, the bus and JianDaoYun, then a comparison
	@$(VENV)/bin/lineshaft demo

test: setup     ## unit, property, golden, contract and integration tests on a real Kafka
	@$(VENV)/bin/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

conformance: setup ## every rule, the long ones too, against each connector that has a bench; ONLY=name chooses one
	@failed=0; for name in $(or $(ONLY),$$($(VENV)/bin/python -m connectors.testing.benches)); do \
	  $(VENV)/bin/lineshaft connector test $$name --long || failed=1; done; exit $$failed

services: setup ## tests against a real schema registry, which is fetched once (158 MB)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r tests/services/requirements.txt
	@$(VENV)/bin/python -m pytest tests/services

promises: setup ## breaks each promise in a copy and requires its test to fail; ONLY=words chooses
	@$(VENV)/bin/python -m tests.promises --only "$(ONLY)"

fuzz: setup     ## CASES=100000 malformed inputs to every surface; SEED=…, ONLY=surface and CASE=n repeat one
	@$(VENV)/bin/python -m tests.fuzz --seed '$(or $(SEED),lineshaft)' --cases $(or $(CASES),100000) \
	  $(if $(ONLY),--only $(ONLY)) $(if $(CASE),--case $(CASE))

soak: setup     ## MINUTES=60 at RATE=200 orders/s: memory and lag flat, nothing lost or repeated
	@$(VENV)/bin/python -m tests.soak --minutes $(or $(MINUTES),60) --rate $(or $(RATE),200) $(if $(TABLE),--table $(TABLE))

chaos: setup    ## orders in motion, SEED=… FAULTS=50 faults on everything, and a verdict from the far systems' ledgers
	@$(VENV)/bin/python -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(FAULTS),--faults $(FAULTS)) $(if $(TABLE),--table $(TABLE))

check: setup    ## ruff, format, mypy strict for 3.11 and 3.13, architecture
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy --python-version 3.11
	$(VENV)/bin/mypy --python-version 3.13
	$(VENV)/bin/python -m pytest -q tests/architecture
