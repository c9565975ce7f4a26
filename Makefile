# Every task of this project, for developers and for CI. `make` lists them.

PORT ?= 8000
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.version_info >= (3, 11) and print("$(name)")' 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
# How many processes pytest has where tests often wait for servers and clocks: more than there are cores.
PROCESSES = $(shell $(PYTHON) -c 'import os; print(3 * (os.cpu_count() or 1) // 2)')

# Settings for checks that run without .env. None of these values protects anything.
CHECK_ENV := SECRET_KEY=only-for-the-checks-of-make-lint-0123456789-abcdefghijklmnop \
	TOKEN_SECRET=another-one-for-the-checks-of-make-lint-0123456789 \
	DEBUG=false HTTPS=true DATABASE_URL=sqlite:////nonexistent/unused.sqlite3

LINTS := lint-style lint-format lint-types lint-layers lint-migrations lint-settings lint-messages

.PHONY: help run serve demo test test-slow coverage test-services test-leaks test-browser test-package test-clients reach connections package corners matrix screenshots soak soak-services simplejwt-suites trials explore takeover fuzz bench bench-clients capacity guessing lint $(LINTS) audit \
	format messages lock clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.runtime ## Set everything up and serve on 127.0.0.1:8000 (or on PORT)
	@PORT=$(PORT) $(BIN)/python -m config.quickstart

serve: $(VENV)/.runtime ## Serve with gunicorn, as in production, on 127.0.0.1:8000 (PORT, BIND, WEB_CONCURRENCY, SERVER=asgi)
	@PORT=$(PORT) $(BIN)/python -m config.serve

demo: $(VENV)/.runtime ## Sign in, refresh, replay and revoke over HTTP, step by step
	@PORT=$(PORT) $(BIN)/python -m config.demo

# The suites that have a target of their own.
ELSEWHERE := not browser and not leaks and not package and not services
# COVERAGE=yes leaves data for the target `coverage`.
PYTEST = $(BIN)/$(if $(COVERAGE),coverage run,python) -m pytest --dist worksteal -q
test: $(VENV)/.dev ## Run the quick tests, on SQLite
	$(PYTEST) -n auto -m "$(ELSEWHERE) and not slow and not projects" $(ARGS)

test-slow: $(VENV)/.dev ## Run the tests that start servers, projects or many processes, on SQLite
	$(PYTEST) -n $(PROCESSES) -m "$(ELSEWHERE) and (slow or projects)" $(ARGS)

coverage: $(VENV)/.dev ## Run the quick and the slow tests; fail unless they cover every branch of tokens/
	@$(BIN)/coverage erase
	@$(MAKE) --no-print-directory test test-slow COVERAGE=yes
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report
	@$(BIN)/coverage report --include="tokens/*" --fail-under=100

# Tests that meet no SQL of one database alone. They run on SQLite only.
WITHOUT_SQL := attacks http leaks test_catalogues.py test_docs.py test_messages.py tokens/client tokens/jose \
	verifiers
