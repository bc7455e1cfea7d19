# SPDX-License-Identifier: Apache-2.0
"""Faults of the transport: what goes wrong between a right answer and the wire.

A fault waits for requests whose line (`GET store/bucket/…?…`) its expression
finds, lets the first `skip` of them pass and spoils the next `times`. Offsets
are counted in the body of the spoiled answer.
"""

import itertools
import re
import secrets
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path

from door import Response

JUNK = b"\xA5" * 65536


class UnknownFault(ValueError):
    pass


@dataclass
class Fault:
    match: str
    kind: str
    options: dict = field(default_factory=dict)
    times: int = None
    skip: int = 0

    def __post_init__(self):
        if self.kind not in REPLACE and self.kind not in SPOIL:
            raise UnknownFault(f"no fault '{self.kind}'; known: "
                               + ", ".join(sorted([*REPLACE, *SPOIL])))
        needed, allowed = OPTIONS.get(self.kind, ((), ()))
        if not set(needed) <= set(self.options) <= {*needed, *allowed}:
            raise UnknownFault(f"'{self.kind}' needs {', '.join(needed) or 'no option'}"
                               f" and takes {', '.join(allowed) or 'no other'}")
        try:
            self._pattern = re.compile(self.match)
        except re.error as error:
            raise UnknownFault(f"'{self.match}': {error}") from error

    def fires(self, request):
        if self.times == 0 or not self._pattern.search(request.line()):
            return False
        if self.kind in ONLY_WITH_RANGE and "Range" not in request.headers:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def replacement(self, request, cloud):
        """The answer in place of the door's, for faults that need none from it."""
        return REPLACE[self.kind](self.options, request, cloud) if self.kind in REPLACE else None

    def spoil(self, answer):
        if self.kind in SPOIL:
            SPOIL[self.kind](answer, self.options)


class FaultTable:
    def __init__(self):
        self.faults = []

    def add(self, fault):
        self.faults.append(fault)

    def clear(self):
        self.faults.clear()

    def take(self, request):
        """The first fault that fires on this request, or None."""
        return next((fault for fault in self.faults if fault.fires(request)), None)


class Answer:
    """An answer as Python itself puts it on the wire, where a fault can reach every byte.

    length   what Content-Length says; None sends chunks without an end known beforehand
    pieces   the body
    ending   after the pieces: "keep" the connection, "close" it, or "hang"
    conditional   whether the request came with If-Range
    """

    def __init__(self, request, response, folder):
        self.status = response.status
        self.headers = dict(response.headers)
        self.ending = "keep"
        self.conditional = "If-Range" in request.headers
        self._file = folder / response.file if response.file else None
        self._body = response.body
        self._size = self._file.stat().st_size if self._file else len(response.body)
        self.length = self._size
        self._start = 0
        if self._file:
            self._apply_range(request)
        self.pieces = self._read(self.length)

    def ignore_range(self):
        self.status, self._start, self.length = 200, 0, self._size
        self.headers.pop("Content-Range", None)
        self.pieces = self._read(self.length)

    def _apply_range(self, request):
        self.headers["Accept-Ranges"] = "bytes"
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
        if_range = request.headers.get("If-Range", self.headers.get("ETag"))
        if not wanted or int(wanted[1]) >= self._size or if_range != self.headers.get("ETag"):
            return
        self._start = int(wanted[1])
        last = min(int(wanted[2] or self._size - 1), self._size - 1)
        self.status, self.length = 206, last - self._start + 1
        self.headers["Content-Range"] = f"bytes {self._start}-{last}/{self._size}"

    def _read(self, left):
        if not self._file:
            yield self._body
            return
        with self._file.open("rb") as source:
            source.seek(self._start)
            while left > 0 and (piece := source.read(min(left, len(JUNK)))):
                left -= len(piece)
                yield piece


# Answers in place of the right one.

def _status(options, request, cloud):
    code = int(options["code"])
    response = Response.json({"msg": "a fault on demand", "code": "fault"}, code)
    if "retry-after" in options:
        kind, _, seconds = options["retry-after"].rpartition(":")
        response.headers["Retry-After"] = formatdate(time.time() + int(seconds), usegmt=True) \
            if kind == "date" else seconds
    return response


