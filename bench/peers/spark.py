"""Spark: a standalone master and a worker from PyPI's pyspark, and Iceberg's runtime; the stage job submitted to them."""

import json
import os
import sys
from pathlib import Path

import pyspark
import requests
from child import run_measured
from table import Side

from peers import cache
from peers.process import Peer, free_ports

VERSION, ICEBERG = "3.5.6", "1.9.2"
JOB = Path(__file__).with_name("stage_job.py")


def install(folder):
    cache.jars(
        folder,
        f"!org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:{ICEBERG}",
        f"!org.apache.spark:spark-avro_2.12:{VERSION}",
    )


def jars():
    return cache.part(f"spark-jars-{VERSION}-{ICEBERG}", install)


def home():
    """pyspark is one of the tests' clients, pinned there."""
    if pyspark.__version__ != VERSION:
        raise SystemExit(f"bench: pyspark is {pyspark.__version__}, not {VERSION}")
    return Path(pyspark.__file__).parent


class Spark(Peer):
    name = "Spark"

    def install(self):
        jars()

    def launch(self):
        self.port, self.ui, worker_ui = free_ports(3)
        self.env = {
            **self.scratch_env(),
            "SPARK_HOME": str(home()),
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_DIRS": str(self.folder),
        }
        start = [home() / "bin" / "spark-class"]
        master = [
            "org.apache.spark.deploy.master.Master",
            "--host",
            "127.0.0.1",
            "--port",
            self.port,
            "--webui-port",
            self.ui,
        ]
        worker = ["org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "--webui-port", worker_ui]
        worker += ["--work-dir", self.folder / "work", "--cores", os.cpu_count(), self.url]
        self.spawn(*start, *master, env=self.env)
        self.spawn(*start, *worker, env=self.env)

    @property
    def url(self):
        return f"spark://127.0.0.1:{self.port}"

    def is_ready(self):
        try:
            return requests.get(f"http://127.0.0.1:{self.ui}/json/", timeout=2).json().get("aliveworkers") == 1
        except requests.RequestException:
            return False

    def submit(self, source, table):
        """Runs the job on a folder of raw files: (what it printed of itself, its use)."""
        extra = ",".join(str(file) for file in sorted(jars().glob("*.jar")))
        submit = [home() / "bin" / "spark-submit", "--master", self.url, "--jars", extra, JOB]
        arguments = [f"file://{source}", f"file://{self.folder}/warehouse", table]
        told = self.folder / "job.log"
        try:
            with open(told, "wb") as log:
                out, use = run_measured([*submit, *arguments], self.pids, env={**os.environ, **self.env}, stderr=log)
        except SystemExit as failure:
            raise SystemExit(f"{failure}\n{told.read_text(errors='replace')[-3000:]}") from None
        return json.loads(out.strip().splitlines()[-1]), use

    def stage(self, source, table, count):
        """The job alone; CPU and memory of driver, master, worker and executor, the session's start among them."""
        told, use = self.submit(source, table)
        if told["rows"] != count:
            raise SystemExit(f"bench: Spark's table '{table}' got {told['rows']} rows of {count}")
        return Side(count / told["job_s"], use.cpu, use.peak)
