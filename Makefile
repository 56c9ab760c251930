# SPDX-License-Identifier: BSD-3-Clause
# Every target installs what it needs in $(VENV), with Python's own venv and pip.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
SOURCES = setup.py pyproject.toml $(wildcard gelu_fast/*.pyx gelu_fast/*.pxi gelu_fast/include/*.h gelu_fast/kernels/*.[ch] gelu_fast/kernels/*/*.[ch])
PIP = $(BIN)/python -m pip --disable-pip-version-check install --quiet
EACH_CPU = --numprocesses auto --dist worksteal
EACH_FILE = --numprocesses auto --dist loadfile

.PHONY: demo lint test parallel fuzz heavy test-all exhaustive mutants sanitize aarch64 bench compare busy errors readme \
    figure experiments docs coefficients dist musl release-check clean

demo: $(VENV)/.test
	$(BIN)/python -m gelu_fast

# Format, spelling and types in all files, as .pre-commit-config.yaml says.
lint: $(VENV)/bin/python
	$(PIP) pre-commit
	$(BIN)/pre-commit run --all-files --show-diff-on-failure

# The suite, by as many processes as there are CPUs; tests that know ISA levels run on each that this CPU has, or on the
# one that GELU_FAST_ISA names.
test: $(VENV)/.test
	$(BIN)/python -m pytest $(EACH_CPU) --ignore=tests/heavy

# Tests of values, each on four Python threads at once; on free-threaded CPython they run side by side.
parallel: $(VENV)/.test
	$(PIP) pytest-run-parallel
	$(BIN)/python -m pytest --parallel-threads=4 --iterations=1 tests/test_special.py tests/test_approximate.py \
	    tests/test_reductions.py

# The wheel for musl, cross-compiled.
musl: $(VENV)/.test
	$(PIP) ziglang Cython "setuptools>=77"
	$(BIN)/python tools/cross.py wheel

# The property tests with many more calls, other ones in each run; calls that failed are kept and come first.
# ONLY="test_functions and geglu" runs some of the tests, as pytest's -k does.
fuzz: export HYPOTHESIS_PROFILE = fuzz
fuzz: export GELU_FAST_LAST_CALL = .hypothesis
fuzz: $(VENV)/.test
	mkdir -p .hypothesis
	$(BIN)/python -m pytest $(EACH_CPU) tests/test_properties.py -k "$(ONLY)"

# The tests with the peers, the real model and real builds.
heavy: export GELU_FAST_TEST_ALL = 1
heavy: $(VENV)/.peers dist
	$(BIN)/python -m pytest $(EACH_FILE) tests/heavy tests/test_typing.py

# Both; a test that lacks a package, a compiler, or qemu fails here instead of being skipped.
test-all: export GELU_FAST_TEST_ALL = 1
test-all: $(VENV)/.peers test heavy

# Every float32; README, docs/ and comments of the kernels get the largest errors found.
# glibc keeps the memory of arrays: new pages for each took 2/3 of the time of pairs.
exhaustive: export MALLOC_MMAP_THRESHOLD_ = 33554432
exhaustive: export MALLOC_TRIM_THRESHOLD_ = 1073741824
exhaustive: $(VENV)/.test
	$(BIN)/python tests/exhaustive.py
	$(BIN)/python tools/readme.py

# Planted bugs, each of which the suite must notice: all, or those that MUTANTS chooses (--only ID..., --twentieth).
mutants: $(VENV)/.test
	$(PIP) Cython
	$(BIN)/python tools/mutants.py $(MUTANTS)

# The suite under AddressSanitizer, UndefinedBehaviorSanitizer, ThreadSanitizer and valgrind; ONLY=tsan runs one.
sanitize: $(VENV)/.test
	$(BIN)/python tools/sanitize.py $(ONLY)

# The wheel for Linux aarch64, cross-built, and a part of the suite with it under qemu; ARM="test_random.py -k words" runs
# another part.
aarch64: $(VENV)/bin/python
	$(BIN)/python tools/aarch64.py $(ARM)

