"""A real Apache Kafka 4.1: one broker, and one Connect worker in distributed mode, from Maven Central's jars.

    with Broker() as broker, Worker(broker.address) as worker:
        worker.put("copy", {"connector.class": "FileStreamSource", ...})

Processes may be killed and started again.  Each runs in a small JVM, so that several fit beside a test run.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import requests

from scratch_postgres import free_port

VERSION = "4.1.1"
DEBEZIUM = "2.5.4.Final"
CACHE = Path(os.environ.get("HAUS_TEST_CACHE", Path.home() / ".cache" / "haus-test"))
PARTS = [
    *(("org.apache.kafka", part) for part in ("kafka_2.13", "kafka-server", "kafka-tools")),
    *(("org.apache.kafka", f"connect-{part}") for part in ("runtime", "json", "file", "transforms")),
]
LOGGER = ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.24.3")
POM = """<project><modelVersion>4.0.0</modelVersion><groupId>t</groupId><artifactId>t</artifactId><version>1</version>
<dependencies>{}</dependencies></project>"""
DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
LOGGING = """\
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c{1} %m%n
rootLogger.level = INFO
rootLogger.appenderRef.out.ref = out
"""
END_S = 60  # seconds
JVM = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]

needs_java = pytest.mark.skipif(not (shutil.which("java") and shutil.which("mvn")), reason="needs java and mvn")


def once(name, make):
    """A folder of the cache, made by the first who asks."""
    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            make(folder)
            (folder / "done").touch()
    return folder


def _fetch_jars(folder):
    wanted = [(group, part, VERSION) for group, part in PARTS] + [LOGGER]
    (folder / "pom.xml").write_text(POM.format("".join(DEPENDENCY.format(*part) for part in wanted)))
    command = ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    subprocess.run(command, cwd=folder, check=True)
    (folder / "log4j2.properties").write_text(LOGGING)


def _fetch_debezium(folder):
    artifact = f"io.debezium:debezium-connector-postgres:{DEBEZIUM}:tar.gz:plugin"
    command = ["mvn", "-q", "-B", "dependency:copy", f"-DoutputDirectory={folder}", f"-Dartifact={artifact}"]
    subprocess.run(command, cwd=folder, check=True)
    archive = next(folder.glob("debezium-connector-postgres-*.tar.gz"))
    subprocess.run(["tar", "xzf", archive], cwd=folder, check=True)
    archive.unlink()


def jars():
    return once(f"connect-{VERSION}", _fetch_jars)


def plugins():
    return once(f"debezium-{DEBEZIUM}", _fetch_debezium)


class Jvm:
    """One process with its own folder; `ready` tells when it answers."""

    def __init__(self, main, config, heap="512m"):
        self.folder = Path(tempfile.mkdtemp(prefix="haus-kafka-"))
        self.main, self.heap, self.process = main, heap, None
        self.config = self.folder / "server.properties"
        self.config.write_text("".join(f"{key}={value}\n" for key, value in config.items()))

    def command(self, main, *args):
        logging = f"-Dlog4j2.configurationFile={jars()}/log4j2.properties"
        return [*JVM, f"-Xmx{self.heap}", logging, "-cp", f"{jars()}/*", main, *map(str, args)]

    def start(self, timeout=120):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.command(self.main, self.config), stdout=log, stderr=log)
        deadline = time.monotonic() + timeout
        while not self.ready():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log_text()
            time.sleep(0.1)

    def log_text(self, length=6000):
        return (self.folder / "log").read_text(errors="replace")[-length:]

    def end(self, how=signal.SIGTERM):
        process, self.process = self.process, None
        if not process:
            return
        process.send_signal(how)
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)  # a JVM then writes what its threads do
            time.sleep(2)
            process.kill()
            process.wait()
            threads = self.log_text(60000)
            # Connect's shutdown hook and Jetty's own stop the REST server both; now and then it waits for itself for ever
            assert "RestServer.stop" in threads, f"{self.main} does not end:\n{threads}"

    def kill(self):
        self.end(signal.SIGKILL)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Broker(Jvm):
    def __init__(self, **settings):
        self.port, controller = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        settings = {name.replace("_", "."): value for name, value in settings.items()}
        data = tempfile.mkdtemp(prefix="haus-kafka-data-")
        super().__init__(
            "kafka.Kafka",
            {
                "process.roles": "broker,controller",
                "node.id": 1,
                "controller.quorum.voters": f"1@127.0.0.1:{controller}",
                "listeners": f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}",
                "advertised.listeners": f"PLAINTEXT://{self.address}",
                "controller.listener.names": "CONTROLLER",
                "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
                "log.dirs": data,
                "offsets.topic.replication.factor": 1,
                "transaction.state.log.replication.factor": 1,
                "transaction.state.log.min.isr": 1,
                "group.initial.rebalance.delay.ms": 0,
                **settings,
            },
        )
        self.data = Path(data)
        identity = ["format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", self.config]
        subprocess.run(self.command("kafka.tools.StorageTool", *identity), check=True, capture_output=True)

    def ready(self):
        return "Kafka Server started" in self.log_text()

    def __exit__(self, *_):
        super().__exit__()
        shutil.rmtree(self.data, ignore_errors=True)


class Worker(Jvm):
    """A Connect worker.  Its REST calls; its topics are connect-configs, connect-offsets and connect-status."""

    def __init__(self, bootstrap, **settings):
        self.url = f"http://127.0.0.1:{free_port()}"
        settings = {name.replace("_", "."): value for name, value in settings.items()}
        super().__init__(
            "org.apache.kafka.connect.cli.ConnectDistributed",
            {
                "bootstrap.servers": bootstrap,
                "group.id": "connect",
                "listeners": self.url,
                "rest.advertised.host.name": "127.0.0.1",
                "plugin.path": plugins(),
                "plugin.discovery": "service_load",
                "key.converter": "org.apache.kafka.connect.json.JsonConverter",
                "value.converter": "org.apache.kafka.connect.json.JsonConverter",
                "config.storage.topic": "connect-configs",
                "offset.storage.topic": "connect-offsets",
                "status.storage.topic": "connect-status",
                "config.storage.replication.factor": 1,
                "offset.storage.replication.factor": 1,
                "status.storage.replication.factor": 1,
                "offset.flush.interval.ms": 1000,
                **settings,
            },
        )

    def ready(self):
        try:
            return requests.get(f"{self.url}/connectors", timeout=5).ok
        except requests.RequestException:
            return False

    def call(self, method, path, body=None):
        answer = requests.request(method, self.url + path, json=body, timeout=90)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}\n{self.log_text()}"
        return answer.json() if answer.text else None

    def put(self, name, config):
        return self.call("PUT", f"/connectors/{name}/config", config)

    def states(self, name):
        status = requests.get(f"{self.url}/connectors/{name}/status", timeout=90).json()
        return [row["state"] for row in (status.get("connector", {"state": "?"}), *status.get("tasks", []))]
