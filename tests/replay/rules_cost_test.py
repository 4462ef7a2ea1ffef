#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`postern rules bench|explain|try` as people type them, well and badly: rules_cost_test.py POSTERN RULES CAPTURES

Exit 0: done; 1: could not be done; 2: not a way to call it.
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

# Of its captures, smtp-malware.pcapng has two mails with attachments, smtp-submission.pcapng twelve mails.
COUNTED = """\
alert smtp any any -> any any (msg:"every HELO"; smtp.helo; content:"."; sid:1; rev:3;)
alert smtp any any -> any any (msg:"no literal"; email.body; pcre:"/[0-9]{3}[a-f][^x]/"; sid:2;)
alert smtp any any -> any any (msg:"not there"; email.body; content:"no such words at all"; sid:3;)
alert smtp any any -> any any (msg:"length"; email.subject; bsize:>1; sid:4;)
"""


class Command(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.capture = CAPTURES / "smtp-submission.pcapng"

    def path(self, name, content=None):
        path = self.folder / name
        if content is not None:
            path.write_text(content)
        return path

    def rules(self, *args, status=0, said=""):
        """Runs it; `said` is part of what is on standard error, which is else empty."""
        result = subprocess.run([POSTERN, "rules", *args], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertNotIn("EAL", result.stderr)
        if said:
            self.assertIn(said, result.stderr)
        else:
            self.assertEqual(result.stderr, "")
        return result.stdout

    def json(self, *args, **options):
        return json.loads(self.rules(*args, "--json", **options))

    def test_commands(self):
        self.assertIn("usage: postern rules COMMAND", self.rules("--help"))
        self.rules("nonsense", status=2, said="there is no command 'nonsense'")
        # Without one it asks posternd, of which there is none.
        self.rules("--socket", self.path("none"), status=1, said="none")


class Bench(Command):
    def bench(self, *args, **options):
        return self.rules("bench", *args, **options)

    def test_what_is_found_and_what_that_costs(self):
        report = self.json("bench", self.path("my.rules", COUNTED), "--on", self.capture, "--rounds", "3")
        rules = {rule["sid"]: rule for rule in report["rules"]}
        self.assertEqual(sorted(rules), [1, 2, 3, 4])
        self.assertGreater(rules[1]["found"], 0)
        self.assertEqual((rules[1]["rev"], rules[1]["msg"], rules[1]["line"]), (3, "every HELO", 1))
        self.assertEqual(rules[1]["buffers"], ["smtp.helo"])
        self.assertEqual((rules[3]["found"], rules[3]["ns_per_kib"]), (0, 0))
        self.assertIn("nothing of it was found", rules[3]["why"])
        self.assertGreater(rules[4]["found"], 0)
        self.assertIn("no literal", rules[4]["why"])
        self.assertEqual({rule["sid"] for rule in report["rules"] if rule["estimate"]}, {1, 2})  # "." is short
        costs = [rule["ns_per_kib"] for rule in report["rules"]]
        self.assertEqual(costs, sorted(costs, reverse=True))
        total = report["ns_per_kib"]
        self.assertTrue(0 < total["low"] <= total["median"] <= total["high"])
        self.assertAlmostEqual(report["gbits_per_core"], 8192 / total["median"], 1)
        self.assertEqual({b["buffer"] for b in report["buffers"]} - {"smtp.helo", "email.body", "email.subject"}, set())

    def test_the_traffic_is_what_a_replay_counts(self):
        summary = json.loads(subprocess.run([POSTERN, "replay", "-q", "--json", "-", self.capture], capture_output=True).stdout)
        report = self.json("bench", self.path("my.rules", COUNTED), "--on", self.capture, "--rounds", "1")
        self.assertEqual(report["traffic_bytes"], summary["bytes"])
        twice = self.json("bench", self.path("my.rules"), "--on", self.capture, "--on", CAPTURES / "sip-calls.pcapng", "--rounds", "1")
        self.assertGreater(twice["traffic_bytes"], report["traffic_bytes"])

    def test_a_page_slowest_first(self):
        page = self.bench(RULES, "--on", self.capture, "--rounds", "1", "--top", "2")
        self.assertIn("Gbit/s a core for matching alone", page)
        self.assertIn("email.body", page)
        self.assertRegex(page, r"and \d+ more \(--top 0\)")
        whole = self.bench(self.path("my.rules", COUNTED), "--on", self.capture, "--rounds", "1", "--top", "0")
        self.assertIn("an expression on every byte: it has no literal", whole)
        self.assertIn("nothing of it was found", whole)

    def test_a_configuration_says_who_is_a_tenant(self):
        rules = self.path("my.rules", COUNTED)
        self.json("bench", rules, "--on", self.capture, "-c", CAPTURES.parent / "postern.conf", "--rounds", "1")
        self.bench(rules, "--on", self.capture, "-c", self.path("conf", "nonsense = 1;\n"), status=1, said="conf:1: error: nonsense")

    def test_what_can_not_be_measured(self):
        rules = self.path("my.rules", COUNTED)
        for args, status, said in (
            ((), 2, "which rules?"),
            ((rules,), 2, "over which capture? --on"),
            (("--on", self.capture), 2, "which rules?"),
            ((rules, "--on", self.capture, "--rounds", "0"), 2, "--rounds: '0' is not a number from 1 to 99"),
            ((rules, "--on", self.capture, "--top", "-1"), 2, "--top: '-1' is not"),
            ((rules, "--on", self.capture, "--nonsense"), 2, "nonsense"),
            ((self.path("nowhere"), "--on", self.capture), 1, "nowhere: error: No such file"),
            ((rules, "--on", self.path("nowhere")), 1, "nowhere: No such file"),
            ((rules, "--on", rules), 1, "my.rules: "),
            ((self.path("bad.rules", COUNTED.replace("content", "contents")), "--on", self.capture), 1, "bad.rules:1:"),
            ((self.path("empty.rules", "# nothing\n"), "--on", self.capture), 1, "there are no rules in"),
            ((rules, "--on", self.path("cut", self.capture.read_bytes()[:400])), 1, "cut"),
        ):
            with self.subTest(args):
                self.assertEqual(self.bench(*args, status=status, said=said), "")

    def path(self, name, content=None):
        if isinstance(content, bytes):
            path = self.folder / name
            path.write_bytes(content)
            return path
        return super().path(name, content)


if __name__ == "__main__":
    POSTERN, RULES, CAPTURES = (Path(x).resolve() for x in sys.argv[1:4])
    unittest.main(argv=sys.argv[:1])
