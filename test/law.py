"""The may-include law: which folder may include which header. Prints every include that breaks it.

base includes nothing of ours; net, disk, wire include base (net also disk); a station includes tiers 0 and 1 and
itself, never another station; face and supervise may include tiers 0 and 1, each other's and each station's one public
header. Outside of a folder only its public header is included.
"""

import pathlib
import re
import sys

SRC = pathlib.Path(__file__).resolve().parent.parent / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)

TIERS = {"base": 0, "disk": 1, "net": 1, "wire": 1, "source": 2, "stream": 2, "lake": 2, "supervise": 3, "face": 3}
# within tier 1: who may use whom
TIER_1 = {"disk": {"disk"}, "net": {"net", "disk"}, "wire": {"wire"}}
# lake's stations share the table format; it is a library of theirs, not a station
LIBRARIES = {"lake/iceberg": {"lake/build", "lake/catalog"}}


def room(path):
    """'stream/log/group.c' -> ('stream', 'stream/log'); connect's inner folders belong to connect."""
    parts = path.split("/")
    top = parts[0]
    if top in ("base", "disk", "net", "supervise"):
        return top, top
    return top, "/".join(parts[:2])


def is_public(header):
    """The one header named after its folder: 'stream/log/log.h', 'wire/avro/avro.h', 'base/base.h'."""
    parts = header.split("/")
    return len(parts) >= 2 and parts[-1] == parts[-2] + ".h"


def verdict(path, header):
    top, own = room(path)
    to_top, to = room(header)
    if to_top not in TIERS:
        return "unknown folder"
    if own == to:
        return None
    if top == "wire" and to_top == "wire":
        return "a format includes another format"
    if TIERS[to_top] > TIERS[top]:
        return f"tier {TIERS[top]} includes tier {TIERS[to_top]}"
    if TIERS[top] == 1 and TIERS[to_top] == 1 and to_top not in TIER_1[top]:
        return f"{top} may not include {to_top}"
    if TIERS[top] == 2 and TIERS[to_top] == 2 and own not in LIBRARIES.get(to, set()):
        return "a station includes another station"
    return None if is_public(header) else "only the public header of a folder is for others"


def main():
    broken = 0
    for file in sorted(SRC.rglob("*.[ch]")):
        path = file.relative_to(SRC).as_posix()
        if path == "main.c":
            continue
        for header in INCLUDE.findall(file.read_text()):
            if "/" not in header:
                print(f'{path}: "{header}": write the folder too')
                broken += 1
                continue
            words = verdict(path, header)
            if words:
                print(f'{path}: "{header}": {words}')
                broken += 1
    for folder in sorted({f.parent for f in SRC.rglob("*.c")}):
        if folder != SRC and not (folder / "README.md").exists():
            print(f"{folder.relative_to(SRC)}: no README.md")
            broken += 1
    print(f"{broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
