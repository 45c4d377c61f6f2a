# The one entrance. `make help` lists what there is. Everything it needs goes into this checkout (.venv, .tools).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
# Processes that run tests: they wait as often as they work, so one more than there are cores.
JOBS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))
# Compiled modules are kept in the checkout: without them each of the stack's processes compiles its imports anew.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
PY := $(BIN)/python

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---------------------------------------------------------------- set up
.PHONY: setup
setup: .venv/.ready .tools/.ready .tools/client/.ready ## Install everything that the other targets need, into this checkout

.venv/.ready: requirements/bootstrap.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Python 3.11 or newer is needed; '$(PYTHON)' is $$($(PYTHON) --version). Say PYTHON=/path/to/python3.11." >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "make: Python's own venv and ensurepip are needed: on Debian and Ubuntu install the package python3-venv." >&2; exit 2; }
	@echo "setting up .venv (about a minute the first time) ..."
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@# Compiled once here, not by each of the processes that a first test run starts side by side.
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(PY) --require-hashes requirements/bootstrap.txt requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(PY) --no-deps --no-build-isolation --editable .
	@touch $@

.tools/.ready: requirements/node/package.json requirements/node/package-lock.json | .venv/.ready
	@echo "setting up .tools: Azurite on Node ..."
	@mkdir -p .tools/node && cp requirements/node/package.json requirements/node/package-lock.json .tools/node/
	@$(PY) -m scenarios.stack.node npm ci --prefix .tools/node --no-audit --no-fund --silent --ignore-scripts
	@touch $@

.tools/client/.ready: requirements/client/package.json requirements/client/package-lock.json .venv/.ready
	@echo "setting up .tools/client: what the TypeScript client is made with ..."
	@mkdir -p .tools/client && cp requirements/client/package.json requirements/client/package-lock.json .tools/client/
	@$(PY) -m scenarios.stack.node npm ci --prefix .tools/client --no-audit --no-fund --silent --ignore-scripts
	@touch $@

.venv-bench/.ready: requirements/bench.txt .venv/.ready
	@echo "setting up .venv-bench: what only comparisons need ..."
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@$(BIN)/uv pip sync --quiet --python .venv-bench/bin/python --require-hashes requirements/bench.txt
	@$(BIN)/uv pip install --quiet --python .venv-bench/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

.tools/node-bench/.ready: requirements/node-bench/package.json requirements/node-bench/package-lock.json | .venv/.ready
	@echo "setting up .tools/node-bench: other fakes of HTTP services, and a load generator ..."
	@mkdir -p .tools/node-bench && cp requirements/node-bench/package.json requirements/node-bench/package-lock.json .tools/node-bench/
	@$(PY) -m scenarios.stack.node npm ci --prefix .tools/node-bench --no-audit --no-fund --silent --ignore-scripts
	@touch $@

.PHONY: pin
pin: .venv/.ready ## Resolve the dependencies again and write requirements/ with hashes
	@PIN="$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet"; \
	$$PIN requirements/bootstrap.in -o requirements/bootstrap.txt; \
	$$PIN pyproject.toml -o requirements/app.txt; \
	$$PIN pyproject.toml --extra fakes -o requirements/fakes.txt; \
	$$PIN pyproject.toml --extra dev -o requirements/dev.txt; \
	$$PIN pyproject.toml --extra load --constraint requirements/dev.txt -o requirements/load.txt; \
	$$PIN pyproject.toml --extra dev --extra bench -o requirements/bench.txt

.PHONY: clean
clean: ## Remove what the other targets made, the installed tools included
	rm -rf .venv .venv-bench .tools .run out .pytest_cache .mypy_cache .ruff_cache .hypothesis

# ---------------------------------------------------------------- run
.PHONY: demo
demo: setup ## One photo through the real stack, pictures into out/ (PHOTO=me.jpg POINTS='0.5,0.6 0.1,0.2:0')
	@exec $(PY) -m scenarios demo --photo="$${PHOTO:-}" --points="$${POINTS:-}"

