#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Asserts that the rehearsal cloud keeps the contract that README.md states.

    /usr/bin/python3 -B selftest.py [-v] [-k PATTERN]
"""

import unittest

import selftest_devices
import selftest_doors
import selftest_transport


def load_tests(loader, _tests, _pattern):
    modules = (selftest_devices, selftest_doors, selftest_transport)
    return unittest.TestSuite(loader.loadTestsFromModule(module) for module in modules)


if __name__ == "__main__":
    unittest.main()
