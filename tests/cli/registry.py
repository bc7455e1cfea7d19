# SPDX-License-Identifier: Apache-2.0
"""Container images and registries to fetch them from.

`Image` makes an OCI layout with one image per platform, in Python alone; `DockerRegistry` is Debian's
docker-registry, filled by skopeo; `OddRegistry` serves the same layouts itself, asks for a bearer as Docker Hub and
GitLab do, and misbehaves as it is told.
"""

import base64
import contextlib
import crypt
import gzip
import hashlib
import http.server
import io
import json
import shutil
import socket
import subprocess
import tarfile
import threading
import time
import urllib.parse

DOCKER = "application/vnd.docker."
OCI = "application/vnd.oci.image."
CONFIG = {
    True: DOCKER + "container.image.v1+json", False: OCI + "config.v1+json"}
MANIFEST = {
    True: DOCKER + "distribution.manifest.v2+json", False: OCI + "manifest.v1+json"}
LIST = {
    True: DOCKER + "distribution.manifest.list.v2+json", False: OCI + "index.v1+json"}
LAYER = {
    True: {"gzip": DOCKER + "image.rootfs.diff.tar.gzip"},
    False: {"gzip": OCI + "layer.v1.tar+gzip", "zstd": OCI + "layer.v1.tar+zstd", "none": OCI + "layer.v1.tar"}}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def tar_of(files):
    """{name: content} as a layer."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def pack(raw, how):
    if how == "gzip":
        return gzip.compress(raw, mtime=0)
    if how == "zstd":
        return subprocess.run(["zstd", "-q", "-c"], input=raw, stdout=subprocess.PIPE, check=True).stdout
    return raw


class Image:
    """Blobs by digest, and the digest under which a compose file names the image."""

    def __init__(self, docker=False):
        self.docker = docker
        self.blobs = {}
        self.choices = []

    def add_blob(self, data):
        self.blobs[sha256(data)] = data
        return {"digest": "sha256:" + sha256(data), "size": len(data)}

    def add_json(self, value):
        return self.add_blob(json.dumps(value).encode())

    def add(self, platform, layers, diff_ids=None, config=None, spoil=None):
        """One image; `layers` are (tar, packing). Returns its manifest's digest."""
        words = platform.split("/")
        names = dict(zip(("os", "architecture", "variant"), words))
        if diff_ids is None:
            diff_ids = ["sha256:" + sha256(raw) for raw, _ in layers]
        about = names | {"config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}} | (config or {})
        manifest = {
            "schemaVersion": 2, "mediaType": MANIFEST[self.docker],
            "config": self.add_json(about) | {"mediaType": CONFIG[self.docker]},
            "layers": [self.add_blob(pack(raw, how)) | {"mediaType": LAYER[self.docker][how]}
                       for raw, how in layers],
        }
        if spoil:
            spoil(manifest)
        entry = self.add_json(manifest)
        self.choices.append(entry | {"mediaType": MANIFEST[self.docker], "platform": names})
        return entry["digest"]

    def add_list(self):
        self.digest = self.add_json({"schemaVersion": 2, "mediaType": LIST[self.docker],
                                     "manifests": self.choices})["digest"]
        return self.digest

    def layout(self, folder):
        """An OCI layout that skopeo reads; its index names the list (or the one manifest) alone."""
        (folder / "blobs/sha256").mkdir(parents=True)
        for digest, data in self.blobs.items():
            (folder / "blobs/sha256" / digest).write_bytes(data)
        top = self.digest if len(self.choices) > 1 else self.choices[0]["digest"]
        kind = LIST if len(self.choices) > 1 else MANIFEST
        data = self.blobs[top.removeprefix("sha256:")]
        index = {"schemaVersion": 2, "manifests": [
            {"mediaType": kind[self.docker], "digest": top, "size": len(data)}]}
        (folder / "index.json").write_text(json.dumps(index))
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def two_platforms(docker=False, packings=("gzip", "gzip"), shared=b"shared"):
    """linux/arm64 and linux/arm/v7, the first layer shared; the second of arm64 holds the same twice."""
    image = Image(docker)
    base = tar_of({"etc/base": shared * 9000})
    for platform in ("linux/arm64", "linux/arm/v7"):
        top = tar_of({"bin/tool": platform.encode() * 5000})
        image.add(platform, [(base, packings[0]), (top, packings[1]), (base, packings[0])])
    image.add_list()
    return image


def compose(**services):
    """{service: reference} as a compose file in the device's form."""
    lines = ["services:"]
    for name, reference in services.items():
        lines += [f"  {name}:", f"    image: {reference}", "    restart: always"]
    return "\n".join(lines + ["version: '2.4'", ""])


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def make_certificate(folder):
    """A CA of its own, and its certificate for localhost."""
    folder.mkdir()
    run = lambda *words: subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
        "-out", "ca.crt", "-days", "2", "-subj", "/CN=registry test CA")
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "tls.key",
        "-out", "tls.csr", "-subj", "/CN=localhost")
    (folder / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    run("x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
        "-out", "tls.crt", "-days", "2", "-extfile", "ext")


class DockerRegistry:
    """Debian's docker-registry on loopback: plain, or with TLS of its own CA, or with a login."""

    def __init__(self, folder, tls=False, login=None):
        self.folder, self.tls, self.login = folder, tls, login
        folder.mkdir(parents=True)
        self.port = free_port()
        self.host = f"localhost:{self.port}"
        config = {"version": "0.1", "log": {"level": "error"}, "http": {"addr": f"127.0.0.1:{self.port}"},
                  "storage": {"filesystem": {"rootdirectory": str(folder / "data")}}}
        if tls:
            make_certificate(folder / "tls")
            config["http"]["tls"] = {"certificate": str(folder / "tls/tls.crt"), "key": str(folder / "tls/tls.key")}
        if login:
            hashed = crypt.crypt(login[1], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
            (folder / "htpasswd").write_text(f"{login[0]}:{hashed}\n")
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
        (folder / "config.yml").write_text(json.dumps(config))  # JSON is YAML
        self.process = subprocess.Popen(["docker-registry", "serve", folder / "config.yml"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait()

    def wait(self):
        for _ in range(200):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        self.stop()
        raise RuntimeError("docker-registry does not start")

    def stop(self):
        self.process.kill()
        self.process.wait()

    def push(self, image, name, *options):
        """Returns the reference for a compose file, of the digest that the registry gives it."""
        layout = self.folder / "layout"
        image.layout(layout)
        creds = ["--dest-creds", ":".join(self.login)] if self.login else []
        digest_file = self.folder / "digest"
        subprocess.run(["skopeo", "copy", "--quiet", "--all", *options, *creds, "--dest-tls-verify=false",
                        "--digestfile", digest_file, f"oci:{layout}", f"docker://{self.host}/{name}:1"],
                       check=True, capture_output=True)
        shutil.rmtree(layout)
        return f"{self.host}/{name}@{digest_file.read_text()}"


class OddRegistry:
    """A registry in Python. `faults` maps a digest to a function of (handler, data) that answers in its place."""

    def __init__(self, images, bearer=None, scope=True, login=None):
        self.blobs = {digest: data for image in images for digest, data in image.blobs.items()}
        self.bearer, self.scope, self.login = bearer, scope, login
        self.faults, self.log = {}, []
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                registry.answer(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # a client that went away

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def asked(self, part):
        return [entry for entry in self.log if part in entry["path"]]

    def answer(self, handler):
        url = urllib.parse.urlsplit(handler.path)
        authorization = handler.headers.get("Authorization")
        self.log.append({"path": handler.path, "authorization": authorization,
                         "range": handler.headers.get("Range")})
        if url.path == "/token":
            self.give_token(handler, authorization)
        elif url.path.startswith("/v2/") and self.bearer and authorization != f"Bearer {self.bearer}":
            self.challenge(handler, url.path)
        elif url.path == "/v2/":
            send(handler, b"{}")
        else:
            self.give_blob(handler, url.path.rpartition("sha256:")[2])

    def give_token(self, handler, authorization):
        wanted = self.login and "Basic " + base64.b64encode(":".join(self.login).encode()).decode()
        if wanted and authorization != wanted:
            send(handler, b"{}", 401)
        else:
            send(handler, json.dumps({"token": self.bearer}).encode())

    def challenge(self, handler, path):
        header = f'Bearer realm="http://{self.host}/token",service="odd"'
        if self.scope:
            header += f',scope="repository:{path.split("/", 2)[2].rpartition("/")[0].rpartition("/")[0]}:pull"'
        send(handler, b'{"errors":[]}', 401, {"WWW-Authenticate": header})

    def give_blob(self, handler, digest):
        data = self.blobs.get(digest)
        fault = self.faults.get(digest)
        if fault and fault(handler, data):
            return
        if data is None:
            send(handler, b"{}", 404)
        else:
            send_range(handler, data)


def send(handler, body, status=200, headers=None):
    handler.send_response(status)
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def send_range(handler, data):
    wanted = handler.headers.get("Range")
    if not wanted:
        send(handler, data)
        return
    first = int(wanted.removeprefix("bytes=").rstrip("-"))
    send(handler, data[first:], 206, {"Content-Range": f"bytes {first}-{len(data) - 1}/{len(data)}"})


# ---- faults ----

def times(n, fault):
    """The fault, the first n times."""
    left = [n]

    def answer(handler, data):
        left[0] -= 1
        return left[0] >= 0 and fault(handler, data)
    return answer


def lie(handler, data):
    send(handler, bytes([data[0] ^ 1]) + data[1:])
    return True


def cut_at(offset):
    def answer(handler, data):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[:offset])
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)
        handler.close_connection = True
        return True
    return answer


def stall_at(offset):
    def answer(handler, data):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[:offset])
        handler.wfile.flush()
        handler.connection.settimeout(90)
        with contextlib.suppress(OSError):
            handler.rfile.read(1)  # until the other side goes away
        handler.close_connection = True
        return True
    return answer


def status(code, headers=None):
    def answer(handler, _):
        send(handler, b"{}", code, headers)
        return True
    return answer


def redirect(to):
    def answer(handler, _):
        send(handler, b"", 307, {"Location": to})
        return True
    return answer
