# The project's commands; `make` alone lists them. All of the work is done in tools/, local/ and compare/.

SHELL := /bin/sh
TARGET ?= local
WORKERS ?= auto

VENV := .venv
PYTHON := $(VENV)/bin/python
ON_PATTERN = --target '$(TARGET)' '$(PATTERN)'

# There once .venv has what commands on deployed patterns need, and once it has all that tests and the comparison need.
DEPLOYING := $(VENV)/made-from-deploy
TESTING := $(VENV)/made-from-dev
SCANNING := .local/scan/made-from-scan

# What needs no packages is checked before any are installed. Later a command's own check comes soon enough.
CHECKED = $(if $(wildcard $(DEPLOYING)),,checked)
TO_CHECK = $(PATTERN)
compare test lint unit: TO_CHECK = $(or $(PATTERNS),$(PATTERN),all)

.DEFAULT_GOAL := help
.SUFFIXES:
# In the order in which prerequisites are written: the check, the packages, the command.
.NOTPARALLEL:
# Set for other programs, they make ours import what is not theirs, or behave in other ways than tested.
unexport PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONSTARTUP PYTHONINSPECT PYTHONOPTIMIZE PYTHONWARNINGS

.PHONY: help
help: ## List the commands
	@echo "make COMMAND [PATTERN=ksuid|…|all] [TARGET=local|localstack|aws]"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "%-15s %s\n", $$1, $$2 }'

.PHONY: deploy
deploy: $(CHECKED) $(DEPLOYING) ## Deploy PATTERN on TARGET, starting the local AWS if need be; with SAMPLE=accounts on top
	@SAMPLE='$(SAMPLE)' $(PYTHON) -m tools.deploy $(ON_PATTERN)

.PHONY: demo
demo: $(CHECKED) $(DEPLOYING) ## Use the deployed PATTERN as a person would
	@$(PYTHON) -m tools.demo $(ON_PATTERN)

# As it was given: $(JSON) would have make expand the dollar signs in it.
export CALL_REQUEST = $(value JSON)
.PHONY: call
call: $(CHECKED) $(DEPLOYING) ## Call OPERATION of the deployed PATTERN with JSON='{…}', or with what is piped in
	@$(PYTHON) -m tools.call $(ON_PATTERN) '$(OPERATION)' "$$CALL_REQUEST"

.PHONY: output
output: $(CHECKED) $(DEPLOYING) ## Print the function names of the deployed PATTERN as JSON
	@$(PYTHON) -m tools.output $(ON_PATTERN)

.PHONY: rebuild skip resume
rebuild: $(CHECKED) $(DEPLOYING) ## Build PROJECTION of PATTERN's sample anew, beside the one that queries read
	@$(PYTHON) -m tools.projection $(ON_PATTERN) rebuild '$(PROJECTION)'
skip: $(CHECKED) $(DEPLOYING) ## Let PROJECTION, which stopped at an event, go on behind it
	@$(PYTHON) -m tools.projection $(ON_PATTERN) skip '$(PROJECTION)'
resume: $(CHECKED) $(DEPLOYING) ## Let PROJECTION, which stopped at an event, try that again
	@$(PYTHON) -m tools.projection $(ON_PATTERN) resume '$(PROJECTION)'

.PHONY: page
page: $(CHECKED) $(DEPLOYING) ## Show PATTERN's sample at work, on a page that this serves
	@$(PYTHON) -m tools.page $(ON_PATTERN)

.PHONY: audit
audit: $(CHECKED) $(DEPLOYING) ## Compare all that the deployed PATTERN keeps with itself, and name the first difference
	@$(PYTHON) -m tools.audit $(if $(STORE),--store $(STORE)) $(ON_PATTERN)

.PHONY: repair
repair: $(CHECKED) $(DEPLOYING) ## Have each table of the deployed PATTERN hold what the others hold, then audit it
	@$(PYTHON) -m tools.audit --repair $(if $(STORE),--store $(STORE)) $(ON_PATTERN)

.PHONY: restore-drill
restore-drill: $(CHECKED) $(DEPLOYING) ## Restore PATTERN beside itself, as it was AT a moment, and audit that; KEEP=1 keeps it
	@$(PYTHON) -m tools.restore_drill $(if $(KEEP),--keep) --at '$(AT)' $(ON_PATTERN)

