# SPDX-License-Identifier: Apache-2.0
"""A case in the making, and the register of changes; random_box.py makes cases of them."""

import random

from box import BOX, DELEGATED, IMAGE_SNAPSHOT, LATER, NOW, OTHER, PAST, PRIMARY, SECONDARY, SNAPSHOT, TARGETS, Box

SIGNED = (BOX, SNAPSHOT, IMAGE_SNAPSHOT, TARGETS, DELEGATED)
REPOS = ("director", "image-repo")
NEXT_SECOND = "2026-11-23T00:00:01Z"
DATES = (PAST, NOW, NEXT_SECOND, LATER)
PUMP, BOOTLOADER = "pump-2.4", "bootloader-1"


class Case:
    """A Box in the making, what is known of the device, and what airlock may refuse beyond the client."""

    def __init__(self, seed, folder):
        self.rng, self.folder = random.Random(seed), folder
        self.box = Box(count=1 if self.rng.random() < 0.9 else 2)
        self.hardware = self.rng.choice([(PRIMARY,), (PRIMARY, SECONDARY), (PRIMARY, SECONDARY), (SECONDARY,),
                                         (SECONDARY, PRIMARY), (PRIMARY, OTHER), (OTHER,)])
        self.state, self.stored, self.later = {}, {}, []
        self.stricter, self.plan = set(), []

    def choose(self, *items):
        return self.rng.choice(items)

    def may(self, chance):
        return self.rng.random() < chance

    def allow(self, *ids):
        self.stricter.update(ids)

    def role(self):
        return self.rng.choice(SIGNED)

    def root(self, repo=None):
        repo = repo or self.choose(*REPOS)
        return f"{repo}/{self.rng.randint(1, len(self.box.roots[repo]))}.root"

    def keys(self, path):
        return self.box.keys[path.removeprefix("image-repo/") if path == DELEGATED else signer_of(path)]


def signer_of(path):
    if path.endswith(".root"):
        return path.split("/")[0] + "/root"
    return path if path in (SNAPSHOT, IMAGE_SNAPSHOT, TARGETS) else "director/offline-updates"


CHANGES = []


def change(f):
    CHANGES.append(f)
    return f
