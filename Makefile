# Sergas Monitoring. `make help` lists what can be made.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

PYTHON ?= python3
UV_VERSION := 0.13.9
UV := bin/uv
PY := .venv/bin/python
CLUSTER_CMD := $(PY) tests/e2e/cluster
# Before what talks to the cluster: which one it is, how to reach it, and an end here unless it is that one.
ON_CLUSTER = $(HAND_BACK) export CLUSTER=$$($(CLUSTER_CMD) choose); export KUBECONFIG=$$($(CLUSTER_CMD) kubeconfig); $(CLUSTER_CMD) guard;
# Under sudo, what root leaves in the checkout and in caches becomes the user's, however the recipe ends.
HAND_BACK = trap '$(CLUSTER_CMD) hand-back' EXIT;
# packaged | kind | existing. Empty: kind where a Docker engine answers, the packaged cluster otherwise.
CLUSTER ?=
export CLUSTER
export PATH := $(CURDIR)/bin:$(PATH)

##@ Main

.PHONY: demo
demo: cluster-tools ## Bring a cluster up, install the chart, inject a fault, follow the alert to Slack, PagerDuty and mail
	@$(HAND_BACK) $(PY) examples/demo

.PHONY: test
test: lint test-unit test-matrix test-frameworks test-apiserver test-e2e ## Linters, generated files, unit, chart, rules, end to end on a cluster: all but the long proofs

.PHONY: demo-down
demo-down: venv ## Uninstall what the demo made; the cluster stays
	@$(PY) examples/demo down

##@ Tests

.PHONY: test-unit
test-unit: venv tools-light dashboard-schema ## The quick loop: everything that needs no API server, on all cores
	$(PY) -m pytest -m "not e2e and not apiserver and not stack" -n auto --dist loadfile

.PHONY: test-matrix
test-matrix: $(UV) ## The library's ASGI tests with the oldest FastAPI, Starlette and prometheus-client it supports
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) build/matrix/venv
	@$(UV) pip install --quiet --python build/matrix/venv/bin/python --requirements tests/metrics/oldest.txt --editable .
	@build/matrix/venv/bin/python -m pytest -q -W ignore::DeprecationWarning -p no:cacheprovider \
	  $(addprefix tests/metrics/test_,middleware.py routes.py disconnect.py metrics_endpoint.py token.py in_progress.py server.py private.py safety.py)

.PHONY: test-frameworks
test-frameworks: $(UV) ## The library's middleware under FastAPI, Starlette, Litestar, Quart, Django and Falcon, served by uvicorn
	@UV_PROJECT_ENVIRONMENT=build/frameworks/venv $(UV) sync --locked --quiet --no-default-groups --group frameworks
	@build/frameworks/venv/bin/python -m pytest -q -W ignore::DeprecationWarning -p no:cacheprovider tests/metrics/frameworks

.PHONY: test-apiserver
test-apiserver: venv ## The operator and the CRD on an API server of its own, on loopback
	@$(CLUSTER_CMD) tools light prometheus-operator
	$(PY) -m pytest -m apiserver tests/operator tests/install

.PHONY: test-apiserver-oldest
test-apiserver-oldest: venv ## The same on an API server of the oldest Kubernetes that upstream supports
	@$(CLUSTER_CMD) tools light prometheus-operator oldest
	SERGAS_KUBERNETES=oldest $(PY) -m pytest -m apiserver tests/operator tests/install

.PHONY: test-operator-states
test-operator-states: venv ## 300 random histories of a SergasMonitoring on a real API server (RUNS=300)
	@$(CLUSTER_CMD) tools light prometheus-operator
	SERGAS_STATE_RUNS=$(or $(RUNS),300) $(PY) -m pytest -m apiserver tests/operator/state_machine

# Drills of some ten minutes, which `make prove-alerts` runs with all others.
LONG_DRILLS := tests/e2e/test_digest_alerts.py tests/e2e/test_infrastructure_alerts.py

.PHONY: test-e2e
test-e2e: venv cluster images ## The end-to-end suite on the cluster that CLUSTER names
	@$(ON_CLUSTER) $(PY) -m pytest -m e2e tests/e2e $(addprefix --ignore=,$(LONG_DRILLS))

.PHONY: test-existing
test-existing: venv cluster images ## Demo, suite and demo-down on somebody else's cluster: the packaged one, under another context
	@$(ON_CLUSTER) $(PY) -m pytest -m e2e tests/existing

.PHONY: test-argocd
test-argocd: venv cluster images ## manifests/argocd under a real Argo CD, on the cluster that CLUSTER names
	@$(CLUSTER_CMD) packages --gitops; $(CLUSTER_CMD) tools gitops
	@$(ON_CLUSTER) $(PY) -m pytest -m e2e tests/argocd

