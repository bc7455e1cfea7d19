# SPDX-License-Identifier: Apache-2.0
"""Makes the reports and requests of tests/unit/reports, with another JSON writer and another library for signatures
than ours. t_report_file reads them and makes the same bytes.

    make_reports.py FOLDER          writes them
    make_reports.py --check FOLDER  compares; exit 1 where a file differs
"""
import base64
import json
import pathlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
MANIFEST = b'{"signatures":[],  "signed":{"primary_ecu_serial":"a1b2"}}\n'


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def signed(what):
    text = compact(what)
    signature = KEY.sign(b"airlock device file 1\n" + text.encode()).hex()
    return f'{{"schema":1,"key":"{PUBLIC}","signature":"{signature}","signed":{text}}}\n'.encode()


def common(kind, sequence, previous):
    return {"type": kind, "device": "pump-7", "helper": "0.1.0", "sequence": sequence,
            "made_at": "2026-11-27T08:00:00Z", "previous": previous}


def report(sequence=2, previous="5a" * 32, **changes):
    what = common("report", sequence, previous)
    what.update({
        "lockbox": {"name": "fall-release", "version": 3}, "outcome": "installed", "source": "update-logs",
        "signers_checked": True, "error": None, "message": "", "manifest": base64.b64encode(MANIFEST).decode(),
        "ecus": [{"serial": "a1b2", "hardware_id": "verdin-imx8mm",
                  "key": {"keytype": "ED25519", "public": PUBLIC.upper()}},
                 {"serial": "c3d4", "hardware_id": "docker-compose", "key": None}]})
    what.update(changes)
    return what


def request(state):
    what = common("request", 1, None)
    what["state"] = state
    return what


FILES = {
    "report.json": signed(report()),
    "refused.json": signed(report(1, None, lockbox=None, outcome="refused", source="helper", signers_checked=False,
                                  error="rollback", message='a "quoted" text\nüber zwei Zeilen\\', manifest=None,
                                  ecus=[])),
    "request.json": signed(request({"schema": 1, "name": "pump-7", "ecus": [
        {"hardware_id": "verdin-imx8mm", "primary": True}], "stored": {"offline_snapshot": {"version": 7}}})),
}


def main(arguments):
    check = arguments[0] == "--check"
    folder = pathlib.Path(arguments[-1])
    differ = [name for name, data in FILES.items() if check and (folder / name).read_bytes() != data]
    for name, data in FILES.items():
        if not check:
            (folder / name).write_bytes(data)
    for name in differ:
        print(f"{name} differs from what make_reports.py makes")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
