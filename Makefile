# make lab    the course in JupyterLab          make lint    ruff and eslint: style and format
# make test   every test                        make types   mypy, and tsc for the widgets
# make quick  those that take no time           make format  ruff rewrites the files
# make bench  the benchmarks                    make beside REV=…  speed beside an earlier revision, in one run
# make walks  files from a text to its effect   make mutants MODULE=labkit/…  what a module's own tests miss
# make site   the course as a web page, in build/site: static files for any web host
# make address REPOSITORY=…  where a fork is
# make js     the widgets' scripts, bundled from widgets/src into labkit/jupyter/static
PYTHON ?= python3
VENV = .venv
BIN = $(if $(filter Windows_NT,$(OS)),$(VENV)/Scripts,$(VENV)/bin)
LAB_ARGS ?=
TEST_ARGS ?=
CODE = labkit tests site
AS_ROOT = $(if $(filter 0,$(shell id -u)),--allow-root)# Jupyter asks for it; it listens on this machine only

.PHONY: lab site address test unit browser quick notebooks bench beside walks mutants js format lint types constraints clean

# The course alone; its address is printed, and a browser opens where there is one.
lab: $(VENV)/.lab
	$(BIN)/jupyter lab notebooks --LabApp.default_url=/lab/tree/00-start-here.ipynb $(AS_ROOT) $(LAB_ARGS)

# The course as a web page (site/build.py); served from there by: python3 -m http.server --directory build/site
site: $(VENV)/.test site/node_modules/.installed
	$(BIN)/python site/build.py build/site

# A fork says once where it is: make address REPOSITORY=https://github.com/ann/course (its Binder and its page follow).
address:
	$(PYTHON) site/address.py $(REPOSITORY)

test: unit browser notebooks

# Unit, conformance and Pyodide tests, on all cores.
unit: $(VENV)/.test $(addsuffix /node_modules/.installed,widgets site)
	$(BIN)/pytest --ignore=tests/benchmarks --ignore=tests/browser -n auto $(TEST_ARGS)

# The course in JupyterLab; one at a time, since pages wait for each other's kernels.
browser: $(VENV)/.test $(addsuffix /node_modules/.installed,tests/browser site)
	$(BIN)/pytest tests/browser $(TEST_ARGS)

# What needs no browser, no Node and no long time; the rest is marked in pyproject.toml.
quick: $(VENV)/.test
	$(BIN)/pytest --ignore=tests/benchmarks -n auto -m "not (browser or pyodide or long)" $(TEST_ARGS)

# Every saved output of every lesson, as learner demo with an empty home.
notebooks: $(VENV)/.test
	home=$$(mktemp -d) && trap 'rm -rf "$$home"' EXIT && \
	LABKIT_HOME="$$home" LABKIT_LEARNER=demo $(BIN)/pytest -p nbval --nbval -W default notebooks

bench: $(VENV)/.test
	$(BIN)/pytest tests/benchmarks -s
	LABKIT_BENCH=1 $(BIN)/pytest tests/browser/test_playground.py -k redrawn -s

# NAMES=-v: the files too.
walks: $(VENV)/.test
	$(BIN)/python tests/benchmarks/walks.py $(NAMES)

beside: $(VENV)/.test
	$(BIN)/python tests/benchmarks/beside.py $(REV)

# TESTS: others than the module's own folder. SAMPLE=100: so many of the mutants, at random; SEED=…: the same again.
mutants: $(VENV)/.test
	SAMPLE=$(SAMPLE) SEED=$(SEED) $(BIN)/python tests/mutants.py $(MODULE) $(TESTS)

format: $(VENV)/.test
	$(BIN)/ruff check --fix-only --quiet $(CODE)
	$(BIN)/ruff format $(CODE)

js: widgets/node_modules/.installed
	cd widgets && npm run --silent build

lint: $(VENV)/.test widgets/node_modules/.installed
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(call in_widgets,lint)

types: $(VENV)/.test widgets/node_modules/.installed
	$(BIN)/mypy
	$(call in_widgets,types)

# A script of widgets/package.json; left out, loudly, where there is no npm.
in_widgets = if command -v npm >/dev/null; then cd widgets && npm run --silent $(1); \
	elif [ -n "$$LABKIT_REQUIRE_NODE" ]; then echo "npm is missing" && exit 1; else echo "NOT DONE for widgets/: npm is missing"; fi

# The virtual environment: first what builds, then the course (.lab), then what tests it (.test); all at pinned versions.
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

$(VENV)/.made: constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) pip setuptools
	touch $@

$(VENV)/.lab: $(VENV)/.made pyproject.toml binder/overrides.json
	PYTHONWARNINGS=ignore $(INSTALL) --no-build-isolation --editable .
	mkdir -p $(VENV)/share/jupyter/lab/settings
	cp binder/overrides.json $(VENV)/share/jupyter/lab/settings/
	touch $@

$(VENV)/.test: $(VENV)/.lab
	$(INSTALL) --group test
	touch $@

%/node_modules/.installed: %/package-lock.json
	if command -v npm >/dev/null; then cd $* && npm ci --silent; else mkdir -p $(@D); fi
	touch $@

# Takes the newest versions that work together; run the tests after it.
constraints:
	new=$$(mktemp -d) && trap 'rm -rf "$$new"' EXIT && $(PYTHON) -m venv "$$new" && \
	"$$new"/bin/pip install --quiet --upgrade pip setuptools && "$$new"/bin/pip install --quiet --group test . && \
	{ echo "# The versions that labkit is tested with; make constraints writes this file."; \
	  "$$new"/bin/pip freeze --all | grep --invert-match -e '^-e' -e ' @ ' -e '^docker.storage.labkit'; } >constraints.txt

clean:
	rm -rf $(VENV) widgets/node_modules site/node_modules tests/browser/node_modules build dist *.egg-info
