#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Runs a command for which the medium has a bad place: the kernel answers EIO to every read at this offset.

    bad_sector.py OFFSET COMMAND...

A seccomp filter, which the command inherits, stands for the broken disk: for the program there is no difference.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

PREAD64 = {"x86_64": 17, "aarch64": 67}[platform.machine()]
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
NUMBER, OFFSET = 0, 16 + 3 * 8  # in struct seccomp_data: the call, the low half of its fourth argument


def refuse_reads_at(offset):
    steps = [(LOAD, 0, 0, NUMBER), (JUMP_IF_EQUAL, 0, 3, PREAD64), (LOAD, 0, 0, OFFSET), (JUMP_IF_EQUAL, 0, 1, offset),
             (RETURN, 0, 0, ERRNO | errno.EIO), (RETURN, 0, 0, ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", len(steps), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    for words in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(program))):
        if libc.prctl(*(ctypes.c_ulong(word) for word in words)):
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    refuse_reads_at(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
