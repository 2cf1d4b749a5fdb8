"""Processes that a run starts: the ones that must succeed, and how they end with all that descends from them.

Not for houses, which `haus down` ends. A process is known by its number and the moment it began, since numbers are used again.
"""

import os
import signal
import subprocess
import tempfile
import threading
import time

from measure import Use, Watch, stat_fields, tree

END_S = 20
GIVE_UP_S = 900
BEGAN = 19  # of the fields behind the name: in ticks since the machine's start


def family(root):
    """(number, beginning) of a process and of its descendants."""
    told = ((pid, stat_fields(pid)) for pid in tree([root]))
    return [(pid, fields[BEGAN]) for pid, fields in told if fields]


def end(process, patience=END_S):
    """Told to end, then killed, and so is whatever of its family is left: a driver's JVM, a worker's executor."""
    members = family(process.pid)
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    kill_left(members)


def kill_left(members):
    for pid, began in members:
        fields = stat_fields(pid)
        if fields and fields[BEGAN] == began:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def run_measured(command, beside=(), timeout=GIVE_UP_S, **options):
    """Runs a child that must succeed: (its stdout, its use together with that of the processes beside it).

    Its output goes to a file: whoever it leaves behind with a pipe's end would be waited for."""
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen([str(c) for c in command], stdout=out, **options)
        began = time.monotonic()
        late = threading.Timer(timeout, lambda: kill_left(family(child.pid)))  # reaped by wait4 alone
        late.start()
        try:
            with Watch(beside) as others, Watch([child.pid, *beside]) as all_of_them:
                _, status, usage = os.wait4(child.pid, 0)
                seconds = time.monotonic() - began
                child.returncode = os.waitstatus_to_exitcode(status)
        finally:
            late.cancel()
            end(child)
        out.seek(0)
        text = out.read()
    if child.returncode:
        why = f"did not end in {timeout} s" if seconds >= timeout else f"ended with {child.returncode}: {text[-2000:]}"
        raise SystemExit(f"bench: '{' '.join(map(str, command))}' {why}")
    cpu = usage.ru_utime + usage.ru_stime + others.use.cpu  # of the child the kernel's own sum, which is exact
    return text, Use(seconds, cpu, all_of_them.use.peak)
