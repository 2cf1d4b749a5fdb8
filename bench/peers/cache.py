"""Where the peers are installed, and the installers: Maven Central, the Go module proxy. Each part is installed once."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

CACHE = Path(os.environ.get("HAUS_BENCH_CACHE", Path.home() / ".cache" / "haus-bench"))
POM = """<project><modelVersion>4.0.0</modelVersion><groupId>bench</groupId><artifactId>peer</artifactId><version>1</version>
<dependencies>{}</dependencies></project>"""
ALONE = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"


def part(name, install):
    """The folder of an installed part; `install(folder)` fills it the first time, whole or not at all."""
    folder = CACHE / name
    if not folder.exists():
        need("java", "mvn")
        print(f"bench: installing {name}", flush=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=CACHE))
        try:
            install(scratch)
            scratch.chmod(0o755)
            scratch.rename(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return folder


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise SystemExit(f"bench: the peers need {program}; install it, or leave out --peers")


def jars(folder, *coordinates):
    """group:artifact:version with all they need; with a '!' in front, alone."""
    dependencies = []
    for text in coordinates:
        group, artifact, version = text.removeprefix("!").split(":")
        inner = f"<groupId>{escape(group)}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>"
        dependencies.append(f"<dependency>{inner}{ALONE if text.startswith('!') else ''}</dependency>")
    (folder / "pom.xml").write_text(POM.format("".join(dependencies)))
    maven(folder, "dependency:copy-dependencies", f"-DoutputDirectory={folder}")


def archive(folder, coordinates):
    """One packed artifact, unpacked."""
    maven(folder, "dependency:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={folder}")
    for packed in folder.glob("*.tar.gz"):
        subprocess.run(["tar", "xzf", packed.name], cwd=folder, check=True)
        packed.unlink()


def maven(folder, *args):
    subprocess.run(["mvn", "-q", "-B", *args], cwd=folder, check=True)


def go_program(folder, module):
    need("go")
    subprocess.run(["go", "install", module], env={**os.environ, "GOBIN": str(folder)}, check=True)


def size(*folders):
    return sum(file.stat().st_size for folder in folders for file in Path(folder).rglob("*") if file.is_file())
