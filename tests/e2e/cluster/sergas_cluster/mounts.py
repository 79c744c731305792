"""Mount points, as the kernel lists them."""

from pathlib import Path

from .command import succeeds
from .errors import ClusterError

MOUNTINFO = Path("/proc/self/mountinfo")


def below(folder: Path, mountinfo: str) -> list[str]:
    """Mount points at or below `folder`, innermost first, from the text of /proc/self/mountinfo.

    A place mounted twice is listed twice. Path.is_mount() will not do: it does not see a folder bound onto itself.
    """
    points = [line.split()[4].encode().decode("unicode_escape") for line in mountinfo.splitlines()]
    return sorted((point for point in points if Path(point).is_relative_to(folder)), reverse=True)


def is_mounted(folder: Path) -> bool:
    """Whether something is mounted at `folder` itself."""
    return str(folder) in below(folder, MOUNTINFO.read_text())


def drop_below(folder: Path) -> None:
    """Unmount everything at or below `folder`, at once where it can be, else when its last user is gone.

    Raises:
        ClusterError: names what stays mounted.
    """
    left = below(folder, MOUNTINFO.read_text())
    while left:
        # One mounted over another hides what lies below it, which only the next round can reach.
        for point in left:
            if not succeeds(["umount", point]):
                succeeds(["umount", "--lazy", point])
        before, left = left, below(folder, MOUNTINFO.read_text())
        if left == before:
            raise ClusterError(f"these stay mounted; unmount them and try again: {', '.join(left)}")