def _answer(options, _request, _cloud):
    """Success, and these bytes."""
    return Response(200, Path(options["file"]).read_bytes())


def _redirect(options, _request, _cloud):
    return Response.redirect(options["to"])


def _redirect_loop(_options, request, cloud):
    return Response.redirect(cloud.url(request.origin, request.target))


def _redirect_plain(_options, request, cloud):
    return Response.redirect(cloud.url("plain", request.target))


def _reset(_options, _request, _cloud):
    return Response(200, headers={"X-Accel-Redirect": "/.reset"})


# Right answers that get spoiled.

def _first(pieces, count):
    for piece in pieces:
        if count <= 0:
            return
        yield piece[:count]
        count -= len(piece)


def _stall(answer, options):
    answer.pieces = _first(answer.pieces, int(options.get("at", 0)))
    answer.ending = "hang"


def _cut(answer, options):
    answer.pieces = _first(answer.pieces, int(options.get("at", 0)))
    answer.ending = "close"


def _flip(answer, options):
    def flipped(pieces, at):
        for piece in pieces:
            if 0 <= at < len(piece):
                piece = piece[:at] + bytes([piece[at] ^ 0xFF]) + piece[at + 1:]
            at -= len(piece)
            yield piece
    answer.pieces = flipped(answer.pieces, int(options.get("at", 0)))


def _slow(answer, options):
    def paced(pieces, rate):
        step = max(1, rate // 20)
        for piece in pieces:
            for start in range(0, len(piece), step):
                yield piece[start:start + step]
                time.sleep(len(piece[start:start + step]) / rate)
    answer.pieces = paced(answer.pieces, int(options["rate"]))


def _delay(_answer, options):
    time.sleep(float(options["seconds"]))


def _lost(answer, _options):
    """What was asked is done, and the connection is reset before an answer."""
    answer.headers["X-Accel-Redirect"] = "/.reset"


def _longer(answer, options):
    extra = int(options.get("by", 1))
    answer.pieces = itertools.chain(answer.pieces, _first(itertools.repeat(JUNK), extra))
    answer.length += extra


def _shorter(answer, options):
    answer.length = max(0, answer.length - int(options.get("by", 1)))
    answer.pieces = _first(answer.pieces, answer.length)


def _endless(answer, _options):
    answer.pieces = itertools.chain(answer.pieces, itertools.repeat(JUNK))
    answer.length = None


def _bad_content_range(answer, options):
    unit, _, rest = answer.headers.get("Content-Range", "bytes 0-0/1").partition(" ")
    span, _, size = rest.partition("/")
    first, _, last = span.partition("-")
    by = int(options.get("by", 1))
    answer.headers["Content-Range"] = f"{unit} {int(first) + by}-{int(last) + by}/{size}"


def _ignore_range(answer, _options):
    answer.ignore_range()


def _new_etag(answer, _options):
    """Another ETag with every answer, so an If-Range never holds."""
    if answer.conditional:
        answer.ignore_range()
    answer.headers["ETag"] = f'"{secrets.token_hex(16)}"'


REPLACE = {
    "status": _status,
    "answer": _answer,
    "redirect": _redirect,
    "redirect-loop": _redirect_loop,
    "redirect-plain": _redirect_plain,
    "reset": _reset,
}
SPOIL = {
    "stall": _stall,
    "cut": _cut,
    "flip": _flip,
    "slow": _slow,
    "delay": _delay,
    "lost": _lost,
    "longer": _longer,
    "shorter": _shorter,
    "endless": _endless,
    "bad-content-range": _bad_content_range,
    "ignore-range": _ignore_range,
    "new-etag": _new_etag,
}
# kind: (options it needs, options it takes besides)
OPTIONS = {
    "status": (("code",), ("retry-after",)),
    "answer": (("file",), ()),
    "redirect": (("to",), ()),
    "slow": (("rate",), ()),
    "delay": (("seconds",), ()),
    "stall": ((), ("at",)),
    "cut": ((), ("at",)),
    "flip": ((), ("at",)),
    "longer": ((), ("by",)),
    "shorter": ((), ("by",)),
    "bad-content-range": ((), ("by",)),
}
ONLY_WITH_RANGE = ("bad-content-range", "ignore-range")
