# SPDX-FileCopyrightText: 2026 keyholder.macos contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# The one front door. Each target sets up what it needs, in .venv and .cache; `make clean` takes that away.
# Works with the make of macOS (3.81).

SHELL := /bin/sh
ROOT := $(CURDIR)
# The driver's own code needs no package, the rest runs inside .venv.
IN_VENV := PATH="$(ROOT)/.venv/bin:$$PATH" PYTHONPATH="$(ROOT)/tests/utils:$(ROOT)/maclab:$(ROOT)/tests/macos" \
	ANSIBLE_COLLECTIONS_PATH="$(ROOT)/.cache/tree" ANSIBLE_HOME="$(ROOT)/.cache/ansible"

# Ansible does not start without a UTF-8 locale.
ifeq ($(LC_ALL),)
export LC_ALL := $(shell locale -a 2>/dev/null | grep -iqx 'C\.utf-*8' && echo C.UTF-8 || echo en_US.UTF-8)
endif

.DEFAULT_GOAL := help
.PHONY: help demo lab test check docs pictures bench mutants test-mac ask-mac transcripts compare remote-login take-in lock clean setup

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do printf '  make %-11s %s\n' "$$name" "$$text"; done

demo: setup ## Onboard users on a few Macs of the lab, twice, and show before and after
	@$(IN_VENV) python tests/demo/run.py $(ARGS)

lab: setup ## Bring up simulated Macs to rehearse a playbook on (ARGS="--help" tells how to choose them)
	@$(IN_VENV) python -m maclab up $(ARGS)

test: setup ## Run every check that CI runs (ONLY="ruff units" runs those only, ONLY=--list names them)
	@$(IN_VENV) python -m checks $(ONLY)

check: setup ## Run the checks that take seconds: ruff, mypy, yamllint, the tests of the core
	@$(IN_VENV) python -m checks --fast

docs: setup ## Build the documentation site into docs/build
	@$(IN_VENV) python -m checks docs
	@echo "$(ROOT)/docs/build/index.html"

pictures: setup ## Make the pictures of README again, from the demo and an audit of its Macs; needs Chromium
	@$(IN_VENV) python docs/pictures.py

bench: setup ## Compare what modules cost with a ping and with hand-made plays
	@$(IN_VENV) python bench/run.py $(ARGS)

mutants: setup ## Change the core in thousands of places, and list what no test notices; hours (FILES="_flow.py" PART=10)
	@$(IN_VENV) nice -n 19 python -m checks.mutants --part "$(or $(PART),1)" $(addprefix --only=,$(ONLY)) \
		$(addprefix --tests=,$(TESTS)) $(if $(AGAIN),--again) $(FILES)

test-mac: setup ## DESTRUCTIVE: run the integration targets on real Macs (INVENTORY=macs.yml|localhost CONFIRM=yes [RESULT=folder])
	@$(IN_VENV) python tests/integration/on_macs.py test --inventory "$(INVENTORY)" --confirm "$(CONFIRM)" --record "$(RECORD)" \
		--result "$(RESULT)" $(ARGS)

ask-mac: setup ## DESTRUCTIVE: ask real Macs what nobody has shown yet (INVENTORY=macs.yml|localhost CONFIRM=yes RECORD=folder)
	@$(IN_VENV) python tests/integration/on_macs.py ask --inventory "$(INVENTORY)" --confirm "$(CONFIRM)" --record "$(RECORD)" $(ARGS)

transcripts: setup ## Write down what real Macs say, without names, for the lab; reads only (INVENTORY=macs.yml|localhost RECORD=folder)
	@$(IN_VENV) python tests/integration/on_macs.py record --inventory "$(INVENTORY)" --record "$(RECORD)" $(ARGS)

compare: setup ## Compare transcripts with the lab and with earlier ones (NOW=folder [BEFORE=folder])
	@$(IN_VENV) python -m proving.compare "$(NOW)" $(BEFORE) --lab

# For .github/workflows/macos.yml: refuses on every machine but a runner that GitHub hosts.
remote-login: setup
	@$(IN_VENV) python -m proving.remote_login "$(FOLDER)"

take-in: setup ## Turn results and transcripts into tables, fixtures and marks of the lab (FOLDER=folder REPORT=file)
	@$(IN_VENV) python -m proving.take_in "$(FOLDER)" "$(REPORT)"
	@PYTHONPATH="$(ROOT)/maclab:$(ROOT)/tests/macos:$(ROOT)/tests/utils" "$(ROOT)/.venv/bin/python" docs/generate.py

lock: setup ## Renew the pinned versions in tests/requirements
	@$(IN_VENV) sh tests/utils/lock.sh

clean: ## Remove everything that these targets made
	rm -rf .venv .cache docs/build tests/output .ansible

setup:
	@python=$$(sh tests/utils/find_python.sh) && PYTHONPATH="$(ROOT)/tests/utils" "$$python" -m checks.environments
