# Every target sets itself up; the second time that takes no time. Wanted: make, and Python 3.11 to 3.13 with venv.
# PYTHON=… chooses the interpreter for .venv, ARGS=… is passed on to the program.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
RUN := .venv/bin/python
PYTEST := $(RUN) -m pytest -n auto --maxprocesses 8 --dist worksteal

.PHONY: help setup demo demo-clean lint check test nightly fmt bench chaos docs migrate lock cov

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

setup: ## the environment .venv, from the locked versions
	@if [ -x $(RUN) ] && $(RUN) -S tools/bootstrap.py --is-ready; then exit 0; fi; \
	found=""; lacking=""; \
	for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
	  "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || continue; \
	  if "$$python" -c 'import venv, ensurepip' 2>/dev/null; then found="$$python"; break; fi; \
	  lacking="$$lacking $$python"; \
	done; \
	if [ -z "$$found" ] && [ -n "$$lacking" ]; then \
	  echo "No venv module for$$lacking. On Debian and Ubuntu: sudo apt-get install -y python3-venv" >&2; exit 1; \
	elif [ -z "$$found" ]; then \
	  echo "Python 3.11, 3.12 or 3.13 is wanted; looked for: $(or $(PYTHON),python3.13 python3.12 python3.11 python3)." \
	    "On Debian 12 and Ubuntu 24.04: sudo apt-get install -y python3 python3-venv" >&2; exit 1; \
	fi; \
	"$$found" tools/bootstrap.py

demo: setup ## leader, followers and a pretended exchange, on this machine
	@$(RUN) -m app demo $(ARGS)

demo-clean: setup ## remove the demo's databases
	@$(RUN) -m tools.clean_home

lint: setup ## formatting, ruff, types, imports, house rules
	@$(RUN) -m black --quiet --check . || { echo "black: run 'make fmt'" >&2; exit 1; }
	@$(RUN) -m ruff check --quiet .
	@$(RUN) -m mypy
	@.venv/bin/lint-imports
	@$(RUN) -m tools.tidy
	@$(RUN) -m tools.check_requirements

check: lint ## lint and the unit tests
	@$(PYTEST) -m unit $(ARGS)

test: lint ## lint and the whole suite
	@$(PYTEST) $(ARGS)

nightly: setup ## the large forms of the model and of the rule-based machines; hours
	@COPYTRADE_MODEL_DEEP=1 COPYTRADE_EXAMPLES=nightly $(PYTEST) --timeout=0 tests/model \
	  tests/unit/application/trading/test_booking_in_any_order.py tests/integration/postgres/test_copying_machine.py $(ARGS)

fmt: setup ## format, and mend what ruff can mend
	@$(RUN) -m ruff check --quiet --fix-only .
	@$(RUN) -m black --quiet .

bench: setup ## what one signal to 1,000 followers costs, beside the bare cost of sending
	@$(RUN) -m bench.fanout $(ARGS)

chaos: setup ## kill workers N times (2000) at named points amid faults and count at the exchange; SEED=… replays
	@$(RUN) -m tools.chaos --points $(or $(N),2000) $(if $(SEED),--seed $(SEED)) $(ARGS)

docs: setup ## renew the generated tables of docs/
	@$(RUN) -m tools.docs $(ARGS)

migrate: setup ## bring the database of DATABASE_URL to the newest schema
	@$(RUN) -m app migrate $(ARGS)

lock: setup ## renew poetry.lock and the requirements files; ARGS=--upgrade takes newer versions
	@$(RUN) -m tools.lock $(ARGS)

cov: setup ## the whole suite with its coverage
	@$(PYTEST) --cov --cov-report=term --cov-report=html $(ARGS)
