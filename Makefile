# Everything that is done with this project by hand or by CI. `make` lists it.

PORT ?= 8000
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.version_info >= (3, 11) and print("$(name)")' 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py

# For checks that need settings and no .env; none of these values guards anything.
CHECK_ENV := SECRET_KEY=only-for-the-checks-of-make-lint-0123456789-abcdefghijklmnop \
	TOKEN_SECRET=another-one-for-the-checks-of-make-lint-0123456789 \
	DEBUG=false HTTPS=true DATABASE_URL=sqlite:////nonexistent/unused.sqlite3

.PHONY: help run serve demo test test-services test-browser screenshots soak soak-services bench capacity lint audit format \
	lock clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.runtime ## Set everything up and serve on 127.0.0.1:8000 (PORT=8001: elsewhere)
	@PORT=$(PORT) $(BIN)/python -m config.quickstart

serve: $(VENV)/.runtime ## Serve as in production: gunicorn on 127.0.0.1:8000 (PORT, BIND, WEB_CONCURRENCY)
	@PORT=$(PORT) $(BIN)/python -m config.serve

demo: $(VENV)/.runtime ## Sign in, refresh, replay, revoke: the story over real HTTP
	@PORT=$(PORT) $(BIN)/python -m config.demo

test: $(VENV)/.dev ## Run the tests on SQLite, with branch coverage
	@$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto --dist worksteal -q -m "not browser and not services" $(ARGS)
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report

test-services: $(VENV)/.dev ## Run the tests on PostgreSQL and Redis (running ones, DATABASE_URL, CACHE_URL, or its own)
	$(BIN)/python -m tests.services \
		$(BIN)/python -m pytest -n auto --dist worksteal -q -m "not browser" $(ARGS)

test-browser: $(VENV)/.dev ## Run the tests that drive a real browser (needs Chromium)
	$(BIN)/python -m pytest -n auto --dist worksteal -q -rs tests/browser $(ARGS)

screenshots: $(VENV)/.dev ## Take pictures of every page into docs/images (needs Chromium)
	@$(BIN)/python -m tests.browser.screenshots

soak: MINUTES ?= 10
soak: $(VENV)/.dev ## Mixed traffic for MINUTES while workers are killed, checked against a ledger
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

soak-services: MINUTES ?= 10
soak-services: $(VENV)/.dev ## The same on PostgreSQL and Redis
	$(BIN)/python -m tests.services $(BIN)/python -m tests.soak --minutes $(MINUTES)

bench: $(VENV)-bench/.installed ## Measure it beside its peers (SIZES=1000,10000000, EXPIRED, DATABASE_URL)
	$(VENV)-bench/bin/python -m benchmarks

capacity: $(VENV)-bench/.installed ## Measure how much one PostgreSQL carries (DATABASE_URL, PROCESSES, SECONDS)
	$(VENV)-bench/bin/python -m benchmarks.capacity

lint: $(VENV)/.dev audit ## Check style, types, layers, migrations, settings and dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(CHECK_ENV) $(MANAGE) makemigrations --check --dry-run
	$(CHECK_ENV) $(MANAGE) check --deploy --fail-level WARNING

audit: $(VENV)/.dev ## Fail on a dependency with a known vulnerability (AUDIT=strict: or unknown)
	@$(BIN)/python -m tests.audit requirements-dev.txt

format: $(VENV)/.dev ## Format the code and sort its imports
	$(BIN)/ruff check --select I --fix .
	$(BIN)/ruff format .

lock: $(VENV)/.dev ## Compile requirements*.in to exact versions with hashes
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --custom-compile-command "make lock" \
		requirements.in -o requirements.txt $(ARGS)
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --custom-compile-command "make lock" \
		requirements-dev.in -o requirements-dev.txt $(ARGS)
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --custom-compile-command "make lock" \
		benchmarks/requirements.in -o benchmarks/requirements.txt $(ARGS)

clean: ## Remove what can be made again; .env and the database stay
	rm -rf $(VENV) $(VENV)-bench .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@test -n "$(PYTHON)" || { echo "Latchkey needs Python 3.11 or newer, and found none." \
		"Install it, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Latchkey needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "$(PYTHON) cannot make a virtual environment." \
		"On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Making the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# A stamp per set of requirements: the second run installs nothing and asks nobody.
$(VENV)/.runtime: requirements.txt $(VENV)/.created
	@echo "Installing requirements.txt"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

# Apart from the rest: the peers are dependencies of the benchmarks alone.
$(VENV)-bench/.installed: benchmarks/requirements.txt $(VENV)/.created
	@echo "Installing benchmarks/requirements.txt"
	@$(PYTHON) -m venv $(VENV)-bench
	@$(VENV)-bench/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.created
	@echo "Installing requirements-dev.txt"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@ $(VENV)/.runtime
