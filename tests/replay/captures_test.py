#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The gate's counts are those of tshark and of the peers: captures_test.py POSTERN CAPTURE

Replays a capture without tenants and compares the summary with its .expect.json, then with
postern.conf and compares the reasons given with refusals.json (see captures/README.md); all of it
with one worker and with two. Exits 1 and says what differs.
"""
import json
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
WORKERS = (1, 2)
TIMEOUT_S = 60
# What the file says about the recording itself.
NOT_COMPARED = {"files", "peers", "encrypted", "bare_lf_ends"}


def replay(postern, capture, workers, config):
    command = [postern, "replay", "--quiet", "--json", "-", "--workers", str(workers), "--config", FOLDER / config,
               capture]
    run = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S)
    if run.returncode:
        raise ValueError(f"exit {run.returncode}: {run.stderr.decode(errors='replace').strip()}")
    return json.loads(run.stdout)


def differences(want, got, path=""):
    if isinstance(want, dict):
        if not isinstance(got, dict):
            yield f"{path}: expected an object, got {got!r}"
            return
        for key in want:
            yield from differences(want[key], got.get(key), f"{path}.{key}".lstrip("."))
        # A count of something that the capture does not hold.
        if path.endswith(("commands", "replies", "requests", "responses")):
            yield from (f"{path}.{key}: not in the capture" for key in got if key not in want)
    elif isinstance(want, list):
        if sorted(want) != sorted(got or []):
            yield f"{path}: expected {sorted(want)}, got {sorted(got or [])}"
    elif isinstance(want, float) and isinstance(got, (int, float)):
        if abs(want - got) > 1e-5:
            yield f"{path}: expected {want}, got {got}"
    elif want != got:
        yield f"{path}: expected {want!r}, got {got!r}"


def expectation(file):
    full = json.loads(file.read_text())
    want = {key: value for key, value in full.items() if key not in NOT_COMPARED}
    refused = full.get("bare_lf_ends", 0)
    if refused:  # the gate ends these sessions there: it counts no further, nor does what follows leave it
        for key in ("commands", "replies", "recipients"):
            del want["smtp"][key]
        want["smtp"]["messages"] = {"attempted": refused, "accepted": 0, "refused_by_peer": 0, "refused_by_gate": refused}
    else:
        want["verdicts"] = {"pass": want["packets"], "alert": 0, "drop": 0, "reject": 0}
    return want


def capture_differences(postern, capture, want, reasons):
    """What one capture shows and should not, with whoever's traffic it is unknown, then known."""
    for workers in WORKERS:
        try:
            for difference in differences(want, replay(postern, capture, workers, "budgets.conf")):
                yield f"{workers} workers: {difference}"
            given = replay(postern, capture, workers, "postern.conf")["reasons"]
            given.pop("after_refusal", None)  # packets, not decisions
            if given != reasons:
                yield f"{workers} workers, with tenants: expected {reasons}, got {given}"
        except (ValueError, subprocess.TimeoutExpired) as error:
            yield f"{workers} workers: {error}"


def main():
    postern, capture = sys.argv[1], Path(sys.argv[2])
    want = expectation(capture.with_suffix(".expect.json"))
    reasons = json.loads(capture.with_name("refusals.json").read_text())[capture.stem]
    wrong = list(capture_differences(postern, capture, want, reasons))
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
