# The contributor's index: `make help`. CI runs the same targets.
# PYTHON picks the interpreter (3.11 or 3.13), VENV where the environment lives, OUT where the demo goes,
# EXTRAS what is installed with it (dev,loaders adds torch, against which more tests run), INSTALLER by what (CI: uv),
# TEST_WORKERS how many processes run tests, TESTS which files and folders (all).
PYTHON ?= $(shell for p in python3.13 python3.11 python3; do \
  command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info[:2] not in [(3, 11), (3, 13)])' 2>/dev/null \
  && echo $$p && break; done)
VENV ?= .venv
EXTRAS ?= dev
OUT ?= out/conveyor-phones
TEST_WORKERS ?= 3
BIN := $(VENV)/bin
INSTALLER ?= $(BIN)/python -m pip install
READY := $(VENV)/.ready
# tests start blendgen hundreds of times: Python keeps it compiled, also where the environment says otherwise
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test test-slow lint format types bench results golden audit attack chaos trainers mutate docs docs-strips docs-gallery docs-plots site dist clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

$(READY): pyproject.toml
	@test -z "$(PYTHON)" || $(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in [(3, 11), (3, 13)])' || \
	{ echo "$(PYTHON) is not Python 3.11 (Blender 4.5) or 3.13 (Blender 5.2); install one of them, or name it: \
make PYTHON=/path/to/python3.13"; exit 1; }
	@test -n "$(PYTHON)" || { echo "blendgen needs Python 3.11 (Blender 4.5) or 3.13 (Blender 5.2), and neither was found. \
Install one, or name it: make PYTHON=/path/to/python3.13"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALLER) --quiet --upgrade pip
	$(INSTALLER) --quiet -e '.[$(EXTRAS)]'
	@$(BIN)/python -c 'from blendgen.system.wheel import require_libraries; require_libraries()' 2>/dev/null || $(BIN)/blendgen doctor
	@touch $@

demo: $(READY)  ## make the demo data set: phones on a conveyor belt
	$(BIN)/blendgen generate scenes/conveyor_phones.yaml -o $(OUT)

test: $(READY)  ## the tests that everybody runs, with real Blender, under 3 minutes
	$(BIN)/python -m pytest $(TESTS) -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder --durations 8

test-slow: $(READY)  ## the tests that CI adds; TESTS="tests/engine" runs those of one folder
	$(BIN)/python -m pytest $(TESTS) -m slow -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder --durations 8

lint: $(READY)  ## style and formatting, Dockerfile, files for GitHub and GitLab
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.gitlab-ci ci/gitlab.yml

types: $(READY)  ## the types of the package, with mypy
	$(BIN)/mypy

format: $(READY)  ## fix what lint can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## docs/bench_results.md: what images cost here; BENCH gives options (half an hour)
	$(BIN)/python -m benchmarks -o out/bench --page docs/bench_results.md --check $(BENCH)

results: $(READY)  ## docs/results.md: what renders are worth on real photos; CARDS names the photos (hours)
	$(BIN)/python -m benchmarks.learning $(CARDS)
	$(BIN)/python -m benchmarks.networks $(CARDS)

golden: $(READY)  ## write the golden files of tests/golden again; run it with both Pythons
	$(BIN)/python -m tests.golden

audit: $(READY)  ## labels of every scene against a ray cast that is not Cycles (half an hour)
	$(BIN)/python -m tests.audit

attack: $(READY)  ## hostile inputs, killed runs, a person's own files; needs strace (half an hour)
	$(BIN)/python -m tests.attack

chaos: $(READY)  ## shards that are killed, damaged and started again; CHAOS="--short" or "--seed 2" (half an hour)
	$(BIN)/python -m tests.chaos $(CHAOS)

trainers: $(READY)  ## one epoch with each library of docs/training.md, in .venv-trainers (a large download)
	$(PYTHON) -m venv .venv-trainers
	.venv-trainers/bin/python -m pip install --quiet -r tests/trainers.txt
	BLENDGEN_TEST_TRAINERS=.venv-trainers/bin/python $(BIN)/python -m pytest -m "" tests/test_training_docs.py

mutate: $(READY)  ## changes of the code that no test notices; MODULES="blendgen/draw/pile.py" (hours without)
	$(BIN)/python -m pip install --quiet -e '.[mutate]'
	$(BIN)/python -m tests.mutation $(MODULES)

docs: $(READY)  ## write the pages that are made from the code
	$(BIN)/python -m tests.docs_pages

docs-strips: $(READY)  ## render what each parameter does into docs/strips (minutes)
	$(BIN)/python -m tests.docs_strips

docs-gallery: $(READY)  ## render what is built in for docs/gallery.md (minutes)
	$(BIN)/python -m tests.docs_gallery

docs-plots: $(READY)  ## measure and plot the sensor for docs/camera.md
	$(BIN)/python -m tests.docs_plots

site: $(READY)  ## the website of the documentation in site/, which opens from the disk
	$(INSTALLER) --quiet -e '.[docs]'
	$(BIN)/python -m tests.docs_site

dist: $(READY)  ## wheel and source distribution of the last commit in dist/; TAG=v0.1.0 checks a release
	$(INSTALLER) --quiet -e '.[release]'
	rm -rf dist
	$(BIN)/python -m tests.release $(if $(TAG),--tag $(TAG))

clean:  ## remove what make made
	rm -rf $(VENV) out site build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
