# SPDX-License-Identifier: Apache-2.0
"""nginx in front of the doors: TLS, HTTP/2, ranges, sendfile and the request log.

One listening port per origin. Python answers on a Unix socket behind them and
hands files back with X-Accel-Redirect, so no package byte passes through it.
Every path that nginx uses lies inside the cloud's folder.
"""

import os
import signal
import socket
import subprocess
import time

from certificates import write_certificates
from cloud import ORIGINS
from uptane_door import IMAGE, TREEHUB

BACKEND_SOCKET = "backend.sock"
REQUEST_LOG = "requests.jsonl"
# Devices come to an address of its own, with a certificate each; nginx answers 400 without a good one.
MUTUAL_TLS = """ssl_certificate dgw.pem;
        ssl_certificate_key dgw.key;
        ssl_client_certificate device-ca.pem;
        ssl_verify_client on;"""
STATIC_LOCATIONS = {
    "gateway": f"location ^~ {IMAGE}/targets/ {{ alias targets/; }}",
    "ostree": f"location ^~ {TREEHUB}/ {{ alias ostree/; }}",
}

MAIN = """\
daemon off;
{user}
worker_processes 2;
pid nginx.pid;
lock_file nginx.lock;
error_log error.log warn;
events {{ worker_connections 4096; }}

http {{
    log_format requests escape=json '{{"time":$msec,"method":"$request_method",'
        '"origin":"$origin","port":$server_port,"path":"$request_uri",'
        '"protocol":"$server_protocol","authorization":$has_authorization,'
        '"range":"$http_range","user_agent":"$http_user_agent","certificate":"$ssl_client_s_dn",'
        '"status":$status,"bytes":$body_bytes_sent}}';
    access_log {request_log} requests;
    map $http_authorization $has_authorization {{ "" false; default true; }}

    client_body_temp_path temp/body;
    proxy_temp_path temp/proxy;
    fastcgi_temp_path temp/fastcgi;
    uwsgi_temp_path temp/uwsgi;
    scgi_temp_path temp/scgi;

    ssl_certificate server.pem;
    ssl_certificate_key server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:tls:1m;

    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    output_buffers 2 256k;
    keepalive_requests 1000000;
    client_max_body_size 0;
    merge_slashes off;
    server_tokens off;
    reset_timedout_connection on;

    upstream doors {{ server unix:{socket}; keepalive 64; }}
    proxy_http_version 1.1;
    proxy_buffering off;
    proxy_read_timeout 1h;
    proxy_next_upstream off;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Rehearsal-Origin $origin;
    proxy_set_header X-Rehearsal-Certificate $ssl_client_s_dn;
{servers}
}}
"""

SERVER = """
    server {{
        listen 127.0.0.1:{port}{tls};
        server_name localhost;
        {identity}
        set $origin {origin};
        location / {{ proxy_pass http://doors; }}
        location ^~ /.file/ {{
            internal;
            alias "{folder}/";
            etag off;
            add_header ETag $upstream_http_etag;
        }}
        location = /.reset {{ internal; return 444; }}
        {static}
    }}
"""


class Frontend:
    def __init__(self, folder):
        self._folder = folder
        self._listeners = {origin: _listen() for origin in ORIGINS}
        self._process = None
        self.ports = {origin: listener.getsockname()[1]
                      for origin, listener in self._listeners.items()}

    def start(self, static_targets, device_authority):
        """Starts nginx on sockets that listen already, and returns when it has taken them."""
        write_certificates(self._folder, device_authority)
        (self._folder / "temp").mkdir(exist_ok=True)
        (self._folder / "nginx.conf").write_text(self._configuration(static_targets))
        descriptors = [listener.fileno() for listener in self._listeners.values()]
        # nginx takes over listening sockets named in NGINX, as in an upgrade of its binary.
        inherited = "".join(f"{descriptor};" for descriptor in descriptors)
        self._process = subprocess.Popen(
            ["nginx", "-p", f"{self._folder}/", "-e", "error.log", "-c", "nginx.conf"],
            cwd=self._folder, pass_fds=descriptors, preexec_fn=_unblock_signals,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "NGINX": inherited})
        for listener in self._listeners.values():
            listener.close()
        while not (self._folder / "nginx.pid").exists():
            if self.exit_status() is not None:
                raise RuntimeError((self._folder / "error.log").read_text())
            time.sleep(0.005)

    def exit_status(self):
        """None while nginx runs."""
        return self._process.poll()

    def stop(self):
        self._process.terminate()
        self._process.wait()

    def _configuration(self, static_targets):
        servers = "".join(SERVER.format(
            origin=origin, port=port, tls="" if origin == "plain" else " ssl http2",
            folder=self._folder, identity=MUTUAL_TLS if origin == "dgw" else "",
            static=STATIC_LOCATIONS.get(origin, "") if static_targets else "",
        ) for origin, port in self.ports.items())
        return MAIN.format(user="user root;" if os.geteuid() == 0 else "",
                           request_log=REQUEST_LOG, socket=BACKEND_SOCKET, servers=servers)


def _unblock_signals():
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _listen():
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener.set_inheritable(True)
    listener.setblocking(False)  # nginx leaves what it inherits as it is, and accept() must not wait
    return listener
