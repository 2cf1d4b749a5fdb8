"""A stand-in for Apicurio Registry, for its converters: takes every schema and gives it a number. Nothing is checked or kept
beyond the run, so that the peer's figures hold no registry at all."""

import itertools
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


class Registry:
    def __init__(self):
        self.numbers = itertools.count(1)
        self.artifacts = {}  # id -> what the registry tells of it
        self.texts = {}
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/apis/registry/v2"

    def register(self, group, artifact, text):
        with self.lock:
            number = next(self.numbers)
            self.texts[number] = text
            told = {
                "id": artifact,
                "groupId": group,
                "type": "AVRO",
                "state": "ENABLED",
                "version": "1",
                "name": artifact,
            }
            told |= {"globalId": number, "contentId": number, "references": [], "createdBy": "", "modifiedBy": ""}
            told |= {"createdOn": "2025-01-01T00:00:00+0000", "modifiedOn": "2025-01-01T00:00:00+0000"}
            self.artifacts[artifact] = told
            return told

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def _handler(registry):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, status, body, kind="application/json"):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def body(self):
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))

            def do_POST(self):
                text = self.body()
                parts = urlsplit(self.path).path.split("/")
                group = parts[parts.index("groups") + 1] if "groups" in parts else "default"
                artifact = unquote(self.headers.get("X-Registry-ArtifactId") or "")
                self.answer(200, json.dumps(registry.register(group, artifact, text)).encode())

            do_PUT = do_POST

            def do_GET(self):
                parts = urlsplit(self.path).path.split("/")
                number = next((int(part) for part in parts if part.isdigit()), None)
                if number in registry.texts:
                    return self.answer(200, registry.texts[number])
                self.answer(404, b'{"error_code": 404, "message": "no such artifact"}')

        return Handler