.PHONY: test-stack
test-stack: venv ## The whole chart, with kube-prometheus-stack and Grafana: CLUSTER=kind and the internet
	@$(CLUSTER_CMD) check; $(CLUSTER_CMD) tools; $(CLUSTER_CMD) up --bare; $(CLUSTER_CMD) images
	@export KUBECONFIG=$$($(CLUSTER_CMD) kubeconfig); $(CLUSTER_CMD) guard; $(PY) -m pytest -m stack tests/stack

.PHONY: prove-alerts
prove-alerts: venv cluster images ## Raise every alert that a fault can raise here, and write the table of it into docs/
	@rm -rf build/e2e/alerts
	@$(ON_CLUSTER) $(PY) -m pytest -m e2e $(wildcard tests/e2e/test_*alerts.py); $(PY) -m docs.alerts_proven

.PHONY: prove-argocd
prove-argocd: test-argocd ## Live through all of it under Argo CD, and write what happened, and who wrote what, into docs/
	@$(ON_CLUSTER) $(PY) -m docs.argocd_proven

.PHONY: prove-dashboards
prove-dashboards: venv cluster images ## Ask every panel of every dashboard beside real exporters, and write what they show into docs/
	@rm -f build/e2e/panels.json
	@$(ON_CLUSTER) $(PY) -m pytest -m e2e tests/e2e/test_dashboards.py; $(PY) -m docs.panels_proven

.PHONY: lint
lint: venv tools-light ## Style, types, import rules, and whether generated files are current
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	@$(MAKE) check-generated
	@$(PY) -m charts.versions near

.PHONY: check-generated
check-generated: ## Fail when a generated file is not what `make generate` writes
	@before=$$(git status --porcelain | sha256sum; git diff | sha256sum); \
	  $(MAKE) generate >/dev/null; \
	  after=$$(git status --porcelain | sha256sum; git diff | sha256sum); \
	  [[ "$$before" == "$$after" ]] || { git status --short; \
	    echo "Generated files were not current. Look at 'git diff' and commit what 'make generate' wrote." >&2; exit 1; }

.PHONY: check-versions
check-versions: venv ## Print every version with the end of its support; fail when the support of one has ended
	@$(PY) -m charts.versions check

.PHONY: chart-real
chart-real: venv tools-light ## Check the chart with its real dependencies, from their repositories or KPS_ARCHIVES=folder
	@$(PY) -m charts.chart_real $(if $(KPS_ARCHIVES),--archives $(KPS_ARCHIVES))

.PHONY: stack-defaults
stack-defaults: venv # After another version of kube-prometheus-stack: KPS_ARCHIVES=folder
	@$(PY) -m charts.stack_defaults --archives $(KPS_ARCHIVES)

.PHONY: mutants
mutants: venv tools-light ## Change every alert and record in each of its parts; its cases must notice (RULES='names')
	$(PY) -m charts.mutants $(RULES)

.PHONY: mutants-operator
mutants-operator: venv ## Change the operator and the digest in 320 places, and count how many changes their tests notice (ARGS=--fresh)
	@$(CLUSTER_CMD) tools light prometheus-operator
	UV_PROJECT_ENVIRONMENT=build/mutation/venv $(UV) sync --locked --quiet --all-packages --group mutation
	build/mutation/venv/bin/python -m pytest -q tests/operator/mutation
	build/mutation/venv/bin/python tests/operator/mutation $(ARGS)

.PHONY: preview
preview: venv tools-light ## Every dashboard as a page and pictures in build/preview (PROMETHEUS=URL, or of an example; LAST=15m; DASHBOARDS='uid uid')
	$(PY) -m dashboards.preview $(if $(PROMETHEUS),--prometheus $(PROMETHEUS)) $(if $(LAST),--last $(LAST)) $(DASHBOARDS)

