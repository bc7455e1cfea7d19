#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Asserts that the rehearsal cloud keeps the contract that README.md states.

    /usr/bin/python3 -B selftest.py [-v] [-k PATTERN]
"""

import unittest

# unittest finds the cases among this module's names.
from selftest_doors import *  # noqa: F401,F403
from selftest_transport import *  # noqa: F401,F403

if __name__ == "__main__":
    unittest.main()