# One thread with all data of distributions.py (some 10 minutes of it), then two threads; the third run is for the target
# beside torch held to AVX2, on a CPU that has a better level. SLEEF is a peer if it is installed (Debian: libsleef-dev).
LEVELS = $(BIN)/python -c "from gelu_fast import _core; print(*_core.available_isa_levels)"
BENCH = $(BIN)/python -m pytest benchmarks --benchmark-only
bench: $(VENV)/.peers errors
	mkdir -p build && rm -f build/bench-*.json
	$(BENCH) --threads 1 --data all --benchmark-json=build/bench-1.json
	test $$(nproc) -lt 2 || $(BENCH) --threads 2 --benchmark-json=build/bench-2.json
	case "$$($(LEVELS))" in *"x86-64-v3 "*) $(BENCH) --threads 1 --isa x86-64-v3 --data all \
	    -k "exact-float32 and -out- and (4096 or 65536 or 1048576) and (gelu_fast or torch)" \
	    --benchmark-json=build/bench-v3.json ;; esac
	$(BIN)/python benchmarks/report.py build/bench-*.json
	$(BIN)/python tools/readme.py

# The times of this tree over those of the commit BASE; COMPARE="--only REGEX --data all --rounds 15", as compare.py says.
compare: $(VENV)/.test
	$(BIN)/python benchmarks/compare.py $(COMPARE) -- "$(BASE)"

# The default number of threads beside one thread, on an idle and on a busy machine.
busy: $(VENV)/.test
	$(BIN)/python benchmarks/busy.py
	$(BIN)/python tools/readme.py

# The picture of gelu_fast's errors beside its peers'.
errors: $(VENV)/.peers
	$(BIN)/python benchmarks/errors.py

# The tables of README and docs/ and the worst errors in comments of the kernels, from gelu_fast/_bounds.py and
# benchmarks/results/.
readme: $(VENV)/.test
	$(BIN)/python tools/readme.py

# The pictures of the examples and of docs/mathematics.md.
figure: $(VENV)/.peers
	$(BIN)/python examples/idea.py
	$(BIN)/python examples/digits.py --draw
	$(BIN)/python docs/figures.py
	$(BIN)/python examples/ffn.py --draw

# The experiment of docs/idea/digits.md (some 7 minutes), and the activation's share of a block's time in
# docs/idea/transformers.md (some 70 seconds); glibc keeps the memory of arrays here, too.
experiments: export MALLOC_MMAP_THRESHOLD_ = 33554432
experiments: export MALLOC_TRIM_THRESHOLD_ = 1073741824
experiments: $(VENV)/.peers
	$(BIN)/python examples/ffn.py --write
	$(BIN)/python examples/digits.py --write
	$(BIN)/python tools/readme.py

# The documentation site in build/docs; a warning is an error.
docs: $(VENV)/.docs
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet docs build/docs

coefficients: $(VENV)/.test
	$(BIN)/python tools/fit.py

# The sdist and the wheel, anew if a file that git tracks has changed.
dist: dist/.made
dist/.made: $(VENV)/.release $(wildcard $(shell git ls-files 2>/dev/null))
	$(BIN)/python tools/packages.py
	touch $@

# Whether a release can be made of this commit; RELEASE=--every-day takes seconds, the whole builds three times
# and runs the suite.
release-check: dist
	$(BIN)/python tools/release.py $(RELEASE)

clean:
	rm -rf build dist $(VENV) *.egg-info gelu_fast/*.so

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.test: $(VENV)/bin/python $(SOURCES)
	$(PIP) --editable ".[test]"
	touch $@

$(VENV)/.release: $(VENV)/.test tools/release.txt
	$(PIP) -r tools/release.txt
	touch $@

$(VENV)/.docs: $(VENV)/.test
	$(PIP) --editable ".[test,docs]"
	touch $@

$(VENV)/.peers: $(VENV)/.test
	$(PIP) --editable ".[test,bench,examples,peers,doors,checks,docs,platforms]"
	touch $@
