"""The server's HTTP side: GraphQL, the stream of a run's history, and files that are put and got."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from .resolvers import MissingError, Resolvers
from .store import Store
from .walker import answer


class WandbServer:
    """Serves :attr:`store` on a free port of this machine until :meth:`stop`."""

    def __init__(self) -> None:
        self.store = Store()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"server_of": self}))
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def reset(self) -> Store:
        """Forget everything."""
        self.store = Store()
        return self.store

    def stop(self) -> None:
        """Refuse connections from now on."""
        self._http.shutdown()
        self._http.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: WandbServer

    def do_POST(self) -> None:  # noqa: N802
        body, path = json.loads(self._body() or b"{}"), urlsplit(self.path).path
        if path == "/graphql":
            status = self.server_of.store.status
            self._reply(json.dumps(self._graphql(body)).encode() if status == 200 else b"{}", status)
        elif path.endswith("/file_stream"):
            self._stream(path.split("/")[2:5], body)
            self._reply(b'{"limits": {}}')
        else:
            self.server_of.store.unknown.append(f"POST {path}")
            self._reply(b"{}", 404)

    def do_PUT(self) -> None:  # noqa: N802
        self.server_of.store.blobs[unquote(urlsplit(self.path).path)] = self._body()
        self._reply(b"")

    def do_GET(self) -> None:  # noqa: N802
        path, store = unquote(urlsplit(self.path).path), self.server_of.store
        store.gets.append(path)
        self._reply(store.blobs.get(path, b""), 200 if path in store.blobs else 404, path in store.stalled)

    def log_message(self, *_) -> None:
        """Print nothing."""

    def _graphql(self, body: dict) -> dict:
        store = self.server_of.store
        roots = Resolvers(store, self.server_of.url).roots
        try:
            return {"data": answer(body["query"], body.get("variables") or {}, roots, store.unknown)}
        except MissingError as error:
            return {"data": None, "errors": [{"message": str(error)}]}
        except (KeyError, TypeError, ValueError) as error:  # a request that the resolvers do not understand
            store.unknown.append(f"{error!r} in {body['query'][:60]} {body.get('variables')}")
            raise

    def _stream(self, path: list[str], body: dict) -> None:
        _, project, name = path
        run = self.server_of.store.runs[project, name]
        for file, chunk in (body.get("files") or {}).items():
            if file == "wandb-history.jsonl":
                run.history += [json.loads(line) for line in chunk["content"]]
        if body.get("complete"):
            run.state = "finished" if body.get("exitcode") == 0 else "failed"

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _reply(self, content: bytes, status: int = 200, stalls: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if stalls:
            self.wfile.write(content[: len(content) // 2])
            self.connection.recv(1)  # until the client gives up
        else:
            self.wfile.write(content)
