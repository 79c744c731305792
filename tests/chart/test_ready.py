"""`helm test` says which part is not ready, and fails for it."""

import runpy
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from charts.helm import CHART


@pytest.fixture(scope="module")
def ready():
    return runpy.run_path(str(CHART / "files" / "ready.py"), run_name="ready")


@pytest.fixture
def server():
    """Answers 503 twice, then 200."""
    answers = iter([503, 503])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(next(answers, 200))
            self.end_headers()

        def log_message(self, *args):
            pass

    http = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}/-/ready"
    http.shutdown()
    thread.join()
    http.server_close()


def test_it_waits_until_the_address_answers_and_says_once_why(ready, server, capsys, monkeypatch):
    monkeypatch.setitem(ready["wait_for"].__globals__, "PAUSE_SECONDS", 0)
    assert ready["wait_for"](server, deadline=float("inf"))
    waiting = f"{server} not ready yet: HTTP Error 503: Service Unavailable\n"
    assert capsys.readouterr().out == f"{waiting}{server} ready\n"


def test_it_names_the_address_that_never_answered_and_why(ready, server, capsys):
    assert not ready["wait_for"](server, deadline=0)
    assert capsys.readouterr().out == f"{server} NOT READY: HTTP Error 503: Service Unavailable\n"
