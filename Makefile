# Needs python3 (3.11 or later) and make; everything else is installed into .venv by the first target.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: serve test check soak bench clean

serve: $(STAMP)  ## serve the API on http://127.0.0.1:3000
	$(BIN)/lago-mock serve $(ARGS)

test: $(STAMP)  ## the tests, without the slow ones
	$(BIN)/python -m pytest -n 2 -m "not slow" $(ARGS)

check: $(STAMP)  ## what CI runs: lint, format, types, import contracts, all tests under coverage
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2 $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

soak: $(STAMP)  ## the slow tests in their long form
	SOAK=1 $(BIN)/python -m pytest -m slow $(ARGS)

bench: $(STAMP)  ## measure against bare Starlette; needs wrk
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache build dist

$(STAMP): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable ".[dev]"
	touch $@
