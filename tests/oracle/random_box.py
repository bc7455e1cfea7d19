# SPDX-License-Identifier: Apache-2.0
"""Random lockboxes, and random devices for them: a good Box with some things changed.

make(seed, folder) always makes the same plan of one seed (the keys are fresh). Most changes are ones that a client
may meet: other versions, dates, keys, trees of delegations, rotations, what the device has stored and installed.
Where airlock refuses to be on the safe side, the change says so (`stricter`): the error ids that may then stand
where the client would install.
"""

import json

import changes_delegations  # noqa: F401  each registers its changes
import changes_device
import changes_roles  # noqa: F401
import changes_targets  # noqa: F401
from box import put
from random_case import CHANGES, REPOS, Case


def make(seed, folder):
    case = Case(seed, folder)
    scene(case)
    for change in case.rng.sample(CHANGES, case.choose(0, 1, 1, 1, 2, 2, 3)):
        case.plan.append(change.__name__)
        change(case)
    box, state = case.box, case.state
    box.write(folder)
    for add in case.later:
        add()
    if case.stored:
        state["stored"] = case.stored
    if state:
        put(folder / "device.json", json.dumps({"schema": 1, **state}).encode())
    return case


# The scene: rotations, and how much is known of the device.

def scene(case):
    box = case.box
    for repo in REPOS:
        for _ in range(case.choose(0, 0, 1, 1, 2, 3)):
            box.rotate(repo, case.choose(("root",), ("root",), (), ("root", "snapshot", "targets"),
                                         ("offline-snapshot",) if repo == "director" else ("targets",),
                                         ("root", "offline-updates") if repo == "director" else ("snapshot",)))
        if case.may(0.3):
            box.trust[repo] = case.rng.randint(1, len(box.roots[repo]))
    if case.may(0.3):
        case.later.append(lambda: changes_device.know_roots(case))
    if len(case.hardware) > 1 and case.may(0.5) or case.may(0.2):
        case.later.append(lambda: changes_device.know_ecus(case))
