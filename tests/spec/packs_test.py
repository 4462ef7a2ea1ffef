#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The shipped packs: what each rule must say of itself, and that the table of rules/README.md is true: packs_test.py ROOT POSTERN"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

RULE = re.compile(r"^(alert|drop|reject|pass) (smtp|sip) (.*?)\((.*)\)$")
ROW = re.compile(r"^\| \[`(\S+)`\]\(\S+\) \| (\d+) \| (\d+) \| (\d+) \| (\d+)-(\d+) \|")


def joined(text):
    return [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]


def option(options, name):
    found = re.search(rf"(?:^|; *|\s){name}: ?((?:\"(?:[^\"\\]|\\.)*\"|[^;\"]|\\;)*)", options)
    return found.group(1).strip() if found else None


def metadata(options):
    text = option(options, "metadata") or ""
    entries = re.findall(r"(\w+) (\"[^\"]*\"|[^,]+)", text)
    return {key: value.strip('"') for key, value in entries}


def check_rule(line, sids, say):
    matched = RULE.match(line)
    if not matched:
        return say(f"not read: {line[:80]}")
    action, protocol, _, options = matched.groups()
    sid, meta = int(option(options, "sid") or 0), metadata(options)

    def wants(holds, what):
        if not holds:
            say(f"{sid}: {what}")

    wants(sids[0] <= sid <= sids[1], f"not in the file's range {sids[0]}-{sids[1]}")
    wants(option(options, "msg"), "no msg")
    wants(option(options, "classtype"), "no classtype")
    wants(option(options, "rev"), "no rev")
    wants(re.match(r"(url,[a-z0-9.-]+\.[a-z]+/|cve,\d{4}-\d+)", option(options, "reference") or ""), "no reference that can be looked up")
    wants(re.fullmatch(r"AUP-[A-Z-]+", meta.get("aup", "")), "no aup row")
    wants(re.fullmatch(r"\d+", meta.get("risk", "")), "no risk")
    if action in ("reject", "drop"):
        form = r"[45]\d\d [45]\.\d\.\d+ \S.*" if protocol == "smtp" else r"[4-6]\d\d \S.*"
        wants(re.fullmatch(form, meta.get("reply", "")), "refuses without a reply of its protocol")
    else:
        wants("reply" not in meta, "has a reply and refuses nothing")
    return sid


def samples_of(path):
    count = {}
    for sid, want in re.findall(r"^(\d+) (match|miss)\b", path.read_text(), re.M):
        count.setdefault(int(sid), set()).add(want)
    return count


def check_file(path, row, say):
    rules = joined(path.read_text())
    samples = samples_of(path.with_suffix(".samples"))
    sids = [check_rule(line, (int(row[4]), int(row[5])), say) for line in rules]
    for sid in sids:
        if samples.get(sid) != {"match", "miss"}:
            say(f"{path.name}: {sid} wants a sample that matches and one that does not")
    if sids != sorted(sids, key=lambda sid: sid or 0):
        say(f"{path.name}: not in the order of the sids")
    found = (len(rules), sum(line.startswith("reject") for line in rules), sum("shadow yes" in line for line in rules))
    if found != tuple(map(int, row[1:4])):
        say(f"README.md: {row[0]} has {found[0]} rules, {found[1]} refuse, {found[2]} in shadow")


def make(root, *args):
    return subprocess.run([root / "tools" / "rules-make", *args], stdout=sys.stdout, stderr=sys.stdout).returncode


def check_made(root, postern, say):
    """What is made of data is what the data makes; the example of marks makes good rules."""
    if make(root, "--check", "numbers", root / "rules/premium-numbers.conf", root / "rules/numbers"):
        say("rules/numbers is not up to date")
    with tempfile.TemporaryDirectory() as folder:
        marks = Path(folder) / "marks"
        if make(root, "marks", root / "rules/optional/marks.conf.example", marks):
            return say("no rules of marks.conf.example")
        for what in (["check", "--werror"], ["test"]):
            if subprocess.run([postern, "rules", *what, f"{marks}.rules"], stdout=sys.stdout, stderr=sys.stdout).returncode:
                say(f"marks.conf.example: rules {what[0]}")
        bad = Path(folder) / "bad"
        for text in ("Mark\n", "Mark: not a domain\n", "Ma\"rk: example.com\n"):
            bad.write_text(text)
            if not subprocess.run([root / "tools" / "rules-make", "marks", bad, bad], capture_output=True).returncode:
                say(f"rules-make takes {text!r}")


def main(root, postern):
    failures = []
    rows = [row.groups() for row in map(ROW.match, (root / "rules/README.md").read_text().splitlines()) if row]
    files = {str(path.relative_to(root / "rules")): path for path in sorted((root / "rules").rglob("*.rules"))}
    for row in rows:
        if row[0] in files:
            check_file(files.pop(row[0]), row, failures.append)
        else:
            failures.append(f"README.md: there is no {row[0]}")
    failures += [f"README.md does not say what {name} is" for name in files]
    check_made(root, postern, failures.append)
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
