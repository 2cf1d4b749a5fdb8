"""One station, or several, run alone for a test: its own home, its own ports, gone at the end.

    with House("log") as house:
        producer = Producer({"bootstrap.servers": house.address("log")})

The binary is $HAUS_BIN, else build/haus of this checkout.
"""

import fcntl
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("HAUS_BIN", str(ROOT / "build" / "haus"))
PORTS = {
    "postgres": 4444,
    "seeder": 8000,
    "console": 8080,
    "registry": 8081,
    "connect": 8083,
    "catalog": 8181,
    "store": 9000,
    "log": 9092,
}
CLAIMED = [*PORTS.values(), PORTS["store"] + 1]  # the store's page for browsers is on the port after its own


# What no service may end with, whatever was done to it, nor a sanitizer say of it.  A supervisor that starts it again, or a
# test that expects it to die, would hide that.
BLUNDERS = re.compile(r"killed by signal (?:4|6|7|8|11) .*|.*(?:AddressSanitizer|LeakSanitizer|runtime error): .*")
CRASHES = [-signal.SIGILL, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGSEGV]


def check_for_blunders(*files):
    for file in files:
        text = file.read_text(errors="replace")
        found = BLUNDERS.search(text)
        assert not found, f"{file.name}: {found[0]}\n{text[found.start() :][:6000]}"


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


_ports = open(
    Path(tempfile.gettempdir()) / "haus-test-port-claims", "a"
)  # a byte a port, locked while this process needs it
_own = set()  # by this process, which the locks do not keep from itself
_own_lock = threading.Lock()


def _claim(port):
    """False: another test has it, be a service on it or not yet, or again, started."""
    with _own_lock:
        if port in _own:
            return False
        try:
            fcntl.lockf(_ports, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except OSError:
            return False
        _own.add(port)
        return True


def _give_back(port):
    with _own_lock:
        _own.discard(port)
        fcntl.lockf(_ports, fcntl.LOCK_UN, 1, port)


def free_offset():
    while True:
        offset, claimed = random.randrange(10000, 22000), []
        for port in CLAIMED:
            if not _claim(port + offset):
                break
            claimed.append(port + offset)
        if len(claimed) == len(CLAIMED) and all(map(_is_free, claimed)):
            return offset
        for port in claimed:
            _give_back(port)


def give_back_offset(offset):
    """For a test that starts houses by the thousand: there are not so many ports."""
    for port in CLAIMED:
        _give_back(port + offset)


class House:
    def __init__(self, *services, env=None, home=None, offset=None):
        self.services = services
        self.home = Path(home or tempfile.mkdtemp(prefix="haus-test-"))
        self.owns_home = home is None
        self.offset = free_offset() if offset is None else offset
        self.owns_offset = offset is None
        self.env = dict(env or {})
        self.processes = {}

    def port(self, service):
        return PORTS[service] + self.offset

    def address(self, service):
        return f"127.0.0.1:{self.port(service)}"

    def url(self, service):
        return f"http://{self.address(service)}"

    def log_file(self, service):
        return self.home / f"{service}.test.log"

    def start(self, service, timeout=20):
        env = {
            **os.environ,
            "HAUS_HOME": str(self.home),
            "HAUS_PORT_OFFSET": str(self.offset),
            **self.env,
        }
        with open(self.log_file(service), "ab") as log:
            process = subprocess.Popen(
                [BINARY, "run", service], env=env, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        self.processes[service] = process
        deadline = time.monotonic() + timeout
        while True:
            if process.poll() is not None:
                raise RuntimeError(f"{service} ended with {process.returncode}:\n{self.log_text(service)}")
            try:
                socket.create_connection(("127.0.0.1", self.port(service)), 0.2).close()
                return process
            except OSError:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{service} does not listen:\n{self.log_text(service)}") from None
                time.sleep(0.02)

    def log_text(self, service):
        path = self.log_file(service)
        return path.read_text(errors="replace")[-8000:] if path.exists() else ""

    def kill(self, service):
        """kill -9, the normal way to stop"""
        process = self.processes.pop(service)
        process.kill()
        assert process.wait() not in CRASHES, f"{service} crashed:\n{self.log_text(service)}"

    def stop(self, service, timeout=10):
        process = self.processes.pop(service)
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(timeout)
            assert code not in CRASHES, f"{service} crashed:\n{self.log_text(service)}"
            return code
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def restart(self, service):
        self.kill(service)
        return self.start(service)

    def __enter__(self):
        try:
            for service in self.services:
                self.start(service)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            for service in list(self.processes):
                self.kill(service)
            check_for_blunders(*self.home.glob("*.test.log"))
        finally:
            if self.owns_home:
                shutil.rmtree(self.home, ignore_errors=True)
            if self.owns_offset:
                give_back_offset(self.offset)
                self.owns_offset = False
