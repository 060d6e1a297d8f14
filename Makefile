# Everything a person or CI runs. `make install` is done once; the others rest on it.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: install train test fast fuzz coverage check format schema lock

install: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv || python3 -m venv .venv
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

train: install
	$(BIN)/python -m responder_ml train configs/pfc.yaml

test: install
	$(BIN)/python -m pytest -n 2

# Without the slow half: browsers, whole trainings, estimator checks, real data. Under a minute on two quiet cores.
fast: install
	$(BIN)/python -m pytest -n 2 -m "not browser and not shared" tests/statistics tests/contrasts tests/classifiers tests/features \
		tests/search tests/evaluation tests/explanation tests/records tests/test_architecture.py

# Every door x every kind of damage, contents drawn at every door, and every command killed at every change of a file: an hour or
# two. RESPONDER_ML_FUZZ_INPUTS says how many inputs there are of a kind.
fuzz: install
	RESPONDER_ML_FUZZ=1 $(BIN)/python -m pytest tests/faults tests/test_interruption.py

coverage: install
	$(BIN)/python -m pytest -n 2 --cov=responder_ml --cov-branch --cov-report=term:skip-covered --cov-report=html

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	# A docstring's sections name no parameter, return or yield that the function does not have.
	$(BIN)/ruff check --quiet --preview --select DOC102,DOC202,DOC403 src
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What is published of classes: the schema of result.json, the reference of the configuration and the schema of a job. Tests compare.
schema: install
	$(BIN)/python -c "import json; from responder_ml.records.result import Result; \
		print(json.dumps(Result.schema_of_file(), indent=1))" > docs/result.schema.json
	$(BIN)/python -c "from responder_ml.config_reference import configuration_page; \
		print(configuration_page(), end='')" > docs/configuration.md
	$(BIN)/python -m responder_ml list --schema > docs/job.schema.json

# The site in docs/_build/html; warnings are errors, and links between pages are checked.
docs: install
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -b html docs docs/_build/html

# The package as people install it.
wheel: install
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

# The lock is made by pip-tools in an environment of its own; it names versions and hashes, never an index.
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet pip-tools
	.venv-lock/bin/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
		--strip-extras --allow-unsafe --all-build-deps --extra dev --extra dask --extra docs -o requirements.lock pyproject.toml
	rm -r .venv-lock
