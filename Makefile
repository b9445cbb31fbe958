# The project's commands; `make` alone lists them. All of the work is done in tools/, local/ and compare/.

SHELL := /bin/sh
TARGET ?= local
WORKERS ?= auto

VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALLED := $(VENV)/installed-requirements.txt
ON_PATTERN = --target '$(TARGET)' '$(PATTERN)'

.DEFAULT_GOAL := help
.SUFFIXES:

.PHONY: help
help: ## List the commands
	@echo "make COMMAND [PATTERN=ksuid|…|all] [TARGET=local|localstack|aws]"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "%-15s %s\n", $$1, $$2 }'

.PHONY: deploy
deploy: $(INSTALLED) ## Deploy PATTERN on TARGET, starting the local AWS if need be
	@$(PYTHON) -m tools.deploy $(ON_PATTERN)

.PHONY: demo
demo: $(INSTALLED) ## Use the deployed PATTERN as a person would
	@$(PYTHON) -m tools.demo $(ON_PATTERN)

.PHONY: output
output: $(INSTALLED) ## Print the function names of the deployed PATTERN as JSON
	@$(PYTHON) -m tools.output $(ON_PATTERN)

.PHONY: audit
audit: $(INSTALLED) ## Compare all that the deployed PATTERN keeps with itself, and name the first difference
	@$(PYTHON) -m tools.audit $(if $(STORE),--store $(STORE)) $(ON_PATTERN)

.PHONY: repair
repair: $(INSTALLED) ## Have each table of the deployed PATTERN hold what the others hold, then audit it
	@$(PYTHON) -m tools.audit --repair $(if $(STORE),--store $(STORE)) $(ON_PATTERN)

.PHONY: restore-drill
restore-drill: $(INSTALLED) ## Restore PATTERN beside itself, as it was AT a moment, and audit that; KEEP=1 keeps it
	@$(PYTHON) -m tools.restore_drill $(if $(KEEP),--keep) --at '$(AT)' $(ON_PATTERN)

.PHONY: env
env: $(INSTALLED) ## Print shell lines that point AWS tools to the local AWS: eval "$(make env)"
	@$(PYTHON) -m local env

.PHONY: compare
compare: $(INSTALLED) ## Measure all patterns, or PATTERNS="…", side by side
	@$(PYTHON) -m compare --target '$(TARGET)' '$(or $(PATTERNS),$(PATTERN))'

.PHONY: figures
figures: $(INSTALLED) ## Keep the figures of the last comparison, and renew the README's guide by them
	@$(PYTHON) -m compare.report.baseline

.PHONY: destroy
destroy: $(INSTALLED) ## Remove the deployed PATTERN from TARGET
	@$(PYTHON) -m tools.destroy $(ON_PATTERN)

.PHONY: down
down: $(INSTALLED) ## Stop the local AWS, which forgets all that is deployed there
	@$(PYTHON) -m local down

.PHONY: test
test: lint ## Check everything: lint, types, unit, Terraform, conformance
	@$(PYTHON) -m pytest -n $(WORKERS) --dist loadgroup

.PHONY: lint
lint: $(INSTALLED) ## Check style, types and the Terraform format
	@$(PYTHON) -m tools.lint

.PHONY: unit
unit: $(INSTALLED) ## Run the tests that need no local AWS
	@$(PYTHON) -m pytest -n $(WORKERS) --dist loadgroup tests/unit

.PHONY: conformance
conformance: $(INSTALLED) ## Check that PATTERN keeps the contract and its guarantee sheet
	@PATTERN='$(PATTERN)' $(PYTHON) -m pytest -n $(WORKERS) --dist loadgroup tests/conformance

.PHONY: pattern
pattern: $(INSTALLED) ## Begin a new pattern, patterns/NAME
	@$(PYTHON) -m tools.pattern '$(NAME)'

.PHONY: package
package: $(INSTALLED) ## Build the Lambda package of PATTERN, to take home
	@$(PYTHON) -m tools.package $(ON_PATTERN)

.PHONY: tables
tables: $(INSTALLED) ## Write the READMEs' tables from the patterns' sheets
	@$(PYTHON) -m tools.tables

.PHONY: bench
bench: $(INSTALLED) ## Measure what the handlers of PATTERN cost over bare boto3, on a local AWS of its own
	@$(PYTHON) -m compare.measure.handler_overhead $(ON_PATTERN)

.PHONY: venv
venv: $(INSTALLED) ## Make or renew the virtual environment

$(INSTALLED): requirements/dev.txt tools/venv.sh
	@sh tools/venv.sh $(VENV) requirements/dev.txt

.PHONY: clean
clean: ## Remove what was built; deployments and their state stay
	@rm -rf $(VENV) .build .mypy_cache .pytest_cache .ruff_cache .hypothesis
