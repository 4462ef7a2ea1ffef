#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Who is forgotten is nowhere in what posternd keeps: forget_test.py POSTERND POSTERN

An address and a number are brought to wherever they can get, as people wrote them and as their hashes; then all of
gate.state_dir is searched for both.
"""
import contextlib
import json
import re
import signal
import sqlite3
import sys
import tempfile
import unittest
from pathlib import Path

from gate import Gate, arf, wait_for

ADDRESS, NUMBER, OTHER = "bob@example.net", "15551234567", "joebob@example.net"
ARF = arf("<bob@example.net>", "Reporting-MTA: dns; Bob@Example.net\nOriginal-Rcpt-To: <Bob@Example.net>\n")
HEADER = b"From: x@acme.example\r\nTo: Bob <BOB@example.net>, joebob@example.net\r\nCc: bob@example.net.example.org\r\n\r\n"


class Forget(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.gate = Gate(self.folder, POSTERND, POSTERN)
        # Nobody takes notices: they stay where they are.
        self.gate.configure(extra='cases: { relay = "smtp://127.0.0.1:1"; from = "a@provider.example"; '
                                  'desk = [ "desk@provider.example" ]; webhook = "http://127.0.0.1:1/"; retry_first = "1h"; };')
        self.addCleanup(self.gate.stop, signal.SIGKILL)
        self.gate.start()

    def result(self, command, **arguments):
        answer = self.gate.ask(command, **arguments)
        self.assertTrue(answer["ok"], answer)
        return answer["result"]

    def found(self, *needles):
        """Files of the state that have one of them: bytes, whatever their case."""
        found = set()
        for file in (self.folder / "state").rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # lists are merged meanwhile
                data = file.read_bytes() if file.is_file() else b""
                data = data.replace(bytes(64), b"\0")  # of tables that are mostly empty
                found |= {(file.name, needle) for needle in needles if re.search(needle, data, re.I | re.S)}
        return sorted(found)

    def database(self):
        return contextlib.closing(sqlite3.connect(self.folder / "state" / "state.db"))

    def bring_everywhere(self):
        for who in (ADDRESS, OTHER):
            self.result("list add", tenant="acme", kind="suppressed", entries=[who])
        self.result("list add", tenant="acme", kind="optout", entries=[ADDRESS])
        self.result("list add", tenant="acme", kind="dnc", entries=[NUMBER])
        self.result("tenant suspend", tenant="acme", reason=f"Bob@Example.net and {OTHER} complained, from +{NUMBER}.")
        self.result("case open", tenant="acme", why=f"<{ADDRESS}> wrote; so did {OTHER}")
        self.result("case note", case=1, text=f"called +{NUMBER}, mailto:bob@example.net.")
        path = self.folder / "report.eml"
        path.write_text(ARF)
        self.assertEqual(self.gate.run("feedback", "arf", path).returncode, 0)
        self.gate.stop()
        with self.database() as db, db:
            db.execute("INSERT INTO evidence_one(tenant, time, flow, generation, source, destination, reason, sid, reply, mail_from,"
                       " header, cut) VALUES (7, 9e18, '1', 1, '', '', 'rule', 1, '550 no bob@example.net', 'x@acme.example', ?, 0)",
                       (HEADER,))
        self.gate.start()

    def test_who_is_forgotten_is_in_no_file_of_the_state(self):
        plain, own = rb"(?<!joe)bob@example\.net(?!\.example)", rb"(?<!\d)" + NUMBER.encode() + rb"(?!\d)"
        self.bring_everywhere()
        self.assertTrue(self.found(plain))
        self.assertTrue(self.found(own))
        for who, needle in ((ADDRESS, plain), (NUMBER, own)):
            text = self.result("list check", tenant="acme", kind="optout" if "@" in who else "dnc", entries=[who])
            self.assertNotEqual(text["entries"][0]["standing"], "absent")
            answer = wait_for("the lists are merged", lambda: (a := self.gate.ask("forget", address=who, reason=f"{who} asked"))["ok"] and a)
            person = answer["result"]["person"]
            self.assertGreater(answer["result"]["removed"]["rows"], 2)
            digits = bytes.fromhex(person.removeprefix("hash:"))
            self.assertEqual(self.found(needle, person.encode(), re.escape(digits)), [], who)
        # Others are where they were, and so is what is about them.
        with self.database() as db:
            header, reply = db.execute("SELECT header, reply FROM evidence_one").fetchone()
            texts = [row[0] for row in db.execute("SELECT fields FROM case_item WHERE what IN ('note', 'tenant') ORDER BY id")]
        self.assertEqual(header, HEADER.replace(b"BOB@example.net>", b"(forgotten)>"))
        self.assertEqual(reply, "550 no (forgotten)")
        self.assertIn(f"<(forgotten)> wrote; so did {OTHER}", json.dumps(texts))
        self.assertIn("called +(forgotten), mailto:(forgotten).", json.dumps(texts))
        self.assertEqual(self.result("list check", tenant="acme", kind="suppressed", entries=[OTHER])["entries"][0]["standing"], "listed")
        self.assertEqual(self.result("list check", tenant="acme", kind="optout", entries=[ADDRESS])["entries"][0]["standing"] != "absent", True)
        reason = self.result("tenant", tenant="acme")["suspended"]["reason"]
        self.assertEqual(reason, f"(forgotten) and {OTHER} complained, from +(forgotten).")
        # The log of what was done stands, and still knows of whom else it is.
        self.assertEqual(self.gate.run("audit", "verify").returncode, 0)
        self.gate.stop()
        self.assertEqual(self.found(plain, own), [])
        self.gate.start()
        self.assertEqual(self.result("tenant", tenant="acme")["suspended"]["reason"], reason)
        entries = [json.loads(line) for line in self.gate.run("audit", "export", "--json").stdout.splitlines()]
        added = [entry for entry in entries if json.loads(entry["text"])["action"] == "list add"]
        names = [json.loads(entry["text"])["arguments"]["entries"][0] for entry in added]
        self.assertEqual([name in entry.get("persons", {}) for name, entry in zip(names, added)], [False, True, False, False])
        self.assertRegex(names[0], "^person:[0-9a-f]{16}$")

    def test_who_is_nowhere_is_forgotten_too(self):
        self.assertEqual(self.result("forget", address="nobody@example.org")["removed"], {"rows": 0, "suppressed": 0})


if __name__ == "__main__":
    POSTERND, POSTERN = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
