"""Many processes that are one application: each publishes what it records, and any of them answers for all.

A process keeps its cells to itself, as fast as they are, and writes their values to a file of its own in a directory
that all share: every second, when it is scraped, and at its end. A scrape adds the files up. What a process that died
had published stays: it is folded into one file that holds the sum of the dead.
"""

from .publisher import Publisher

__all__ = ["Publisher"]