test-services: $(VENV)/.proxies ## Run the tests on PostgreSQL and Redis (DATABASE_URL, CACHE_URL, or local servers)
	$(BIN)/python -m tests.support.services \
		$(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal -q \
		$(addprefix --ignore=tests/,$(WITHOUT_SQL)) \
		-m "not browser and not leaks and not package and not projects" $(ARGS)

corners: $(VENV)/.dev ## Test with the oldest Python, Django and DRF on PostgreSQL, and with the newest on SQLite
	$(BIN)/nox -s corners $(ARGS)

matrix: $(VENV)/.dev ## Test with every supported Python, Django, DRF and database, which takes hours
	$(BIN)/nox $(ARGS)

test-leaks: $(VENV)/.dev ## Let every view fail in every way, and search the error reports for secrets
	$(BIN)/python -m pytest -n auto --dist worksteal -q -m leaks tests/leaks $(ARGS)

test-browser: $(VENV)/.dev ## Run the tests that drive a browser (requires Chromium)
	$(BIN)/python -m pytest -n auto --dist worksteal -q -rs tests/browser $(ARGS)

test-package: $(VENV)/.dev ## Install the wheel into an empty environment, and join projects as docs/installing.md says
	$(BIN)/python -m pytest -q -m package $(ARGS)

test-clients: $(VENV)/.dev ## Test the verifiers for Python and Node.js (requires node and npm)
	cd clients/python && ../../$(BIN)/python -m pytest -q -p no:cacheprovider
	cd clients/node && npm ci --ignore-scripts --no-audit --no-fund --silent && npm test --silent

reach: ENDS ?= 200
reach: $(VENV)/.dev ## Measure how soon each verifier refuses what has ended, ENDS times each, and write docs/reach.md
	$(BIN)/python -m tests.reach --ends $(ENDS) $(ARGS)

connections: CONNECTIONS ?= 10000
connections: $(VENV)/.dev ## Measure CONNECTIONS open WebSockets, tickets and async views, and write docs/connections.md and docs/async.md
	$(BIN)/python -m tests.open_connections --connections $(CONNECTIONS) $(ARGS)

package: $(VENV)/.dev ## Build the source distribution and the wheel in dist/, and check them
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl

screenshots: $(VENV)/.dev ## Write screenshots of every page to docs/images (requires Chromium)
	@$(BIN)/python -m tests.browser.screenshots $(ARGS)

soak: MINUTES ?= 10
soak: $(VENV)/.dev ## Run mixed traffic for MINUTES while workers are killed, and check it against a ledger
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

soak-services: MINUTES ?= 10
soak-services: $(VENV)/.dev ## Run the soak on PostgreSQL and Redis
	$(BIN)/python -m tests.support.services $(BIN)/python -m tests.soak --minutes $(MINUTES)

trials: $(VENV)/.dev ## Refresh with real clients, lost answers and thieves, on both databases (ARGS="--trials 4 --only node")
	$(BIN)/python -m tests.trials $(ARGS)

explore: $(VENV)/.dev ## Run every order of the statements of concurrent requests, on both databases (ARGS="--faults")
	$(BIN)/python -m tests.exploration $(ARGS)

simplejwt-suites: $(VENV)/.dev ## Run the test suites of simplejwt and dj-rest-auth, from their sdists, with this app's tokens
	$(BIN)/python -m tests.simplejwt_names.suites $(ARGS)

takeover: $(VENV)/.dev ## Take over sites of djangorestframework-simplejwt, on both databases (ARGS="--users 100 --engine sqlite")
	$(BIN)/python -m tests.takeover $(ARGS)

fuzz: REQUESTS ?= 100000
fuzz: $(VENV)/.dev ## Send REQUESTS random requests to the site under gunicorn and uvicorn (ARGS="--server uvicorn")
	$(BIN)/python -m tests.fuzz --requests $(REQUESTS) $(ARGS)

bench: $(VENV)-bench/.installed ## Compare the performance with similar packages (SIZES=1000,10000000, EXPIRED, DATABASE_URL)
	$(VENV)-bench/bin/python -m benchmarks

capacity: $(VENV)-bench/.installed ## Measure the load that one PostgreSQL carries (DATABASE_URL, PROCESSES, SECONDS)
	$(VENV)-bench/bin/python -m benchmarks.capacity

bench-clients: $(VENV)/.dev ## Compare the verifiers with PyJWT and jose (requires node and npm)
	cd clients/python && ../../$(BIN)/python -m bench
	cd clients/node && npm ci --ignore-scripts --no-audit --no-fund --silent && npm run bench --silent

guessing: $(VENV)-bench/.installed ## Measure what strangers with wrong passwords cost everybody else (CONNECTIONS, SECONDS, NAMES)
	$(VENV)-bench/bin/python -m benchmarks.guessing

lint: audit $(LINTS) ## Check style, types, layers, migrations, settings, translations and dependencies

# Each of these is also a hook in .pre-commit-config.yaml. The audit is not: it asks a server.
lint-style: $(VENV)/.dev
	$(BIN)/ruff check .

lint-format: $(VENV)/.dev
	$(BIN)/ruff format --check .

lint-types: $(VENV)/.dev
	$(BIN)/mypy
	cd clients/python && ../../$(BIN)/mypy

lint-layers: $(VENV)/.dev
	$(BIN)/lint-imports

lint-migrations: $(VENV)/.dev
	$(CHECK_ENV) $(MANAGE) makemigrations --check --dry-run

lint-settings: $(VENV)/.dev
	$(CHECK_ENV) $(MANAGE) check --deploy --fail-level WARNING

lint-messages: $(VENV)/.dev
	@$(BIN)/python -m tests.messages

audit: $(VENV)/.dev ## Fail if a dependency has a known vulnerability (AUDIT=strict: also if that is unknown)
	@$(BIN)/python -m tests.audit requirements-dev.txt

format: $(VENV)/.dev ## Format the code and sort its imports
	$(BIN)/ruff check --select I --fix .
	$(BIN)/ruff format .

messages: $(VENV)/.dev ## Bring the catalogues of translations up to date, and compile them (requires GNU gettext)
	@$(BIN)/python -m tests.messages --write

lock: $(VENV)/.dev ## Compile requirements*.in to pinned versions with hashes
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --custom-compile-command "make lock" \
		requirements.in -o requirements.txt $(ARGS)
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --custom-compile-command "make lock" \
		requirements-dev.in -o requirements-dev.txt $(ARGS)
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --custom-compile-command "make lock" \
		benchmarks/requirements.in -o benchmarks/requirements.txt $(ARGS)

clean: ## Remove generated files; keep .env and the database
	rm -rf $(VENV) $(VENV)-bench .coverage .coverage.* .hypothesis .mypy_cache .nox .pytest_cache .ruff_cache \
		.import_linter_cache dist staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@test -n "$(PYTHON)" || { echo "Latchkey needs Python 3.11 or newer, and found none." \
		"Install it, or give its path: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Latchkey needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "$(PYTHON) cannot make a virtual environment." \
		"On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Making the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# One stamp file per set of requirements, so that a second run installs nothing and stays offline.
$(VENV)/.runtime: requirements.txt $(VENV)/.created
	@echo "Installing requirements.txt"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

# A separate environment: the packages compared are dependencies of the benchmarks only.
$(VENV)-bench/.installed: benchmarks/requirements.txt $(VENV)/.created
	@echo "Installing benchmarks/requirements.txt"
	@$(PYTHON) -m venv $(VENV)-bench
	@$(VENV)-bench/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.proxies: tests/proxies/requirements.txt $(VENV)/.dev
	@echo "Installing tests/proxies/requirements.txt"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.created
	@echo "Installing requirements-dev.txt"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@ $(VENV)/.runtime
