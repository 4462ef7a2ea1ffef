#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Sums up meson's test logs: summary.py BUILDS_FAILED TESTLOG.json...

Shows the log of each failure and the reason of each skip, then one line:
"N passed, N failed, N skipped". A program that speaks TAP counts once per
line of it, any other once. Exits 1 when something failed or nothing passed.
"""
import json
import re
import sys
from pathlib import Path

TAP_LINE = re.compile(r"(not )?ok\b(?:\s+\d+)?(?:\s*-)?\s*([^#]*)(?:#\s*skip\S*\s*(.*))?", re.I)
TAP_PLAN = re.compile(r"\d+\.\.\d+")
SHOWN_LINES = 60


def subtests(output):
    """Yields (result, name, reason) per TAP line of a program's output."""
    said = ""  # cmocka has no words of its own for a skip: the line before it has
    for line in output.splitlines():
        tap = TAP_LINE.match(line)
        if not tap:
            said = "" if TAP_PLAN.match(line) else line.strip()
            continue
        bad, name, skip = tap.groups()
        result = "skipped" if skip is not None else "failed" if bad else "passed"
        yield result, name.strip(), ": ".join(filter(None, [skip, said]))
        said = ""


def is_only_skips(test, lines):
    """cmocka says "not ok # SKIP", which meson takes for a failure."""
    return test["result"] == "FAIL" and test.get("returncode") == 0 and bool(lines) and all(
        result != "failed" for result, _, _ in lines)


def skip_reason(test):
    lines = (test.get("stdout", "") + test.get("stderr", "")).strip().splitlines()
    return lines[-1].strip() if lines else "no reason given"


def failure_show(where, test):
    print(f"\nFAILED {where}: {test['result']}")
    output = (test.get("stdout", "") + test.get("stderr", "")).rstrip().splitlines()
    for line in output[-SHOWN_LINES:]:
        print("   ", line)


def main():
    count = {"passed": 0, "failed": int(sys.argv[1]), "skipped": 0}
    skips = []
    for log in map(Path, sys.argv[2:]):
        if not log.exists():
            print(f"\nFAILED {log}: no test log")
            count["failed"] += 1
            continue
        for line in log.read_text(errors="replace").splitlines():
            test = json.loads(line)
            where = f"{log.parts[0]}: {test['name'].split(':')[-1].strip()}"
            lines = list(subtests(test.get("stdout", "")))
            bad = test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL") and not is_only_skips(test, lines)
            if test["result"] == "EXPECTEDFAIL":
                lines = [("skipped", "", "fails, as its meson.build says")]
            if bad:
                failure_show(where, test)
            if test["result"] == "SKIP" and not lines:
                lines = [("skipped", "", skip_reason(test))]
            if bad and not any(result == "failed" for result, _, _ in lines):
                lines.append(("failed", "", ""))
            for result, name, reason in lines or [("passed", "", "")]:
                count[result] += 1
                if result == "skipped":
                    skips.append(f"{where} {name}".strip() + f": {reason or 'no reason given'}")
    print()
    for skip in skips:
        print("skipped", skip)
    print(", ".join(f"{number} {result}" for result, number in count.items()))
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
