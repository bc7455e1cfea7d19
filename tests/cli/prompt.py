#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Being asked at a terminal: what is typed is not shown, and the terminal is left as it was."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
import time

import scenario
from scenario import AIRLOCK, Scenario, end, names

PATIENCE_S = 10
CTRL_C, CTRL_D, CTRL_Z, CTRL_BACKSLASH = b"\x03", b"\x04", b"\x1a", b"\x1c"


class Terminal:
    """airlock with a terminal of its own, and a person at the other end."""

    def __init__(self, test, *words, **how):
        self.test = test
        self.master, self.slave = pty.openpty()
        test.addCleanup(os.close, self.master)
        test.addCleanup(os.close, self.slave)
        self.process = subprocess.Popen(
            [AIRLOCK, *map(str, words)], stdin=self.slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=test.home, env=test.env, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0), **how)
        test.addCleanup(end, self.process)
        self.shown = b""

    def wait_for(self, text):
        """Until that stands on the terminal, once more than before."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.shown:
            ready, _, _ = select.select([self.master], [], [], max(0, deadline - time.monotonic()))
            self.test.assertTrue(ready, f"'{text}' does not come; there is {self.shown}")
            self.shown += os.read(self.master, 4096)
        self.shown = self.shown.replace(text, b"<asked>", 1)

    def wait_for_echo(self, on):
        self.test.wait_until(lambda: self.echoes() == on, f"echo is {on}")

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def type(self, keys):
        os.write(self.master, keys)

    def finish(self):
        stdout, stderr = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, stdout.decode(), stderr.decode()


class Prompt(Scenario):
    def ask(self, **how):
        terminal = Terminal(self, "--cacert", self.cloud.ca, "login", "--api-client",
                            "--api-url", self.cloud.env["REHEARSAL_API_URL"],
                            "--api-token-url", self.cloud.env["REHEARSAL_TOKEN_URL"], **how)
        terminal.wait_for(b"client id: ")
        self.assertTrue(terminal.echoes())
        terminal.type(self.cloud.env["REHEARSAL_CLIENT_ID"].encode() + b"\n")
        terminal.wait_for(b"client secret (not shown): ")
        terminal.wait_for_echo(False)
        return terminal

    def secret(self):
        return self.cloud.env["REHEARSAL_CLIENT_SECRET"].encode()

    def test_a_secret_is_not_shown_and_the_login_works(self):
        terminal = self.ask()
        terminal.type(self.secret() + b"\n")
        code, stdout, stderr = terminal.finish()
        self.assertEqual(code, 0, stderr)
        self.assertIn("platform API", stdout)
        self.assertTrue(terminal.echoes())
        os.write(terminal.slave, b"the end")
        terminal.wait_for(b"the end")
        self.assertNotIn(self.secret(), terminal.shown)

    def test_signals_at_the_prompt_leave_the_terminal_as_it_was(self):
        for keys, number in ((CTRL_C, signal.SIGINT), (CTRL_BACKSLASH, signal.SIGQUIT),
                             (None, signal.SIGTERM), (None, signal.SIGHUP)):
            with self.subTest(signal=number):
                terminal = self.ask()
                terminal.type(b"half a sec")
                if keys:
                    terminal.type(keys)
                else:
                    terminal.process.send_signal(number)
                code, stdout, stderr = terminal.finish()
                self.assertEqual((code, stdout), (-number, ""))
                self.assertEqual("interrupted" in stderr, number == signal.SIGINT)
                self.assertTrue(terminal.echoes(), "the terminal was left without echo")
                self.assertEqual(names(self.config), [])

    def test_after_a_stop_it_asks_again(self):
        terminal = self.ask()
        terminal.type(b"half" + CTRL_Z)
        terminal.wait_for(b"client secret (not shown): ")
        terminal.wait_for_echo(False)
        terminal.type(self.secret() + b"\n")
        code, _, stderr = terminal.finish()
        self.assertEqual(code, 0, stderr)

    def test_an_empty_line_and_the_end_of_input_are_no_answer(self):
        for keys in (b"\n", CTRL_D):
            terminal = self.ask()
            terminal.type(keys)
            code, _, stderr = terminal.finish()
            self.assertEqual(code, 2)
            self.assertIn("nothing was entered", stderr)
            self.assertTrue(terminal.echoes())

    def test_a_line_that_is_too_long_is_refused_and_not_cut(self):
        terminal = self.ask()
        terminal.type(b"x" * 600 + b"\n")
        code, _, stderr = terminal.finish()
        self.assertEqual(code, 2)
        self.assertIn("longer than", stderr)


if __name__ == "__main__":
    scenario.main()
