#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""How long a push takes, from the command to its answer: push_times.py POSTERND POSTERN [COUNT]

COUNT rules (10,000) of make_rules.py, and the same with one in twenty an expression without a literal, which Hyperscan
runs on every byte: pushed with an empty cache, with one changed literal or expression, and unchanged. posternd runs without a dataplane:
what a swap takes, tests/control/pushes_test.py says. Seconds, the median of ROUNDS, and where they went."""
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "control"))
from gate import Gate  # noqa: E402

ROUNDS = 5
VOWELS, ONSETS = "a e i o u ea ou".split(), "b c d f g l m n p r s t".split()


def word(draw):
    return "".join(draw.choice(ONSETS) + draw.choice(VOWELS) for _ in range(3))


def expression(draw):
    """One that has no literal that every match must hold."""
    a, b, c, d = (word(draw) for _ in range(4))
    return draw.choice((rf"[{a[:3]}][a-z]{{2,8}}[0-9]{{3,6}}[{b[:3]}]", rf"\b(?:{a}|{b}|{c})\b",
                        rf"(?:{a}|{b})[^\r\n]{{0,40}}(?:{c}|{d})", rf"[0-9]{{1,3}}(?:,[0-9]{{3}})+ (?:{a}|{b})",
                        rf"[A-Z]{{4,}}\s+(?:{a}|{b})"))


def without_literals(rules, share):
    """The same rules, a share of them with such an expression instead."""
    draw = random.Random(5)
    buffers = ("email.body", "email.subject", "email.from", "file.data", "email.body")
    for sid, line in enumerate(rules, 1):
        if draw.random() < share:
            yield (f'alert smtp any any -> any any (msg:"bench"; {draw.choice(buffers)}; '
                   f'pcre:"/{expression(draw)}/{draw.choice(("", "i"))}"; sid:{sid}; rev:1;)\n')
        else:
            yield line


def changed_expression(rules, number):
    """One expression without a literal is another; the hardest to compile of them."""
    at = next((i for i, line in enumerate(rules) if re.search(r'email.body; pcre:"/\[...\]\[a-z\]', line)), None)
    if at is None:
        return None
    line = re.sub(r'pcre:"/\[...\]', f'pcre:"/[{"aeiou"[number % 5]}{number % 10}x]', rules[at])
    return rules[:at] + [line] + rules[at + 1:]


def changed(rules, number):
    """One literal of a mail's body is another."""
    at = next(i for i, line in enumerate(rules) if 'email.body; content:"' in line)
    line = re.sub(r'content:"[a-z ]*"', f'content:"changed {number}"', rules[at])
    return rules[:at] + [line] + rules[at + 1:]


class Pushes:
    def __init__(self, folder, posternd, postern):
        self.gate = Gate(folder, posternd, postern)
        self.gate.configure()
        self.gate.start()
        self.cache = Path(folder) / "state" / "cache"

    def push(self, rules):
        with self.gate.client() as client:
            text = "".join(rules)
            for at in range(0, len(text), 30000):
                client.ask("rules stage", file="bench.rules", text=text[at:at + 30000])
            return client.ask("rules push")["result"]

    def empty(self):
        shutil.rmtree(self.cache, ignore_errors=True)

    def row(self, what, push):
        results = [push(n) for n in range(ROUNDS)]
        took = [r["took_s"] for r in results]
        parts = [statistics.median(r["times"][part] for r in results) for part in ("parse_s", "compile_s")]
        found = results[-1]["databases"]
        print(f"  {what:24}{statistics.median(took):8.2f}   ({min(took):.2f} .. {max(took):.2f})   read {parts[0]:.2f}, "
              f"compiled {parts[1]:.2f}, {found['found']} of {found['count']} databases kept")

    def table(self, title, rules):
        print(title)

        def cold(number):
            self.empty()
            return self.push(changed(rules, number))

        self.row("empty cache", cold)
        self.row("one changed literal", lambda number: self.push(changed(rules, 100 + number)))
        if changed_expression(rules, 0):
            self.row("one changed expression", lambda number: self.push(changed_expression(rules, 10 + number)))
        self.push(changed(rules, 100 + ROUNDS - 1))
        self.row("nothing changed", lambda number: self.push(changed(rules, 100 + ROUNDS - 1)))


def main():
    posternd, postern, count = sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "10000"
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder) / name) for name in ("rules", "patterns")]
        subprocess.run([sys.executable, HERE / "make_rules.py", count, *files], check=True)
        rules = Path(files[0]).read_text().splitlines(keepends=True)
        pushes = Pushes(folder, posternd, postern)
        try:
            pushes.table(f"{count} rules", rules)
            pushes.table(f"{count} rules, one in twenty without a literal", list(without_literals(rules, 0.05)))
        finally:
            pushes.gate.stop(signal.SIGKILL)


main()
