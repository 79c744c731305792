"""Wait until every address given answers 200, and say which did not. Run by `helm test`."""

import sys
import time
import urllib.request

DEADLINE_SECONDS = 180
PAUSE_SECONDS = 2


def complaint(url: str) -> str | None:
    """What is wrong with `url`, or None when it answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 (addresses are our own Services)
            return None if answer.status == 200 else f"answered {answer.status}"  # noqa: PLR2004
    except OSError as error:
        return str(error)


def wait_for(url: str, deadline: float) -> bool:
    """Ask `url` until it answers 200 or the monotonic clock passes `deadline`; print what changes, and the outcome."""
    before = None
    while (problem := complaint(url)) and time.monotonic() < deadline:
        if problem != before:
            print(f"{url} not ready yet: {problem}", flush=True)
        before = problem
        time.sleep(PAUSE_SECONDS)
    print(f"{url} {'NOT READY: ' + problem if problem else 'ready'}", flush=True)
    return problem is None


if __name__ == "__main__":
    end = time.monotonic() + DEADLINE_SECONDS
    outcomes = [wait_for(url, end) for url in sys.argv[1:]]
    sys.exit(not all(outcomes))
