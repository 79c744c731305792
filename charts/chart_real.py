"""Render every example with the real dependencies and check the whole: `python -m charts.chart_real`.

Also change every setting of the stack's Prometheus and Alertmanager, and print what becomes of each.

The dependencies come from a folder of archives (--archives), or from their Helm repositories.
"""

import argparse
import sys
from pathlib import Path

from charts import real_settings
from charts.helm import CHART, RenderError
from charts.real import ArchivesError, chart_with_dependencies, fetched
from charts.real_checks import CHECKS
from charts.rendered import Rendered, release_bytes

EXAMPLES = CHART / "examples"
SHOWN = 20


def problems_of(case: Rendered) -> list[str]:
    """Every problem of an example, with the check that found it."""
    found = []
    for check in CHECKS:
        said = " ".join(check.__name__.split("_"))
        found += [f"{said}: {problem}" for problem in check(case)]
    return found


def report(case: Rendered, problems: list[str]) -> str:
    """A line for the example, and one for each problem."""
    outcome = f"{len(problems)} problems" if problems else "good"
    head = f"{case.values.parent.name:26} {len(case.objects):4} objects  {release_bytes(case) // 1024:4} KiB  {outcome}"
    more = [f"  ... and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
    return "\n".join([head, *[f"  {problem}" for problem in problems[:SHOWN]], *more])


def main() -> None:
    parser = argparse.ArgumentParser(description="Check the chart with its real dependencies.")
    parser.add_argument("--archives", type=Path, help="folder with the dependencies' archives")
    given = parser.parse_args()
    bad = 0
    try:
        archives = given.archives or fetched()
        for values in sorted(EXAMPLES.glob("*/values.yaml")):
            case = Rendered(chart_with_dependencies(archives, [values]), values)
            problems = problems_of(case)
            bad += bool(problems)
            print(report(case, problems), flush=True)
        chart = chart_with_dependencies(archives)
        found = real_settings.settings(chart)
        print(real_settings.table(found))
        ignored = list(real_settings.problems(chart, found))
        bad += bool(ignored)
        print("\n".join(ignored) or "No setting is ignored without a word.")
    except (ArchivesError, RenderError) as problem:
        sys.exit(str(problem))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
