# Everything runs in .venv, made from the lock; nothing else is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
LOCK_FLAGS := --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11

# What was compiled once, the many processes of the tests need not compile again, whatever the host thinks of caches.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: any-order attack help setup setup-dev demo test check lock format bench bench-release coverage chromium chaos clean

help: ## what can be made here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/' | expand -t 18

$(VENV)/.uv:
	@$(PYTHON) -c 'import sys; sys.exit(f"Zwerm needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}. Try: make PYTHON=python3.12 …" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

$(VENV)/.run: $(VENV)/.uv requirements.lock pyproject.toml
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.uv requirements-dev.lock pyproject.toml
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@ $(VENV)/.run

setup: $(VENV)/.run ## install Zwerm into .venv, from the lock
setup-dev: $(VENV)/.dev ## the same with what the tests need

demo: setup ## a ferry company's surveys, from file to every department at one moment
	$(BIN)/zwerm demo

chromium:
	@test -x /usr/bin/chromium || { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq chromium; } || \
	  { echo 'The page tests need Debian'"'"'s Chromium. Run: sudo apt-get install chromium'; exit 1; }

test: setup-dev chromium ## all tests, the browser included
	$(BIN)/python -m pytest -n 5 --dist loadfile --no-loadscope-reorder

any-order: setup-dev ## calls and kills in any order against a model, for some minutes, new ones each time
	ZWERM_STATE_MACHINE_EXAMPLES=$${ZWERM_STATE_MACHINE_EXAMPLES:-200} $(BIN)/python -m pytest tests/flows/test_state_machine.py

check: setup-dev ## format, lint, types, and that the locks are up to date
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m tests.lock_is_current

lock: setup-dev ## renew both locks
	$(UV) pip compile pyproject.toml $(LOCK_FLAGS) --upgrade -o requirements.lock
	$(UV) pip compile pyproject.toml --group dev $(LOCK_FLAGS) --upgrade -o requirements-dev.lock

format: setup-dev ## put the code in its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

coverage: setup-dev ## how often each interval holds the truth, exactly, for 10 to 1,000 answers
	$(BIN)/python -m tests.benchmarks.coverage

bench: setup-dev ## one million rows against a bare DuckDB script, in pairs
	$(BIN)/python -m tests.benchmarks.pipeline

bench-release: setup-dev ## the skew of a release against bare sends and what people do otherwise; RUNS=7
	$(BIN)/python -m tests.benchmarks.release $(RUNS)

chaos: setup-dev ## releases under kill -9, network faults and clock jumps; RELEASES=300 SEED=… ONLY=…
	$(BIN)/python -m tests.chaos --releases $(or $(RELEASES),300) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))
	$(if $(ONLY),,$(BIN)/python -m pytest -q tests/chaos/test_whole_run.py)

attack: setup-dev ## an outsider attacks what is published of random organisations, new ones each time; ORGANISATIONS=5000
	ZWERM_ATTACK_ORGANISATIONS=$(or $(ORGANISATIONS),5000) ZWERM_ATTACK_SEED=$${ZWERM_ATTACK_SEED:-$$(date +%s)} \
	  $(BIN)/python -m pytest -q -s --timeout=0 tests/attack

clean: ## remove .venv and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
