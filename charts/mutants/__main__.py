"""What is wrong with a rule and still looks right: `python -m charts.mutants` proves that tests/rules notice it.

Each mutant is an alert or a record with one thing changed. A mutant is killed when an assertion of a case fails with
it; an error of promtool kills nothing. The cases must pass with the rules as they are, before anything is changed. A
mutant that no case can kill is listed in tests/rules/waivers.yaml with the reason. A waiver of any other mutant fails
the run.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from charts.helm import ROOT, rule_groups, template
from charts.mutants import waivers
from charts.mutants.cases import cases
from charts.mutants.report import line, stale, table
from charts.mutants.rules import Groups, Mutant, mutants
from charts.mutants.run import CasesFailError, Fate, Outcome, Runner

CASES = ROOT / "tests" / "rules"


def sampled(found: Sequence[Mutant], share: float, seed: int) -> list[Mutant]:
    """A share of the mutants by chance, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - which mutants run is no secret
    return [mutant for mutant in found if chance.random() < share]


def judged(groups: Groups, chosen: Sequence[Mutant], folder: Path) -> Iterator[Outcome]:
    """What became of the mutants, after every case in `folder` has passed with the rules as they are.

    Raises:
        CasesFailError: with what promtool says of the cases that fail.
    """
    with tempfile.TemporaryDirectory(prefix="sergas-mutants-") as own:
        runner = Runner(groups, cases(groups, folder), Path(own))
        runner.require_passing()
        yield from runner.outcomes(chosen)


def run(groups: Groups, folder: Path, wanted: set[str], share: float, seed: int) -> bool:
    """Print what became of the mutants and how many there were; whether all that ran are killed or waived."""
    began, given, found = time.monotonic(), waivers.read(folder / "waivers.yaml"), list(mutants(groups))
    chosen = sampled([one for one in found if not wanted or one.name.partition(" ")[0] in wanted], share, seed)
    outcomes, good = [], True
    for outcome in judged(groups, chosen, folder):
        outcomes.append(outcome)
        if sentence := line(outcome, given):
            good = good and outcome.fate != Fate.SURVIVES
            print(sentence, flush=True)
    wrong = list(stale(outcomes, given, found))
    print("\n".join([*wrong, table(outcomes, given)]))
    print(f"{len(chosen)} of {len(found)} mutants in {time.monotonic() - began:.0f} s")
    return good and not wrong


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m charts.mutants")
    parser.add_argument("rules", nargs="*", help="names of alerts and records; all when none is given")
    parser.add_argument("--share", type=float, default=1, help="of the mutants, between 0 and 1")
    parser.add_argument("--seed", type=int, default=1, help="chooses which share")
    options = parser.parse_args(arguments)
    try:
        return 0 if run(rule_groups(template()), CASES, set(options.rules), options.share, options.seed) else 1
    except CasesFailError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
