# Every target sets up what it needs. `make` lists them.
ENTER := docker/enter
PYTEST := $(ENTER) python -m pytest
.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint bench image image-test clean

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

lint: ## style (ruff) and types (mypy)
	$(ENTER) ruff check .
	$(ENTER) ruff format --check .
	$(ENTER) mypy

bench: ## error against unknowns, seconds and memory
	$(ENTER) python tests/bench/run.py $(ARGS)

image: ## build the container image ssbmech (docker, podman or buildah)
	docker/image build

image-test: ## run the demo on 2 processes in the image, as an ordinary user
	docker/image test

clean: ## remove results, caches of the tools, and what older versions left in the user's cache
	rm -rf results build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info
	$(ENTER) --clean
