"""A house to measure: a whole playground of its own, with what the paths ask of it."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "test" / "e2e"))

from connectors import Worker  # noqa: E402
from house import BINARY  # noqa: E402
from playground import Playground  # noqa: E402
from replication import Pipeline  # noqa: E402
from source import Source  # noqa: E402


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
        super().__exit__()

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
