# Everything starts here. Needs Python 3.11 to 3.13, make and a way to PyPI; `make help` lists what there is.
.DEFAULT_GOAL := help
.PHONY: help demo up bench bench-peers test simulate test-faults test-faults-kafka soak check lint format types arrows lock contracts kafka test-kafka test-containers test-browser clean

MARKS := not kafka and not containers and not browser and not faults
demo_options = $(if $(SCENARIO),--scenario "$(SCENARIO)") $(if $(EXIT),--exit) $(if $(STAY),--stay) $(if $(BACKBONE),--backbone $(BACKBONE))

help: ## what there is
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1|/' | awk -F'|' '{printf "%-24s%s\n", $$1, $$2}'
	@echo "Options: SCENARIO=DIR (demo), EXIT=1 or STAY=1 (demo), PORT_BASE=9000 (ports 9001 to 9004), PYTHON=python3.12 (set-up)"

demo: ## start everything and play a whole term through the public doors
	@requirements/install local
	@.venv/bin/partnership demo $(demo_options)

up: ## the four services on the local backbone; what they hold survives a stop
	@requirements/install local
	@.venv/bin/partnership up $(if $(BACKBONE),--backbone $(BACKBONE))

bench: ## the platform's code beside bare driver calls, as ratios; bench.json, under 12 minutes (SMOKE=1: under two)
	@requirements/install local
	@.venv/bin/partnership bench $(if $(SMOKE),--smoke) $(if $(ROWS),--rows "$(ROWS)") $(if $(BACKBONE),--backbone $(BACKBONE)) $(if $(CHART),--chart "$(CHART)")

bench-peers: ## other frameworks on the same reading work, an environment each; ONLY=arroyo, ROUNDS=1; writes bench-peers.json
	@requirements/install dev
	@requirements/peers/install
	@.venv/bin/python -m tests.bench.peers $(if $(ONLY),--only "$(ONLY)") $(if $(ROUNDS),--rounds $(ROUNDS))

test: ## every test that needs no Docker, JVM or browser
	@requirements/install dev
	@.venv/bin/lint-imports --no-logo
	@.venv/bin/pytest -m "$(MARKS)" $(PYTEST_FLAGS)

check: lint types ## format, lint, types, arrows, then the tests
	@$(MAKE) --no-print-directory test

lint:
	@requirements/install dev
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .

types:
	@requirements/install dev
	@.venv/bin/mypy

arrows:
	@requirements/install dev
	@.venv/bin/lint-imports --no-logo

format: ## put the code into house format
	@requirements/install dev
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

lock: ## write requirements/*.txt anew: exact versions, hashes, no addresses
	@requirements/install dev
	@requirements/lock

contracts: ## write down the fingerprints of new event contracts; a released one never changes
	@requirements/install dev
	@.venv/bin/python -m shared.events.releasing

kafka: ## real Apache Kafka from Maven Central (needs Java 17 and Maven)
	@requirements/install local
	@.venv/bin/python -m shared.local.kafka

test-kafka: ## the backbone's suite on real Apache Kafka
	@requirements/install dev
	@.venv/bin/python -m shared.local.kafka .venv/bin/pytest -m "kafka or backbone" $(PYTEST_FLAGS)

test-containers: ## the same suite on apache/kafka and mongo:8 (needs Docker)
	@requirements/install dev
	@.venv/bin/pytest -m containers $(PYTEST_FLAGS)

test-browser: ## the pages in a real browser, with axe and screenshots (needs Chromium)
	@requirements/install dev
	@.venv/bin/pytest -m browser tests/browser $(PYTEST_FLAGS)

simulate: ## 10,000 seeds of the deterministic simulation; SEEDS=N for another number, SEED=N for one
	@requirements/install dev
	@.venv/bin/python -m tests.faults.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),10000))

test-faults: ## faults on real processes: kill -9, SIGSTOP, cut lines, full disks, lost brokers; bounded in time
	@requirements/install dev
	@.venv/bin/pytest -m faults $(PYTEST_FLAGS)

test-faults-kafka: ## the same, and the short ones, around real Apache Kafka
	@requirements/install dev
	@.venv/bin/python -m shared.local.kafka .venv/bin/pytest tests/faults/processes tests/faults/surroundings $(PYTEST_FLAGS)

soak: ## writes at a steady rate with a fault every two minutes, all held to account; MINUTES=30 RATE=50 WORKERS=3
	@requirements/install dev
	@.venv/bin/python -m tests.faults.soak --minutes $(or $(MINUTES),30) --rate $(or $(RATE),50) --web-concurrency $(or $(WORKERS),3)

clean: ## forget the local platform's data and logs (keeps .venv)
	@rm -rf .local
