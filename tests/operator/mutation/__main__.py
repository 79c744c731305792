"""`make mutants-operator`: change the operator and the digest in many places, and see whether the tests notice.

A sample of all mutants is drawn with a seed. Each of them runs the tests that execute the changed lines, fastest first,
until one fails: first tests without an API server, then, if none failed, every test that runs the operator on one. A
mutant that no test notices is a survivor. Each survivor is listed in waivers.yaml with the reason why it is equivalent
to the original; any other one fails the run, and so does a waiver for a mutant that a test kills.

The tests of a checkout run with a copy of operator/ that comes first on the path, so the checkout itself is never
changed. What was found is kept in build/mutation: a second run tries only the mutants that survived, and mutants that
are new because the code changed. `--fresh` forgets it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import yaml
from coverage import CoverageData
from mutants import Mutant, sample

ROOT = Path(__file__).parents[3]
BUILD = ROOT / "build" / "mutation"
FOLDERS = ("operator/sergas_operator", "operator/sergas_digest")
WAIVERS = Path(__file__).with_name("waivers.yaml")
RESULTS = BUILD / "results.json"
# Of one test, with the machine busy; a test that takes longer has noticed the mutant.
TEST_SECONDS = 120
# Each process starts an API server, which takes about a core.
PROCESSES = 2


@dataclass(eq=False)
class Suite:
    """Tests that pytest collects by `arguments`, with their durations and the lines that each of them executed."""

    name: str
    title: str
    arguments: list[str]
    seconds: dict[str, float] = field(default_factory=dict)

    def collect(self) -> None:
        """Measure durations and coverage once, and take new tests in."""
        report = BUILD / f"{self.name}.xml"
        if not report.exists():
            options = ["--cov=sergas_operator", "--cov=sergas_digest", "--cov-context=test", "--cov-report="]
            options += [f"--junitxml={report}.new", "-o", "junit_family=xunit1", "--cov-config=/dev/null"]
            self._pytest([*options, *self.arguments], {"COVERAGE_FILE": str(self._coverage)}, check=True)
            Path(f"{report}.new").rename(report)
        for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314  # pytest wrote it
            name = f"{case.get('file')}::{case.get('name')}"
            self.seconds[name] = float(case.get("time", 0))
        listed = self._pytest(["--collect-only", "-q", *self.arguments], {}, check=True).stdout.splitlines()
        tests = [line for line in listed if "::" in line]
        self.seconds = {test: self.seconds.get(test, 0) for test in tests}

    def executing(self, mutant: Mutant) -> list[str]:
        """The tests that executed a line of the mutant, or its file where an import executes it; new tests too."""
        contexts = self._contexts(mutant.path)
        found = {context for line in mutant.lines for context in contexts.get(line, ())} - {""}
        found = found or {context for names in contexts.values() for context in names} - {""}
        names = {context.rpartition("|")[0] for context in found}
        return self.fastest_first(test for test, seconds in self.seconds.items() if test in names or not seconds)

    def fastest_first(self, tests: Iterable[str]) -> list[str]:
        return sorted(tests, key=self.seconds.__getitem__)

    def failure(self, tests: list[str], code: Path) -> str:
        """What the first failing test says with the operator at `code`; empty when all pass."""
        if not tests:
            return ""
        arguments = code / f"{self.name}.arguments"
        arguments.write_text("\n".join(tests))
        limit = 120 + 4 * sum(self.seconds[test] for test in tests)
        options = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", "--tb=no", f"--timeout={TEST_SECONDS}"]
        try:
            done = self._pytest([*options, f"@{arguments}"], {"PYTHONPATH": str(code)}, limit=limit)
        except subprocess.TimeoutExpired:
            return f"no end within {limit:.0f} s"
        if done.returncode == 0:
            return ""
        said = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR", "!"))]
        return (
            said[0] if said else f"pytest ended with status {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}"
        )

    @cache  # noqa: B019  # there are two suites, which live as long as the process
    def _contexts(self, path: Path) -> dict[int, list[str]]:
        """The tests that executed each line of a file."""
        data = CoverageData(str(self._coverage))
        data.read()
        return data.contexts_by_lineno(str(ROOT / path))

    @property
    def _coverage(self) -> Path:
        return BUILD / f"{self.name}.coverage"

    def _pytest(
        self, arguments: list[str], environment: dict[str, str], *, check: bool = False, limit: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run pytest in a process group of its own, none of which outlives it."""
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            output, errors = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        if check and process.returncode:
            sys.exit(f"the tests fail without any change:\n{output[-4000:]}{errors[-2000:]}")
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


