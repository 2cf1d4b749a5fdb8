"""How much disk the installed peers take, with Java's runtime."""

import shutil
from pathlib import Path

from peers import cache, connect, kafka, spark, versitygw


def installed_bytes():
    java_home = Path(shutil.which("java")).resolve().parents[1]
    parts = [
        cache.part(f"kafka-{kafka.VERSION}", kafka.install),
        connect.plugins(),
        spark.jars(),
        spark.home(),
        versitygw.program().parent,
        java_home,
    ]
    return cache.size(*parts)
