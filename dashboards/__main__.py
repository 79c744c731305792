"""Write every dashboard: `python -m dashboards [folder]`. Without a folder, into the chart."""

import sys
from pathlib import Path
from typing import Final

from dashboards.registry import ALL
from dashboards.sdk import text

CHART_FOLDER: Final = Path(__file__).parent.parent / "charts" / "sergas-monitoring" / "dashboards"


def write(folder: Path) -> None:
    """Write all dashboards into `folder` as <name>.json, and remove files of dashboards that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in set(folder.glob("*.json")) - {folder / f"{name}.json" for name in ALL}:
        stale.unlink()
    for name, built in ALL.items():
        (folder / f"{name}.json").write_text(text(built()), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else CHART_FOLDER)
