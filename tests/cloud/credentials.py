# SPDX-License-Identifier: Apache-2.0
"""credentials.zip, and the description of a running cloud for those who use it."""

import json
import shlex
import zipfile
from pathlib import Path

from tokens import TOKEN_PATH
from uptane_door import FEED, TREEHUB

ENV_FILE = "cloud.env"
JSON_FILE = "cloud.json"
CREDENTIALS_FILE = "credentials.zip"


def write_credentials(cloud, path, roots=True, director_root=True, no_auth=False):
    """`roots` = False leaves both trust anchors out.

    targets.sec holds no key: a client that reads it has broken its promise
    not to, and gets nothing for it.
    """
    client = cloud.tokens.credentials_client
    treehub = {"ostree": {"server": f"{cloud.url('ostree', TREEHUB)}/"}}
    if no_auth:
        treehub["no_auth"] = True
    else:
        treehub["oauth2"] = {
            "server": cloud.url("token", TOKEN_PATH.removesuffix("/token")),
            "client_id": client.client_id,
            "client_secret": client.secret,
            "scope": "none",
        }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("treehub.json", json.dumps(treehub))
        out.writestr("tufrepo.url", f"{cloud.url('gateway', '/repo')}/\n")
        if roots:
            out.writestr("root.json", cloud.account.image.roots[0].data)
        if roots and director_root:
            out.writestr("director.root.json", cloud.account.director.roots[0].data)
        out.writestr("targets.pub", "decoy: not a key\n")
        out.writestr("targets.sec", "decoy: whoever reads this file breaks its promise\n")


def describe(cloud):
    """Writes credentials.zip, cloud.json and, last and in one step, cloud.env."""
    credentials_path = cloud.folder / CREDENTIALS_FILE
    write_credentials(cloud, credentials_path)
    client = cloud.tokens.api_client
    variables = {
        "REHEARSAL_API_URL": cloud.url("api", "/api/v2"),
        "REHEARSAL_TOKEN_URL": cloud.url("token", TOKEN_PATH),
        "REHEARSAL_REPO_URL": cloud.url("gateway", "/repo"),
        "REHEARSAL_DIRECTOR_URL": cloud.url("gateway", "/director"),
        "REHEARSAL_OSTREE_URL": cloud.url("ostree", TREEHUB),
        "REHEARSAL_FEED_URL": cloud.url("feed", FEED),
        "REHEARSAL_DEVICE_GATEWAY_URL": cloud.url("dgw"),
        "REHEARSAL_CA": str(cloud.folder / "ca.pem"),
        "REHEARSAL_CREDENTIALS": str(credentials_path),
        "REHEARSAL_CLIENT_ID": client.client_id,
        "REHEARSAL_CLIENT_SECRET": client.secret,
    }
    _write(cloud.folder / JSON_FILE,
           json.dumps({"ports": cloud.ports, **variables}, indent=2) + "\n")
    _write(cloud.folder / ENV_FILE,
           "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items()))


def _write(path, text):
    part = Path(f"{path}.part")
    part.touch(mode=0o600)
    part.write_text(text)
    part.rename(path)
