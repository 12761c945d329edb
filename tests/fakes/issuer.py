"""An identity provider as a server finds one: its discovery document and its keys, over HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from graph.auth.demo_issuer import DISCOVERY_PATH, JWKS_PATH, DemoIssuer, open_issuer


@contextmanager
def published_issuer(folder: Path) -> Iterator[DemoIssuer]:
    """On a free port, for as long as the block; its key is kept in the folder."""

    class Documents(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({DISCOVERY_PATH: made.discovery(), JWKS_PATH: made.jwks()}[self.path]).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Documents) as server:
        made = open_issuer(folder / "issuer.json", f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield made
        finally:
            server.shutdown()
