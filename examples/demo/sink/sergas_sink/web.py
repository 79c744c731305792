"""The HTTP side: three receivers, the far end of remote write, and the questions about what they received."""

import json
from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sergas_sink import pagerduty, slack, webhook
from sergas_sink.journal import Journal, fault_from
from sergas_sink.message import REMOTE_WRITE, Message, RefusedError

MAX_BODY_BYTES = 1024 * 1024


def application(journal: Journal) -> Starlette:
    """Build the ASGI application over a journal."""

    async def post_slack(request: Request) -> Response:
        name = request.path_params["name"]

        def answer(refusal: RefusedError | None) -> Response:
            return PlainTextResponse(refusal.answer if refusal else "ok", refusal.status if refusal else 200)

        return await _receive(request, journal, "slack", lambda body: slack.read(body, name), answer)

    async def post_pagerduty(request: Request) -> Response:
        read: list[Message] = []

        def reader(body: object) -> Message:
            read.append(pagerduty.read(body))
            return read[0]

        def answer(refusal: RefusedError | None) -> Response:
            if refusal is None:
                accepted = {"status": "success", "message": "Event processed", "dedup_key": read[0].dedup_key}
                return JSONResponse(accepted, 202)
            wrong = {"status": refusal.answer, "message": "Event object is invalid", "errors": list(refusal.reasons)}
            return JSONResponse(wrong, refusal.status)

        return await _receive(request, journal, "pagerduty", reader, answer, limit=pagerduty.MAX_BODY_BYTES)

    async def post_webhook(request: Request) -> Response:
        name = request.path_params.get("name", "")

        def answer(refusal: RefusedError | None) -> Response:
            if refusal is None:
                return JSONResponse({})
            return JSONResponse({"message": refusal.answer, "errors": list(refusal.reasons)}, refusal.status)

        return await _receive(request, journal, "webhook", lambda body: webhook.read(body, name), answer)

    async def post_samples(request: Request) -> Response:
        try:
            await _drained(request)
            journal.trip(REMOTE_WRITE)
        except RefusedError as refusal:
            return PlainTextResponse(refusal.answer, refusal.status)
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route("/api/v1/write", post_samples, methods=["POST"]),
            Route("/slack/{name:path}", post_slack, methods=["POST"]),
            Route("/v2/enqueue", post_pagerduty, methods=["POST"]),
            Route("/webhook", post_webhook, methods=["POST"]),
            Route("/webhook/{name:path}", post_webhook, methods=["POST"]),
            *_questions(journal),
        ]
    )


async def _receive(
    request: Request,
    journal: Journal,
    kind: str,
    read: Callable[[object], Message],
    answer: Callable[[RefusedError | None], Response],
    *,
    limit: int = MAX_BODY_BYTES,
) -> Response:
    try:
        journal.trip(kind)
        journal.accept(read(await _body(request, limit)))
    except RefusedError as refusal:
        journal.refuse(kind, refusal)
        return answer(refusal)
    return answer(None)


async def _body(request: Request, limit: int = MAX_BODY_BYTES) -> object:
    """Take the JSON of a request, sent as such or, as Slack also allows, as the form field `payload`."""
    received = b""
    async for chunk in request.stream():
        received += chunk
        if len(received) > limit:
            raise RefusedError(413, "request too large", f"the body is larger than {limit} bytes")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        text = received.decode()
        if kind == "application/x-www-form-urlencoded":
            text = parse_qs(text).get("payload", [""])[0]
        elif kind != "application/json":
            raise RefusedError(400, "invalid_payload", "Content-Type must be application/json")
        return json.loads(text)
    except ValueError as error:
        raise RefusedError(400, "invalid_payload", f"the body is not JSON: {error}") from error


async def _drained(request: Request) -> None:
    """Read a body to its end and forget it."""
    async for _ in request.stream():
        pass


def _questions(journal: Journal) -> list[Route]:
    async def notifications(request: Request) -> Response:
        asked = request.query_params
        if request.method == "DELETE":
            journal.clear()
            return Response(status_code=204)
        try:
            after = int(asked.get("after", "0"))
        except ValueError:
            return JSONResponse({"message": "after must be a number: the id of the last notification seen"}, 400)
        names = ("kind", "status", "alert", "via", "channel", "key", "to")
        return JSONResponse(list(journal.notifications(after, **{name: asked.get(name, "") for name in names})))

    async def rejections(_: Request) -> Response:
        return JSONResponse(list(journal.rejections))

    async def faults(request: Request) -> Response:
        kind = request.path_params.get("kind", "")
        try:
            if request.method == "PUT":
                journal.faults[kind] = fault_from(await _body(request), kind)
            elif request.method == "DELETE":
                for name in [kind] if kind else list(journal.faults):
                    journal.faults.pop(name, None)
        except RefusedError as refusal:
            return JSONResponse({"message": str(refusal)}, refusal.status)
        return JSONResponse({name: vars(fault) for name, fault in journal.faults.items()})

    async def healthy(_: Request) -> Response:
        return PlainTextResponse("ok")

    return [
        Route("/notifications", notifications, methods=["GET", "DELETE"]),
        Route("/rejections", rejections, methods=["GET"]),
        Route("/faults", faults, methods=["GET", "DELETE"]),
        Route("/faults/{kind}", faults, methods=["PUT", "DELETE"]),
        Route("/healthz", healthy, methods=["GET"]),
    ]
