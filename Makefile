# Needs python3 (3.11 or later) and make; everything else is installed into .venv by the first target.
PYTHON ?= python3
BIN := .venv/bin
BUILDER ?= docker
STAMP := .venv/.installed

.PHONY: serve test check soak bench image image-test clean

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

image:  ## build the container image with docker, or with BUILDER=podman or BUILDER=buildah
	$(BUILDER) build --tag lago-mock $(ARGS) .

image-test: $(STAMP)  ## build the image on a stand-in for its base, and run it; needs root, buildah, mmdebstrap
	CI=true $(BIN)/python -m pytest -p no:randomly tests/image $(ARGS)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache build dist

$(STAMP): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable ".[dev]"
	# Compiled here, starts take half the time also where Python is told to keep nothing.
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m compileall -q lago_mock
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -c "import lago_mock; lago_mock.create_app()"
	touch $@
