# run, demo, test and clean are the whole interface; ARGS goes to pytest. `make help` lists them in
# this order: what a newcomer types comes first.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
BIN := .venv/bin
# Set for other projects, these would have our Python load their code, or each of the processes that
# tests start compile ours again.
unexport PYTHONHOME PYTHONPATH PYTHONDONTWRITEBYTECODE
# Where there is npm, Spectral is installed once, as the lock file has it.
SPECTRAL := $(if $(shell command -v npm),tests/lint_api/node_modules/.package-lock.json)

.PHONY: run demo test clean help chaos attack bench lint lint-style lint-imports lint-types fetched lint-api coverage fuzz model guards installer adding containers lock

run: .venv/installed-run  ## start the shop; Ctrl-C ends it, the data stay; SCALE="orders=2 gateway=2"
	@exec $(BIN)/shop run $(addprefix --scale=,$(SCALE))

demo: .venv/installed-run  ## walk one order through a running shop
	@exec $(BIN)/shop demo

test: .venv/installed-test  ## style, import rules, types and the whole suite; ARGS="-k cart" narrows it
	@$(MAKE) -j4 lint fetched $(SPECTRAL)
	@echo 'The whole suite takes 20 to 25 minutes on two cores; ARGS="tests/unit" or ARGS="-k cart" narrows it.'
	$(BIN)/python -m tests.side_by_side $(ARGS)

clean:  ## end what still runs, remove the data and what was built
	@if [ -x $(BIN)/shop ]; then $(BIN)/shop stop; fi
	rm -rf var build *.egg-info .coverage* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -path ./.venv -prune -o -name __pycache__ -exec rm -rf {} +

help:  ## what there is to type
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

chaos: .venv/installed-run  ## 10,000 orders amid 100 kills, then the books; ORDERS, KILLS, SEED, SCALE
	@[ -n "$$AMQP_URI" ] || $(BIN)/shop install
	@exec $(BIN)/shop chaos --orders $(or $(ORDERS),10000) --kills $(or $(KILLS),100) \
		$(if $(SEED),--seed $(SEED)) $(ARGS)

attack: .venv/installed-run  ## what a stranger may try, in five minutes; ARGS="--only tokens"
	@[ -n "$$AMQP_URI" ] || $(BIN)/shop install
	@exec $(BIN)/shop attack $(ARGS)

bench: .venv/installed-test  ## this shop beside its peers; QUICK=1 in three minutes, ONLY=cost, checkout or ablations
	@exec $(BIN)/python -W ignore -m bench $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY)) \
		$(if $(SHORTCUTS),--shortcuts $(SHORTCUTS))

lint: lint-style lint-imports lint-types  ## style, import rules and types

lint-style: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-imports: .venv/installed-test
	$(BIN)/lint-imports --no-cache

lint-types: .venv/installed-test
	$(BIN)/mypy contracts $(patsubst %/service.py,%,$(wildcard */service.py))

# What the suite runs besides Python: servers, promtool, HAProxy.
fetched: .venv/installed-test
	@[ -n "$$TEST_AMQP_URI" ] || $(BIN)/shop install
	@.ci/promtool
	@.ci/haproxy

lint-api: .venv/installed-test $(SPECTRAL)  ## the description of the API: linters and generated clients
	$(BIN)/python -m pytest tests/lint_api tests/e2e/test_clients.py

coverage: .venv/installed-test $(SPECTRAL)  ## the suite in twice the time, and what of the code it runs
	@[ -n "$$TEST_AMQP_URI" ] || $(BIN)/shop install
	@$(BIN)/coverage erase
	COVERAGE=1 $(BIN)/python -m tests.side_by_side $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

fuzz: .venv/installed-test  ## random requests for FUZZ_SECONDS=600; FUZZ_SEED=n repeats a run
	@[ -n "$$TEST_AMQP_URI" ] || $(BIN)/shop install
	FUZZ_SECONDS=$${FUZZ_SECONDS:-600} $(BIN)/python -m pytest tests/fuzz/test_fuzz.py $(ARGS)

model: .venv/installed-test  ## long random walks through stock, money, orders and keys beside their models
	@[ -n "$$TEST_AMQP_URI" ] || $(BIN)/shop install
	MODEL_PROFILE=long $(BIN)/python -m pytest --timeout=0 tests/model $(ARGS)

guards: .venv/installed-test  ## switch each guard of the books off, and see chaos find it
	@[ -n "$$AMQP_URI" ] || $(BIN)/shop install
	$(BIN)/python -m pytest -m long tests/chaos/guards $(ARGS)

installer: .venv/installed-test  ## .ci/install in all its tests, from an index of its own: 4 minutes
	$(BIN)/python -m pytest -m "long or not long" tests/integration/shop/test_installer.py $(ARGS)

adding: .venv/installed-test  ## docs/adding.md, and that each of its blocks is needed: 4 minutes
	@[ -n "$$TEST_AMQP_URI" ] || $(BIN)/shop install
	$(BIN)/python -m pytest -m "long or not long" tests/integration/shop/test_adding.py $(ARGS)

containers: .venv/installed-test  ## run compose.yml, kill and restart its containers; needs Docker
	$(BIN)/python -m pytest -m long tests/containers $(ARGS)

lock: .venv/installed-test  ## choose the newest versions that setup.cfg allows
	.ci/lock $(ARGS)

tests/lint_api/node_modules/.package-lock.json: tests/lint_api/package-lock.json
	cd tests/lint_api && npm ci --no-audit --no-fund
	@touch $@

.venv/installed-run: requirements-local.lock setup.cfg .ci/install
	@.ci/install run

.venv/installed-test: requirements-dev.lock setup.cfg .ci/install
	@.ci/install test
