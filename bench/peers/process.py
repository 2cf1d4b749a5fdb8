"""A peer's process: started with a log, waited for, ended at the close of its block. Its data live in a scratch folder."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from child import end

LOOK_EVERY_S = 0.02


def free_ports(count):
    """Ports that nobody has at the moment, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Peer:
    """A system of one or more processes; subclasses say how to launch them and when they are ready."""

    name = "peer"
    ready_within_s = 180

    def __init__(self):
        self.processes = []
        self.start_seconds = None

    def launch(self):
        raise NotImplementedError

    def is_ready(self):
        raise NotImplementedError

    def __enter__(self):
        self.install()
        self.folder = Path(tempfile.mkdtemp(prefix=f"haus-bench-{self.name.split()[0].lower()}-"))
        began = time.monotonic()
        try:
            self.launch()
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        self.start_seconds = time.monotonic() - began
        return self

    def install(self):
        """Beforehand, so that it is no part of the start."""

    def spawn(self, *command, env=None):
        log = open(self.folder / f"process-{len(self.processes)}.log", "wb")
        with log:
            process = subprocess.Popen(
                [str(c) for c in command],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                start_new_session=True,  # a signal to the group of ours is not for it
                env={**os.environ, **self.scratch_env(), **(env or {})},
            )
        self.processes.append(process)

    def scratch_env(self):
        """Whatever they unpack lies in their folder and goes with it."""
        return {"TMPDIR": str(self.folder), "JAVA_TOOL_OPTIONS": f"-Djava.io.tmpdir={self.folder}"}

    def log_text(self):
        return "\n".join(file.read_text(errors="replace")[-3000:] for file in sorted(self.folder.glob("process-*.log")))

    def _wait(self):
        deadline = time.monotonic() + self.ready_within_s
        while not self.is_ready():
            dead = [process for process in self.processes if process.poll() is not None]
            if dead or time.monotonic() > deadline:
                raise SystemExit(f"bench: {self.name} did not become ready:\n{self.log_text()}")
            time.sleep(LOOK_EVERY_S)

    @property
    def pids(self):
        return [process.pid for process in self.processes]

    def __exit__(self, *_):
        for process in reversed(self.processes):
            end(process)
        shutil.rmtree(self.folder, ignore_errors=True)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
