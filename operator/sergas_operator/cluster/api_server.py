"""HTTP requests to one API server, bounded in time. Connection and credentials come from the Kubernetes client."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

# The client has no type annotations: hence the ignores of calls into it below.
from kubernetes.aio import client, config

from sergas_operator.errors import ApiError

Body = dict[str, Any]

REQUEST_SECONDS = 15.0
# Of a watch: the API server sends a bookmark about once a minute, so a longer silence means a dead connection.
SILENCE_SECONDS = 150.0
# Each takes about 300 KiB: asyncio allocates 256 KiB per TLS connection. More do not make a single-threaded process
# faster. Watches have connections of their own, without a limit, because they hold them.
CONNECTIONS = 16
LINE_BYTES = 2**22
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class ApiServer:
    """One API server. Every failure is raised as ApiError, which names the request and the object."""

    def __init__(self, configuration: client.Configuration) -> None:
        self._configuration = configuration
        tls = _tls(configuration)
        self._requests, self._watches = _session(tls, CONNECTIONS), _session(tls, 0)

    @classmethod
    async def connect(cls) -> ApiServer:
        """Connect with KUBECONFIG, or with the pod's service account when KUBECONFIG is unset."""
        configuration = client.Configuration()
        if in_cluster():
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            await config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=os.environ.get("KUBECONFIG"),
                client_configuration=configuration,
                persist_config=False,
            )
        return cls(configuration)

    async def close(self) -> None:
        """Close the connections."""
        await self._requests.close()
        await self._watches.close()

    async def request(
        self,
        method: str,
        path: str,
        doing: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = JSON,
        accept: str = JSON,
    ) -> Body:
        """Send one request and return the decoded answer.

        Args:
            method: the HTTP method.
            path: the URL path.
            doing: verb, kind and object, for the error.
            query: query parameters.
            body: sent as JSON; None sends no body.
            content_type: of the body.
            accept: the wanted representation.

        Raises:
            ApiError: the API server refused the request, or did not answer within REQUEST_SECONDS with JSON.
        """
        data = None if body is None else msgspec.json.encode(body)
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
        headers = {"Content-Type": content_type, "Accept": accept}
        try:
            async with self._open(
                self._requests, method, path, headers, params=query, data=data, timeout=timeout
            ) as answer:
                text = await answer.read()
                if answer.status >= 400:  # noqa: PLR2004  # HTTP errors begin there
                    raise ApiError(answer.status, doing, _detail(text, answer.reason or ""))
                found: Body = msgspec.json.decode(text)
                return found
        except msgspec.DecodeError as error:
            raise ApiError(0, doing, "the answer is not complete JSON: the request is retried") from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise ApiError(
                0, doing, f"the API server did not answer ({type(error).__name__}): the request is retried"
            ) from error

    async def watch(self, path: str, doing: str, query: Mapping[str, str]) -> AsyncIterator[Body]:
        """Yield watch events of the metadata of objects until the API server ends the watch.

        Raises:
            ApiError: the watch was refused, or nothing arrived for SILENCE_SECONDS. Status 410 means that the
                resourceVersion in `query` is too old.
        """
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=REQUEST_SECONDS, sock_read=SILENCE_SECONDS)
        parameters = {**query, "watch": "1", "allowWatchBookmarks": "true"}
        try:
            async with self._open(
                self._watches, "GET", path, {"Accept": METADATA_ONLY}, params=parameters, timeout=timeout
            ) as answer:
                if answer.status >= 400:  # noqa: PLR2004  # HTTP errors begin there
                    raise ApiError(answer.status, doing, _detail(await answer.read(), answer.reason or ""))
                async for line in answer.content:
                    event: Body = msgspec.json.decode(line)
                    if event["type"] == "ERROR":
                        status = event["object"]
                        raise ApiError(status.get("code", 0), doing, status.get("message", "the watch failed"))
                    yield event
        except msgspec.DecodeError as error:
            raise ApiError(0, doing, "an event is not complete JSON: the watch is restarted") from error
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise ApiError(0, doing, f"the watch ended ({type(error).__name__}): it is restarted") from error

    @asynccontextmanager
    async def _open(
        self, session: aiohttp.ClientSession, method: str, path: str, headers: dict[str, str], **options: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        token = await self._configuration.get_api_key_with_prefix("BearerToken")
        if token:
            headers["Authorization"] = token
        url = self._configuration.host + path
        async with session.request(method, url, headers=headers, **options) as answer:
            yield answer


def _session(tls: ssl.SSLContext, connections: int) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls, limit=connections),
        # Direct, as kopf connects: proxy discovery would run in a thread for every request.
        trust_env=False,
        read_bufsize=LINE_BYTES,
    )


def in_cluster() -> bool:
    """Whether to use the pod's service account: it exists, and KUBECONFIG is unset."""
    return SERVICE_ACCOUNT.exists() and not os.environ.get("KUBECONFIG")


def _tls(configuration: client.Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _detail(text: bytes, reason: str) -> str:
    """The API server's own message."""
    try:
        return str(msgspec.json.decode(text)["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return reason
