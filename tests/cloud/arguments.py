# SPDX-License-Identifier: Apache-2.0
"""Kinds of arguments that both command lines take."""

import argparse


def parse_pair(text):
    """KEY=VALUE → (key, value)."""
    key, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"'{text}' is not KEY=VALUE")
    return key, value


def parse_threshold(text):
    """director/root=2/3 → ("director/root", (2, 3)): two of three keys must sign."""
    role, numbers = parse_pair(text)
    if not role.startswith(("director/", "repo/")):
        raise argparse.ArgumentTypeError(f"'{role}' is not director/… or repo/…")
    needed, _, keys = numbers.partition("/")
    return role, (int(needed), int(keys or needed))


def parse_size(text):
    """A number of bytes, with K, M or G for powers of 1024."""
    units = {"K": 10, "M": 20, "G": 30}
    return int(text[:-1]) << units[text[-1]] if text[-1:] in units else int(text)
