# SPDX-License-Identifier: Apache-2.0
"""What the director and the image repository have in common: a root chain.

A RootChain holds the current keys of its roles and every root issued so far.
Root N + 1 is signed by the root keys of N and by its own.
"""

from datetime import datetime, timedelta, timezone

from signer import SignedRole, make_keys


_fixed_time = None


def fix_time(moment):
    """From here on it is always `moment`: for output that must not depend on the clock."""
    global _fixed_time
    _fixed_time = moment


def now():
    return _fixed_time or datetime.now(timezone.utc).replace(microsecond=0)


def rfc3339(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_rfc3339(text):
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"'{text}' names no time zone")
    return moment.astimezone(timezone.utc).replace(microsecond=0)


def in_days(days):
    return now() + timedelta(days=days)


class KeyPlan:
    """How many keys a role gets and how many of them must sign.

    `thresholds` maps "director/root" and the like to (needed, keys).
    """

    def __init__(self, key_type="rsa", thresholds=None):
        self.key_type = key_type
        self._thresholds = dict(thresholds or {})

    def needed(self, role):
        return self._thresholds.get(role, (1, 1))[0]

    def count(self, role):
        return self._thresholds.get(role, (1, 1))[1]

    def make(self, roles):
        """{role: its fresh keys}, all generated side by side."""
        keys = iter(make_keys(self.key_type, sum(self.count(role) for role in roles)))
        return {role: [next(keys) for _ in range(self.count(role))] for role in roles}


class RootChain:
    """`name` is "director" or "repo"; `borrowed` maps a role to the role whose keys it shares."""

    def __init__(self, name, roles, plan, keys, expires, borrowed=None):
        self.name = name
        self._roles = roles
        self._plan = plan
        self._keys = keys
        self._borrowed = borrowed or {}
        self.roots = []
        self.issue(expires)

    @property
    def latest(self):
        return self.roots[-1]

    def sign(self, role, signed):
        return SignedRole.make(signed, self._keys_of(role), self._needed(role))

    def issue(self, expires, predecessor_keys=()):
        """A new root with the present keys; `predecessor_keys` sign it too."""
        role_keys = {role: self._keys_of(role) for role in self._roles}
        signed = {
            "keys": {k.keyid: k.entry for keys in role_keys.values() for k in keys},
            "roles": {
                role: {"keyids": [k.keyid for k in keys], "threshold": self._needed(role)}
                for role, keys in role_keys.items()
            },
            "version": len(self.roots) + 1,
            "expires": rfc3339(expires),
            "consistent_snapshot": False,
            "_type": "Root",
        }
        self.roots.append(SignedRole.make(
            signed, role_keys["root"], self._needed("root"), predecessor_keys))

    def rotate(self, expires, roles=("root",)):
        """Fresh keys for `roles`, told to the world by a new root."""
        old_root_keys = self._keys_of("root")
        fresh = self._plan.make([f"{self.name}/{role}" for role in roles
                                 if role not in self._borrowed])
        self._keys.update(fresh)
        self.issue(expires, old_root_keys if "root" in roles else ())

    def restart(self, expires):
        """Throws the history away: fresh keys for all roles, and a version 1 that nobody knows."""
        self._keys.update(self._plan.make([f"{self.name}/{role}" for role in self._roles
                                           if role not in self._borrowed]))
        self.roots = []
        self.issue(expires)

    def checkpoint(self):
        return dict(self._keys), list(self.roots)

    def restore(self, state):
        keys, roots = state
        self._keys.update({role: held for role, held in keys.items()
                           if role.startswith(f"{self.name}/")})
        self.roots = list(roots)

    @property
    def role_names(self):
        return tuple(self._roles)

    def _keys_of(self, role):
        return self._keys[f"{self.name}/{self._borrowed.get(role, role)}"]

    def _needed(self, role):
        return self._plan.needed(f"{self.name}/{self._borrowed.get(role, role)}")
