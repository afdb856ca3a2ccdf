#!/usr/bin/env python3
"""Fails on an include that goes up or sideways: a room may include only itself, the rooms its CMake target names
(egret_room(NAME ROOMS …)), and what those name in turn. The graph must have no cycle."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent / "src"
direct = {}
for cmake in root.glob("*/CMakeLists.txt"):
    for name, body in re.findall(r"egret_room\((\w+)([^)]*)\)", cmake.read_text()):
        rooms = re.search(r"ROOMS((?:\s+(?!LIBS\b)[\w-]+)+)", body)
        direct[name] = set(rooms.group(1).split()) if rooms else set()


def reach(room, path=()):
    if room in path:
        sys.exit(f"layers: cycle {' -> '.join(path + (room,))}")
    found = set(direct.get(room, ()))
    for r in direct.get(room, ()):
        found |= reach(r, path + (room,))
    return found


bad = 0
for room in direct:
    allowed = reach(room) | {room}
    for source in sorted((root / room).rglob("*")):
        if source.suffix not in (".h", ".cc"):
            continue
        for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
            m = re.match(r'\s*#\s*include\s+"([^"/]+)/', line)
            if m and (root / m.group(1)).is_dir() and m.group(1) not in allowed:
                print(f"{source.relative_to(root.parent)}:{number}: room {room} must not include {m.group(1)}", file=sys.stderr)
                bad += 1
sys.exit(1 if bad else 0)
