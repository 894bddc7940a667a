# Two commands to know: make demo, make test. Both work from a clean clone; the first run makes .venv.
#
#   make demo ARGS="--once --json"     ARGS goes to the command: demo, test, bench scripts
#   make test PYTHON=python3.12        PYTHON makes .venv; any Python from 3.11

PYTHON ?= python3
ARGS ?=
JOBS ?= 2

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
READY := $(VENV)/ready

BENCHMARKS := $(sort $(wildcard tests/benchmarks/*_bench.py))
VERIFICATIONS := $(sort $(wildcard tests/benchmarks/*_fuzz.py tests/benchmarks/*_growth.py tests/benchmarks/*_verify.py))

THOROUGH := $(sort $(wildcard tests/benchmarks/*_full.py))

.PHONY: help demo test lint bench verify verify-full figures clean
.DELETE_ON_ERROR:

help:
	@echo "make demo     three people, their mails, and what is recorded of them, live in your browser"
	@echo "make test     all tests, on SQLite and on a real PostgreSQL; needs no service"
	@echo "make lint     style, types, import contracts, schema"
	@echo "make bench    figures against a yardstick, one JSON object a line"
	@echo "make verify   figures that must be zero: fuzz, growth, and an install of the built wheel"
	@echo "make verify-full  also what takes long: a list of 200,000 people moves in and is killed half way"
	@echo "make figures  both, written down in docs/figures.md"
	@echo "make clean    removes .venv and everything else that was made here"

demo: $(READY)-run
	@$(BIN)/consent-track demo $(ARGS)

test: $(READY)-dev
	@$(PY) -m pytest -n $(JOBS) $(ARGS)

lint: $(READY)-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@home="$$(mktemp -d)" && trap 'rm -rf "$$home"' EXIT && \
	  $(BIN)/consent-track --home "$$home/home" init >/dev/null && $(BIN)/consent-track --home "$$home/home" db check

bench: $(READY)-bench
	@for script in $(BENCHMARKS); do $(PY) "$$script" $(ARGS) || exit 1; done

verify: $(READY)-bench
	@for script in $(VERIFICATIONS); do $(PY) "$$script" $(ARGS) || exit 1; done

verify-full: verify
	@for script in $(THOROUGH); do $(PY) "$$script" $(ARGS) || exit 1; done

figures: $(READY)-bench
	@mkdir -p .verify && for script in $(BENCHMARKS) $(VERIFICATIONS); do $(PY) "$$script"; done | tee .verify/figures.jsonl
	@$(PY) tests/benchmarks/report.py < .verify/figures.jsonl > docs/figures.md

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .verify
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What is installed, and how: uv where it is at hand, else venv and pip. Words go to standard error: the demo's standard
# output is its answer.
$(PY):
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not there: install Python 3.11 or newer, or name one with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is $$($(PYTHON) -V 2>&1): consent_track needs 3.11 or newer; name one with make PYTHON=python3.12" >&2; exit 1; }
	@if command -v uv >/dev/null; then uv venv --quiet --python $(PYTHON) $(VENV) >&2; \
	elif $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then $(PYTHON) -m venv $(VENV) >&2; \
	else echo "$(PYTHON) has no venv module: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; fi

define install
	@echo "Installing into $(VENV) (once) ..." >&2
	@if command -v uv >/dev/null; then uv pip install --quiet --python $(PY) -c constraints.txt $(1) >&2; \
	else PIP_CONSTRAINT=constraints.txt $(PY) -m pip install --quiet --disable-pip-version-check $(1) >&2; fi
	@touch $@
endef

$(READY)-run: pyproject.toml constraints.txt | $(PY)
	$(call install,-e .)

$(READY)-dev: pyproject.toml constraints.txt | $(PY)
	$(call install,-e '.[dev]')
	@touch $(READY)-run

$(READY)-bench: pyproject.toml constraints.txt | $(PY)
	$(call install,-e '.[dev$(comma)bench]')
	@touch $(READY)-run $(READY)-dev

comma := ,
