#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""key and sign: who packed a bundle, who looked at it as well, and who of them is known."""

import shutil

import scenario
from scenario import Scenario, tree


class Keys(Scenario):
    def setUp(self):
        super().setUp()
        self.login()
        self.ok("prepare", "pump-7", self.stick)
        self.room = self.home / "signing-room"  # another computer's state folder, which is never logged in

    def in_room(self, *words):
        return self.ok("--state", self.room, "--store", self.home / "room-cache", *words)

    def own_key(self):
        return self.ok("key", "show")["own"]["public_key"]

    def signers(self, path, *options):
        answer = self.ok("verify", path, *options)
        return {signer["public_key"]: (signer["known_as"], signer["comment"])
                for signer in answer.get("items", [answer])[0]["signers"]}

    def test_a_key_is_made_once_and_shown_by_every_name(self):
        self.assertIsNone(self.in_room("key", "show")["own"])
        self.assertFalse((self.room / "keys").exists(), "showing makes no key")
        outcome = self.refuses(2, "no-such-path", "--state", self.room, "key", "export", says="no key yet")
        self.assertIn("hint: airlock key new", outcome.stderr)
        made = self.in_room("key", "new")["own"]
        self.refuses(2, "already-exists", "--state", self.room, "key", "new")
        self.assertEqual(self.in_room("key", "show")["own"], made)
        shown = self.airlock("--state", self.room, "key", "show").stdout
        self.assertIn(made["fingerprint"], shown)
        self.assertIn(made["public_key"], shown)
        exported = self.airlock("--state", self.room, "key", "export").stdout
        self.assertEqual(exported, f"airlock-ed25519-public:{made['public_key']}\n")
        self.assertNotIn(self.secret(), exported + shown)

    def secret(self):
        return (self.room / "keys/bundle.key").read_text().strip().split(":")[1]

    def test_a_key_is_trusted_under_a_name_and_asked_for_by_it(self):
        other = self.in_room("key", "new")["own"]["public_key"]
        file = self.home / "room.key"
        file.write_text(self.airlock("--state", self.room, "key", "export").stdout)
        self.assertEqual(self.ok("key", "show")["trusted"], [])
        self.ok("key", "trust", "room", file)
        self.ok("key", "trust", "room", other)
        self.refuses(2, "already-exists", "key", "trust", "room", self.own_key(), says="another key")
        self.refuses(2, "already-exists", "key", "trust", "chamber", other, says="'room'")
        (self.home / "no.key").write_text("airlock-ed25519-public:abc\n")
        for name, key in (("a b", other), ("a/b", other), ("", other), ("x", other[:-1]), ("x", "no-such-file"),
                          ("x", self.home / "no.key"), ("x" * 64, other)):
            self.refuses(2, "usage", "key", "trust", name, key)
        self.assertEqual([k["name"] for k in self.ok("key", "show")["trusted"]], ["room"])
        refused = self.airlock("--json", "verify", self.bundle(), "--require-signer", "room")
        self.assertEqual((refused.code, [p["id"] for p in refused.answer["problems"]]), (3, ["bundle-signer"]))
        self.in_room("sign", self.bundle())
        self.ok("verify", self.bundle(), "--require-signer", "room")
        self.ok("key", "forget", "room")
        self.refuses(2, "usage", "key", "forget", "room")
        self.refuses(2, "usage", "verify", self.bundle(), "--require-signer", "room")

    def test_a_damaged_list_of_trusted_keys_is_named_and_trusts_nobody(self):
        self.ok("key", "trust", "room", "ab" * 32)
        known = self.state / "keys/signers"
        for text in ("nonsense\n", "ab" * 32 + "\n", "ab" * 32 + " room", "ab" * 32 + " a/b\n"):
            known.write_text(text)
            for words in (["key", "show"], ["verify", self.bundle()], ["key", "trust", "x", "cd" * 32]):
                self.refuses(2, "bad-config", *words, says="line 1")

    def test_a_countersigned_bundle_has_a_new_head_and_the_same_payload(self):
        bundle = self.bundle()
        volume = bundle.with_name(bundle.name + ".001")

        def same_file():  # all that writing changes; reading changes the time of access
            return [getattr(volume.stat(), "st_" + what) for what in ("ino", "size", "mtime_ns", "ctime_ns")]

        payload = same_file()
        mine = self.own_key()
        self.assertEqual(self.signers(bundle), {mine: ("this computer", "")})
        theirs = self.in_room("sign", bundle, "--comment", "looked at")["public_key"]
        self.assertEqual(same_file(), payload)
        self.assertEqual(self.signers(bundle), {mine: ("this computer", ""), theirs: (None, "looked at")})
        self.ok("key", "trust", "room", theirs)
        self.assertIn("(room), looked at\n", self.airlock("inspect", bundle).stdout)
        again = bundle.read_bytes()
        self.in_room("sign", bundle, "--comment", "looked at")
        self.assertEqual(bundle.read_bytes(), again, "signed twice")
        self.in_room("sign", bundle, "--comment", "looked at again")
        self.assertEqual(self.signers(bundle)[theirs], ("room", "looked at again"))
        self.assertEqual(sorted(p.name for p in bundle.parent.iterdir()),
                         sorted(["README.txt", bundle.name, volume.name]))
        self.ok("key", "forget", "room")
        self.ok("key", "trust", "nobody", "ab" * 32)
        self.assertIn("(an unknown key)", self.airlock("inspect", bundle).stdout)
        self.assertIn("(this computer)", self.airlock("inspect", bundle).stdout)

    def test_a_single_file_and_a_copy_keep_both_signatures(self):
        one = self.home / "one.lockbox"
        self.ok("write", "pump-7", one, "--single")
        theirs = self.in_room("sign", one)["public_key"]
        both = {self.own_key(): ("this computer", ""), theirs: (None, "")}
        self.assertEqual(self.signers(one), both)
        (self.home / "copy").mkdir()
        self.ok("write", one, self.home / "copy")
        self.assertEqual(self.signers(self.home / "copy"), both)
        self.ok("apply", one, "--to", self.home / "device")
        self.ok("apply", self.bundle(), "--to", self.home / "packed")
        self.assertEqual(tree(self.home / "device"), tree(self.home / "packed"))

    def test_without_a_login_volumes_become_one_file_with_the_same_signatures(self):
        self.in_room("sign", self.bundle(), "--comment", "looked at")
        one = self.home / "one.lockbox"
        self.in_room("write", self.bundle(), one, "--single")
        volume = self.bundle().with_name(self.bundle().name + ".001")
        self.assertEqual(one.read_bytes(), self.bundle().read_bytes() + volume.read_bytes())
        self.assertEqual(self.signers(one), self.signers(self.bundle()))
        head = self.bundle()
        self.in_room("write", head, self.stick, "--single")
        self.assertEqual(head.read_bytes(), one.read_bytes(), "onto itself")
        self.assertFalse(volume.exists())
        self.in_room("write", one, self.home / "again.lockbox", "--split")
        self.assertEqual((self.home / "again.lockbox").read_bytes() + (self.home / "again.lockbox.001").read_bytes(),
                         one.read_bytes(), "and back")
        self.assertEqual(self.signers(self.home / "again.lockbox"), self.signers(one))
        self.refuses(2, "usage", "write", one, self.home / "x.lockbox", "--split", "--single")
        self.refuses(2, "usage", "write", "pump-7", self.home / "x.lockbox", "--split", says="FILE.lockbox")
        self.in_room("write", one, self.stick, "--as", "plain")
        self.ok("apply", one, "--to", self.home / "device")
        self.assertEqual(tree(self.home / "device"), tree(self.stick / "update"))
        self.refuses(2, "usage", "write", one, self.home, "--volume-size", "1M")

    def test_what_is_not_good_is_not_signed(self):
        bundle = self.bundle()
        volume = bundle.with_name(bundle.name + ".001")
        head, good = bundle.read_bytes(), volume.read_bytes()
        self.refuses(3, "expired-role", "--state", self.room, "--at", "2040-01-01T00:00:00Z", "sign", bundle)
        self.refuses(2, "no-such-path", "--state", self.room, "sign", self.home / "none.lockbox")
        self.refuses(2, "not-a-lockbox", "--state", self.room, "sign", self.stick)
        self.assertFalse((self.room / "keys").exists(), "a key was made, and nothing to sign")
        volume.write_bytes(good[:-500] + bytes([good[-500] ^ 1]) + good[-499:])
        self.refuses(3, "bundle-damaged", "--state", self.room, "sign", bundle)
        volume.write_bytes(good)
        self.refuses(2, "usage", "--state", self.room, "sign", bundle, "--comment", "x" * 1025)
        self.assertEqual(bundle.read_bytes(), head)

    def test_seventeen_signatures_are_one_too_many(self):
        bundle = self.bundle()
        for i in range(15):
            self.ok("--state", self.home / f"room{i}", "sign", bundle)
        head = bundle.read_bytes()
        self.assertEqual(len(self.signers(bundle)), 16)
        self.refuses(3, "bundle-limit", "--state", self.home / "room15", "sign", bundle, says="16")
        self.assertEqual(bundle.read_bytes(), head)
        self.ok("--state", self.home / "room14", "sign", bundle, "--comment", "its own may change")

    def tearDown(self):
        shutil.rmtree(self.room, ignore_errors=True)
        super().tearDown()


if __name__ == "__main__":
    scenario.main()
