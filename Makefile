# The whole interface: demo, test, check, bench. Each installs what it needs; Python >= 3.11, git and make suffice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_ARGS ?=
ADVISORIES ?=
TEST_ARGS ?=
BENCH_ARGS ?=
REPORT_ARGS ?=
SHARED := $(if $(filter tests/%,$(TEST_ARGS)),,--numprocesses=4 --dist=worksteal)
unexport PYTHONDONTWRITEBYTECODE
LOCKS := $(wildcard requirements/*.txt)

.PHONY: help demo test check bench privacy-report lock clean

help:
	@echo "make demo    run everything with simulated stations (DEMO_ARGS=--json for scripts)"
	@echo "make test    run every test (TEST_ARGS passes options to pytest)"
	@echo "make check   style, types, imports, house rules (ADVISORIES=all.zip: known holes in packages)"
	@echo "make bench   measure speed and memory (BENCH_ARGS=--quick for a short run, --money for the books, --privacy for forgetting, --statistics for the overview)"
	@echo "make privacy-report  attack what leaves as anonymous, before and after: docs/privacy-report.md (some minutes)"
	@echo "make lock    lock the newest versions of all dependencies"

demo: $(VENV)/.runtime
	@$(BIN)/python -m wattkeeper.web.bundle >&2
	@exec $(BIN)/python -m wattkeeper demo $(DEMO_ARGS)

test: $(VENV)/.dev
	@$(BIN)/python -m wattkeeper.web.bundle >&2
	@$(BIN)/python -m tests.oidc.provider
	@$(BIN)/python -m tests.pages.everybody.axe
	$(BIN)/python -m pytest $(SHARED) $(TEST_ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check src tests bench
	$(BIN)/ruff check src tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tests.house
	@$(if $(ADVISORIES),$(BIN)/python -m wattkeeper audit packages --advisories "$(ADVISORIES)",true)

bench: $(VENV)/.dev
	@$(BIN)/python -m bench $(BENCH_ARGS)

privacy-report: $(VENV)/.dev
	@$(BIN)/python -m bench.privacy $(REPORT_ARGS)

lock: $(VENV)/.uv
	$(BIN)/python requirements/lock.py

$(VENV)/.uv: requirements/uv.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt >&2
	@touch $@

$(VENV)/.runtime: $(VENV)/.uv requirements/runtime.txt requirements/build.txt pyproject.toml
	@echo "Installing what Wattkeeper needs ..." >&2
	@$(BIN)/python requirements/install.py runtime build
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	@echo "Installing what tests and checks need ..." >&2
	@$(BIN)/python requirements/install.py dev
	@touch $@

clean:
	rm -rf $(VENV) .build src/wattkeeper/web/static .mypy_cache .ruff_cache .pytest_cache .hypothesis
