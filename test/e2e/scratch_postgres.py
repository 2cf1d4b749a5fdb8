"""A PostgreSQL server of a test's own: made in a temporary folder, thrown away with it."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from house import PORTS, free_offset, give_back_offset


def bin_dir():
    if os.environ.get("HAUS_PG_BIN"):
        return Path(os.environ["HAUS_PG_BIN"])
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[4]))
    preferred = [p for p in found if p.parts[4] == "15"] or found
    return preferred[-1].parent if preferred else Path(shutil.which("postgres")).parent


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class ScratchPostgres:
    """user `postgres` (trust) for the test, user `debezium` (password debezium, superuser) for connectors."""

    def __init__(self, **settings):
        self.dir = Path(tempfile.mkdtemp(prefix="haus-pg-"))
        self.offset = free_offset()
        self.port = PORTS["postgres"] + self.offset
        self.settings = {
            "wal_level": "logical",
            "fsync": "off",
            "autovacuum": "off",
            "max_replication_slots": "20",
            "max_wal_senders": "20",
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.dir),
            "timezone": "UTC",
            "shared_buffers": "32MB",
            **settings,
        }
        self.unprivileged = []
        if os.geteuid() == 0:
            user = "postgres" if any(u.pw_name == "postgres" for u in pwd.getpwall()) else "nobody"
            shutil.chown(self.dir, user)
            self.unprivileged = ["setpriv", f"--reuid={user}", "--clear-groups", "--"]
            os.chmod(self.dir, 0o755)
        self.server = None
        self._make()
        self.start()
        self.sql("CREATE ROLE debezium SUPERUSER REPLICATION LOGIN PASSWORD 'debezium'")

    def _make(self):
        command = [bin_dir() / "initdb", "-D", self.dir / "data", "-U", "postgres", "-A", "trust"]
        command += ["-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run(self.unprivileged + [str(c) for c in command], check=True, capture_output=True, cwd="/")
        hba = "local all all trust\nhost all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        hba += "host replication all 127.0.0.1/32 scram-sha-256\n"
        (self.dir / "data" / "pg_hba.conf").write_text(hba)

    def start(self):
        command = [str(bin_dir() / "postgres"), "-D", str(self.dir / "data")]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        self.log = open(self.dir / "server.log", "a")
        self.server = subprocess.Popen(self.unprivileged + command, stdout=self.log, stderr=self.log, cwd="/")
        deadline = time.time() + 30
        while subprocess.run([str(bin_dir() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode:
            if time.time() > deadline or self.server.poll() is not None:
                raise RuntimeError((self.dir / "server.log").read_text()[-2000:])
            time.sleep(0.05)

    def stop(self, how=signal.SIGINT):
        self.server.send_signal(how)
        self.server.wait(60)
        self.log.close()

    def close(self):
        if self.server and self.server.poll() is None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self.dir, ignore_errors=True)
        give_back_offset(self.offset)

    def psql_command(self, database="postgres"):
        return ["psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database]

    def sql(self, text, database="postgres", check=True):
        """Runs statements one by one; rows as lists of texts."""
        command = self.psql_command(database) + ["-A", "-t", "-F", "\t", "-v", f"ON_ERROR_STOP={int(check)}"]
        done = subprocess.run(command, input=text, capture_output=True, text=True)
        if check and done.returncode:
            raise RuntimeError(done.stderr)
        return [line.split("\t") for line in done.stdout.splitlines()]


class PsqlSession:
    """A psql that stays connected; statements run with autocommit, errors are passed over."""

    def __init__(self, server, database):
        self.process = subprocess.Popen(
            server.psql_command(database),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )
        self.count = 0

    def run(self, text):
        self.count += 1
        mark = f"--done-{self.count}--"
        self.process.stdin.write(f"{text}\n\\echo {mark}\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.strip() == mark:
                return
        raise RuntimeError("psql ended")

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
