#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds docs/policy.md to the code: every row of the policy is there, and what a row names exists.

    policy.py ROOT BUILD

Of a row's table, words in backquotes: in `settings` are settings of docs/configuration.md, and kinds of lists of docs/lists.md; in `points` terms of control/risk/risk_kind.h;
in `evidence` reasons, types and fields of docs/eve.schema.json, events of control/events/gate_event.h; in `tests` names of meson's, each with cases in double quotes
behind it: a conversation's title, a net_case's words, a test function, a row of a table, an entry of a spec document.
"""
import json
import re
import sys
from pathlib import Path

ROWS = """SPAM-BULK COMPLAINT LIST HARVEST BOUNCE SUPPRESS-LEARNED OPTOUT UNSUB HDR-FORGED DOMAIN-INVALID ORIGIN DOMAIN-CONSENT
RELAY SUBJECT TRADEMARK MALWARE MAILBOMB SPOOF DOS BLACKLIST EMERGENCY ASR SCR DNC CALLERID SMS INDUSTRY DATA-TIER TAG SUSPEND
NOTIFY REPORTS AUDIT""".split()
CELLS = ["signal", "default", "settings", "answer", "points", "evidence", "can't be known", "tests"]
# Where the title of a case stands in a file, by how the file's name ends.
CASE_LINES = {
    "talk": r"== {}",
    ".sh": r"\s*net_case '{}' .*",
    ".py": r"\s*def (test_)?{}\(.*",
    ".c": r"\s*((cmocka_unit_test\w*|TEST)\({}[,)].*|[{]\"{}\",.*)",
    ".spec": r".*{}.*",
    ".samples": r"{} (match|miss)",
}


def page_rows(text):
    """By id: the cells of the first table under its heading."""
    rows = {}
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        name, body = section.split("\n", 1)
        if name.startswith("AUP-"):
            rows[name] = dict(re.findall(r"^\| ([a-z' ]+) \| (.*) \|$", body, re.M))
    return rows


def settings_of(text):
    """Full names of all settings; `NAME` of a group stands for any name."""
    names = set()
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        head = section.split("\n", 1)[0]
        names |= {f"{head}.{name}" for name in re.findall(r"^\| `(\w+)` \|", section, re.M)}
    return names


def schema_names(schema, prefix=""):
    names = set()
    for name, value in schema.get("properties", {}).items():
        names |= {prefix + name} | schema_names(value, f"{prefix}{name}.")
    return names


class Tests:
    """What meson knows: tests by name, and the files that each is made of."""

    def __init__(self, build):
        info = build / "meson-info"
        self.files = {}
        sources = {}
        for target in json.loads((info / "intro-targets.json").read_text()):
            for made in target["filename"]:
                sources[made] = [Path(s) for part in target.get("target_sources", []) for s in part.get("sources", [])]
        for test in json.loads((info / "intro-tests.json").read_text()):
            files = [file for word in test["cmd"] for file in self.files_of(word, sources)]
            self.files.setdefault(test["name"], []).extend(files)

    @staticmethod
    def files_of(word, sources):
        if word in sources:
            near = {folder for s in sources[word] for folder in s.parent.glob("*_cases.c")}
            return [*sources[word], *near]
        path = Path(word)
        if not path.is_absolute() or not path.exists() or path.stat().st_size == 0:
            return []
        if path.is_dir():
            return [f for f in path.rglob("*") if f.name == "talk" or f.suffix in (".spec", ".samples")]
        return [path]

    def has_case(self, name, case):
        for file in self.files[name]:
            pattern = CASE_LINES.get(file.suffix or file.name)
            if not pattern:
                continue
            whole = re.compile(pattern.replace("{}", re.escape(case)))
            if any(whole.fullmatch(line) for line in file.read_text(encoding="utf-8").splitlines()):
                return True
        return False


def quoted(cell):
    return re.findall(r"`([^`]+)`", cell)


def check_row(say, cells, known):
    for cell in CELLS:
        if not cells.get(cell):
            say(f"has nothing under '{cell}'")
    for cell in set(cells) - {*CELLS, "not yet"}:
        say(f"has '{cell}', which no row has")
    for name in quoted(cells.get("settings", "")):
        if not known["settings"](name):
            say(f"names the setting {name}, which docs/configuration.md has not")
    for cell in ("points", "evidence"):
        for name in quoted(cells.get(cell, "")):
            if name not in known[cell]:
                say(f"names {name} under '{cell}', which is nowhere")


def check_tests(say, cell, tests):
    """How many cases were found; one without any is what `none` stands for."""
    count, name = 0, None
    for test, case in re.findall(r'`([^`]+)`|"([^"]+)"', cell):
        if test:
            name = test if test in tests.files else None
            if not name:
                say(f"names the test {test}, which meson has not")
            count += 1
        elif name and not tests.has_case(name, case):
            say(f'names the case "{case}" of {name}, which is not in it')
    if not count and not cell.startswith("none"):
        say("names no test, and not 'none'")


def setting_known(settings, name):
    """Settings, groups of them; files of rules and commands of postern stand there as well."""
    if name in settings or any(s.startswith(name + ".") for s in settings):
        return True
    return bool(re.fullmatch(r"(rules/|postern )[\w ./-]+", name))


def main():
    root, build = Path(sys.argv[1]), Path(sys.argv[2])
    rows = page_rows((root / "docs/policy.md").read_text(encoding="utf-8"))
    settings = settings_of((root / "docs/configuration.md").read_text(encoding="utf-8"))
    settings |= set(re.findall(r"^\| `([a-z-]+)` \|", (root / "docs/lists.md").read_text(encoding="utf-8"), re.M))
    schema = json.loads((root / "docs/eve.schema.json").read_text(encoding="utf-8"))
    kinds = (root / "control/risk/risk_kind.h").read_text(encoding="utf-8")
    reasons = set(re.findall(r'X\(\w+, "(\w+)", "', (root / "bpf/reason.h").read_text(encoding="utf-8")))
    told = set(re.findall(r'X\("(\w+)", [A-Z]+, "', (root / "control/events/gate_event.h").read_text(encoding="utf-8")))
    terms = set(re.findall(r'X\([A-Z_]+, "(\w+)", [A-Z]+, "', kinds))
    known = {
        "settings": lambda name: setting_known(settings, name),
        "points": terms,
        "evidence": reasons | told | schema_names(schema) | set(schema["properties"]["event_type"]["enum"]) |
                    set(schema["properties"]["verdict"]["properties"]["action"]["enum"]) |
                    {"postern explain tenant", "postern show"},
    }
    tests = Tests(build)
    failures = []
    expected = [f"AUP-{name}" for name in ROWS]
    if list(rows) != expected:
        failures.append(f"rows: missing {sorted(set(expected) - set(rows))}, unknown {sorted(set(rows) - set(expected))}, or out of order")
    if len(reasons) < 50 or len(terms) < 20 or len(settings) < 100 or len(tests.files) < 100:
        failures.append(f"read only {len(reasons)} reasons, {len(terms)} terms, {len(settings)} settings, {len(tests.files)} tests")
    for name, cells in rows.items():
        def say(words, name=name):
            failures.append(f"docs/policy.md: {name} {words}")
        check_row(say, cells, known)
        check_tests(say, cells.get("tests", ""), tests)
    # Rules and lists of the code that name rows name no others.
    for file in [root / "control/risk/risk_kind.h", *sorted((root / "rules").rglob("*.rules"))]:
        for name in set(re.findall(r"\bAUP-[A-Z-]+[A-Z]", file.read_text(encoding="utf-8"))) - set(expected):
            failures.append(f"{file.relative_to(root)}: no row {name}")
    for failure in failures:
        print(failure)
    partly = sum("not yet" in cells for cells in rows.values())
    print(f"{len(rows)} rows, {partly} of them with something to come, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
