# `make demo` and `make test` are all a newcomer needs; both set the checkout up first.

SHELL := /bin/bash
BIN := .venv/bin

.PHONY: help setup demo test lint audit format fuzz attacks long interop bench lock samples golden schemas wheel clean

help:
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .make/ready ## install what the project needs (done by the others, too)

.make/ready: requirements-dev.txt pyproject.toml tools/setup tools/debian-packages.txt
	@tools/setup

demo: setup ## the main job on the sample registry, in the folder demo/
	@tools/demo

test: setup ## every test, under four minutes on two cores
	@$(BIN)/pytest --quiet -n 2 --dist worksteal -m "not fuzz and not interop and not long"

lint: setup ## style, security rules, types, the drawing of the architecture, and the audit of packages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "Run: make format"; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tools/audit.py

audit: setup ## hold every locked package against the known vulnerabilities (needs a network)
	@$(BIN)/python tools/audit.py

format: setup ## put the code into form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

fuzz: setup ## a longer, bounded search for bytes that break the reader or pass the verifier, and for what breaks a property
	@$(BIN)/pytest --quiet -n 2 --hypothesis-profile=search -m "fuzz or hypothesis"

attacks: setup ## every known attack before every judge; writes docs/attacks.md anew
	@PYTHONPATH=. $(BIN)/python tools/attack_table.py

long: setup ## what takes long: runs killed at every step, services and disks that fail, whole years
	@$(BIN)/pytest --quiet -n 2 --dist worksteal -m long

interop: setup ## sealed files before DSS, veraPDF, Poppler, MuPDF, qpdf and OpenSSL, a page before Chromium
	@$(BIN)/pytest --quiet -m interop tests/interop

bench: setup ## sealtool beside the stock tools; writes docs/performance.md anew (FULL=1: in the sizes of the targets)
	@$(BIN)/python -m benchmarks $(if $(FULL),--full)

samples: setup ## write the sample registries anew
	@$(BIN)/python samples/generate.py --out samples/registry
	@$(BIN)/python samples/generate.py --out samples/registry-small --small

golden: setup ## write the approved pages anew; look at them before committing
	@$(BIN)/python -m tests.golden_pages

schemas: setup ## write the published JSON Schemas anew
	@$(BIN)/python tools/write_schemas.py

lock: ## lock the Python packages anew (needs uv)
	uv pip compile --quiet --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --custom-compile-command "make lock" pyproject.toml --output-file requirements.txt
	uv pip compile --quiet --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --custom-compile-command "make lock" --constraint requirements.txt --extra pkcs11 pyproject.toml \
	  --output-file requirements-pkcs11.txt
	uv pip compile --quiet --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --custom-compile-command "make lock" --constraint requirements.txt --extra postgresql pyproject.toml \
	  --output-file requirements-postgresql.txt
	uv pip compile --quiet --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --custom-compile-command "make lock" --constraint requirements.txt --extra cluster pyproject.toml \
	  --output-file requirements-cluster.txt
	uv pip compile --quiet --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --custom-compile-command "make lock" --constraint requirements.txt --extra dev pyproject.toml \
	  --output-file requirements-dev.txt

wheel: setup ## build the wheel into dist/
	@$(BIN)/python -m hatchling build --target wheel

clean: ## remove everything that was made here
	rm -rf .venv .make demo dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
