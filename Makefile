# The commands of the README. Works with GNU make 3.81 (macOS), as an ordinary user and as root.

VENV := .venv
PY := $(VENV)/bin/python
RUNS := $(VENV)/ready-to-run
TESTS := $(VENV)/ready-to-test

.PHONY: demo test lint bench screenshots clean

demo: $(RUNS)
	@$(VENV)/bin/opsdash demo $(if $(STORY),--story $(STORY))

# what CI runs; `make test ARGS=tests/findings` for a part of the tests
test: lint
	@$(PY) -m pytest -q -n 4 --dist loadfile -m "slow or not slow" $(ARGS)

lint: $(TESTS)
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/lint-imports --no-cache
	@$(VENV)/bin/mypy

bench: $(TESTS)
	@$(PY) -m tests.bench

screenshots: $(TESTS)
	@$(PY) -m tests.screenshots

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(RUNS): pyproject.toml scripts/install
	@scripts/install $(VENV) demo
	@touch $@

$(TESTS): pyproject.toml scripts/install
	@scripts/install $(VENV) demo,dev
	@touch $@ $(RUNS)
