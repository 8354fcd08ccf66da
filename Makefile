# Daily commands. `make setup` is implied by all of them.
PYTHON := .venv/bin/python
PYTEST := $(PYTHON) -m pytest
SOURCES := source scripts tests

# One compute thread a process: on a few cores, idle OpenMP workers fight the physics engine's own threads.
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: setup demo test test-fast check format constraints release-check image image-check
setup: .venv/.ready
.venv/.ready: constraints.txt pyproject.toml source/whole_body_tracking/pyproject.toml scripts/setup.sh
	scripts/setup.sh
	@touch $@

demo: setup  ## convert a clip, train on it, export, play, report
	$(PYTHON) scripts/demo.py

# Most of a test's time is a simulator's start, on one core: two files at a time, the engines' long ones first (as they
# are collected), so that both workers end with the short ones.
TEST_WORKERS ?= 2
PARALLEL := -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder

test: setup  ## everything, slow tests excepted
	$(PYTEST) tests -m "not slow" $(PARALLEL)

test-fast: setup  ## no simulator, no server, no script process, no seconds of computing
	$(PYTEST) tests/unit -m "unit and not integration" $(PARALLEL)

check: setup  ## what the linters say
	$(PYTHON) -m ruff check $(SOURCES)
	$(PYTHON) -m ruff format --check $(SOURCES)
	$(PYTHON) -m codespell_lib README.md CHANGELOG.md docs $(SOURCES)

format: setup  ## rewrite in the house format
	$(PYTHON) -m ruff check --fix $(SOURCES)
	$(PYTHON) -m ruff format $(SOURCES)

constraints: setup  ## constraints.txt anew: the newest versions that fit
	scripts/update_constraints.sh

release-check: setup  ## wheel and sdist of the last commit, each tested in an empty environment
	scripts/release_check.sh

# The build context has no git, so the image is told which code it holds.
image:  ## the kit-less image, for docker compose run
	WBT_COMMIT="$$(git describe --always --dirty --abbrev=40 '--exclude=*')" docker compose build train

image-check:  ## the same image with buildah, without a Docker daemon, and what it must be able to do
	scripts/image_check.sh
