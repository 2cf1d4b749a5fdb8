"""A disk that is soon full, for tests of what happens then."""

import os
import subprocess

import pytest


@pytest.fixture
def small_disk(tmp_path):
    """Mounts a disk of some megabytes: folder = small_disk(24)."""
    mounted = []

    def mount(megabytes, name="disk"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", folder],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.skip(f"cannot mount a small disk: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", folder], check=False)


def fill(folder, leave=0, name="ballast"):
    """Takes all space but `leave` bytes; the file to remove."""
    ballast = folder / name
    with open(ballast, "wb", buffering=0) as file:
        while True:
            left = os.statvfs(folder)
            size = min(left.f_bavail * left.f_frsize - leave, 1 << 20)
            if size <= 0:
                return ballast
            try:
                file.write(b"\0" * size)
            except OSError:  # others write too
                return ballast


def stuff(play, rows=200):
    """One committed transaction of rows that do not compress."""
    with play.database() as conn:
        conn.execute(
            "INSERT INTO products (name, price) SELECT string_agg(md5(random()::text), ''), 1 FROM"
            " generate_series(1, %s) row, generate_series(1, 30) part GROUP BY row",
            [rows],
        )
