"""What the client of Prometheus tells of its own waiting."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from dashboards.preview.source import Source

ANSWER = json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}}).encode()


@pytest.fixture
def hesitant():
    """(URL, seconds): a server that pauses between head and body, and how long each answer took it."""
    took = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(ANSWER)))
            self.end_headers()
            began = time.perf_counter()
            threading.Event().wait(0.05)
            took.append(time.perf_counter() - began)
            self.wfile.write(ANSWER)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", took
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_has_waited_for_the_last_byte_of_every_answer(hesitant):
    url, took = hesitant
    with Source(url) as source:
        for _ in range(2):
            source.instant("up", 0)
        assert source.waited >= sum(took) >= 0.1


def test_a_source_that_was_never_asked_has_not_waited(silent):
    with Source(silent) as source:
        assert source.waited == 0
