"""What this disk can do: the limits of whatever flushes before it acknowledges."""

import os
import tempfile
import time


def flushed_write_rate(megabytes=256, piece=1 << 20):
    """Bytes a second that this disk takes in pieces of a MiB, each flushed: what no flushing log can exceed by much."""
    block = os.urandom(piece)
    with tempfile.TemporaryFile(dir=os.environ.get("TMPDIR", "/tmp")) as file:
        began = time.monotonic()
        for _ in range(megabytes):
            os.write(file.fileno(), block)
            os.fdatasync(file.fileno())
        return megabytes * piece / (time.monotonic() - began)


def flush_milliseconds(count=200):
    """The middle one of so many: append 4 KiB, fdatasync."""
    times = []
    with tempfile.TemporaryFile(dir=os.environ.get("TMPDIR", "/tmp")) as file:
        for _ in range(count):
            began = time.monotonic()
            os.write(file.fileno(), bytes(4096))
            os.fdatasync(file.fileno())
            times.append(time.monotonic() - began)
    return sorted(times)[count // 2] * 1e3