.PHONY: preview-images
preview-images: ## Draw the example's dashboards and put their pictures into docs/dashboards/images
	@$(MAKE) preview PROMETHEUS= LAST= DASHBOARDS=
	@mkdir -p docs/dashboards/images
	cp build/preview/*.png docs/dashboards/images/
	@rm docs/dashboards/images/*-phone.png

.PHONY: bench-operator
bench-operator: venv ## Reaction time, writes and memory of the operator on a real API server (PART='1 50 1000 churn')
	@$(CLUSTER_CMD) tools light prometheus-operator
	$(PY) -m tests.bench.operator $(PART) $(ARGS)

.PHONY: bench-dashboards
bench-dashboards: venv tools-light ## Every panel over 1,000 targets and 30 days on a real Prometheus, and the cost of the recording rules
	@$(PY) -m tests.bench.dashboards

.PHONY: bench-metrics
bench-metrics: venv ## Speed and memory of the library against its peers (some parts: PART='updates memory')
	UV_PROJECT_ENVIRONMENT=build/bench/venv $(UV) sync --locked --quiet --no-default-groups --group bench
	UV=$(abspath $(UV)) build/bench/venv/bin/python -W ignore tests/bench/metrics $(PART)

##@ Cluster

.PHONY: cluster
cluster: cluster-tools ## Start the test cluster (CLUSTER=packaged|kind|existing), or complete what is there
	@$(CLUSTER_CMD) up

.PHONY: cluster-tools
cluster-tools: venv # Checks first: building takes a quarter to half an hour the first time
	@$(CLUSTER_CMD) check
	@$(CLUSTER_CMD) tools

.PHONY: images
images: cluster ## Build the project's images and load them into the cluster
	@$(CLUSTER_CMD) images

.PHONY: cluster-down
cluster-down: venv ## Stop the test cluster and leave nothing behind
	@$(CLUSTER_CMD) down

##@ Development

.PHONY: venv
venv: .venv/.synced ## Python environment in .venv, exactly as uv.lock says

.venv/.synced: $(UV) uv.lock pyproject.toml operator/pyproject.toml
	$(UV) sync --locked --all-packages --quiet
	@touch $@

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@mkdir -p bin build
	$(PYTHON) -m venv build/uv
	build/uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@ln -sf ../build/uv/bin/uv $@

.PHONY: tools
tools: venv ## Pinned programs of the chosen cluster into bin/, built once and cached outside the checkout
	@$(CLUSTER_CMD) tools

.PHONY: tools-light
tools-light: venv
	@$(CLUSTER_CMD) tools --group light

.PHONY: chart-deps
chart-deps: venv ## A copy of the chart in build/chart, with stand-ins for its dependencies, that renders without a Helm repository
	@$(PY) charts/stubs.py build/chart/sergas-monitoring

.PHONY: chart-images
chart-images: venv tools-light ## Every image the chart runs, one a line (VALUES='a.yaml b.yaml', KPS_ARCHIVES=folder)
	@$(PY) -m charts.images $(if $(KPS_ARCHIVES),--archives $(KPS_ARCHIVES)) $(VALUES)

.PHONY: dashboard-schema
dashboard-schema: tests/dashboards/schema/node_modules/.package-lock.json ## Grafana's types, against which the tests check the dashboards

tests/dashboards/schema/node_modules/.package-lock.json: tests/dashboards/schema/package-lock.json
	npm ci --prefix tests/dashboards/schema --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: generate
generate: venv tools-light ## Rewrite every generated file
	$(UV) export --quiet --locked --package sergas-operator --no-default-groups --no-emit-workspace -o operator/requirements.txt
	$(UV) export --quiet --locked --only-group app --no-emit-workspace -o examples/sergas-app/requirements.txt
	$(UV) export --quiet --locked --only-group sink --no-emit-workspace -o examples/demo/sink/requirements.txt
	$(PY) docs/generate.py
	$(PY) tests/operator/template_names.py
	$(PY) tests/operator/golden.py
	$(PY) docs/metrics_reference.py
	$(PY) -m docs.guides_run
	$(PY) -m charts.generate
	$(PY) docs/dashboard_pages.py

.PHONY: capture-exporters
capture-exporters: venv cluster images ## Write down what the exporters export, as charts/exported.yaml, on the cluster
	@$(ON_CLUSTER) CAPTURE_EXPORTERS=1 $(PY) -m pytest -m e2e tests/e2e/test_infrastructure_alerts.py -k exporters_export

.PHONY: alerts
alerts: venv ## Print the table of all alerts
	@$(PY) -m charts.alert_table

.PHONY: format
format: venv ## Format the Python code
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

.PHONY: release-check
release-check: venv ## Fail unless every file that names the version names VERSION
	@$(PY) -m charts.release check "$(VERSION)"

.PHONY: release-notes
release-notes: venv ## Print what the changelog says of VERSION
	@$(PY) -m charts.release notes "$(VERSION)"

.PHONY: dist
dist: venv tools-light ## The chart with the charts it depends on (from their repository) and both Python packages, into dist/
	rm -rf dist
	$(UV) build --quiet --all-packages --out-dir dist/python
	$(PY) -m charts.release package

.PHONY: clean
clean: ## Remove what was built in this checkout (the tool cache and the cluster stay)
	rm -rf bin build dist .venv .mypy_cache .ruff_cache .pytest_cache

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z0-9-]+:.*## / {printf "  \033[36m%-16s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)
