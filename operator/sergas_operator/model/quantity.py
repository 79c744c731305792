"""Kubernetes quantities as whole bytes."""

from __future__ import annotations

import re
from decimal import Decimal

from sergas_operator.errors import SpecError

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
DECIMAL = {"n": -3, "u": -2, "m": -1, "": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_QUANTITY = re.compile(
    r"^\+?(?P<number>[0-9]+(\.[0-9]*)?|\.[0-9]+)((?P<unit>[KMGTPE]i|[numkMGTPE]?)|[eE](?P<power>[-+]?[0-9]{1,3}))$"
)


def to_bytes(quantity: str) -> int:
    """Return the bytes in a Kubernetes quantity such as `50Gi`, `1.5T`, `1e9` or `1288490188800m`, rounded down.

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
    return int(number * Decimal(1000) ** DECIMAL[unit])


def prometheus_size(size: int) -> str:
    """Return `size` bytes as Prometheus writes sizes, in the largest whole unit: 42949672960 is `40GiB`."""
    units = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
    power = 0
    while power < len(units) - 1 and size and size % 1024 == 0:
        size, power = size // 1024, power + 1
    return f"{size}{units[power]}"


def prometheus_bytes(size: str) -> int:
    """Return the bytes in a size as Prometheus reads it: `40GB` and `40GiB` are both 40 x 2**30."""
    return to_bytes(size.replace("iB", "B").removesuffix("B") + "i")
