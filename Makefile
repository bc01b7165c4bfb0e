# The commands of the README. Works with GNU make 3.81 (macOS), as an ordinary user and as root.

VENV := .venv
PY := $(VENV)/bin/python
RUNS := $(VENV)/ready-to-run
TESTS := $(VENV)/ready-to-test

.PHONY: demo test lint bench screenshots documents clean

demo: $(RUNS)
	@$(VENV)/bin/opsdash demo $(if $(STORY),--story $(STORY))

# what CI runs; `make test ARGS=tests/findings` for a part of the tests. Four at a time load a small machine so much that
# a server or a terminal may miss a deadline: what fails then is said, and must pass alone.
PYTEST := $(PY) -m pytest -q -m "slow or not slow"
test: lint
	@$(PYTEST) -n 4 --dist loadfile $(ARGS) || { \
	  [ $$? -eq 1 ] && echo "again, one at a time: what failed above" && \
	  $(PYTEST) --last-failed --last-failed-no-failures none $(ARGS); }

lint: $(TESTS)
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/lint-imports --no-cache
	@$(VENV)/bin/mypy

bench: $(TESTS)
	@$(PY) -m tests.bench

screenshots: $(TESTS)
	@$(PY) -m tests.screenshots

documents: $(TESTS)
	@$(PY) -m tests.documents

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(RUNS): pyproject.toml scripts/install
	@scripts/install $(VENV) demo
	@touch $@

$(TESTS): pyproject.toml scripts/install
	@scripts/install $(VENV) demo,dev
	@touch $@ $(RUNS)
