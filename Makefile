# Needs Python 3.11 or later, make and a package registry as pip is configured for it.
# Everything that is installed stays in this folder: .venv, .venv-meltano, .venv-fakesnow and .meltano.

PYTHON ?= python3

bin := .venv/bin
meltano := .venv-meltano/bin/meltano
say = @printf '==> %s\n'

# A stamp file marks a completed step, so that an interrupted step is run again.
tools := .venv/.complete
meltano_tools := .venv-meltano/.complete
meltano_plugins := .meltano/.complete
snowflake := .meltano/.complete-snowflake
fakesnow := .venv-fakesnow/.complete

.PHONY: demo playground test bench lint format pages clean
.DELETE_ON_ERROR:

demo: $(tools) $(meltano_plugins)
	@$(bin)/python -m tests.demo

# Runs a sandbox and a Postgres to try things with, until Ctrl-C.
playground: $(tools) $(meltano_plugins)
	@$(bin)/python -m tests.playground

test: lint $(meltano_plugins) $(snowflake) $(fakesnow)
	$(say) 'Tests, with a real Meltano and a real Postgres'
	@$(bin)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile

# Takes about four minutes, on a machine that does nothing else.
bench: $(tools)
	@$(bin)/python -m benchmarks

lint: $(tools)
	$(say) 'Format (ruff)'
	@$(bin)/ruff format --check
	$(say) 'Lint (ruff)'
	@$(bin)/ruff check
	$(say) 'Types (mypy)'
	@$(bin)/mypy
	$(say) 'Dependencies (deptry)'
	@$(bin)/deptry tap_gong_privacy

format: $(tools)
	@$(bin)/ruff format
	@$(bin)/ruff check --fix

# Writes parts of README, docs, meltano.yml and hub/ from the declaration of the settings.
pages: $(tools)
	@$(bin)/python -m docs.generate

clean:
	rm -rf .venv .venv-fakesnow .venv-meltano .meltano .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist

# Makes an environment with a current pip, because older versions do not support dependency groups.
define environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo 'Python 3.11 or later is needed, which $(PYTHON) is not: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)' >&2; \
	  exit 1; }
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install -qq --upgrade pip
endef

$(tools): pyproject.toml
	$(say) 'Setting up .venv: the tap, its linters and its tests (about half a minute)'
	$(environment)
	@$(@D)/bin/python -m pip install -qq --editable . --group dev
	@touch $@

$(meltano_tools): pyproject.toml
	$(say) 'Setting up .venv-meltano: Meltano (about half a minute)'
	$(environment)
	@$(@D)/bin/python -m pip install -qq --group meltano
	@touch $@

# Uses pip instead of Meltano's own uv, because pip follows the registry that it is configured for.
define install
	@MELTANO_VENV_BACKEND=virtualenv MELTANO_CLI_DISABLE_VERSION_CHECK=1 XDG_STATE_HOME=$(CURDIR)/.meltano \
	  $(meltano) --log-level=warning install --clean $(1)
endef

$(meltano_plugins): $(meltano_tools) pyproject.toml meltano.yml
	$(say) 'Setting up .meltano: the tap and a Postgres target, as Meltano installs them (about half a minute)'
	$(call install,tap-gong-privacy target-postgres)
	@touch $@

$(snowflake): $(meltano_plugins)
	$(say) 'Setting up .meltano: a Snowflake target, for tests without an account (about half a minute)'
	$(call install,target-snowflake)
	@touch $@

# The test that needs it is skipped if it cannot be installed.
$(fakesnow): pyproject.toml
	$(say) 'Setting up .venv-fakesnow: an emulation of Snowflake, for its queries (about 20 seconds)'
	$(environment)
	@if $(@D)/bin/python -m pip install -qq --group fakesnow; then touch $@; else rm -rf $(@D); fi
