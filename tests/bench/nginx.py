"""nginx twice: the provider behind every proxy, and the proxy that is the upper yardstick."""

from __future__ import annotations

import http.client
import json
import re
import shutil
from pathlib import Path

from tests.bench.process import Target

ANSWER_BYTES = 1024

_COMMON = """
daemon off;
worker_processes 1;
pid {directory}/{name}.pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_header_buffer_size 16k;
  client_body_buffer_size 64k;
  client_max_body_size 16m;
  client_body_temp_path {directory}/{name}-body;
  proxy_temp_path {directory}/{name}-proxy;
  fastcgi_temp_path {directory}/{name}-fastcgi;
  uwsgi_temp_path {directory}/{name}-uwsgi;
  scgi_temp_path {directory}/{name}-scgi;
{servers}
}}
"""

# `return` reads the body and throws it away; head and body of these requests fit one buffer, so
# that it is read before the answer.
_PROVIDER = """
  server {{
    listen 127.0.0.1:{port};
    location / {{ default_type application/json; return 200 '{answer}'; }}
  }}
  server {{
    listen 127.0.0.1:{status_port};
    location / {{ stub_status; }}
    location = /jwks.json {{ default_type application/json; return 200 '{jwk_set}'; }}
  }}
"""

_PROXY = """
  upstream provider {{
    server 127.0.0.1:{upstream_port};
    keepalive 128;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
    }}
  }}
"""


def answer() -> str:
    """Return the provider's answer, JSON of ANSWER_BYTES bytes."""
    faces = {"FaceMatches": [{"Similarity": 99.5}], "Filler": ""}
    faces["Filler"] = "x" * (ANSWER_BYTES - len(json.dumps(faces)))
    return json.dumps(faces)


def provider(directory: Path, *, port: int, status_port: int, jwk_set: str) -> Target:
    """Return the provider; on its second port it counts requests and serves `/jwks.json`."""
    servers = _PROVIDER.format(port=port, status_port=status_port, answer=answer(), jwk_set=jwk_set)
    return _target("provider", directory, servers, port)


def proxy(directory: Path, *, port: int, upstream_port: int) -> Target:
    return _target("nginx", directory, _PROXY.format(port=port, upstream_port=upstream_port), port)


def requests_served(status_port: int) -> int:
    """Return how many requests the provider has had, the readings of this number among them."""
    asking = http.client.HTTPConnection("127.0.0.1", status_port, timeout=5)
    try:
        asking.request("GET", "/")
        counts = re.search(rb"\n (\d+) (\d+) (\d+)", asking.getresponse().read())
    finally:
        asking.close()
    if counts is None:
        raise SystemExit("nginx tells no counts")
    return int(counts[3])


def _target(name: str, directory: Path, servers: str, port: int) -> Target:
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    file = directory / f"{name}.conf"
    file.write_text(_COMMON.format(directory=directory, name=name, servers=servers))
    return Target(
        name=name,
        argv=(program, "-c", str(file), "-e", str(directory / f"{name}-error.log")),
        port=port,
        ready=("127.0.0.1", port, "/"),
    )
