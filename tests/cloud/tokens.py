# SPDX-License-Identifier: Apache-2.0
"""The token endpoint: OAuth2 client credentials, as Keycloak answers them."""

import base64
import json
import os
import secrets
import time
import uuid
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from door import Response

TOKEN_PATH = "/auth/realms/ota-users/protocol/openid-connect/token"


@dataclass(frozen=True)
class Client:
    """`kind` is "api" (Platform API v2) or "credentials" (the one in credentials.zip)."""

    kind: str
    client_id: str
    secret: str


class TokenDesk:
    def __init__(self, settings):
        self._settings = settings
        self._tokens = {}
        self.api_client = Client("api", f"api-{secrets.token_hex(4)}", secrets.token_hex(20))
        self.credentials_client = Client("credentials", str(uuid.uuid4()),
                                         secrets.token_hex(20))

    def kind_of(self, token):
        """Which client a bearer belongs to; None when unknown or expired."""
        kind, expires = self._tokens.get(token, (None, 0))
        return kind if time.time() < expires else None

    def expire_all(self):
        count = len(self._tokens)
        self._tokens.clear()
        return count

    def answer(self, request):
        if request.path != TOKEN_PATH:
            return Response.json({"error": "RESTEASY003210: Could not find resource"}, 404)
        if request.method != "POST":
            return Response.json({"error": "HTTP 405 Method Not Allowed"}, 405)
        form = {name: values[0] for name, values in
                parse_qs(request.body.decode(), keep_blank_values=True).items()}
        if "grant_type" not in form:
            return _refusal(400, "invalid_request", "Missing form parameter: grant_type")
        if form["grant_type"] != "client_credentials":
            return _refusal(400, "unsupported_grant_type", "Unsupported grant_type")
        client_id, secret = _basic(request) or (form.get("client_id"), form.get("client_secret"))
        for client in (self.api_client, self.credentials_client):
            if client_id == client.client_id:
                if secret != client.secret:
                    return _refusal(401, "unauthorized_client",
                                    "Invalid client or Invalid client credentials")
                return self._grant(client)
        return _refusal(401, "invalid_client", "Invalid client or Invalid client credentials")

    def _grant(self, client):
        lifetime = self._settings.token_lifetime
        expires = time.time() + lifetime
        token = _jwt_shaped({"exp": int(expires), "jti": str(uuid.uuid4()), "typ": "Bearer",
                             "azp": client.client_id, "clientId": client.client_id})
        self._tokens[token] = (client.kind, expires)
        return Response.json(
            {"access_token": token, "expires_in": lifetime, "refresh_expires_in": 0,
             "token_type": "Bearer", "not-before-policy": 0, "scope": "profile email"},
            headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


def _basic(request):
    kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    user, _, password = base64.b64decode(encoded).decode().partition(":")
    return unquote(user), unquote(password)


def _jwt_shaped(claims):
    """Clients must treat a token as opaque; it only looks (and weighs) like Keycloak's."""
    parts = (json.dumps({"alg": "RS256", "typ": "JWT"}).encode(),
             json.dumps(claims).encode(), os.urandom(256))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def _refusal(status, error, description):
    return Response.json({"error": error, "error_description": description}, status)
