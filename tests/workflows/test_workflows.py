"""The workflows are valid, pinned, may do little, and call what exists."""

import os
import re
import subprocess
import sys

import pytest
import yaml

from charts.helm import ROOT, tool

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TESTS = ROOT / ".github" / "workflows" / "tests.yml"
RELEASE = TESTS.with_name("release.yml")
USES = re.compile(r"uses: ([^.\s]\S+)(.*)")  # not ./a-workflow-of-ours
SHELL = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
"""How the runner starts a step's script."""
VERSION, COMMIT = "v1.2.3", "0123456789abcdef"


def workflow(file):
    """A workflow; YAML 1.1 reads its key `on` as true."""
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def jobs():
    return [
        pytest.param(job, id=f"{file.stem}-{name}")
        for file in FILES
        for name, job in workflow(file)["jobs"].items()
        if "uses" not in job  # a called workflow's jobs are its own
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


def test_rights_beyond_reading_are_for_registries_and_for_one_commit():
    extra = {
        name: {right for right, how in job["permissions"].items() if (right, how) != ("contents", "read")}
        for file in FILES
        for name, job in workflow(file)["jobs"].items()
        if "permissions" in job
    }
    assert extra == {
        "candidates": {"packages"},
        "publish": {"packages"},
        "packages": {"id-token"},
        "announce": {"contents"},
        "commit": {"contents"},
    }


def needed(release, name):
    """Every job that has succeeded before a job starts."""
    direct = release[name].get("needs", [])
    direct = [direct] if isinstance(direct, str) else direct
    return {*direct, *(further for job in direct for further in needed(release, job))}


def test_nothing_is_published_before_every_test_has_passed_and_everything_is_built():
    release = workflow(RELEASE)["jobs"]
    assert needed(release, "candidates") == {"tests", "kind", "build"}
    assert needed(release, "publish") == {"tests", "kind", "build", "candidates"}
    assert needed(release, "packages") == {"tests", "kind", "build", "candidates", "publish"}
    assert needed(release, "announce") == {"tests", "kind", "build", "candidates", "publish", "packages"}
    assert {release[name]["uses"] for name in ("tests", "kind")} == {
        "./.github/workflows/tests.yml",
        "./.github/workflows/kind.yml",
    }
    for name in ("tests", "kind"):
        # YAML 1.1 reads the key `on` as true.
        assert "workflow_call" in workflow(RELEASE.with_name(f"{name}.yml"))[True]


def test_images_are_built_for_both_architectures_and_every_image_that_manifests_name():
    job = workflow(RELEASE)["jobs"]["candidates"]
    [build] = [step for step in job["steps"] if "build-push-action" in step.get("uses", "")]
    assert build["with"]["platforms"] == "linux/amd64,linux/arm64"
    built = {entry["image"] for entry in job["strategy"]["matrix"]["include"]}
    manifests = [ROOT / "manifests/base/install.yaml", ROOT / "examples/sergas-app/k8s.yaml"]
    named = {name for file in manifests for name in re.findall(r"ghcr\.io/sergas/([\w-]+)", file.read_text("utf-8"))}
    assert named == built
    for entry in job["strategy"]["matrix"]["include"]:
        assert (ROOT / entry["dockerfile"]).exists()


def script(job, name):
    """The script of a release job's step."""
    [found] = [step["run"] for step in workflow(RELEASE)["jobs"][job]["steps"] if name in step.get("name", "")]
    return found


@pytest.fixture
def rehearse(tmp_path):
    """Run a script as the runner does, with programs that write down how they were called."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("docker", "helm"):
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >> "$CALLS"\n')
        (programs / name).chmod(0o755)

    def run(text, **variables):
        environment = {
            "PATH": f"{programs}:/usr/bin:/bin",
            "CALLS": str(tmp_path / "calls"),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_REPOSITORY_OWNER": "Sergas",
            "GITHUB_REF_NAME": VERSION,
            "GITHUB_SHA": COMMIT,
            "GITHUB_ACTOR": "somebody",
        }
        subprocess.run([*SHELL, text], cwd=tmp_path, env=environment | variables, check=True)
        return tmp_path

    return run


def test_the_release_tags_the_candidates_that_were_built(rehearse):
    folder = rehearse(script("candidates", "Name the candidate"), IMAGE="sergas-app")
    assert (folder / "output").read_text() == f"tag=ghcr.io/sergas/sergas-app:candidate-{COMMIT}\n"
    folder = rehearse(script("publish", "Give the candidates"))
    assert (folder / "calls").read_text().splitlines() == [
        f"docker buildx imagetools create --tag ghcr.io/sergas/{image}:1.2.3 ghcr.io/sergas/{image}:candidate-{COMMIT}"
        for image in ("sergas-operator", "sergas-app")
    ]


def test_the_release_pushes_the_chart_that_was_built(rehearse, tmp_path):
    (tmp_path / "dist" / "chart").mkdir(parents=True)
    (tmp_path / "dist" / "chart" / "sergas-monitoring-1.2.3.tgz").touch()
    folder = rehearse(script("publish", "Push the chart"), TOKEN="secret")
    assert (folder / "calls").read_text().splitlines() == [
        "helm registry login ghcr.io --username somebody --password-stdin",
        "helm push dist/chart/sergas-monitoring-1.2.3.tgz oci://ghcr.io/sergas/charts",
    ]


def test_the_container_job_caches_what_its_programs_fill():
    """The job's own HOME, which is not root's, in the environment of its steps."""
    job = workflow(TESTS)["jobs"]["packaged"]
    environment = os.environ | job["env"] | {"HOME": "/github/home"}
    for name in ("GOCACHE", "GOMODCACHE", "UV_CACHE_DIR"):
        environment.pop(name, None)
    code = "import sys; sys.path.insert(0, sys.argv[1]); from sergas_cluster import paths; print(paths.cache_root())"
    cache = said([sys.executable, "-c", code, "tests/e2e/cluster"], environment)
    [cached] = [step["with"]["path"].split() for step in job["steps"] if "actions/cache@" in step.get("uses", "")]
    assert cached == [f"{cache}/tools", said([str(ROOT / "bin" / "uv"), "cache", "dir"], environment)]
    volumes = [volume.split(":")[1] for volume in job["container"]["volumes"]]
    assert cache in volumes, "containerd's layers would be on the container's overlay"
    for variable in ("GOCACHE", "GOMODCACHE"):
        assert said(["go", "env", variable], environment).startswith("/var/cache/sergas/")


def said(command, environment):
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_programs_that_the_runner_lacks_are_installed_with_sudo():
    steps = workflow(RELEASE.with_name("kind.yml"))["jobs"]["kind"]["steps"]
    [install] = [step for step in steps if "redis-server" in step.get("run", "")]
    assert install["if"] == "matrix.target == 'test-argocd'"
    assert all(line.startswith("sudo ") for line in install["run"].splitlines())
    assert steps.index(install) < steps.index(next(step for step in steps if step.get("run") == 'make "$TARGET"'))


def test_dependabot_looks_after_every_ecosystem_that_is_here():
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    found = {update["package-ecosystem"]: update.get("directories") or [update["directory"]] for update in updates}
    assert set(found) == {"github-actions", "uv", "gomod", "npm", "docker"}
    tracked = said(["git", "ls-files"], dict(os.environ)).splitlines()
    modules = {f"/{name.rpartition('/')[0]}" for name in tracked if name.endswith("go.mod")}
    assert all(name.startswith("/tests/tools/") and name.count("/") == 3 for name in modules)
    packages = {f"/{name.rpartition('/')[0]}" for name in tracked if name.endswith("package-lock.json")}
    assert set(found["npm"]) == packages
    dockerfiles = {f"/{name.rpartition('/')[0]}" for name in tracked if name.endswith("/Dockerfile")}
    assert set(found["docker"]) == dockerfiles


def test_the_job_that_may_write_runs_nothing_of_a_dependency():
    jobs = workflow(RELEASE.with_name("regenerate.yml"))["jobs"]
    assert "permissions" not in jobs["generate"]
    for step in jobs["commit"]["steps"]:
        assert "make" not in step.get("run", "")
    assert all(job["if"] == "github.actor == 'dependabot[bot]'" for job in jobs.values())


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
