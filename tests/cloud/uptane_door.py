# SPDX-License-Identifier: Apache-2.0
"""The second door: director, image repository and TreeHub, with the bearer of credentials.zip."""

from pathlib import PurePosixPath

from door import Response, Router, uptane_error

DIRECTOR = "/director/api/v1/admin/repo"
IMAGE = "/repo/api/v1/user_repo"
TREEHUB = "/treehub/api/v3"
FEED = "/ostree"


class UptaneDoor:
    def __init__(self, cloud, object_store):
        self._cloud = cloud
        self._object_store = object_store
        self._gateway = Router()
        for template, handler in (
                (f"{DIRECTOR}/root.json", self._director_root),
                (f"{DIRECTOR}/{{number}}.root.json", self._numbered_root("director")),
                (f"{DIRECTOR}/offline-snapshot.json", self._offline_snapshot),
                (f"{DIRECTOR}/offline-updates/{{name}}.json", self._lockbox),
                (f"{IMAGE}/root.json", self._image_root),
                (f"{IMAGE}/{{number}}.root.json", self._numbered_root("repo")),
                (f"{IMAGE}/timestamp.json", self._image_role("timestamp")),
                (f"{IMAGE}/snapshot.json", self._image_role("snapshot")),
                (f"{IMAGE}/targets.json", self._image_role("targets")),
                (f"{IMAGE}/delegations/{{name}}.json", self._delegation),
                (f"{IMAGE}/targets/{{name*}}", self._target)):
            self._gateway.add("GET", template, handler)

    def answer_gateway(self, request):
        refusal = self._check_bearer(request)
        if refusal:
            return refusal
        handler, parts = self._gateway.find(request.method, request.raw_path)
        if not handler:
            return uptane_error(404, "not_found", f"no {request.method} {request.path}")
        return handler(request, **parts)

    def answer_ostree(self, request):
        return self._check_bearer(request) or self._ostree_file(request, TREEHUB, "ostree")

    def answer_feed(self, request):
        """The public feed has no login; a bearer that arrives is only seen in the log."""
        return self._ostree_file(request, FEED, "feed")

    def _check_bearer(self, request):
        settings = self._cloud.settings
        if not settings.require_bearer:
            return None
        kind = self._cloud.tokens.kind_of(request.bearer())
        if kind is None:
            refusal = uptane_error(401, "unauthorized", "the bearer is missing or has expired")
            refusal.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
            return refusal
        if kind == "api" and not settings.api_client_on_door_two:
            return uptane_error(403, "forbidden", "this client may not read the repositories")
        return None

    def _director_root(self, _request):
        self._cloud.account.renew_director_root()
        return self._role(f"director/{self._cloud.account.director.latest.version}.root")

    def _image_root(self, _request):
        return self._role(f"repo/{self._cloud.account.image.latest.version}.root")

    def _numbered_root(self, repository):
        return lambda _request, number: self._role(f"{repository}/{number}.root")

    def _offline_snapshot(self, _request):
        self._cloud.account.renew_offline_snapshot()
        return self._role("director/offline-snapshot")

    def _lockbox(self, _request, name):
        return self._role(f"director/lockbox:{name}")

    def _image_role(self, role):
        return lambda _request: self._role(f"repo/{role}")

    def _delegation(self, _request, name):
        return self._role(f"repo/delegation:{name}")

    def _role(self, name):
        data = self._cloud.published().get(name)
        if data is None:
            return uptane_error(404, "missing_entity", f"no role {name}")
        return Response.role(data)

    def _target(self, _request, name):
        package = self._cloud.account.packages.get(name)
        key = self._cloud.packages.key_of(name)
        if package is None or not (package.uri or key):
            return uptane_error(404, "missing_entity", f"no target {name}")
        return Response.redirect(package.uri or self._object_store.presign(key))

    def _ostree_file(self, request, base, link):
        path = PurePosixPath(request.path)
        if not path.is_relative_to(base) or ".." in path.parts:
            return uptane_error(404, "not_found", f"no {request.path}")
        file = f"{link}/{path.relative_to(base)}"
        if not (self._cloud.folder / file).is_file():
            return uptane_error(404, "missing_entity", f"no object {path.relative_to(base)}")
        return Response(200, headers={"Content-Type": "application/octet-stream"}, file=file)
