# Each target does what it depends on, and nothing twice.
VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
PYTEST_WORKERS ?= 2

.PHONY: setup run test lint types acceptance

setup: $(READY)

$(READY): requirements.txt
	test -x $(PYTHON) || python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --requirement requirements.txt
	touch $@

run: $(READY)
	$(VENV)/bin/streamlit run dashboard/app.py

test: $(READY)
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest --numprocesses $(PYTEST_WORKERS) --dist loadfile --no-loadscope-reorder

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy

# One bounded run on real photographs, where they lie beside the project.
acceptance: $(READY)
	$(PYTHON) -m pytest -q tests/acceptance
