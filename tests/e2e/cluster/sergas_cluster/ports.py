"""The ports that daemons listen on must be free before the first of them starts."""

from . import topology
from .command import output
from .errors import ClusterError

EVERYWHERE = {"*", "0.0.0.0", "[::]"}  # noqa: S104 -- read from a listing, nothing is bound


def require_free() -> None:
    """Raise ClusterError when another program listens where a daemon must."""
    check(output(["ss", "-Hltnp"], "list listening ports"))


def check(listing: str) -> None:
    """Look for a conflict in what `ss -Hltnp` prints.

    Raises:
        ClusterError: names the daemon, the port and who listens.
    """
    for line in listing.splitlines():
        address, _, number = line.split()[3].rpartition(":")
        for port in topology.PORTS:
            if number == str(port.number) and address in EVERYWHERE | {port.address}:
                raise ClusterError(
                    f"{port.daemon} needs port {port.number}, where another program listens: {line.split()[-1]};"
                    " stop it (another Kubernetes on this machine, or this cluster started by another user or with"
                    " another XDG_CACHE_HOME?) or use CLUSTER=existing with its context"
                )
