"""Kubernetes quantities as whole bytes."""

from __future__ import annotations

import re
from decimal import Decimal

from sergas_operator.errors import SpecError

BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
DECIMAL = {"": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_QUANTITY = re.compile(
    r"^\+?(?P<number>[0-9]+(\.[0-9]*)?|\.[0-9]+)((?P<unit>[KMGTPE]i|[kMGTPE]?)|[eE](?P<power>[-+]?[0-9]+))$"
)


def to_bytes(quantity: str) -> int:
    """Bytes in a Kubernetes quantity such as `50Gi`, `1.5T` or `1e9`, rounded down.

    Raises:
        SpecError: it is not a quantity of bytes.
    """
    match = _QUANTITY.match(quantity)
    if match is None:
        raise SpecError(quantity, "is not a size: write a number with Mi, Gi or Ti, such as 50Gi")
    number, unit = Decimal(match["number"]), match["unit"] or ""
    if match["power"]:
        return int(number * Decimal(10) ** int(match["power"]))
    if unit in BINARY:
        return int(number * 1024 ** BINARY[unit])
    return int(number * 1000 ** DECIMAL[unit])


def prometheus_size(size: int) -> str:
    """`size` bytes as Prometheus writes sizes, in the largest unit that stays whole: 42949672960 is `40GiB`.

    Below a mebibyte it is rounded down to whole bytes.
    """
    units = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
    power = 0
    while power < len(units) - 1 and size and size % 1024 == 0:
        size, power = size // 1024, power + 1
    return f"{size}{units[power]}"
