# SPDX-License-Identifier: Apache-2.0
"""What every door speaks: requests, responses and the bodies of refusals."""

import json
import re
import uuid
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class Request:
    """One request as nginx passed it on; `origin` names the door that it came in by."""

    method: str
    origin: str
    target: str
    headers: dict
    body: bytes = b""

    def __post_init__(self):
        parts = urlsplit(self.target)
        self.raw_path = parts.path
        self.path = unquote(parts.path)
        self.query = parse_qs(parts.query, keep_blank_values=True)

    def one(self, name, default=None):
        return self.query.get(name, [default])[0]

    def bearer(self):
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        return token.strip() if kind.lower() == "bearer" else None

    def json(self):
        return json.loads(self.body)

    def line(self):
        """What a fault's expression is matched against, such as `GET store/bucket/…`."""
        return f"{self.method} {self.origin}{self.target}"


@dataclass
class Response:
    """`file`, a path below the cloud's folder, is sent by nginx itself in place of `body`."""

    status: int
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    file: str = None

    @classmethod
    def json(cls, value, status=200, headers=None):
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(status, body, {"Content-Type": "application/json", **(headers or {})})

    @classmethod
    def role(cls, data):
        return cls(200, data, {"Content-Type": "application/json"})

    @classmethod
    def redirect(cls, url):
        return cls(302, b"", {"Location": url})


class Router:
    """Handlers by method and path template; a handler gets the request and the path's parts.

    `{name}` takes one segment, `{name*}` the rest. Matching is on the path as
    sent, so an encoded slash stays within its segment.
    """

    def __init__(self):
        self._routes = []

    def add(self, method, template, handler):
        pattern = re.sub(r"\\\{(\w+)(\\\*)?\\\}",
                         lambda m: f"(?P<{m[1]}>{'.+' if m[2] else '[^/]+'})",
                         re.escape(template))
        self._routes.append((method, re.compile(pattern), handler))

    def find(self, method, path):
        """(handler, parts) of a request, or (None, None). HEAD is answered like GET."""
        wanted = "GET" if method == "HEAD" else method
        for route_method, pattern, handler in self._routes:
            match = pattern.fullmatch(path) if route_method == wanted else None
            if match:
                return handler, {name: unquote(text) for name, text in match.groupdict().items()}
        return None, None


def platform_error(status, code, text):
    return Response.json({"msg": text, "code": code, "description": text,
                          "errorId": str(uuid.uuid4())}, status)


def uptane_error(status, code, text):
    return Response.json({"code": code, "description": text, "cause": None,
                          "errorId": str(uuid.uuid4())}, status)
