# Each target sets up what it needs in .venv; Python 3.11 or newer and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEER := .venv-peer

.PHONY: demo test test-reference test-gpu conformance lint type bench docs format clean

demo: $(VENV)/.installed
	$(BIN)/python examples/demo.py

# A file's tests stay together: some share what is slow to make.
test: $(VENV)/.test
	$(BIN)/python -m pytest -q --numprocesses auto --dist loadfile

# Where the extra fast is installed: what computes, by the plain kernels.
test-reference: $(VENV)/.test
	REKINDLE_KERNELS=reference $(BIN)/python -m pytest -q --numprocesses auto --dist loadfile \
		tests/core/ops tests/core/kernels tests/core/nn tests/legacy_nn/test_*.py

# Needs an NVIDIA GPU, and CuPy from the extra cuda12 or cuda13; says so where they are missing.
test-gpu: $(VENV)/.test
	$(BIN)/python -m pytest -q -m gpu -rs tests/gpu

# Runs other projects' own test suites, fetched at a pinned version, and writes the counts into
# docs/conformance.md. TEST_AUTOGRAD names a copy of PyTorch's test/test_autograd.py to run instead,
# FUNCTORCH a folder with functorch's two test files, HIPS_AUTOGRAD the folder tests of HIPS/autograd,
# TORCH_SUITES a folder with copies of torch7, nn, optim, nngraph, dpnn, rnn, torch-autograd, torchnet,
# torch-rnn and totem.
conformance: $(VENV)/.test
	$(BIN)/python tests/conformance/pytorch_autograd.py $(TEST_AUTOGRAD) --page docs/conformance.md
	$(BIN)/python tests/conformance/functorch_suite.py $(FUNCTORCH) --page docs/conformance.md
	$(BIN)/python tests/conformance/hips_autograd.py $(HIPS_AUTOGRAD) --page docs/conformance.md
	$(BIN)/python tests/conformance/torch_suites.py $(TORCH_SUITES:%=--sources %) --page docs/conformance.md
	$(BIN)/python tests/conformance/nn_transpiled.py $(TORCH_SUITES:%=--sources %) --page docs/conformance.md
	$(BIN)/python tests/conformance/translated_suites.py $(TORCH_SUITES:%=--sources %) --page docs/conformance.md

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

type: $(VENV)/.dev
	$(BIN)/mypy

# The peer, PyTorch, has an environment of its own. The scripts beside bench.py say how to run them.
bench: $(VENV)/.bench $(PEER)/.installed
	$(BIN)/python benchmarks/bench.py --peer $(PEER)/bin/python --json bench.json

docs: $(VENV)/.installed
	$(BIN)/python docs/make_cli.py
	$(BIN)/python docs/make_not_translated.py
	$(BIN)/python docs/make_mapping.py

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(PEER) build dist demo-output *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Rekindle needs Python 3.11 or newer; name one: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.test $(VENV)/.bench $(VENV)/.dev: $(VENV)/.%: pyproject.toml | $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[$*]'
	touch $@

$(PEER)/.installed: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m venv $(PEER)
	$(PEER)/bin/python -m pip install --quiet torch==2.13.0 numpy
	touch $@
