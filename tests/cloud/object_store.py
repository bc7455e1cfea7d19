# SPDX-License-Identifier: Apache-2.0
"""The object store: another origin, which knows pre-signed URLs and no bearers.

Like S3 it refuses a request that carries an Authorization header besides the
signature in its query, so a client that forwards its bearer fails here.
`/public/KEY` needs no signature: where an image repository's `custom.uri` points.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode

from door import Response

STAMP = "%Y%m%dT%H%M%SZ"


class ObjectStore:
    def __init__(self, cloud):
        self._cloud = cloud
        self._secret = secrets.token_bytes(32)

    def presign(self, key):
        path = f"/bucket/{key}"
        stamp = datetime.now(timezone.utc).strftime(STAMP)
        lifetime = str(self._cloud.settings.presign_lifetime)
        query = urlencode({
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"REHEARSAL/{stamp[:8]}/eu-central-1/s3/aws4_request",
            "X-Amz-Date": stamp,
            "X-Amz-Expires": lifetime,
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Signature": self._signature(path, stamp, lifetime),
        })
        return self._cloud.url("store", f"{path}?{query}")

    def answer(self, request):
        if "Authorization" in request.headers:
            return _refusal(400, "InvalidArgument",
                            "Only one auth mechanism allowed; only the X-Amz-Algorithm query "
                            "parameter, Signature query string parameter or the Authorization "
                            "header should be specified")
        kind, _, key = request.path.lstrip("/").partition("/")
        if kind == "bucket":
            refusal = self._check(request)
            if refusal:
                return refusal
        elif kind != "public":
            return _refusal(404, "NoSuchBucket", "The specified bucket does not exist")
        if not self._cloud.packages.target_of(key):
            return _refusal(404, "NoSuchKey", "The specified key does not exist.")
        etag = f'"{hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()}"'
        return Response(200, headers={"Content-Type": "binary/octet-stream", "ETag": etag},
                        file=self._cloud.packages.file_of(key))

    def _check(self, request):
        stamp, lifetime = request.one("X-Amz-Date", ""), request.one("X-Amz-Expires", "")
        expected = self._signature(request.path, stamp, lifetime)
        if request.method != "GET" \
                or not hmac.compare_digest(expected, request.one("X-Amz-Signature", "")):
            return _refusal(403, "SignatureDoesNotMatch",
                            "The request signature we calculated does not match the signature "
                            "you provided.")
        signed_at = datetime.strptime(stamp, STAMP).replace(tzinfo=timezone.utc)
        if datetime.now(timezone.utc) > signed_at + timedelta(seconds=int(lifetime)):
            return _refusal(403, "AccessDenied", "Request has expired")
        return None

    def _signature(self, path, stamp, lifetime):
        message = f"{path}\n{stamp}\n{lifetime}".encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()


def _refusal(status, code, message):
    body = (f'<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{code}</Code><Message>{message}</Message></Error>")
    return Response(status, body.encode(), {"Content-Type": "application/xml"})
