# What a newcomer types. Everything runs in .venv, which is made on demand from python3 (3.11 or newer) with the versions
# that requirements/dev.txt pins, from wherever pip is set up to look.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
ARGS ?=

.PHONY: demo test check format docs bench fuzz crash clean

demo: $(READY)  ## watch a client reallocate its lease
	@$(BIN)/relet demo $(ARGS)

test: $(READY)  ## all tests; ARGS='-k reboot' for some
	@$(BIN)/pytest $(ARGS)

check: $(READY)  ## formatting, lint, types, the rings, and what a request costs in instructions (valgrind)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check
	$(BIN)/python bench/instructions.py --check

format: $(READY)  ## what ruff can mend by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(READY)  ## write the pages that follow from the code
	$(BIN)/python docs/generate.py

bench: $(READY)  ## all of bench/, and docs/performance.md from it: 35 minutes (root, gcc, valgrind, kea-dhcp4-server, clients, COMPARE)
	@$(BIN)/python bench/everything.py $(if $(COMPARE),--compare $(COMPARE)) $(ARGS)
	@$(BIN)/python docs/generate.py

fuzz: $(READY)  ## a million mutated inputs for the readers of bytes, and as many datagrams for the server and for the client
	$(BIN)/python tests/fuzz/wire.py --runs 1000000 $(ARGS)
	$(BIN)/python tests/fuzz/datagrams.py --of server --runs 1000000 $(ARGS)
	$(BIN)/python tests/fuzz/datagrams.py --of client --runs 1000000 $(ARGS)

crash: $(READY)  ## kill a serving server 200 times, let the power fail at any moment, look for broken promises; kill a client 200 times (root)
	$(BIN)/python tests/crash/kill.py --times 200 --sync batch $(ARGS)
	$(BIN)/python tests/crash/kill.py --times 25 --sync interval $(ARGS)
	$(BIN)/python tests/crash/kill.py --times 25 --sync os $(ARGS)
	$(BIN)/python tests/crash/kill.py --times 12 --leases 300000 $(ARGS)
	$(BIN)/python tests/crash/power.py --sync batch $(ARGS)
	$(BIN)/python tests/crash/power.py --sync batch --killed $(ARGS)
	$(BIN)/python tests/crash/power.py --sync interval --seconds 4 --told 0 $(ARGS)
	$(BIN)/python tests/crash/power.py --sync os --seconds 4 --told 0 $(ARGS)
	$(BIN)/python tests/crash/promises.py --sync batch $(ARGS)
	$(BIN)/python tests/crash/client.py --times 200 $(ARGS)

clean:  ## forget the environment and what tools remember
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "relet needs Python 3.11 or newer; make PYTHON=python3.12")'
	@echo "making .venv"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --requirement requirements/dev.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
