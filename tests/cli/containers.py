# SPDX-License-Identifier: Apache-2.0
"""Container applications: fetched from registries without Docker, written as the device loads them."""

import base64
import gzip
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import registry as r
from prompt import Terminal
from scenario import Scenario, main, tree

LOGIN = ("pump", "very secret word")


class Containers(Scenario):
    cloud_options = ("--seed", "empty", "--keys", "ed25519")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Path(tempfile.mkdtemp(prefix="airlock-registry-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.plain = cls.start_registry("plain")
        cls.locked = cls.start_registry("locked", tls=True, login=LOGIN)
        cls.cloud.secrets.append(LOGIN[1])
        cls.cloud.secrets.append(base64.b64encode(":".join(LOGIN).encode()).decode())
        cls.count = 0
        for repository in ("director", "repo"):  # a secondary's first root needs a second one (secondary-root)
            cls.cloud.tell("rotate", repository)

    @classmethod
    def start_registry(cls, name, **how):
        started = r.DockerRegistry(cls.folder / name, **how)
        cls.addClassCleanup(started.stop)
        return started

    def setUp(self):
        super().setUp()
        self.login()

    def define(self, compose):
        """A lockbox with this compose file; returns its name."""
        type(self).count += 1
        name = f"app-{self.count}"
        path = self.home / "docker-compose.yml"
        path.write_text(compose)
        self.cloud.tell("package", "add", name, "1.0", "--hwid", "docker-compose", "--file", path, "--id",
                        f"{name}.yml-1.0")
        self.cloud.tell("lockbox", "define", name, f"{name}.yml-1.0")
        return name

    def odd(self, *images, **how):
        started = r.OddRegistry(images, **how)
        self.addCleanup(started.stop)
        return started

    def odd_app(self, image, **how):
        odd = self.odd(image, **how)
        digest = getattr(image, "digest", None) or image.choices[0]["digest"]
        return odd, self.define(r.compose(web=f"{odd.host}/team/web@{digest}"))

    def trust_locked(self):
        folder = self.home / ".docker/certs.d" / self.locked.host
        folder.mkdir(parents=True)
        shutil.copy(self.locked.folder / "tls/ca.crt", folder)

    def tarballs(self):
        return sorted((self.stick / "update/images").glob("*.images/*.tar"))

    def assert_others_read(self, tarball, platform):
        """skopeo finds the one image in it, and copies it with every digest checked."""
        inspected = json.loads(subprocess.run(["skopeo", "inspect", f"docker-archive:{tarball}"], check=True,
                                              capture_output=True).stdout)
        self.assertEqual("/".join([inspected["Os"], inspected["Architecture"]]), platform)
        copied = self.home / "copied"
        subprocess.run(["skopeo", "copy", "--quiet", f"docker-archive:{tarball}", f"dir:{copied}"], check=True,
                       capture_output=True)
        shutil.rmtree(copied)


class Fetching(Containers):
    def check_written(self, lockbox, reference, platforms):
        self.ok("write", lockbox, self.stick, "--as", "plain")
        tarballs = self.tarballs()
        self.assertEqual(len(tarballs), len(platforms))
        for path in tarballs:
            with tarfile.open(path) as tar:
                manifest = json.load(tar.extractfile("manifest.json"))
                config = json.load(tar.extractfile(manifest[0]["Config"]))
            self.assertEqual(len(manifest), 1)
            self.assertEqual(manifest[0]["RepoTags"],
                             [f"{reference.partition('@')[0]}:digest_sha256_{path.stem}"])
            platform = f"{config['os']}/{config['architecture']}"
            self.assertIn(platform, platforms)
            self.assert_others_read(path, platform)
        for path in (self.stick / "update/metadata/docker").glob("*/*.json"):
            self.assertEqual(r.sha256(path.read_bytes()), path.stem)

    def check_image(self, image, *push):
        reference = self.plain.push(image, f"team/web{self.count}", *push)
        lockbox = self.define(r.compose(web=reference))
        fetched = self.ok("fetch", lockbox)["fetched"][0]
        self.assertEqual(fetched["images"], 2)
        self.check_written(lockbox, reference, ["linux/arm64", "linux/arm"])
        verified = self.ok("verify", self.stick / "update")
        self.assertEqual(verified["verdict"], "install")
        self.assertFalse([text for text in verified["assumed"] if "not read" in text], verified["assumed"])

    def test_dockers_own_form(self):
        self.check_image(r.two_platforms(docker=True))

    def test_the_oci_form(self):
        self.check_image(r.two_platforms())

    def test_layers_of_zstd_and_without_compression(self):
        self.check_image(r.two_platforms(packings=("zstd", "none")), "--preserve-digests")

    def test_a_bundle_brings_the_same_files_as_the_plain_folder(self):
        reference = self.plain.push(r.two_platforms(), "team/bundled")
        lockbox = self.define(r.compose(web=reference, worker=reference))
        self.ok("prepare", lockbox, self.stick)
        self.ok("write", lockbox, self.stick, "--as", "plain")
        verified = self.ok("verify", self.bundle())
        self.assertEqual(verified["verdict"], "install")
        self.assertFalse([text for text in verified["assumed"] if "not read" in text], verified["assumed"])
        self.ok("apply", self.bundle(), "--to", self.home / "device")
        self.assertEqual(tree(self.home / "device"), tree(self.stick / "update"))

    def test_a_platform_that_is_asked_for_comes_alone(self):
        reference = self.plain.push(r.two_platforms(), "team/one")
        lockbox = self.define(r.compose(web=reference))
        self.ok("prepare", lockbox, self.stick, "--as", "plain", "--platform", "linux/arm64")
        self.assertEqual(len(self.tarballs()), 1)
        self.assert_others_read(self.tarballs()[0], "linux/arm64")

    def test_the_platform_of_a_known_device_decides(self):
        reference = self.plain.push(r.two_platforms(), "team/known")
        lockbox = self.define(r.compose(web=reference))
        self.ok("prepare", lockbox, self.stick, "--as", "plain", "--platform", "linux/arm64")
        file = self.home / "device.json"
        for platform, code, verdict in (("linux/arm64", 0, "install"), ("linux/arm/v7", 3, "refuse")):
            file.write_text(json.dumps({"schema": 1, "platform": platform}))
            outcome = self.airlock("--json", "verify", self.stick / "update", "--device", file)
            self.assertEqual((outcome.code, outcome.answer["verdict"]), (code, verdict), str(outcome))
            self.assertTrue(outcome.answer["valid"])
            self.assertFalse([text for text in outcome.answer["assumed"] if "runs on" in text])

    def test_a_missing_platform_is_refused(self):
        reference = self.plain.push(r.two_platforms(), "team/missing")
        lockbox = self.define(r.compose(web=reference))
        self.refuses(3, "no-such-platform", "fetch", lockbox, "--platform", "linux/riscv64",
                     says=["linux/riscv64", "service 'web'"])
        self.refuses(3, "no-such-platform", "fetch", lockbox, "--platform", "linux/arm64", "--platform",
                     "linux/amd64", says="linux/amd64")
        self.assert_nothing_kept(lockbox)

    def test_of_the_usual_platforms_one_is_enough(self):
        image = r.Image()
        image.add("linux/arm64", [(r.tar_of({"a": b"a"}), "gzip")])
        image.add("linux/amd64", [(r.tar_of({"a": b"b"}), "gzip")])
        image.add_list()
        _, lockbox = self.odd_app(image)
        outcome = self.airlock("fetch", lockbox)
        self.assertIn("for devices of linux/arm64\n", outcome.stdout)

    def test_fetched_again_the_registry_is_not_asked(self):
        odd, lockbox = self.odd_app(r.two_platforms())
        self.ok("fetch", lockbox)
        odd.log.clear()
        self.ok("fetch", lockbox)
        self.assertEqual(odd.asked("sha256"), [])

    def test_a_shared_layer_is_fetched_once(self):
        odd, lockbox = self.odd_app(r.two_platforms())
        self.ok("fetch", lockbox)
        paths = [entry["path"] for entry in odd.asked("blobs")]
        self.assertEqual(len(paths), len(set(paths)))

    def test_a_layer_that_the_disk_changed_is_fetched_again(self):
        image = r.two_platforms(shared=b"damaged")
        odd, lockbox = self.odd_app(image)
        self.ok("fetch", lockbox)
        layer = json.loads(image.blobs[image.choices[0]["digest"][7:]])["layers"][0]["digest"][7:]
        path = self.cache / "objects" / layer[:2] / layer[2:]
        data = path.read_bytes()
        spoiled = data[:60] + bytes(20) + data[80:]
        path.write_bytes(spoiled)
        outcome = self.airlock("write", lockbox, self.stick)
        self.assertEqual(outcome.code, 3, str(outcome))
        self.assertIn("fetch them again", outcome.stderr)
        odd.log.clear()
        self.ok("prepare", lockbox, self.stick)
        self.assertEqual(len(odd.asked("blobs")), 1)
        path.write_bytes(spoiled)
        self.record(lockbox).unlink()
        outcome = self.refuses(3, "bad-image", "fetch", lockbox)
        self.assertIn("run the same command again", outcome.stderr)
        self.ok("fetch", lockbox)

    def test_a_line_that_the_device_would_miss_is_shown(self):
        reference = "web@sha256:" + "a" * 64
        lockbox = self.define(f"services:\n  web:\n    image: {reference} # the newest\n")
        outcome = self.refuses(3, "compose-form", "fetch", lockbox, says="line 3")
        self.assertIn("# the newest", outcome.stderr)

    def test_an_image_that_is_not_pinned_is_refused(self):
        lockbox = self.define("services:\n  web:\n    image: web:latest\n")
        self.refuses(3, "image-not-pinned", "fetch", lockbox, says="web:latest")


class LoggingIn(Containers):
    def setUp(self):
        super().setUp()
        self.trust_locked()
        self.reference = self.locked.push(r.two_platforms(), f"team/web{self.count}")
        self.lockbox = self.define(r.compose(web=self.reference))

    def write_login(self, text, mode=0o600):
        path = self.home / "login"
        path.write_text(text)
        path.chmod(mode)
        return f"{self.locked.host}={path}"

    def test_a_login_from_a_file(self):
        self.ok("fetch", self.lockbox, "--login", self.write_login(":".join(LOGIN) + "\n"))

    def test_no_login_or_a_wrong_one_is_refused(self):
        outcome = self.refuses(5, "login-refused", "fetch", self.lockbox, says=self.locked.host)
        self.assertIn("--login", outcome.stderr)
        self.refuses(5, "login-refused", "fetch", self.lockbox, "--login", self.write_login("pump:guess"),
                     says="as user 'pump'")
        self.assert_nothing_kept(self.lockbox)

    def test_a_file_that_others_may_read_is_refused(self):
        self.refuses(2, "bad-config", "fetch", self.lockbox, "--login",
                     self.write_login(":".join(LOGIN), mode=0o644))

    def test_at_a_terminal_the_password_is_asked_for_and_not_shown(self):
        terminal = Terminal(self, "fetch", self.lockbox, "--login", self.locked.host)
        terminal.wait_for(f"user at {self.locked.host}: ".encode())
        terminal.type(LOGIN[0].encode() + b"\n")
        terminal.wait_for(b"password or token")
        terminal.wait_for_echo(False)
        terminal.type(LOGIN[1].encode() + b"\n")
        code, _, stderr = terminal.finish()
        self.assertEqual(code, 0, stderr)
        self.assertNotIn(LOGIN[1].encode(), terminal.shown)
        self.assert_kept(self.lockbox)

    def test_without_a_terminal_nobody_is_asked(self):
        self.refuses(2, "usage", "fetch", self.lockbox, "--login", self.locked.host)

    def write_docker_config(self, value):
        (self.home / ".docker/config.json").write_text(json.dumps(value))

    def test_the_login_that_docker_keeps(self):
        auth = base64.b64encode(":".join(LOGIN).encode()).decode()
        self.write_docker_config({"auths": {f"https://{self.locked.host}/v2/": {"auth": auth}}})
        self.ok("fetch", self.lockbox)
        (self.home / ".docker/config.json").unlink()

    def helper(self, script):
        folder = self.home / "bin"
        folder.mkdir(exist_ok=True)
        path = folder / "docker-credential-test"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        self.write_docker_config({"credHelpers": {self.locked.host: "test"}})
        return {"PATH": f"{folder}:{os.environ['PATH']}"}

    def test_the_login_of_a_credential_helper(self):
        answer = base64.b64encode(json.dumps({"Username": LOGIN[0], "Secret": LOGIN[1]}).encode()).decode()
        env = self.helper(f'read host; [ "$1 $host" = "get {self.locked.host}" ] && echo {answer} | base64 -d')
        self.ok("fetch", self.lockbox, env=env)

    def test_a_helper_that_knows_nothing_or_fails(self):
        env = self.helper("echo 'credentials not found in native keychain'; exit 1")
        self.refuses(5, "login-refused", "fetch", self.lockbox, env=env)
        env = self.helper("exit 1")
        self.refuses(2, "bad-config", "fetch", self.lockbox, env=env, says="docker-credential-test")
        env = self.helper("echo nonsense")
        self.refuses(2, "bad-config", "fetch", self.lockbox, env=env)

    def test_a_helper_is_no_command_line(self):
        self.write_docker_config({"credHelpers": {self.locked.host: "x; touch owned"}})
        self.refuses(2, "bad-config", "fetch", self.lockbox, says="no name")
        self.assertFalse((self.home / "owned").exists())

    def test_another_ca_is_not_trusted(self):
        shutil.rmtree(self.home / ".docker")
        self.refuses(5, "tls", "fetch", self.lockbox)


class Bearers(Containers):
    def test_a_token_with_and_without_scope(self):
        for scope in (True, False):
            image = r.two_platforms(shared=b"scope %d" % scope)
            odd, lockbox = self.odd_app(image, bearer="token-1", scope=scope)
            self.ok("fetch", lockbox)
            self.assertIn("scope=repository%3Ateam%2Fweb%3Apull", odd.asked("/token")[0]["path"])

    def test_a_token_behind_a_login(self):
        odd, lockbox = self.odd_app(r.two_platforms(), bearer="token-2", login=LOGIN)
        self.refuses(5, "login-refused", "fetch", lockbox, says="without a login")
        path = self.home / "login"
        path.write_text(":".join(LOGIN))
        path.chmod(0o600)
        self.ok("fetch", lockbox, "--login", f"{odd.host}={path}")

    def test_a_token_that_ends_on_the_way_is_renewed(self):
        image = r.two_platforms()
        odd, lockbox = self.odd_app(image, bearer="token-3")

        def expire(handler, _):
            odd.bearer = "token-4"
            odd.challenge(handler, handler.path)
            return True
        layer = json.loads(image.blobs[image.choices[0]["digest"][7:]])["layers"][1]["digest"]
        odd.faults[layer[7:]] = r.times(1, expire)
        self.ok("fetch", lockbox)
        self.assertEqual(len(odd.asked("/token")), 2)

    def test_a_redirect_takes_no_login_along(self):
        image = r.two_platforms()
        odd, lockbox = self.odd_app(image, bearer="token-5")
        store = self.odd(image)
        for digest in image.blobs:
            odd.faults[digest] = r.redirect(f"http://{store.host}/store/sha256:{digest}")
        self.ok("fetch", lockbox)
        self.assertTrue(store.log)
        self.assertEqual({entry["authorization"] for entry in store.log}, {None})


class Mirrors(Containers):
    def test_an_override_is_asked_and_the_device_sees_the_name(self):
        image = r.two_platforms()
        odd = self.odd(image)
        lockbox = self.define(r.compose(web=f"registry.example/team/web@{image.digest}"))
        self.ok("prepare", lockbox, self.stick, "--as", "plain", "--registry-override",
                f"registry.example=http://{odd.host}/proxy")
        self.assertTrue(odd.asked("/v2/proxy/team/web/manifests/"))
        with tarfile.open(self.tarballs()[0]) as tar:
            tag = json.load(tar.extractfile("manifest.json"))[0]["RepoTags"][0]
        self.assertTrue(tag.startswith("registry.example/team/web:digest_sha256_"), tag)

    def test_what_is_no_override_is_a_usage_error(self):
        lockbox = self.define(r.compose(web="web@sha256:" + "a" * 64))
        for wrong in ("docker.io", "=x", "a=", "a=ftp://x", "a=b/../c", "a=b?c"):
            self.refuses(2, "usage", "fetch", lockbox, "--registry-override", wrong)


class Broken(Containers):
    def top_layer(self, image):
        manifest = json.loads(image.blobs[image.choices[0]["digest"][7:]])
        return manifest["layers"][1]["digest"][7:]

    def test_a_manifest_that_is_not_its_digest(self):
        image = r.two_platforms()
        odd, lockbox = self.odd_app(image)
        odd.faults[image.digest[7:]] = r.lie
        self.refuses(3, "wrong-hash", "fetch", lockbox, says="another digest")
        self.assert_nothing_kept(lockbox)

    def test_a_layer_that_is_not_its_digest(self):
        image = r.two_platforms()
        odd, lockbox = self.odd_app(image)
        odd.faults[self.top_layer(image)] = r.lie
        self.refuses(3, "wrong-hash", "fetch", lockbox)

    def test_a_layer_that_is_not_its_diff_id(self):
        image = r.Image()
        raw = r.tar_of({"a": b"a"})
        image.add("linux/arm64", [(raw, "gzip")], diff_ids=["sha256:" + "0" * 64])
        _, lockbox = self.odd_app(image)
        self.refuses(3, "wrong-hash", "fetch", lockbox, says="config says sha256:0000")

    def test_more_diff_ids_than_layers(self):
        image = r.Image()
        image.add("linux/arm64", [(r.tar_of({"a": b"a"}), "gzip")], diff_ids=["sha256:" + "0" * 64] * 2)
        _, lockbox = self.odd_app(image)
        self.refuses(3, "bad-image", "fetch", lockbox)

    def test_a_bomb_is_stopped(self):
        image = r.Image()
        zeros = gzip.compress(bytes(400 << 20), compresslevel=9, mtime=0)
        image.add("linux/arm64", [(zeros, "none")], diff_ids=["sha256:" + "0" * 64])
        _, lockbox = self.odd_app(image)
        self.refuses(3, "too-large", "fetch", lockbox, says="unpacks to more than")

    def test_a_damaged_or_cut_layer(self):
        good = gzip.compress(r.tar_of({"a": os.urandom(50000)}), mtime=0)
        for data in (good[:-9], good[:2000] + b"\0" * 64 + good[2064:]):
            image = r.Image()
            image.add("linux/arm64", [(data, "none")], diff_ids=["sha256:" + "0" * 64])
            _, lockbox = self.odd_app(image)
            self.refuses(3, "bad-image", "fetch", lockbox)

    def test_a_manifest_without_media_type(self):
        image = r.Image()
        image.add("linux/arm64", [(r.tar_of({"a": b"a"}), "gzip")], spoil=lambda m: m.pop("mediaType"))
        _, lockbox = self.odd_app(image)
        self.refuses(3, "bad-manifest", "fetch", lockbox, says="mediaType")

    def test_two_images_that_fit_equally_well(self):
        image = r.Image()
        for platform in ("linux/arm64", "linux/arm64/v8"):
            image.add(platform, [(r.tar_of({"a": platform.encode()}), "gzip")])
        image.add_list()
        _, lockbox = self.odd_app(image)
        self.refuses(3, "platform-ambiguous", "fetch", lockbox)

    def test_one_image_under_two_names(self):
        image = r.two_platforms()
        odd = self.odd(image)
        lockbox = self.define(r.compose(a=f"{odd.host}/x@{image.digest}", b=f"{odd.host}/y@{image.digest}"))
        self.refuses(3, "compose-form", "fetch", lockbox, says=["'a' and 'b'"])

    def test_an_image_that_is_not_there(self):
        odd, lockbox = self.odd_app(r.two_platforms())
        odd.blobs.clear()
        self.refuses(5, "no-such-file", "fetch", lockbox, says="does not have it")

    def test_a_cut_layer_goes_on_where_it_stopped(self):
        image = r.Image()
        image.add("linux/arm64", [(r.tar_of({"a": os.urandom(3 << 20)}), "none")])
        odd, lockbox = self.odd_app(image)
        layer = json.loads(image.blobs[image.choices[0]["digest"][7:]])["layers"][0]["digest"][7:]
        odd.faults[layer] = r.times(1, r.cut_at(1 << 20))
        self.ok("fetch", lockbox)
        self.assertTrue([entry for entry in odd.asked(layer) if entry["range"]], odd.log)

    def test_a_registry_that_stalls_is_asked_for_the_rest(self):
        image = r.Image()
        image.add("linux/arm64", [(r.tar_of({"a": os.urandom(3 << 20)}), "none")])
        odd, lockbox = self.odd_app(image)
        layer = json.loads(image.blobs[image.choices[0]["digest"][7:]])["layers"][0]["digest"][7:]
        odd.faults[layer] = r.times(1, r.stall_at(1 << 20))
        self.ok("fetch", lockbox, within=120)  # 30 s without a byte are a stall
        self.assertTrue([entry for entry in odd.asked(layer) if entry["range"]], odd.log)

    def test_a_registry_that_asks_to_wait_is_asked_again(self):
        image = r.two_platforms()
        odd, lockbox = self.odd_app(image)
        odd.faults[image.digest[7:]] = r.times(1, r.status(429, {"Retry-After": "1"}))
        self.ok("fetch", lockbox)
        self.assertEqual(len(odd.asked(image.digest[7:])), 2)


class Checking(Containers):
    """What the device would not load is found before the drive."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.image = r.Image()
        cls.raw = r.tar_of({"a": b"a" * 1000})
        cls.image.add("linux/arm64", [(cls.raw, "gzip")])

    def setUp(self):
        super().setUp()
        self.registry, self.lockbox = self.odd_app(self.image)
        self.ok("prepare", self.lockbox, self.stick, "--as", "plain")
        self.tarball = self.tarballs()[0]
        self.reference = f"{self.registry.host}/team/web"

    def expect(self, error, says, refuses=True):
        outcome = self.airlock("--json", "verify", self.stick / "update")
        self.assertEqual(outcome.code, 3, str(outcome))
        problems = [(p["id"], p["device_refuses"]) for p in outcome.answer["problems"]]
        self.assertEqual(problems, [(error, refuses)], str(outcome))
        self.assertIn(says, outcome.answer["problems"][0]["message"])
        self.assertEqual(outcome.answer["verdict"], "refuse" if refuses else "install")

    def entries(self):
        with tarfile.open(self.tarball) as tar:
            return {m.name: tar.extractfile(m).read() for m in tar.getmembers()}

    def rewrite(self, change=None, add=()):
        """The tarball again, with other files, and other things beside them."""
        files = self.entries()
        if change:
            change(files)
        with tarfile.open(self.tarball, "w", format=tarfile.GNU_FORMAT) as tar:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            for info in add:
                tar.addfile(info)

    def change_manifest(self, **fields):
        def change(files):
            value = json.loads(files["manifest.json"])
            value[0].update(fields)
            files["manifest.json"] = json.dumps(value).encode()
        self.rewrite(change)

    def for_device(self, **state):
        file = self.home / "device.json"
        file.write_text(json.dumps({"schema": 1, **state}))
        return self.airlock("--json", "verify", self.stick / "update", "--device", file)

    def test_a_device_that_does_not_know_the_media_type(self):
        [manifest] = (self.stick / "update/metadata/docker").glob("*/*.json")
        known = json.loads(manifest.read_text())["mediaType"]
        self.assertEqual(self.for_device(media_types=[known]).code, 0)
        outcome = self.for_device(media_types=["application/vnd.example+json"])
        self.assertEqual((outcome.code, outcome.answer["valid"], outcome.answer["verdict"]), (3, True, "refuse"))
        self.assertEqual([p["id"] for p in outcome.answer["problems"]], ["unknown-media-type"])

    def test_another_tar_of_the_same_files_is_as_good(self):
        self.rewrite(add=[tarfile.TarInfo("./" + "x" * 200 + "/y")])
        self.ok("verify", self.stick / "update")

    def test_a_missing_or_changed_manifest(self):
        manifest = next((self.stick / "update/metadata/docker").glob("*/*.json"))
        manifest.write_bytes(manifest.read_bytes() + b" ")
        self.expect("wrong-hash", "is another one")
        manifest.unlink()
        self.expect("missing-target", "manifest of image")

    def test_a_missing_tarball(self):
        self.tarball.unlink()
        self.expect("missing-target", "tarball of image")

    def test_a_cut_tarball(self):
        self.tarball.write_bytes(self.tarball.read_bytes()[:1000])
        self.expect("bad-image", "ends within a file")

    def test_a_changed_layer(self):
        def change(files):
            name = next(name for name in files if name.endswith("layer.tar"))
            files[name] = files[name].replace(b"a", b"b", 1)
        self.rewrite(change)
        self.expect("bad-image", "not the one of its diff id")

    def test_a_compressed_layer(self):
        def change(files):
            name = next(name for name in files if name.endswith("layer.tar"))
            files[name] = gzip.compress(files[name])
        self.rewrite(change)
        self.expect("bad-image", "not the one of its diff id")

    def test_another_tag_or_two(self):
        tag = json.loads(self.entries()["manifest.json"])[0]["RepoTags"][0]
        self.change_manifest(RepoTags=[tag.replace("team/", "")])
        self.expect("bad-image", "the device expects")
        self.change_manifest(RepoTags=[tag, tag + "x"])
        self.expect("bad-image", "one tag")
        self.change_manifest(RepoTags=None)
        self.expect("bad-image", "one tag")

    def test_two_images(self):
        def change(files):
            files["manifest.json"] = json.dumps(json.loads(files["manifest.json"]) * 2).encode()
        self.rewrite(change)
        self.expect("bad-image", "does not name one image")

    def test_another_image(self):
        def change(files):
            config = json.dumps({"rootfs": {"diff_ids": []}}).encode()
            files[r.sha256(config) + ".json"] = config
            value = json.loads(files["manifest.json"])
            value[0].update(Config=r.sha256(config) + ".json", Layers=[])
            files["manifest.json"] = json.dumps(value).encode()
        self.rewrite(change)
        self.expect("bad-image", "holds another image")

    def test_a_file_that_is_there_twice(self):
        self.rewrite(add=[tarfile.TarInfo("x"), tarfile.TarInfo("./y/../x")])
        self.expect("bad-image", "there twice")

    def test_the_layout_of_newer_dockers(self):
        def change(files):
            value = json.loads(files["manifest.json"])
            config = value[0]["Config"]
            files["blobs/sha256/" + config[:-5]] = files.pop(config)
            value[0]["Config"] = "blobs/sha256/" + config[:-5]
            files["manifest.json"] = json.dumps(value).encode()
        self.rewrite(change)
        self.expect("bad-image", "not named by its own SHA-256")

    def test_a_link_to_a_layer_is_followed_and_a_device_is_odd(self):
        def change(files):
            name = next(name for name in files if name.endswith("layer.tar"))
            files["elsewhere"] = files.pop(name)
            self.link.name, self.link.linkname = name, "../elsewhere"
        self.link = tarfile.TarInfo("x")
        self.link.type = tarfile.SYMTYPE
        self.rewrite(change, add=[self.link])
        self.ok("verify", self.stick / "update")
        odd = tarfile.TarInfo("null")
        odd.type = tarfile.CHRTYPE
        self.rewrite(add=[odd])
        self.expect("bad-image", "'null' is no file", refuses=False)

    def test_a_platform_that_is_not_there(self):
        image = r.two_platforms()
        _, lockbox = self.odd_app(image)
        shutil.rmtree(self.stick / "update")
        self.ok("prepare", lockbox, self.stick, "--as", "plain")
        for entry in image.choices[1:]:  # one platform is enough
            next((self.stick / "update/metadata/docker").glob(f"*/{entry['digest'][7:]}.json")).unlink()
        verified = self.ok("verify", self.stick / "update")
        self.assertTrue([text for text in verified["assumed"] if "runs on linux/arm64:" in text])
        next((self.stick / "update/metadata/docker").glob(f"*/{image.choices[0]['digest'][7:]}.json")).unlink()
        self.expect("no-such-platform", "no platform")

    def test_a_bundle_with_another_tag(self):
        """Packed by somebody whose airlock knew better."""
        record = json.loads(self.record(self.lockbox).read_text())
        image = record["apps"][0]["images"][0]
        data = self.tarball.read_bytes().replace(b"team/web:", b"tema/web:")
        image["tag"] = image["tag"].replace("team/web:", "tema/web:")
        image["tarball"]["sha256"] = r.sha256(data)
        self.record(self.lockbox).write_text(json.dumps(record))
        self.ok("write", self.lockbox, self.stick)
        outcome = self.airlock("--json", "verify", self.bundle())
        self.assertEqual([p["id"] for p in outcome.answer["problems"]], ["bad-image"], str(outcome))
        self.refuses(3, "bad-image", "apply", self.bundle(), "--to", self.home / "device")
        self.assertFalse((self.home / "device").exists())


if __name__ == "__main__":
    main()