.PHONY: up
up: setup ## The whole stack in the foreground on its documented ports, until Ctrl-C (WORKERS=2 TIME_SCALE=1 FAULTS=modal-cold)
	@exec $(PY) -m scenarios up --faults="$${FAULTS:-}" --workers="$${WORKERS:-1}" --profile="$${PROFILE:-realistic}" --time-scale="$${TIME_SCALE:-0.06}"

.PHONY: fake-gateway
fake-gateway: .venv/.ready ## A fake of the gateway alone, with scripted try-ons, for a frontend (PORT=8009 SPEED=1)
	@exec $(PY) -m fakes.gateway --port="$${PORT:-8009}" --speed="$${SPEED:-1}"

# ---------------------------------------------------------------- simulate
.PHONY: scenarios
scenarios: setup ## The catalogue in virtual time; LIVE=1: in real time; REFEREE=1: by Temporal's clock too; BASE_URL=...: against a deployment (ONLY=name, LIST=1)
	@exec $(PY) -m scenarios run $${ONLY:-} $${LIST:+--list} $${LIVE:+--live} $${REFEREE:+--referee} $${BASE_URL:+--base-url="$$BASE_URL"} $${THEME:+--theme="$$THEME"} $${SEED:+--seed="$$SEED"} $${TELL:+--tell} $${TIMELINE:+--timeline="$$TIMELINE"} $${LEDGER:+--ledger="$$LEDGER"}

.PHONY: explore
explore: setup ## Look for failures that nobody thought of, by the model (MINUTES=10 SEED=1 OUT=out/explore RESUME=1 PLANS= BRANCHES=1)
	@exec $(PY) -m scenarios explore --minutes="$${MINUTES:-10}" --seed="$${SEED:-1}" --out="$${OUT:-out/explore}" $${PLANS:+--plans="$$PLANS"} $${RESUME:+--resume} $${BRANCHES:+--branches}

