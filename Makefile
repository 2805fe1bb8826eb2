# Needs python3 (3.11 or later) and make; everything else is installed into .venv by the first target.
PYTHON ?= python3
BIN := .venv/bin
BUILDER ?= docker
SERVING := .venv/.serving
STAMP := .venv/.installed

.PHONY: serve test check soak bench image image-test clean

serve: $(SERVING)  ## serve the API on http://127.0.0.1:3000
	@$(BIN)/lago-mock serve $(ARGS)

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
	@rm -f .coverage.*  # what a process left that was not let write its file whole
	$(BIN)/coverage report

soak: $(STAMP)  ## the slow tests in their long form
	SOAK=1 $(BIN)/python -m pytest -m slow $(ARGS)

bench: $(STAMP)  ## measure against bare Starlette; needs wrk
	$(BIN)/python -m benchmarks $(ARGS)

image:  ## build the container image with docker, or with BUILDER=podman or BUILDER=buildah
	# Docker's format, which podman and buildah have to be asked for: theirs has no health check.
	BUILDAH_FORMAT=docker $(BUILDER) build --tag lago-mock $(ARGS) .

image-test: $(STAMP)  ## build the image on a stand-in for its base, and run it; needs root, buildah, mmdebstrap
	CI=true $(BIN)/python -m pytest -p no:randomly tests/image $(ARGS)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache build dist

# What serves is there in a third of the time that the tools take.
$(SERVING): pyproject.toml
	@echo "Setting up .venv, once …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --upgrade pip
	@$(BIN)/pip install --quiet --editable .
	@# Compiled here, starts take half the time also where Python is told to keep nothing.
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m compileall -q lago_mock
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -c "import lago_mock; lago_mock.create_app()"
	@touch $@

$(STAMP): $(SERVING)
	@echo "Installing the tools for the tests, once …"
	@$(BIN)/pip install --quiet --editable ".[dev]"
	@touch $@
