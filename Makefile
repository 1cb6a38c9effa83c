# Everything from a fresh clone to results. `make` alone lists the targets.

PYTHON ?= python3
JOBS ?= $(shell nproc)
VENV := .venv
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# A Python of the user's must not mix with the virtual environment's.
unexport PYTHONPATH PYTHONHOME

CPP_FILES = $(shell find include src tests python benchmarks -name '*.cpp' -o -name '*.hpp' 2>/dev/null)
PY_ROOMS = $(wildcard python tests/python tools examples benchmarks)
# Where other programs share the processors, threads that wait should not keep them busy.
PATIENT = GOMP_SPINCOUNT=1000
STEP = @printf '\n== %s\n'

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup build build-asan test test-cpp test-asan test-python lint format demo demo-classifier bench lock clean

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-16s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing: system packages, and Python's in .venv
	@tools/install_system_packages.sh
	@tools/make_venv.sh $(VENV) $(PYTHON)

build/build.ninja build-asan/build.ninja: | setup
	cmake -S . -B $(@D) -G Ninja -DPython_EXECUTABLE=$(CURDIR)/$(VENV)/bin/python \
	  $(if $(filter build-asan/%,$@),-DCMAKE_BUILD_TYPE=Debug -DCAFFE_SANITIZE=ON,-DCAFFE_BUILD_PYTHON=ON)

build: setup build/build.ninja ## the library, the command, the extension and the C++ tests, in build/
	$(STEP) "build"
	@ninja -C build -j$(JOBS)

build-asan: setup build-asan/build.ninja
	$(STEP) "build with sanitizers"
	@ninja -C build-asan -j$(JOBS)

test: lint test-cpp test-asan test-python ## lint, C++ tests, the same under sanitizers, Python tests

test-cpp: build ## the C++ tests
	$(STEP) "C++ tests"
	@$(PATIENT) build/tests/cpp/caffe_tests --gtest_brief=1 2> build/tests.log || (tail -n 40 build/tests.log; exit 1)
	@$(PATIENT) build/tests/plugin/plugin_tests --gtest_brief=1 2> build/tests.log || (tail -n 40 build/tests.log; exit 1)

test-asan: build-asan ## the C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer
	$(STEP) "C++ tests under sanitizers"
	@$(PATIENT) build-asan/tests/cpp/caffe_tests --gtest_brief=1 2> build-asan/tests.log || (tail -n 40 build-asan/tests.log; exit 1)
	@$(PATIENT) build-asan/tests/plugin/plugin_tests --gtest_brief=1 2> build-asan/tests.log || (tail -n 40 build-asan/tests.log; exit 1)

test-python: build ## the Python tests
	$(STEP) "Python tests"
	@python -m pytest

lint: setup build/build.ninja ## formatting, clang-tidy, ruff, mypy, sizes of files
	$(STEP) "lint"
	@clang-format --dry-run -Werror $(CPP_FILES)
	@ruff format --quiet --check --diff $(PY_ROOMS)
	@ruff check --quiet $(PY_ROOMS)
	@python tools/check_sizes.py
	@ninja -C build -j$(JOBS) caffe_generate
	@mypy
	@python tools/clang_tidy.py build --jobs $(JOBS)

format: setup ## put every file into the form that lint asks for
	@clang-format -i $(CPP_FILES)
	@ruff format --quiet $(PY_ROOMS)
	@ruff check --quiet --fix --select I $(PY_ROOMS)

demo: setup build/build.ninja ## a detector of digits, from nothing: data, training, mAP, pictures in runs/demo
	@ninja -C build -j$(JOBS) caffe _caffe
	@ssd-centerloss demo --out runs/demo

demo-classifier: setup build/build.ninja ## digits with and without center loss: planes of features in runs/digits
	@ninja -C build -j$(JOBS) caffe _caffe
	@python examples/digits_center_loss.py

bench: setup build/build.ninja ## times training, inference and more beside PyTorch and others; BENCH="--quick"
	@ninja -C build -j$(JOBS) caffe _caffe
	@python -m benchmarks $(BENCH)

lock: setup ## pin anew what requirements/dev.in names
	@tools/lock_requirements.sh

clean: ## remove what was built; .venv stays
	rm -rf build build-asan dist
