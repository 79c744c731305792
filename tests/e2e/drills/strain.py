"""Faults of what the application stands on: connections, volumes, memory, processors, restarts and certificates."""

from dataclasses import dataclass

from sergas_demo.kube import Kube

from drills.drill import Act, Fault
from drills.faults import set_environment
from drills.stack import Stack

# In the background, with nothing of the caller's kept open: the command returns while they go on. A shell around each
# ends with 0 when its session is ended: PostgreSQL is process 1 there, and takes any orphan that fails for a crash of
# its own.
SESSIONS = (
    "for number in $(seq %d); do setsid sh -c \"psql -qc 'select pg_sleep(900)'; :\" >/dev/null 2>&1 </dev/null & done"
)
END_SESSIONS = "psql -qc \"select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'\""
BURN = "setsid sh -c 'while :; do :; done' >/dev/null 2>&1 </dev/null & echo $! > /tmp/burning"
RENEW = "cd /tmp && sh renew.sh %d && kill $(cat pid)"


@dataclass(frozen=True)
class Container:
    """A running container: its namespace, what it belongs to (such as `deployment/strained`), and its name."""

    namespace: str
    workload: str
    name: str

    def run(self, kube: Kube, command: str) -> str:
        """Run a shell command in it, and return its output."""
        where = ("--namespace", self.namespace, "exec", self.workload, "--container", self.name)
        return kube.kubectl(*where, "--", "sh", "-c", command)


def commanded(says: str, container: Container, begin: str, end: str) -> Fault:
    """What a shell command in a container begins, and another one ends."""

    def act(command: str) -> Act:
        def now(stack: Stack) -> None:
            container.run(stack.kube, command)

        return now

    return Fault(says, act(begin), act(end))


def sessions(says: str, namespace: str, count: int) -> Fault:
    """Sessions that hold connections of PostgreSQL."""
    postgres = Container(namespace, "statefulset/sergas-postgres", "postgres")
    return commanded(says, postgres, SESSIONS % count, END_SESSIONS)


def filled(says: str, container: Container, folder: str, mebibytes: int) -> Fault:
    """A file that takes up room."""
    begin = f"head -c {mebibytes * 1024 * 1024} /dev/zero > {folder}/filler"
    return commanded(says, container, begin, f"rm -f {folder}/filler")


def redis_filled(says: str, namespace: str, size: int) -> Fault:
    """A key of so many bytes."""
    redis = Container(namespace, "deployment/sergas-redis", "redis")
    return commanded(says, redis, f"redis-cli setrange filler {size} x", "redis-cli del filler")


def burning(says: str, namespace: str) -> Fault:
    """A process that never waits."""
    processor = Container(namespace, "deployment/strained", "processor")
    return commanded(says, processor, BURN, "kill -9 $(cat /tmp/burning)")


def unsteady(says: str, namespace: str) -> Fault:
    """A container that ends as soon as it has started."""

    def sound(answer: str) -> Act:
        def act(stack: Stack) -> None:
            set_environment(stack.kube, namespace, "unsteady", "SOUND", answer)

        return act

    return Fault(says, sound("no"), sound("yes"))


def certified(says: str, namespace: str, days: int, otherwise: int) -> Fault:
    """A certificate that is good for so many days."""
    return commanded(says, Container(namespace, "deployment/tls", "tls"), RENEW % days, RENEW % otherwise)
