# SPDX-License-Identifier: Apache-2.0
"""A device that is online: it speaks to the device gateway with the credentials of a ZIP, as the client does.

    pump = Online(zip_bytes)
    pump.register(device)              # client.Device: names its ECUs and their keys
    pump.put(device.manifest())        # the status of the answer, and its body
    pump.see()                         # asks for the root: the cloud believes that the device lives
"""

import io
import json
import ssl
import tempfile
import zipfile
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit


class Online:
    def __init__(self, archive):
        with zipfile.ZipFile(io.BytesIO(archive)) as entries:
            files = {name: entries.read(name) for name in entries.namelist()}
        self.uuid = json.loads(files["info.json"])["deviceUuid"]
        self._netloc = urlsplit(files["gateway.url"].decode().strip()).netloc.replace("localhost", "127.0.0.1")
        self.tls = ssl.create_default_context(cadata=files["root.crt"].decode())
        with tempfile.TemporaryDirectory() as folder:
            for name in ("client.pem", "pkey.pem"):
                (Path(folder) / name).write_bytes(files[name])
            self.tls.load_cert_chain(Path(folder) / "client.pem", Path(folder) / "pkey.pem")

    def register(self, device, hardware_id="verdin-imx8mm"):
        ecus = [{"ecu_serial": ecu.serial, "hardware_identifier": hardware_id if ecu is device else "mcu",
                 "clientKey": {"keytype": ecu.type, "keyval": {"public": ecu.public}}}
                for ecu in (device, *device.secondaries)]
        body = json.dumps({"primary_ecu_serial": device.serial, "ecus": ecus})
        return self.ask("POST", "/director/ecus", body)

    def put(self, manifest):
        return self.ask("PUT", "/director/manifest", manifest)

    def see(self):
        return self.ask("GET", "/director/root.json")

    def ask(self, method, path, body=None):
        connection = HTTPSConnection(self._netloc, timeout=20, context=self.tls)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()
