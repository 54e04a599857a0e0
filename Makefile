# Every target sets up what it needs. `make` lists them.
ENTER := docker/enter
PYTEST := $(ENTER) python -m pytest
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint style types bench gallery image image-test clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## a filament in LLZO, in 2-D and (2 processes) in 3-D: results/filament_llzo, results/filament_llzo_3d
	$(ENTER) python -m ssbmech run cases/filament_llzo/case.toml -o results/filament_llzo --overwrite
	$(ENTER) mpirun -n 2 python3 -m mpi4py -m ssbmech run cases/filament_llzo_3d/case.toml \
	    -o results/filament_llzo_3d --overwrite

test: ## unit tests, verification and cases, without those longer than a minute each
	$(PYTEST) -m "not long" $(ARGS)

test-all: ## all tests
	$(PYTEST) $(ARGS)

lint: style types ## style and types

style: ## ruff: rules and format
	$(ENTER) ruff check .
	$(ENTER) ruff format --check .

types: ## mypy
	@# mypy does not see the mapping of an editable install: show it the package as links
	@rm -rf .mypy_cache/tree && mkdir -p .mypy_cache/tree/ssbmech && \
	    ln -s "$(CURDIR)"/solver/* "$(CURDIR)/meshes" "$(CURDIR)/cases" .mypy_cache/tree/ssbmech/
	set -o pipefail; $(ENTER) env MYPYPATH=.mypy_cache/tree mypy | \
	    sed -e 's|^\.mypy_cache/tree/ssbmech/\(meshes\|cases\)/|\1/|; s|^\.mypy_cache/tree/ssbmech/|solver/|'

bench: ## error against unknowns, seconds and memory
	$(ENTER) python tests/bench/run.py $(ARGS)

gallery: ## docs/gallery.md: a picture, a case and the gate's table of every geometry
	$(ENTER) python docs/make_gallery.py $(ARGS)

image: ## build the container image ssbmech (docker, podman or buildah)
	docker/image build

image-test: ## run the demo on 2 processes in the image, as an ordinary user
	docker/image test

clean: ## remove results, caches of the tools, and what older versions left in the user's cache
	rm -rf results build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info
	$(ENTER) --clean
