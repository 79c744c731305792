"""Watches and lists fail; nothing that happened meanwhile is missed, and no loop ends."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from conftest import OperatorProcess
from controlplane import ControlPlane, free_port
from kube import CHILDREN, Namespace
from kubernetes.aio import client
from proxy import Proxy

from sergas_operator import supervision
from sergas_operator.cluster import api_server
from sergas_operator.cluster.api_server import ApiServer
from sergas_operator.cluster.objects import Cluster
from sergas_operator.controller.watches import ChildWatch
from sergas_operator.errors import ApiError
from sergas_operator.model import kinds
from sergas_operator.model.kinds import Kind

SECONDS = 20.0


@pytest.fixture
def proxy(granted: ControlPlane) -> Iterator[Proxy]:
    found = Proxy(granted)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def start_behind(
    proxy: Proxy, tmp_path: Path, start_operator: Callable[..., OperatorProcess]
) -> Callable[..., OperatorProcess]:
    """Starts an operator that reaches the API server through the proxy."""
    return lambda **environment: start_operator(KUBECONFIG=str(proxy.kubeconfig(tmp_path)), **environment)


@pytest.mark.apiserver
def test_reconciles_what_happened_while_watches_were_cut(
    unserved: Namespace, proxy: Proxy, start_behind: Callable[..., OperatorProcess]
) -> None:
    start_behind()
    unserved.create()
    unserved.wait_for_children()
    proxy.fault = lambda _, __, watch: "refuse" if watch else ""
    # One for each kind of child, and kopf's.
    assert proxy.cut_watches() >= 7
    before = {(kind, name): unserved.get(kind, name)["metadata"]["uid"] for kind, name in CHILDREN}
    for kind, name in CHILDREN:
        unserved.delete(kind, name)
    unserved.create({}, "other")
    unserved.wait("watches are refused", lambda: len(proxy.seen) >= 7)
    proxy.fault = lambda *_: ""

    def renewed() -> bool:
        found = {(kind, name): unserved.get(kind, name) for kind, name in CHILDREN}
        return all(body and body["metadata"]["uid"] != before[child] for child, body in found.items())

    # The supervisor waits for up to 30 s between two attempts.
    unserved.wait("every child is a new one", renewed, 60)
    unserved.wait("the new monitoring is served", lambda: unserved.get("Prometheus", "other"), 60)


@pytest.mark.apiserver
def test_truncated_answers_end_no_loop(
    unserved: Namespace, proxy: Proxy, start_behind: Callable[..., OperatorProcess]
) -> None:
    operator = start_behind(SERGAS_RESYNC_SECONDS="1")
    unserved.create()
    unserved.wait_for_children()
    proxy.fault = lambda method, _, __: "truncate" if method == "GET" else ""
    proxy.cut_watches()

    def truncated(part: str) -> bool:
        return any(path.endswith(part) for fault, path in proxy.seen if fault == "truncate")

    for part in ("/sergasmonitorings", "/prometheuses", "/sergasmonitorings/sergas", "/leases/sergas-operator"):
        unserved.wait(f"an answer of {part} is truncated", lambda part=part: truncated(part), 40)
    # From now on, only the resync can notice anything.
    proxy.fault = lambda _, __, watch: "refuse" if watch else ""
    proxy.cut_watches()
    for child in ({"spec": {"paused": True}}, {"spec": {"retention": "1d"}}):
        unserved.patch_object("Prometheus", "sergas", child)
        unserved.wait(
            "the resync repairs it",
            lambda: (
                {"paused", "retention"} & unserved.get("Prometheus", "sergas")["spec"].keys() == {"retention"}
                and unserved.get("Prometheus", "sergas")["spec"]["retention"] == "30d"
            ),
            60,
        )
    unserved.create({}, "other")
    unserved.wait("the resync finds a new monitoring", lambda: unserved.get("Prometheus", "other"), 60)
    assert operator.get("/healthz") == "ok\n"
    assert "the answer is not complete JSON: the request is retried" in operator.log.read_text()


@pytest.fixture
async def served() -> AsyncIterator[tuple[Cluster, list[Any]]]:
    """A cluster whose API server gives the answers of a list, one per request: bytes, or a list of watch lines."""
    answers: list[Any] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        if not answers:
            # As a watch without events.
            await asyncio.sleep(3600)
        answer = answers.pop(0)
        if isinstance(answer, int):
            return web.json_response({"kind": "Status", "message": "too old"}, status=answer)
        if isinstance(answer, bytes):
            return web.Response(body=answer, content_type="application/json")
        response = web.StreamResponse()
        await response.prepare(request)
        for line in answer:
            await response.write(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
        return response

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    configuration = client.Configuration()
    configuration.host = f"http://127.0.0.1:{port}"
    cluster = Cluster(ApiServer(configuration))
    yield cluster, answers
    await cluster.close()
    await runner.cleanup()


def listed(version: str) -> bytes:
    return json.dumps({"metadata": {"resourceVersion": version}, "items": []}).encode()


def event(kind: str, version: str, name: str = "sergas") -> dict[str, Any]:
    return {"type": kind, "object": {"metadata": {"name": name, "resourceVersion": version}}}


@pytest.mark.parametrize("body", [b"", b"{", b'{"items": [', b"<html>gateway</html>", b"\xff"])
async def test_answer_that_is_not_json_is_an_api_error(served: tuple[Cluster, list[Any]], body: bytes) -> None:
    cluster, answers = served
    answers.append(body)
    with pytest.raises(ApiError) as error:
        await cluster.list_names(kinds.PROMETHEUS, "monitoring")
    assert str(error.value) == (
        "list Prometheus in monitoring: the answer is not complete JSON: the request is retried"
    )
    assert error.value.status == 0


async def test_api_server_that_does_not_answer_is_an_api_error(
    served: tuple[Cluster, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_server, "REQUEST_SECONDS", 0.1)
    with pytest.raises(ApiError) as error:
        await served[0].get(kinds.PROMETHEUS, "monitoring", "sergas")
    assert str(error.value) == (
        "get Prometheus monitoring/sergas: the API server did not answer (TimeoutError): the request is retried"
    )


INTERRUPTIONS: dict[str, list[Any]] = {
    "an event is truncated": [[event("MODIFIED", "6"), b'{"type": "MODIFIED", "obj\n']],
    "the resourceVersion is too old": [[{"type": "ERROR", "object": {"code": 410, "message": "too old"}}]],
    "the watch is refused": [410],
    "an event has no object": [[{"type": "MODIFIED"}]],
}


@pytest.mark.parametrize("answers", INTERRUPTIONS.values(), ids=INTERRUPTIONS)
async def test_interrupted_watch_starts_again_and_reports_the_interruption(
    served: tuple[Cluster, list[Any]], monkeypatch: pytest.MonkeyPatch, answers: list[Any]
) -> None:
    monkeypatch.setattr(supervision, "FIRST_WAIT_SECONDS", 0.01)
    cluster, prepared = served
    # An etcd that was restored from a backup has lower versions than before.
    prepared += [listed("5"), *answers, listed("3"), [event("MODIFIED", "4", "after")]]
    changed: list[str] = []
    interrupted: list[str] = []
    after = asyncio.Event()

    def note(_: Kind, metadata: dict[str, Any]) -> None:
        changed.append(metadata["name"])
        if metadata["name"] == "after":
            after.set()

    watch = ChildWatch(cluster, kinds.PROMETHEUS, "monitoring", "", note, interrupted.append)
    task = asyncio.create_task(supervision.supervise("the watch", watch.run))
    async with asyncio.timeout(SECONDS):
        await after.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert interrupted == ["monitoring", "monitoring"]
    assert changed[-1] == "after"


async def test_watch_that_ends_regularly_continues_without_a_list(served: tuple[Cluster, list[Any]]) -> None:
    cluster, prepared = served
    prepared += [listed("5"), [event("MODIFIED", "6"), event("BOOKMARK", "9")], [event("MODIFIED", "10", "after")]]
    changed: list[str] = []
    interrupted: list[str] = []
    watch = ChildWatch(
        cluster,
        kinds.PROMETHEUS,
        "monitoring",
        "",
        lambda _, metadata: changed.append(metadata["name"]),
        interrupted.append,
    )
    task = asyncio.create_task(watch.run())
    async with asyncio.timeout(SECONDS):
        while changed != ["sergas", "after"]:  # noqa: ASYNC110  # the state of another task, which signals nothing
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert interrupted == ["monitoring"]


@pytest.mark.parametrize("fails", [True, False], ids=["that raises", "that returns"])
async def test_supervisor_restarts_loop(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fails: bool
) -> None:
    monkeypatch.setattr(supervision, "FIRST_WAIT_SECONDS", 0.02)
    times: list[float] = []
    enough = asyncio.Event()

    async def loop() -> None:
        times.append(asyncio.get_running_loop().time())
        if len(times) == 5:
            enough.set()
            await asyncio.Event().wait()
        if fails:
            raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        task = asyncio.create_task(supervision.supervise("the resync", loop))
        async with asyncio.timeout(SECONDS):
            await enough.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(wait >= least for wait, least in zip(waits, (0.04, 0.08, 0.16, 0.32), strict=True)), waits
    expected = "the resync failed" if fails else "the resync ended unexpectedly"
    assert caplog.text.count(expected) == 4
