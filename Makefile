# Each target first makes what it depends on; nothing is done twice.
VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
PYTEST_WORKERS ?= 2

.PHONY: setup lock run test quick coverage lint acceptance torture

setup: $(READY)

$(READY): requirements.txt requirements-dev.txt constraints.txt pyproject.toml setup.py
	test -x $(PYTHON) || python3 -m venv $(VENV)
	$(PYTHON) scripts/install.py
	touch $@

# Choose the newest versions that the requirements allow, for every supported Python and system.
lock: $(READY)
	$(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-annotate \
	    --custom-compile-command "make lock" --output-file constraints.txt requirements-dev.txt

run: $(READY)
	$(VENV)/bin/streamlit run dashboard/app.py

test: $(READY)
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest --numprocesses $(PYTEST_WORKERS) --dist loadfile --no-loadscope-reorder

# While working on something: what needs no browser, and examples in docstrings.
QUICK := tests/analysis tests/data tests/heads tests/paper tests/store \
    $(addprefix tests/stages/test_,cautions.py keys_of_release_0_1.py plan.py stage_store.py) \
    $(addprefix tests/test_,discovery.py docstrings.py experiment.py locks.py samplers.py schedules.py sweeps.py \
    whole_files.py wording.py) \
    $(addprefix tests/training/test_,objectives.py optimizer.py sampling.py schedule.py)
# But for files that train, compile or start processes with torch, which take most of the time.
LONG := $(addprefix tests/,analysis/test_projection.py data/test_demo.py data/test_images.py heads/test_protocol.py \
    heads/test_search.py paper/test_ablations.py)
quick: $(READY)
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest --numprocesses $(PYTEST_WORKERS) --dist loadfile $(QUICK) \
	    $(addprefix --ignore=,$(LONG))

coverage: $(READY)
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest --numprocesses $(PYTEST_WORKERS) --dist loadfile -m "not browser" \
	    --cov --cov-report=term:skip-covered

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy

# One bounded run on real photographs, if they lie next to the project.
acceptance: $(READY)
	$(PYTHON) -m pytest -q tests/acceptance

# Kills, tampering, odd settings and files, NaN and infinity: many of each, with figures.
torture: $(READY)
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest --numprocesses $(PYTEST_WORKERS) tests/torture
