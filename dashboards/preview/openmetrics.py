"""OpenMetrics text with times, as promtool makes blocks of it."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TextIO

Samples = Iterable[tuple[float, float]]


class Writer:
    """Writes one file. Use it as a context manager: only a whole file ends with the mark promtool looks for."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._target: TextIO | None = None

    def __enter__(self) -> "Writer":
        self._target = self.file.open("w", encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        target = self._open()
        if kind is None:
            target.write("# EOF\n")
        target.close()

    def series(self, name: str, labels: Mapping[str, str], samples: Samples) -> None:
        """Write (seconds since 1970, value) of one series, in order of time. What is not a number is left out."""
        head = f"{name}{{{','.join(f'{key}={quoted(value)}' for key, value in labels.items())}}}"
        lines = [f"{head} {value:.10g} {time:.0f}\n" for time, value in samples if not math.isnan(value)]
        self._open().write("".join(lines))

    def _open(self) -> TextIO:
        if self._target is None:
            raise ValueError(f"{self.file} is not open: write within `with Writer(...)`")
        return self._target


def quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
