"""Drives an interactive bash on a terminal of its own, for tests.

    python3 terminal.py '[["expect", "REGEX"], ["send", "TEXT"], …]'

prints all that the terminal showed. Each step waits 40 seconds at most; then the status is 1.
"""

import json
import os
import pty
import re
import select
import signal
import sys
import time

PATIENCE = 40.0
shown = b""
seen = 0  # up to here expectations are met

pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(PS1="ready> ", HISTFILE="/dev/null", TERM="dumb")
    os.execvp("bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"])


def read_more(deadline):
    global shown
    if not select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0]:
        return False
    try:
        got = os.read(terminal, 65536)
    except OSError:  # the other end is closed
        return False
    shown += got
    return bool(got)


def expect(pattern):
    global seen
    deadline = time.monotonic() + PATIENCE
    while True:
        found = re.search(pattern.encode(), shown[seen:])
        if found:
            seen += found.end()
            return
        if not read_more(deadline):
            sys.exit("%r did not come; the terminal showed:\n%s" % (pattern, shown.decode("utf-8", "replace")))


try:
    for what, text in json.loads(sys.argv[1]):
        if what == "expect":
            expect(text)
        else:
            os.write(terminal, text.encode())
    os.write(terminal, b"exit\n")
    deadline = time.monotonic() + PATIENCE
    while read_more(deadline):
        pass
    sys.stdout.write(shown.decode("utf-8", "replace"))
finally:
    try:
        os.kill(pid, signal.SIGHUP)
    except ProcessLookupError:
        pass
    os.close(terminal)
    os.waitpid(pid, 0)
