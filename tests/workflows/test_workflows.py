"""The workflows are valid, pinned, may do little, and call what exists."""

import os
import re
import subprocess

import pytest
import yaml

from charts.helm import ROOT, tool

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TESTS = ROOT / ".github" / "workflows" / "tests.yml"
USES = re.compile(r"uses: (\S+)(.*)")


def workflow(file):
    """A workflow; YAML 1.1 reads its key `on` as true."""
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def jobs():
    return [
        pytest.param(job, id=f"{file.stem}-{name}") for file in FILES for name, job in workflow(file)["jobs"].items()
    ]


def test_actionlint_and_shellcheck_find_nothing():
    environment = os.environ | {"PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    command = [tool("actionlint"), "-shellcheck", str(ROOT / ".venv" / "bin" / "shellcheck"), *map(str, FILES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout


def test_shellcheck_is_at_work(tmp_path):
    bad = tmp_path / "bad.yml"
    bad.write_text(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: |\n          rm $unquoted\n"
    )
    command = [tool("actionlint"), "-shellcheck", str(ROOT / ".venv" / "bin" / "shellcheck"), str(bad)]
    assert "SC2086" in subprocess.run(command, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_action_is_pinned_by_commit_and_says_its_version(file):
    for action, comment in USES.findall(file.read_text(encoding="utf-8")):
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), f"{action} does not say its version"


def test_one_action_is_pinned_to_one_commit():
    pins = {}
    for file in FILES:
        for action, _ in USES.findall(file.read_text(encoding="utf-8")):
            name, _, commit = action.partition("@")
            pins.setdefault(name, set()).add(commit)
    assert {name: commits for name, commits in pins.items() if len(commits) > 1} == {}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_workflow_may_read_the_repository_and_nothing_more_and_runs_once(file):
    assert workflow(file)["permissions"] == {"contents": "read"}
    assert workflow(file)["concurrency"]["group"]


@pytest.mark.parametrize("job", jobs())
def test_a_job_ends_by_itself_and_leaves_no_token_behind(job):
    assert job["timeout-minutes"] <= 90
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_rights_beyond_reading_are_for_registries_alone():
    extra = {
        name: set(job["permissions"]) - {"contents"}
        for file in FILES
        for name, job in workflow(file)["jobs"].items()
        if "permissions" in job
    }
    assert extra == {"image": {"packages"}, "chart": {"packages"}, "packages": {"id-token"}}


def test_every_make_target_that_is_called_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    known = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    called = {name for file in FILES for name in re.findall(r"run: make ([a-z0-9-]+)", file.read_text("utf-8"))}
    called |= {
        target
        for file in FILES
        for job in workflow(file)["jobs"].values()
        for target in job.get("strategy", {}).get("matrix", {}).get("target", [])
    }
    assert called
    assert called <= known


def test_everything_that_make_test_runs_is_run_and_argo_cd_besides():
    [targets] = re.findall(r"^test: ([^#\n]+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    steps = [step for job in workflow(TESTS)["jobs"].values() for step in job["steps"]]
    run = {step["run"].removeprefix("make ") for step in steps if step.get("run", "").startswith("make ")}
    assert {*targets.split(), "test-argocd"} <= run
