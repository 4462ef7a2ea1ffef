#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Delivery reports and complaints of other people's tests: feedback_corpus_test.py POSTERN CORPUS

Each mail of the corpus goes through the readers of `postern feedback`. What they find in reports is held against Python's
email package on the same bytes. Skips where there is no corpus.
"""
import email
import json
import subprocess
import sys
from pathlib import Path

POSTERN, CORPUS = sys.argv[1], Path(sys.argv[2]) / "mail"

# Blocks that are run together or torn apart: the email package finds others, and ours are said here.
ODD = {"messages__delivery-status-no-blank-line.txt", "messages__delivery-status-multiple-blank-lines.txt"}


def read(kind, *paths):
    result = subprocess.run([POSTERN, "feedback", kind, "--parse", "--json", *paths], capture_output=True, timeout=120, check=False)
    if result.returncode not in (0, 1):
        raise AssertionError(f"{paths}: {kind}: status {result.returncode}: {result.stderr.decode(errors='replace')}")
    return json.loads(result.stdout)["items"]


def parts_of(path):
    """The outermost parts, those of attached mails left out; with an mbox separator gone."""
    data = path.read_bytes()
    if data.startswith(b"From "):
        data = data.partition(b"\n")[2]
    parts = [email.message_from_bytes(data)]
    for part in parts:
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            parts.extend(part.get_payload())
    return parts


def word(block, name):
    return str(block.get(name, "")).rpartition(";")[2].strip().strip("<>")


def wanted_dsn(part):
    """(recipient, action, status) of each block about one."""
    blocks = part.get_payload() if part.is_multipart() else []
    return sorted((word(b, "Original-Recipient") or word(b, "Final-Recipient"), str(b.get("Action", "")).strip(),
                   str(b.get("Status", "")).strip()) for b in blocks if b.get("Action"))


def main():
    if not CORPUS.is_dir():
        print("skipped: no corpus")
        return 77
    mails = dsns = arfs = 0
    wrong, others = [], []
    for path in sorted(p for p in CORPUS.rglob("*") if p.is_file()):
        mails += 1
        parts = parts_of(path)
        status = [p for p in parts if p.get_content_type() == "message/delivery-status"]
        report = [p for p in parts if p.get_content_type() == "message/feedback-report"]
        if not status and not report:
            others.append(path)
            continue
        dsn, arf = read("dsn", path), read("arf", path)
        if not report:
            dsns += 1
            got = sorted((i.get("rcpt", ""), i.get("type", ""), i.get("status", "")) for i in dsn)
            if path.name not in ODD and got != wanted_dsn(status[0]):
                wrong.append((str(path), got, wanted_dsn(status[0])))
            if path.name in ODD and not dsn:
                wrong.append((str(path), "nothing"))
        else:
            arfs += 1
            if len(arf) != 1 or dsn:
                wrong.append((str(path), arf, dsn))
    wrong += [("no report, and one was found", item) for item in read("dsn", *others)]
    print(f"{mails} mails, {dsns} delivery reports, {arfs} complaints, {len(wrong)} wrong")
    for line in wrong:
        print(*line, sep="\n   ")
    return bool(wrong) or not dsns or not arfs


if __name__ == "__main__":
    sys.exit(main())