PLAIN = Suite(
    "plain",
    "without an API server",
    ["-m", "not apiserver and not e2e and not stack", "tests/operator", "tests/digest", "tests/routing"],
)
API_SERVER = Suite(
    "apiserver", "on an API server", ["-m", "apiserver", "tests/operator", "--ignore=tests/operator/admission"]
)


def noticed_without_api_server(mutant: Mutant, code: Path) -> str:
    """What the first test that notices the mutant says; empty when none does."""
    first = PLAIN.executing(mutant)
    found = PLAIN.failure(first, code)
    if not found and mutant.path.is_relative_to("operator/sergas_digest"):
        # Some of its tests start it as a process, where nobody sees which lines run.
        others = (test for test in PLAIN.seconds if test.startswith("tests/digest/") and test not in first)
        found = PLAIN.failure(PLAIN.fastest_first(others), code)
    return found


def noticed_on_api_server(mutant: Mutant, code: Path) -> str:
    """The same of the tests that run the operator, in the test's own process or in another."""
    if mutant.path.is_relative_to("operator/sergas_digest"):
        return ""
    first = API_SERVER.executing(mutant)
    others = (test for test in API_SERVER.seconds if test not in first)
    return API_SERVER.failure([*first, *API_SERVER.fastest_first(others)], code)


STAGES = ((PLAIN, noticed_without_api_server), (API_SERVER, noticed_on_api_server))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=320, help="size of the sample (320)")
    parser.add_argument("--seed", type=int, default=1, help="which sample (1)")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs found")
    options = parser.parse_args()
    if options.fresh:
        shutil.rmtree(BUILD / "code", ignore_errors=True)
        for found in (*BUILD.glob("*.xml"), *BUILD.glob("*.coverage"), RESULTS):
            found.unlink(missing_ok=True)
    BUILD.mkdir(parents=True, exist_ok=True)
    known: dict[str, str] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    mutants = sample(ROOT, FOLDERS, options.count, options.seed)
    copies: queue.Queue[Path] = queue.Queue()
    for number in range(PROCESSES):
        copy = BUILD / "code" / str(number)
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(ROOT / "operator", copy, ignore=shutil.ignore_patterns("__pycache__"))
        copies.put(copy)

    def attempt(mutant: Mutant, noticed: Callable[[Mutant, Path], str]) -> None:
        code = copies.get()
        file = code / mutant.path.relative_to("operator")
        original = file.read_text()
        try:
            file.write_text(mutant.source)
            known[mutant.key] = noticed(mutant, code)
        finally:
            file.write_text(original)
            copies.put(code)
        RESULTS.write_text(json.dumps(known, indent=1))
        print(f"{known[mutant.key] or 'not noticed'}   {mutant.key}", flush=True)

    for suite, noticed in STAGES:
        suite.collect()
        todo = [mutant for mutant in mutants if not known.get(mutant.key)]
        print(f"{len(todo)} mutants to try by the {len(suite.seconds)} tests {suite.title}", flush=True)
        with ThreadPoolExecutor(PROCESSES) as pool:
            list(pool.map(attempt, todo, itertools.repeat(noticed)))
    sys.exit(report(mutants, known))


def report(mutants: list[Mutant], known: dict[str, str]) -> str | None:
    """Print the outcome. What is wrong with it, or None."""
    waived = {waiver["mutant"]: waiver["reason"] for waiver in yaml.safe_load(WAIVERS.read_text())}
    survivors = [mutant for mutant in mutants if not known[mutant.key]]
    problems = [f"survived: {mutant.key}" for mutant in survivors if mutant.key not in waived]
    problems += [f"waived, but killed: {key}" for key in waived if known.get(key)]
    equivalent = sum(mutant.key in waived for mutant in survivors)
    print(f"{len(mutants)} mutants: {len(mutants) - len(survivors)} killed, {equivalent} equivalent")
    return "\n".join(problems) or None


if __name__ == "__main__":
    main()
