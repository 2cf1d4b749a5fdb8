"""A house to measure: a whole playground of its own, with what the paths ask of it."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "test" / "e2e"))

from child import family, kill_left  # noqa: E402
from connectors import Worker  # noqa: E402
from house import BINARY  # noqa: E402
from playground import Playground  # noqa: E402
from replication import Pipeline  # noqa: E402
from source import Source  # noqa: E402

UP_S, DOWN_S = 300, 150


class Stand(Playground):
    """`haus up` has returned when the block begins."""

    def __init__(self, services=(), **more):
        super().__init__(**more)
        self.services = services  # all of them when none is named
        self.source = None

    def __enter__(self):
        try:
            self.haus("up", *self.services)
            self.source = Source(self.port("postgres"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.source:
            self.source.close()
        self.down()
        shutil.rmtree(self.base, ignore_errors=True)

    def down(self):
        """In a session of its own: a second Ctrl-C is not for it. What does not end in time is killed."""
        supervisor = self.supervisor
        members = family(supervisor) if supervisor else []
        down = subprocess.Popen(
            [BINARY, "down"], env=self.env, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            down.wait(DOWN_S)
        except subprocess.TimeoutExpired:
            down.kill()
            down.wait()
        kill_left(members)

    def haus(self, *args, timeout=UP_S):
        """As a playground's, but a failure is told in words."""
        try:
            return super().haus(*args, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise SystemExit(f"bench: 'haus {' '.join(args)}' did not end in {timeout} s:\n{self.logs()}") from None
        except AssertionError as failure:
            raise SystemExit(f"bench: {failure}") from None

    @property
    def supervisor(self):
        return self.json("status")["supervisor"]["pid"]

    program = BINARY

    @property
    def bootstrap(self):
        return self.address("log")

    @property
    def worker(self):
        return Worker(self.url("connect"))

    def pids(self, *services):
        status = self.status()
        return [status[name]["pid"] for name in services]

    @property
    def pipeline(self):
        return Pipeline(self.worker, self.bootstrap, self.pids("connect", "log"), self.converter(), "haus")

    def converter(self):
        """Avro, with our registry."""
        settings = {}
        for part in ("key", "value"):
            settings[f"{part}.converter"] = "io.confluent.connect.avro.AvroConverter"
            settings[f"{part}.converter.schema.registry.url"] = self.url("registry")
        return settings
