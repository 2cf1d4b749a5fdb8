"""Processor time and memory of process trees, from /proc.

Not for judging: only reads.  Processor time of a process that ended between two samples is kept as last seen, so what a
short-lived child did in its last moments is lost; of a child of one's own `child.run_measured` asks the kernel.
"""

import os
import threading
import time
from dataclasses import dataclass

TICK = os.sysconf("SC_CLK_TCK")
PSS_EVERY_S = 0.1  # smaps_rollup of a large heap takes milliseconds


def load():
    return os.getloadavg()[0]


def tree(roots):
    """These processes and all that descend from them."""
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        fields = stat_fields(int(name))
        if fields:
            children.setdefault(int(fields[1]), []).append(int(name))
    found, todo = [], list(roots)
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


def stat_fields(pid):
    """The fields of /proc/PID/stat behind the name, or None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()
    except OSError:
        return None


def cpu_seconds(pids):
    """Processor seconds of each."""
    seconds = {}
    for pid in pids:
        fields = stat_fields(pid)
        if fields:
            seconds[pid] = (int(fields[11]) + int(fields[12])) / TICK
    return seconds


def pss(pids):
    """Bytes of memory, each shared page counted once in all."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except OSError:
            continue
    return total * 1024


@dataclass
class Use:
    """What some work cost."""

    seconds: float = 0.0
    cpu: float = 0.0
    peak: int = 0


class Watch:
    """Samples process trees while a block runs; `use` holds the sum afterwards.

    with Watch(pids) as watch:
        work()
    print(watch.use.cpu)
    """

    def __init__(self, roots):
        self.roots = list(roots)
        self.use = Use()

    def __enter__(self):
        self.ended = threading.Event()
        self.before = cpu_seconds(tree(self.roots))
        self.seen = dict(self.before)
        self.thread = threading.Thread(target=self._sample, daemon=True)
        self.began = time.monotonic()
        self.thread.start()
        return self

    def _look(self):
        pids = tree(self.roots)
        self.seen.update(cpu_seconds(pids))
        self.use.peak = max(self.use.peak, pss(pids))

    def _sample(self):
        self._look()
        while not self.ended.wait(PSS_EVERY_S):
            self._look()

    def stop(self):
        """The measured work is over; what is left of the block does not count."""
        if self.ended.is_set():
            return
        self.use.seconds = time.monotonic() - self.began
        self.ended.set()
        self.thread.join()
        self._look()
        self.use.cpu = sum(self.seen.values()) - sum(self.before.values())

    def __exit__(self, *_):
        self.stop()
