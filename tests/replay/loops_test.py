#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every loop of --bench is new traffic: N loops count N times what one does, checksums included.

    loops_test.py POSTERN CAPTURE...
"""
import json
import subprocess
import sys

LOOPS = 12


def summary(postern, loops, captures):
    command = [postern, "replay", "--bench", "--loop", str(loops), "--checksums", "check", "--json", "-"]
    return json.loads(subprocess.run(command + captures, check=True, capture_output=True).stdout)


def counts(summary_):
    """What each loop must bring again, by its path."""
    found = {}

    def walk(path, value):
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{path}.{key}", inner)
        elif isinstance(value, int):
            found[path] = value

    for key in ("packets", "bytes", "link", "tcp", "smtp", "sip", "verdicts", "reasons"):
        walk(key, summary_[key])
    return found


def main():
    postern, captures = sys.argv[1], sys.argv[2:]
    once = counts(summary(postern, 1, captures))
    often = counts(summary(postern, LOOPS, captures))
    wrong = [f"{path}: {once.get(path, 0)} in one loop, {often.get(path, 0)} in {LOOPS}"
             for path in sorted(once.keys() | often.keys())
             if often.get(path, 0) != LOOPS * once.get(path, 0)]
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


main()
