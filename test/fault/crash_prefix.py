"""Loss of power at any moment: the writes of a station are recorded in a run, played again up to many places in many
ways (disk.py), and the station is started on what is left.

A recording is taken while clients work; each thing they did is written down with the length of the recording when they
asked and when they were answered.  So at each place it is known what has been acknowledged and must be there, what was
asked for and may be there, and what was not and must not.
"""

import random
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from disk import WAYS, Disk, read_recording

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from house import House  # noqa: E402

SOURCE = Path(__file__).with_name("recorder.c")
WORKERS = 2


class Recording:
    """A station that runs below a recorder, and a clock that is the length of the recording."""

    def __init__(self, service, folder):
        self.service = service
        self.folder = Path(folder)
        self.file = self.folder / "recording"
        library = self.folder / "recorder.so"
        command = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library, SOURCE]
        subprocess.run([*command, "-ldl", "-pthread"], check=True)
        self.home = self.folder / "home"
        self.home.mkdir()
        env = {"LD_PRELOAD": str(library), "RECORD_ROOT": str(self.home), "RECORD_FILE": str(self.file)}
        self.house = House(service, home=self.home, env=env)
        self.house.log_file = lambda service: self.folder / "log lines"  # else it would be recorded

    def now(self):
        return self.file.stat().st_size

    def __enter__(self):
        self.house.__enter__()
        self.ready = self.now()
        return self

    def __exit__(self, *what):
        self.house.__exit__(*what)


def crashes(operations, ready, number, seed):
    """Places and ways: a part of all of them when `number` is two, else all until the station was ready, and a sample
    of so many beyond."""
    every = [(place, way) for place in range(1, len(operations) + 1) for way in WAYS]
    if isinstance(number, tuple):
        part, parts = number
        return every[len(every) * (part - 1) // parts : len(every) * part // parts]
    first = sum(operation.end <= ready for operation in operations) * len(WAYS)
    if first + number >= len(every):
        return every
    return every[:first] + sorted(random.Random(seed).sample(every[first:], number))


def replay(recording, service, promises, number, seed, say=lambda words: None):
    """Starts `service` on what each crash leaves; `promises(house, clock)` asks it.  How many were tried, by way."""
    operations = read_recording(recording.file)
    wanted = {}
    for place, way in crashes(operations, recording.ready, number, seed):
        wanted.setdefault(place, []).append(way)
    disk, tried, waiting = Disk(), dict.fromkeys(WAYS, 0), []
    with tempfile.TemporaryDirectory(prefix="haus-crash-") as folder, ThreadPoolExecutor(WORKERS) as pool:
        for place, operation in enumerate(operations, 1):
            before = operations[place - 2].end if place > 1 else 0
            disk.do(operation)
            for way in wanted.get(place, []):
                if way == "torn" and not disk.can_tear():
                    continue
                home = Path(folder) / f"{place}-{way}"
                disk.leave(way, home, seed + place)
                words = f"{service}: {way} after {place} of {len(operations)} (seed {seed})"
                clock = before if way == "torn" else operation.end  # nobody was answered a write that was not over
                waiting.append(pool.submit(try_one, home, service, promises, clock, words))
                tried[way] += 1
                while len(waiting) > 2 * WORKERS:
                    waiting.pop(0).result()
                if sum(tried.values()) % 500 == 0:
                    say(f"{service}: {sum(tried.values())} tried")
        for future in waiting:
            future.result()
    return tried


def try_one(home, service, promises, clock, words):
    shutil.copytree(home, f"{home}.was")
    with House(home=home) as house:
        try:
            house.start(service)
            promises(house, clock)
        except Exception as error:
            kept = tempfile.mkdtemp(prefix="haus-crash-kept-")
            shutil.copytree(f"{home}.was", kept, dirs_exist_ok=True)
            raise AssertionError(f"{words}: {error}\nits files: {kept}\n{house.log_text(service)}") from error
    shutil.rmtree(home)
    shutil.rmtree(f"{home}.was")
