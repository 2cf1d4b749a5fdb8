"""A whole house for a test: `haus up` in a home and on ports of its own, taken down at the end.

with Playground() as play:
    play.haus("seed", "--count", "100")
    assert play.json("verify")[0]["equal"]
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
from house import BINARY, BLUNDERS, CRASHES, PORTS, ROOT, check_for_blunders, free_offset

TABLES = ("customers", "order_items", "orders", "payments", "products")


class Playground:
    def __init__(self, env=None, folder=None):
        self.base = Path(tempfile.mkdtemp(prefix="haus-play-"))
        self.base.chmod(0o755)  # the server's own user must pass through
        self.home = self.base / "home"
        self.offset = free_offset()
        self.env = {
            **os.environ,
            "HAUS_HOME": str(self.home),
            "HAUS_PORT_OFFSET": str(self.offset),
            "HAUS_PLAYGROUND": str(folder or ROOT / "playground"),
            **(env or {}),
        }

    def port(self, service):
        return PORTS[service] + self.offset

    def address(self, service):
        return f"127.0.0.1:{self.port(service)}"

    def url(self, service):
        return f"http://{self.address(service)}"

    def database(self):
        """A connection to the source, each statement a transaction."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port("postgres"),
            user="postgres",
            password="postgres",
            dbname="storefront",
            autocommit=True,
            connect_timeout=5,
        )

    def run(self, *args, timeout=180):
        done = subprocess.run(
            [BINARY, *args], env=self.env, capture_output=True, text=True, timeout=timeout, check=False
        )
        assert done.returncode not in CRASHES and not BLUNDERS.search(done.stderr), f"haus {args}: {done.stderr}"
        return done

    def haus(self, *args, timeout=180):
        """Runs a command that must succeed; its stdout."""
        done = self.run(*args, timeout=timeout)
        assert done.returncode == 0, (
            f"haus {' '.join(args)}: {done.returncode}\n{done.stderr}{done.stdout}{self.logs()}"
        )
        return done.stdout

    def json(self, *args):
        """A listing that may fail (verify exits 1 when not equal) but always prints JSON."""
        done = self.run(*args, "-o", "json")
        assert done.stdout, f"haus {' '.join(args)}: {done.returncode}\n{done.stderr}{self.logs()}"
        return json.loads(done.stdout)

    def status(self):
        return {row["name"]: row for row in self.json("status")["services"]}

    def pid(self, service):
        return self.status()[service]["pid"]

    def logs(self):
        texts = []
        for file in sorted((self.home / "logs").glob("*.log")):
            texts.append(f"--- {file.name}\n{file.read_text(errors='replace')[-1500:]}")
        return "\n".join(texts)

    def wait_ready(self, *names, timeout=60):
        deadline = time.monotonic() + timeout
        while True:
            state = self.status()
            if all(state[name]["state"] == "ready" for name in names or state):
                return state
            assert time.monotonic() < deadline, f"not ready: {state}\n{self.logs()}"
            time.sleep(0.1)

    def wait_for(self, what, ask, timeout=150):
        """Asks until the answer is true."""
        deadline = time.monotonic() + timeout
        while True:
            answer = ask()
            if answer:
                return answer
            if time.monotonic() > deadline:
                verify = self.run("verify")
                raise AssertionError(f"waited in vain for {what}\n{verify.stdout}{verify.stderr}\n{self.logs()}")
            time.sleep(0.3)

    def raw_has_all(self):
        rows = json.loads(self.run("verify", "-o", "json").stdout or "[]")  # nothing while a service is away
        return bool(rows) and all(
            r["source"] == r["log"] == r["raw"] and r["raw_events"] == r["log_events"] for r in rows
        )

    def settle(self, timeout=150):
        """Waits until the raw files hold everything, builds, and proves all stations equal."""
        self.wait_for("the raw files", self.raw_has_all, timeout)
        self.haus("build")
        rows = self.json("verify")
        assert all(row["equal"] for row in rows), rows
        return {row["table"]: row for row in rows}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.run("down")
            check_for_blunders(*(self.home / "logs").glob("*.log"))
        finally:
            shutil.rmtree(self.base, ignore_errors=True)


def change_template(folder, name, old, new):
    file = folder / "connectors" / f"{name}.template.json"
    text = file.read_text()
    changed = text.replace(old, new)
    assert changed != text
    file.write_text(changed)


def fast_templates(folder, schedule_ms=3000, status_ms=None):
    """The playground's templates in a folder of their own, with a sink that closes its files every few seconds and,
    if wanted, a source that confirms to its slot more often than every ten."""
    target = Path(folder) / "playground"
    shutil.copytree(ROOT / "playground", target)
    schedule = '"rotate.schedule.interval.ms": "{}"'
    change_template(target, "s3-sink-storefront", schedule.format(60000), schedule.format(schedule_ms))
    if status_ms:
        tasks = '"tasks.max": "3",'
        more = f'{tasks}\n    "status.update.interval.ms": "{status_ms}",'
        change_template(target, "postgres-source-storefront", tasks, more)
    return target