.PHONY: play
play: setup ## Run stored plans again, the same to the byte (PLAN=plan.json TELL=1 TIMELINE=file.html RECORD=file.json)
	@exec $(PY) -m scenarios play $${SEED:+--seed="$$SEED"} $${TELL:+--tell} $${TIMELINE:+--timeline="$$TIMELINE"} $${RECORD:+--record="$$RECORD"} $${PLAN:-scenarios/plans/*.json}

.PHONY: scenario-from
scenario-from: setup ## A try-on of production as a scenario that goes the same way (HISTORY=history.json, a folder of them, or WORKFLOW=id; PLANS=100 random ones besides; RECORDING='a100=a100.jsonl' OUT=out/from)
	@exec $(PY) -m scenarios scenario-from --history="$${HISTORY:-}" --workflow="$${WORKFLOW:-}" $${PLANS:+--plans="$$PLANS"} $${RECORDING:+--recording $$RECORDING} --out="$${OUT:-out/from}" --seed="$${SEED:-1}"

.PHONY: deploy-check
deploy-check: setup ## Can this checkout's workflow be deployed over BASE (a git reference), at every event, and rolled back?
	@exec $(PY) -m scenarios deploy-check --base="$${BASE:-HEAD~1}" --seed="$${SEED:-1}"

.PHONY: atlas
atlas: setup ## How long may each dependency be away? A heat map in out/atlas (ONLY='sam3 hangs'; ATTEMPTS=5 FIRST=1 LONGEST=60: another policy beside; REAL=10: is it true?)
	@exec $(PY) -m scenarios atlas $${ONLY:-} $${REAL:+--real="$$REAL"} --attempts="$${ATTEMPTS:-}" --first="$${FIRST:-}" --longest="$${LONGEST:-}" --seed="$${SEED:-1}" --out="$${OUT:-out/atlas}"

# ---------------------------------------------------------------- measure
.PHONY: bench-scenarios
bench-scenarios: setup ## Speed of the simulation, as ratios in one run
	@exec $(PY) -m scenarios bench

.PHONY: bench
bench: setup ## CPU of one start, memory of 50 large try-ons at once, workflows/s beside the no-op limit
	@exec $(PY) -m loadtests.bench

.PHONY: bench-fakes
bench-fakes: setup .venv-bench/.ready .tools/node-bench/.ready ## The fakes beside WireMock, Mockoon and mountebank, on the same stub
	@exec $(PY) -m loadtests.comparisons.fakes

.PHONY: bench-pipeline
bench-pipeline: setup .venv-bench/.ready ## This pipeline beside its no-op limit, the literal pseudocode, Celery with Redis, and DBOS (ARGS=)
	@exec .venv-bench/bin/python -m loadtests.comparisons.pipeline $(ARGS)

.PHONY: profile
profile: setup .venv-bench/.ready ## Where the CPU of worker and gateway goes, by py-spy; tables, plot and folded stacks in out/profile (ARGS=)
	@exec .venv-bench/bin/python -m loadtests.bench.profile $(ARGS)

.PHONY: trace
trace: setup ## One try-on's trace as a tree, from the stack that `make up` started (ID=workflow-id; a new one without)
	@exec $(PY) -m scenarios trace $${ID:-}

.PHONY: console
console: setup ## The stack with its console, opened in the browser on an example, until Ctrl-C
	@exec $(PY) -m scenarios console

.PHONY: load
load: setup ## A minute of load on a stack of its own, or on HOST; report in out/load (RATE=1 SECONDS_=60 SHAPE=poisson MASTER=1 WORKERS=3 ARGS=)
	@exec $(PY) -m loadtests run $${MASTER:+--load-workers="$${WORKERS:-1}"} --rate="$${RATE:-1}" --seconds="$${SECONDS_:-60}" --shape="$${SHAPE:-poisson}" --host="$${HOST:-}" --api-key="$${API_KEY:-}" $(ARGS)

.PHONY: load-worker
load-worker: setup ## A load worker for the run that MASTER=1 waits with, on this machine or another (HOST_OF_MASTER=10.0.0.5 PORT=5557 API_KEY=)
	@exec $(PY) -m loadtests worker --master="$${HOST_OF_MASTER:-}" --port="$${PORT:-5557}" --api-key="$${API_KEY:-}"

.PHONY: load-find-knee
load-find-knee: setup ## Raise the rate until a threshold breaks; bottleneck, slots a rate needs, page in out/knee (PROFILES=file.yaml HOST= ARGS=)
	@exec $(PY) -m loadtests knee --profiles="$${PROFILES:-loadtests/profiles/one-a100.yaml}" --host="$${HOST:-}" --api-key="$${API_KEY:-}" $(ARGS)

.PHONY: load-compare
load-compare: setup ## Two load runs side by side (BEFORE=out/a AFTER=out/b)
	@exec $(PY) -m loadtests compare "$(BEFORE)" "$(AFTER)"

# ---------------------------------------------------------------- check
.PHONY: lint
lint: .venv/.ready ## Format check, lint (Python and Dockerfile), types, and what may import what
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/hadolint Dockerfile
	@# Types and imports side by side: each takes one core, and half a minute the first time.
	@$(BIN)/mypy --no-error-summary & types=$$!; code=0; \
	said=$$($(BIN)/lint-imports --no-cache 2>&1) || { echo "$$said" | sed -n '/^Contracts: /,$$p'; code=1; }; \
	wait $$types || code=1; exit $$code

.PHONY: format
format: .venv/.ready ## Format the code and mend what the linter can mend
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

# pytest itself ends with 5, and so make with an error, where nothing was there to run.
PYTEST := $(PY) -m pytest --numprocesses=$(JOBS) --dist=loadfile --no-loadscope-reorder --durations=15

.PHONY: test
test: setup lint ## Lint, types and the tests of a developer's day: five minutes on two cores
	@$(PYTEST) -m "not long"

.PHONY: test-all
test-all: setup ## The long tests that `make test` leaves out: load, knee, chaos, real time, fuzz (half an hour at most)
	@$(PYTEST) -m long --verbose

.PHONY: chaos
chaos: setup ## Kill, pause and cut off real processes: every fault at every step (ONLY='drained', LIST=1, REPORT=file.md EXPORT=out/histories)
	@exec $(PY) -m scenarios chaos $${LIST:+--list} $${REPORT:+--report="$$REPORT"} $${EXPORT:+--export="$$EXPORT"} $${ONLY:+"$$ONLY"}

.PHONY: soak
soak: setup ## 1,000 try-ons in 10 minutes with 5 % faults; memory and event loops plotted (WORKFLOWS=200 MINUTES=2 SEED=2 VIRTUAL=1 EXPORT=out/histories)
	@exec $(PY) -m scenarios soak $${VIRTUAL:+--virtual} $${WORKFLOWS:+--workflows="$$WORKFLOWS"} --minutes="$${MINUTES:-10}" --seed="$${SEED:-1}" $${EXPORT:+--export="$$EXPORT"}

.PHONY: fuzz
fuzz: setup ## 10,000 bodies that nobody would send, and schemathesis over the API (EXAMPLES=500 for a short one)
	@FUZZ_EXAMPLES="$${EXAMPLES:-10000}" $(PY) -m pytest -s tests/fuzz

.PHONY: audit
audit: setup ## Ask the advisory databases about every pinned dependency, Python's and Node's (needs the network)
	@code=0; \
	for list in requirements/*.txt; do echo "$$list:"; $(BIN)/pip-audit --strict --disable-pip --require-hashes --vulnerability-service=osv --progress-spinner=off --requirement=$$list 2> >(tail -n 1 >&2) || code=1; done; \
	for folder in requirements/node*/; do echo "$$folder:"; $(PY) -m scenarios.stack.node npm audit --package-lock-only --logs-max=0 --prefix $$folder || code=1; done; \
	exit $$code

.PHONY: test-console
test-console: setup ## All of the console's tests in headless Chromium; `make test` makes one journey, where there is Chromium
	@$(PY) -c 'import sys; from scenarios.console.browser import chromium; sys.exit(chromium() is None)' || { echo "make test-console: Chromium is needed: install it (Debian: apt-get install chromium), or say CHROMIUM=/path/to/it." >&2; exit 2; }
	@$(PY) -m pytest tests/scenarios/console

.PHONY: pictures
pictures: setup ## The console's pictures in docs/, made anew by using it (needs Chromium)
	@exec $(PY) -m scenarios pictures

.PHONY: histories
histories: setup ## Record anew the production histories that the replay test replays
	@$(PY) -m tests.app.pipeline.record_histories

.PHONY: openapi
openapi: .venv/.ready ## Write docs/openapi.json and docs/openapi/ anew, after a wanted change of an API
	@$(PY) -m app.gateway.api > docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json
	@$(PY) -m fakes.tools.openapi docs/openapi

.PHONY: client
client: setup ## Write docs/client/schema.d.ts and the console's api.js anew, after a change of docs/openapi.json or the client
	@$(PY) -m scenarios client

# ---------------------------------------------------------------- deploy and swap
.PHONY: wheel
wheel: .venv/.ready ## The wheel for other people's projects, virtual time, kit and pytest plugin, into out/wheel (docs/your-own-workflows.md)
	@cd deploy/wheel && ../../$(BIN)/hatchling build --target wheel --directory "$${OUT:-../../out/wheel}"

.PHONY: test-compose
test-compose: setup ## Build the images, start docker-compose.yml, use it, scale it, stop it (needs Docker)
	@$(PY) -m scenarios test-compose

.PHONY: contract
contract: setup ## Check services against the contract: A100_URLS=…, SAM3_URL=…; the project's own fakes without
	@$(PY) -m scenarios contract

.PHONY: mutants
mutants: setup ## Break the production code, by operators or by DEFECTS=folder of patches, and say who notices it (SAMPLE=40 SEED=1 BY=stories,tests,explorer FIRST=1 LIMIT=120 PLANS=400 LIST=1)
	@exec $(PY) -m scenarios mutants --sample="$${SAMPLE:-40}" --seed="$${SEED:-1}" $${FILE:+--file="$$FILE"} $${DEFECTS:+--defects="$$DEFECTS"} $${BY:+--by="$$BY"} $${FIRST:+--first} $${LIMIT:+--limit="$$LIMIT"} $${PLANS:+--plans="$$PLANS"} $${LIST:+--list}

.PHONY: doctor
doctor: .venv/.ready ## Check the configuration of the environment and .env: what answers, what is fake (GPU=1 costs GPU)
	@$(PY) -m app.doctor $(if $(GPU),--gpu)