.PHONY: verify
verify: $(CHECKED) $(DEPLOYING) ## Verify that the history of the deployed PATTERN is the one that its log has signed
	@$(PYTHON) -m tools.verify $(ON_PATTERN)

.PHONY: env
env: $(DEPLOYING) ## Print shell lines that point AWS tools to the local AWS: eval "$(make env)"
	@$(PYTHON) -m local env

.PHONY: compare
compare: $(CHECKED) $(TESTING) ## Measure all patterns, or PATTERNS="…", side by side
	@$(PYTHON) -m compare --target '$(TARGET)' '$(or $(PATTERNS),$(PATTERN))'

.PHONY: figures
figures: $(TESTING) ## Keep the figures of the last comparison, and renew the README's guide by them
	@$(PYTHON) -m compare.report.baseline

.PHONY: destroy
destroy: $(CHECKED) $(DEPLOYING) ## Remove the deployed PATTERN from TARGET
	@$(PYTHON) -m tools.destroy $(ON_PATTERN)

# Where none was ever started there may be no .venv, and none is made to say so.
STARTED := $(wildcard .local/aws.json)
.PHONY: down
down: $(if $(STARTED),$(DEPLOYING)) ## Stop the local AWS, which forgets all that is deployed there
	@$(if $(STARTED),$(PYTHON) -m local down,echo "No local AWS was running." >&2)

.PHONY: test
test: lint ## Check everything: lint, types, unit, Terraform, conformance
	@$(PYTHON) -m pytest -n $(WORKERS) --dist loadgroup

.PHONY: lint
lint: $(CHECKED) $(TESTING) ## Check style, types and the Terraform format
	@$(PYTHON) -m tools.lint

.PHONY: scan
scan: $(SCANNING) ## Scan Terraform and the workflows for what is unsafe
	@$(<D)/bin/zizmor --offline --quiet .
	@$(<D)/bin/checkov --config-file .checkov.yml

$(SCANNING): requirements/scan.txt
	@sh tools/python.sh -m tools.venv scan --folder $(@D)

.PHONY: unit
unit: $(CHECKED) $(TESTING) ## Run the tests that need no local AWS
	@$(PYTHON) -m pytest -n $(WORKERS) --dist loadgroup tests/unit

.PHONY: conformance
conformance: checked $(TESTING) ## Check that PATTERN keeps the contract and its guarantee sheet
	@PATTERN='$(PATTERN)' $(PYTHON) -m pytest -n $(WORKERS) --dist loadgroup tests/conformance

.PHONY: pattern
pattern: $(TESTING) ## Begin a new pattern, patterns/NAME
	@$(PYTHON) -m tools.pattern '$(NAME)'

.PHONY: package
package: $(DEPLOYING) ## Build the Lambda package of PATTERN, to take home
	@$(PYTHON) -m tools.package $(ON_PATTERN)

.PHONY: verify-package
verify-package: $(DEPLOYING) ## Rebuild the released package ZIP and compare; without ZIP, build PATTERN twice
	@ZIP='$(ZIP)' $(PYTHON) -m tools.verify_package '$(PATTERN)'

.PHONY: release
release: $(DEPLOYING) ## Build what a release consists of; with TAG, only if version and changelog agree
	@TAG='$(TAG)' $(PYTHON) -m tools.release

.PHONY: tables
tables: $(TESTING) ## Write the READMEs' tables from the patterns' sheets
	@$(PYTHON) -m tools.tables

.PHONY: bench
bench: $(CHECKED) $(TESTING) ## Measure what the handlers of PATTERN cost over bare boto3, on a local AWS of its own
	@$(PYTHON) -m compare.measure.handler_overhead $(ON_PATTERN)

.PHONY: venv
venv: $(TESTING) ## Make or renew the virtual environment

.PHONY: checked
checked:
	@sh tools/python.sh -m tools.check --target '$(TARGET)' '$(TO_CHECK)'

# The stamps outlive the Python of the machine that .venv was made with.
$(DEPLOYING): requirements/deploy.txt $(shell test -x $(PYTHON) || echo gone)
	@sh tools/python.sh -m tools.venv deploy

$(TESTING): requirements/dev.txt $(DEPLOYING)
	@sh tools/python.sh -m tools.venv dev

.PHONY: gone
gone:

.PHONY: clean
clean: ## Remove what was built; deployments and their state stay
	@rm -rf $(VENV) .build .mypy_cache .pytest_cache .ruff_cache .hypothesis
