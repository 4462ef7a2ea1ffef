#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""posternd without a dataplane: posternd_test.py POSTERND POSTERN DOCS

What a user meets: commands, reloads, restarts, metrics, refusals in words.
"""
import contextlib
import hashlib
import json
import os
import pwd
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import exposition
from gate import DEADLINE, Gate, wait_for

TWO = """( { id = 7; name = "acme"; prefixes = [ "192.0.2.0/24" ]; limits: { messages = "30/min"; }; },
  { id = 9; name = "b\\"ulk"; prefixes = [ "198.51.100.0/24" ]; state = "suspended"; } )"""
RULE = 'alert smtp any any -> any any (msg:"m"; smtp.helo; content:"x%d"; sid:%d;)\n'


class Posternd(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.gate = Gate(self.folder, POSTERND, POSTERN)
        self.gate.configure(tenants=TWO)
        self.addCleanup(self.gate.stop, signal.SIGKILL)

    def path(self, name, text):
        path = Path(self.folder) / name
        path.write_text(text)
        return path

    def result(self, command, **arguments):
        answer = self.gate.ask(command, **arguments)
        self.assertTrue(answer["ok"], answer)
        return answer["result"]

    def error(self, command, **arguments):
        answer = self.gate.ask(command, **arguments)
        self.assertFalse(answer["ok"], answer)
        return answer["error"]

    # Commands

    def test_every_command_answers_and_no_argument_is_ignored(self):
        self.gate.start()
        commands = self.result("help")["commands"]
        self.assertGreater(len(commands), 10)
        for command in commands:
            error = self.error(command["name"], nonsense="x")
            self.assertEqual(error["code"], "bad_argument", command)
            for argument in command["arguments"]:
                if argument["required"]:
                    self.assertEqual(self.error(command["name"])["code"], "bad_argument")
                wrong = {"string": 3, "number": "x", "boolean": 1, "object": [], "array of strings": "x", "array of objects": [[]]}[argument["type"]]
                error = self.error(command["name"], **{argument["name"]: wrong})
                self.assertEqual(error["code"], "bad_argument", command)

    def test_what_is_no_request_is_answered_and_the_connection_goes_on(self):
        self.gate.start()
        with self.gate.client() as client:
            for text, code in (
                    ("", "bad_json"), ("x", "bad_json"), ("{", "bad_json"), ("{}{}", "bad_json"), ("[]", "bad_request"),
                    ("null", "bad_json"), ("{}", "bad_request"), ('{"command":3}', "bad_request"),
                    ('{"command":"status","x":1}', "bad_request"), ('{"command":"statsu"}', "no_such_command"),
                    ('{"command":"status","command":"status"}', "bad_json"),
                    ('{"command":"status","arguments":[]}', "bad_request"),
                    ('{"command":"tenant","arguments":{"tenant":""}}', "bad_argument"),
                    ('{"command":"tenant","arguments":{"tenant":"x"}}', "no_such_tenant"),
                    ('{"command":"tenant","arguments":{"tenant":"99999999999999999999"}}', "no_such_tenant"),
                    ('{"command":"\\u0000"}', "bad_json"), ("\\xff\\xfe", "bad_json"),
                    ("[" * 60000, "bad_json"), ('{"command":"' + "x" * 60000 + '"}', "no_such_command"),
                    ('{"command":"' + "é" * 20000 + '"}', "no_such_command")):
                client.send(text.encode("utf-8") + b"\n")
                answer = client.line()
                self.assertIs(answer["ok"], False, text[:80])
                self.assertEqual(answer["error"]["code"], code, text[:80])
                self.assertTrue(answer["error"]["message"])
            self.assertIn('did you mean "status"', self.error("statsu")["message"])
            client.send('{"command":"failure","id":{"a":[1,null]}}\n')
            self.assertEqual(client.line()["id"], {"a": [1, None]})

    def test_random_bytes_do_no_harm(self):
        self.gate.start()
        random.seed(1)
        valid = b'{"command":"limits set","arguments":{"tenant":"acme","limits":{"calls":"1/s"}},"id":1}\n'
        for _ in range(300):
            data = bytearray(valid)
            for _ in range(random.randrange(1, 6)):
                data[random.randrange(len(data) - 1)] = random.randrange(256)
            with self.gate.client() as client:
                client.send(bytes(data) + valid)
                client.socket.shutdown(socket.SHUT_WR)
                last = None
                while (line := client.line()) is not None:
                    last = line
                self.assertTrue(last["ok"], bytes(data))
        self.assertIsNone(self.gate.process.poll())

    def test_a_line_too_long_ends_the_connection_with_words(self):
        self.gate.start()
        with self.gate.client() as client:
            client.send("x" * 70000)
            self.assertEqual(client.line()["error"]["code"], "too_long")
            self.assertIsNone(client.line())

    def test_who_may_do_what(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become somebody else")
        os.chmod(self.folder, 0o755)
        self.gate.configure()
        text = self.gate.config.read_text().replace("clients = 8;", 'clients = 8; group = "daemon"; read_group = "bin";')
        self.gate.config.write_text(text)
        self.gate.start()

        def as_user(group, *words):
            return subprocess.run([POSTERN, *words, "--socket", str(self.gate.socket)], capture_output=True, text=True,
                                  user="nobody", group=group, extra_groups=[], stdin=subprocess.DEVNULL, timeout=DEADLINE)

        if subprocess.run([POSTERN, "version"], user="nobody", capture_output=True).returncode != 0:
            self.skipTest("nobody can't run the program where it was built")
        suspend = ("tenant", "suspend", "acme", "--reason", "r")
        stranger = as_user("nogroup", "show")
        self.assertEqual(stranger.returncode, 1)
        self.assertIn("gate.control.group", stranger.stderr)
        self.assertEqual(as_user("bin", "show").returncode, 0)
        reader = as_user("bin", *suspend)
        self.assertEqual(reader.returncode, 1)
        self.assertIn("may look and change nothing", reader.stderr)
        self.assertEqual(self.result("tenant", tenant="acme")["state"], "active")
        self.assertEqual(as_user("daemon", *suspend).returncode, 0)
        self.assertEqual(self.result("tenant", tenant="acme")["suspended"]["by"], "nobody")

    # Tenants

    def test_a_suspension_and_limits_outlive_posternd_however_it_ends(self):
        self.gate.start()
        self.result("tenant suspend", tenant="acme", reason="spam", approver="jo")
        self.result("limits set", tenant="7", limits={"messages_per_minute": 10, "bytes": "1M/s burst 2M"})
        for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
            self.gate.stop(how)
            self.gate.start()
            tenant = self.result("tenant", tenant="acme")
            self.assertEqual(tenant["state"], "suspended")
            self.assertEqual(tenant["suspended"]["reason"], "spam")
            self.assertEqual(tenant["suspended"]["approver"], "jo")
            self.assertEqual(tenant["limits"]["messages"]["set"], "10/min")
            self.assertAlmostEqual(tenant["limits"]["bytes"]["per_second"], 1e6, delta=1e3)
        self.result("tenant resume", tenant="acme")
        self.gate.stop(signal.SIGKILL)
        self.gate.start()
        self.assertEqual(self.result("tenant", tenant="acme")["state"], "active")
        self.assertEqual(self.result("tenant", tenant="acme")["limits"]["messages"]["set"], "10/min")

    def test_a_suspension_ends_when_its_time_is_over(self):
        self.gate.start()
        answer = self.result("tenant suspend", tenant="acme", reason="r", until="1s")
        self.assertEqual(answer["state"], "suspended")
        wait_for("it has ended", lambda: self.result("tenant", tenant="acme")["state"] == "active")
        self.assertIsNone(self.result("tenant", tenant="acme")["suspended"])
        self.assertEqual(self.gate.gate_events("tenant_resumed")[0]["reason"], "its time is over")

    def test_a_suspension_ends_while_posternd_does_not_run(self):
        self.gate.start()
        self.result("tenant suspend", tenant="acme", reason="r", until="1s")
        self.gate.stop(signal.SIGKILL)
        self.gate.start()
        wait_for("it has ended", lambda: self.result("tenant", tenant="acme")["state"] == "active")

    def test_times_and_words_that_are_none(self):
        self.gate.start()
        for until in ("yesterday", "2001-01-01T00:00:00Z", "2099-01-01", "2099-01-01T00:00:00+02:00", "0s", "-1h", "x" * 5000):
            self.assertEqual(self.error("tenant suspend", tenant="acme", reason="r", until=until)["code"], "bad_argument")
        self.assertEqual(self.error("tenant suspend", tenant="acme", reason="r" * 256)["code"], "bad_argument")
        self.assertEqual(self.error("limits set", tenant="acme", limits={"calls": "fast"})["code"], "bad_argument")
        self.assertEqual(self.error("limits set", tenant="acme", limits={})["code"], "bad_argument")
        self.assertEqual(self.error("limits set", tenant="acme", limits={"calls": "1/s", "mails": "1/s"})["code"],
                         "bad_argument")
        self.assertEqual(self.error("tenant resume", tenant="acme")["code"], "not_suspended")
        self.assertEqual(self.error("tenant resume", tenant='b"ulk')["code"], "suspended_by_configuration")
        tenant = self.result("tenant", tenant="acme")
        self.assertEqual((tenant["state"], tenant["limits"]["calls"]["from"]), ("active", "configuration"))
        self.result("tenant suspend", tenant="acme", reason="r" * 255, until="2099-01-01T00:00:00Z")
        self.assertEqual(self.result("tenant", tenant="acme")["suspended"]["until"], 4070908800)

    def test_a_damaged_state_is_not_started_with(self):
        (Path(self.folder) / "state").mkdir()
        for name, text in (("state.json", "{}"), ("state.db", "no database" * 100)):
            file = self.path(f"state/{name}", text)
            self.gate.start(ready=False)
            self.assertEqual(self.gate.process.wait(DEADLINE), 1)
            self.assertIn(name, self.gate.said())
            self.assertEqual(file.read_text(), text)
            file.unlink()

    def test_the_state_of_before_is_taken_over(self):
        (Path(self.folder) / "state").mkdir()
        self.path("state/state.json", json.dumps({"version": 1, "generation": 41, "tenants": [
            {"tenant": 7, "limits": {"calls": "3/s"}, "suspended": {
                "reason": "r", "approver": "", "by": "root", "since": 1, "until": 0}}]}))
        self.gate.start()
        tenant = self.result("tenant", tenant="acme")
        self.assertEqual((tenant["state"], tenant["limits"]["calls"]["from"]), ("suspended", "command"))
        self.assertGreater(self.result("status")["configuration"]["generation"], 41)
        self.assertTrue((Path(self.folder) / "state" / "state.json.taken").exists())

    def start_before_it_is_closed(self):
        """With a tenant that is closed soon, on a slow machine later: when."""
        state = Path(self.folder) / "state"
        suspended = {"reason": "r", "approver": "", "by": "root", "until": 0}
        for soon in (2, 20, 200):
            state.mkdir()
            now = int(time.time())
            self.path("state/state.json", json.dumps({"version": 1, "generation": 1, "tenants": [
                {"tenant": 7, "limits": {}, "suspended": suspended | {"since": now - 73 * 3600}},
                {"tenant": 8, "limits": {}, "suspended": suspended | {"since": now - 72 * 3600 + soon}},
                {"tenant": 9, "limits": {}, "suspended": suspended | {"since": now - 71 * 3600}}]}))
            self.gate.start()
            if not self.result("tenant", tenant="nearly")["closed"]:
                return now + soon
            self.gate.stop()
            shutil.rmtree(state)
            self.gate.eve.unlink()
        self.fail("posternd takes too long to start")

    def test_a_suspension_of_three_days_closes_the_tenant(self):
        self.gate.configure(tenants="""( { id = 7; name = "long"; prefixes = [ "192.0.2.0/25" ]; },
            { id = 8; name = "nearly"; prefixes = [ "192.0.2.128/25" ]; },
            { id = 9; name = "new"; prefixes = [ "198.51.100.0/25" ]; },
            { id = 10; name = "good"; prefixes = [ "198.51.100.128/25" ]; state = "closed"; } )""")
        when = self.start_before_it_is_closed()
        closed = lambda name: self.result("tenant", tenant=name)["closed"]
        self.assertEqual((closed("long"), closed("new"), closed("good")), (True, False, True))
        # Its hour comes while posternd runs, and is told.
        wait_for("it is closed", lambda: closed("nearly"))
        told = wait_for("it is told", lambda: self.gate.gate_events("tenant_closed"))
        self.assertGreaterEqual(time.time(), when)
        self.assertEqual(len(told), 1)
        wait_for("it is in the audit log", lambda: "tenant closed" in [
            json.loads(entry["text"])["action"] for entry in self.entries("--tenant", "nearly")])
        self.assertEqual((self.result("tenant resume", tenant="long")["closed"], closed("long")), (False, False))
        # By the setting, which a reload may change.
        self.gate.configure(close_after='"0s"')
        self.result("reload")
        self.assertEqual((closed("nearly"), closed("good")), (False, True))
        self.gate.configure(close_after='"70h"')
        self.result("reload")
        self.assertEqual((closed("nearly"), closed("new")), (True, True))

    def test_a_person_is_forgotten_but_not_what_they_opted_out_of(self):
        self.gate.start()
        for kind, who in (("suppressed", "bob@example.net"), ("optout", "bob@example.net"), ("suppressed", "al@example.net")):
            self.result("list add", tenant="acme", kind=kind, entries=[who])
        self.result("list add", tenant='b"ulk', kind="suppressed", entries=["bob@example.net"])
        said = self.gate.run("forget", "Bob@Example.NET", "--reason", "asked for it")
        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertRegex(said.stdout, r"^hash:[0-9a-f]{16}: 3 rows and 2 entries .* forgotten\n  kept.* 1 opt-out and 0 ")
        standing = lambda kind, who, tenant="acme": self.result(
            "list check", tenant=tenant, kind=kind, entries=[who])["entries"][0]["standing"]
        wait_for("the lists are merged", lambda: standing("suppressed", "bob@example.net") == "absent")
        self.assertEqual(standing("suppressed", "bob@example.net", 'b"ulk'), "absent")
        self.assertEqual(standing("suppressed", "al@example.net"), "listed")
        self.assertIn(standing("optout", "bob@example.net"), ("listed", "pending"))
        again = wait_for("it may be asked again", lambda: (a := self.gate.ask("forget", address="bob@example.net"))["ok"] and a)
        self.assertEqual(again["result"]["removed"], {"rows": 0, "suppressed": 0})
        entry = [json.loads(entry["text"]) for entry in self.entries()]
        entry = next(e for e in entry if e["action"] == "forget")
        self.assertEqual(entry["after"]["removed"], {"rows": 3, "suppressed": 2})
        self.assertNotIn("person", entry["after"])
        self.assertRegex(entry["arguments"].pop("address"), "^person:[0-9a-f]{16}$")
        self.assertEqual(entry["arguments"], {"reason": "asked for it"})
        self.assertEqual(self.error("forget", address="nobody")["code"], "bad_argument")
        self.assertEqual(self.gate.run("audit", "verify").returncode, 0)

    # The audit log

    def entries(self, *options):
        out = self.gate.run("audit", "export", "--json", *options)
        self.assertEqual(out.returncode, 0, out.stderr)
        return [json.loads(line) for line in out.stdout.splitlines()]

    def test_what_was_changed_is_in_the_audit_log(self):
        self.gate.start()
        before = int(time.time()) * 10**9
        self.result("tenant suspend", tenant="acme", reason="spam", approver="bob")
        self.result("limits set", tenant="acme", limits={"calls": "1/s"})
        self.error("tenant suspend", tenant="nobody", reason="spam")
        self.result("list add", tenant="acme", kind="optout", entries=["someone@example.org"])
        self.result("reload")
        entries = [json.loads(entry["text"]) for entry in self.entries()]
        self.assertEqual([entry["action"] for entry in entries],
                         ["posternd starts", "reload", "tenant suspend", "limits set", "list add", "reload"])
        suspend, limits, added, reload = entries[2:]
        self.assertEqual((suspend["tenant"], suspend["tenant_id"], suspend["uid"]), ("acme", 7, os.getuid()))
        self.assertEqual(suspend["arguments"], {"tenant": "acme", "reason": "spam", "approver": "bob"})
        self.assertNotIn("suspended", suspend["before"])
        self.assertEqual(suspend["after"]["suspended"]["reason"], "spam")
        self.assertTrue(before <= suspend["at"] <= time.time_ns())
        self.assertEqual(limits["after"]["limits"], {"calls": "1/s"})
        name, = added["arguments"]["entries"]
        self.assertRegex(name, "^person:[0-9a-f]{16}$")
        self.assertRegex(self.entries()[4]["persons"][name], "^hash:[0-9a-f]{16}$")
        self.assertEqual(reload["generation"], reload["generation_before"] + 1)
        self.assertEqual(reload["generation"], self.result("status")["configuration"]["generation"])
        # Nobody's address is in it, or anywhere else of what is kept.
        for file in (Path(self.folder) / "state").rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # another may take its place meanwhile
                self.assertFalse(file.is_file() and b"someone@example" in file.read_bytes(), file)

    def test_an_export_is_of_a_tenant_and_a_time_and_an_entry_itself(self):
        self.gate.start()
        self.result("limits set", tenant="acme", limits={"calls": "1/s"})
        self.result("limits set", tenant='b"ulk', limits={"calls": "2/s"})
        self.assertEqual([json.loads(entry["text"])["tenant_id"] for entry in self.entries("--tenant", "acme")], [7])
        self.assertEqual(self.entries("--tenant", "acme", "--to", "1h"), [])
        self.assertEqual(len(self.entries("--tenant", "acme", "--from", "1h", "--to", "2099-01-01T00:00:00Z")), 3)
        last = json.loads(self.entries()[-1]["text"])
        self.assertEqual((last["action"], last["arguments"]["tenant"]), ("audit export", "acme"))
        page = self.gate.run("audit", "export", "--tenant", "acme").stdout.splitlines()
        self.assertRegex(page[0], r"limits set +acme")
        self.assertEqual(self.error("audit export", **{"from": "yesterday"})["code"], "bad_argument")
        self.assertEqual(self.error("audit export", tenant="nobody")["code"], "no_such_tenant")

    def verify(self, *words):
        done = self.gate.run("audit", "verify", *words)
        return done.returncode, done.stdout + done.stderr

    def edit(self, *statements):
        """What somebody does who may write to the file."""
        self.gate.stop()
        with contextlib.closing(sqlite3.connect(Path(self.folder) / "state" / "state.db")) as db:
            for trigger in ("audit_entry_changed", "audit_entry_deleted"):
                db.execute(f"DROP TRIGGER {trigger}")
            for statement in statements:
                self.assertGreater(db.execute(statement).rowcount, 0)
            db.commit()
        self.gate.start()

    def test_an_audit_log_that_was_edited_is_found(self):
        for bad, statement in (
                (3, "UPDATE audit_entry SET text = replace(text, 'spam', 'ham') WHERE seq = 3"),
                (4, "DELETE FROM audit_entry WHERE seq = 3"),
                (8, "DELETE FROM audit_entry WHERE seq > 5")):
            self.gate.start()
            for _ in range(4):
                self.result("tenant suspend", tenant="acme", reason="spam")
            status, said = self.verify()
            self.assertEqual((status, "each in its place" in said), (0, True), said)
            self.edit(statement)
            self.result("limits set", tenant="acme", limits={"calls": "1/s"})
            status, said = self.verify()
            self.assertEqual(status, 1)
            self.assertIn(f"FAILED at entry {bad}:", said)
            self.gate.stop()
            shutil.rmtree(Path(self.folder) / "state")

    def test_an_audit_log_is_verified_without_posternd_and_against_an_anchor(self):
        self.gate.start()
        self.result("tenant suspend", tenant="acme", reason="spam")
        self.gate.stop()
        anchor = self.gate.gate_events("audit_anchor")[-1]
        anchor = f"{anchor['seq']}:{anchor['hash']}"
        self.gate.start()
        self.assertEqual(self.verify("--anchor", anchor)[0], 0)
        self.assertEqual(self.verify("--anchor", "2:" + "0" * 64)[0], 1)
        export = self.path("export.jsonl", "".join(json.dumps(entry) + "\n" for entry in self.entries()))
        self.assertEqual(self.verify(export, "--anchor", anchor)[0], 0)
        # Whoever has no Postern: SHA-256 over the hash before it and the text.
        for entry in self.entries():
            self.assertEqual(hashlib.sha256(bytes.fromhex(entry["previous"]) + entry["text"].encode()).hexdigest(),
                             entry["hash"])
        lines = export.read_text().splitlines(True)
        for wrong in (lines[1:], lines[:1] + lines[2:], [lines[1], lines[0]] + lines[2:], lines[:2] + ["x\n"], []):
            self.assertEqual(self.verify(self.path("wrong.jsonl", "".join(wrong)))[0], 1)
        # Cut off at the end, a file is whole; the anchor says that it is not.
        cut = self.path("cut.jsonl", "".join(lines[:2]))
        self.assertEqual((self.verify(cut)[0], self.verify(cut, "--anchor", anchor)[0]), (0, 1))

    # Reloads

    def test_a_reload_says_what_changed(self):
        rules = self.path("a.rules", RULE % (1, 1) + RULE % (2, 2))
        self.gate.configure(rules=f'[ "{rules}" ]')
        self.gate.start()
        self.result("tenant suspend", tenant="acme", reason="r")
        rules.write_text(RULE % (2, 2) + RULE % (3, 3))
        self.gate.configure(tenants="""( { id = 7; name = "acme2"; prefixes = [ "192.0.2.0/24" ]; },
            { id = 11; name = "new"; prefixes = [ "203.0.113.0/24" ]; } )""", workers="2", failure='"closed"')
        result = self.result("reload")
        changes = result["changes"]
        self.assertEqual(changes["tenants"]["added"], {"count": 1, "names": ["new"]})
        self.assertEqual(changes["tenants"]["removed"], {"count": 1, "names": ['b"ulk']})
        self.assertEqual(changes["tenants"]["changed"], {"count": 1, "names": ["acme2"]})
        self.assertEqual(changes["rules"]["added"], {"count": 1, "sids": [3]})
        self.assertEqual(changes["rules"]["removed"], {"count": 1, "sids": [1]})
        self.assertEqual(sorted(changes["settings"]), ["gate.failure", "gate.workers"])
        self.assertEqual(result["needs_restart"], [{"setting": "gate.workers", "restart": "both"}])
        self.assertFalse(result["in_force"])
        self.assertEqual(self.result("failure")["failure"], "closed")
        # A suspension is the tenant's, whatever it is called now.
        self.assertEqual(self.result("tenant", tenant="acme2")["state"], "suspended")
        self.assertEqual(self.error("tenant", tenant='b"ulk')["code"], "no_such_tenant")

    def test_a_bad_configuration_changes_nothing_and_every_mistake_is_told(self):
        rules = self.path("a.rules", RULE % (1, 1))
        self.gate.configure(rules=f'[ "{rules}" ]')
        self.gate.start()
        before = self.result("status")["configuration"]["generation"]
        rules.write_text(RULE % (1, 1) + 'alert smtp any any -> any any (msg:"m"; bogus; sid:2;)\n')
        self.gate.configure(tenants='( { id = 7; name = "acme"; prefixes = [ "192.0.2.0/33" ]; } )')
        error = self.error("reload")
        self.assertEqual(error["code"], "bad_configuration")
        problems = {(Path(p["file"]).name, p["line"], p.get("column")) for p in error["problems"]}
        self.assertIn(("postern.conf", 1, None), problems)
        self.assertIn("a.rules", {p[0] for p in problems})
        self.assertTrue(all(p[2] for p in problems if p[0] == "a.rules"), problems)
        checked = subprocess.run([POSTERN, "check", self.gate.config], capture_output=True, text=True)
        said = [p for p in error["problems"] if p["file"] == str(self.gate.config)]
        self.assertIn(f"{said[0]['file']}:{said[0]['line']}: error: {said[0]['message']}\n", checked.stdout)
        status = self.result("status")["configuration"]
        self.assertEqual((status["generation"], status["failures"]), (before, 1))
        self.assertEqual(status["problems"], error["problems"])
        self.assertEqual(self.result("tenant", tenant="acme")["prefixes"], 1)
        result = self.gate.run("reload")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"a\.rules:2:\d+: error: ")
        self.gate.configure(tenants=TWO)
        rules.write_text(RULE % (1, 1))
        self.assertGreater(self.result("reload")["generation"], before)
        self.assertEqual(self.result("status")["configuration"]["problems"], [])

    def test_a_configuration_that_is_not_there_any_more(self):
        self.gate.start()
        self.gate.config.unlink()
        self.assertEqual(self.error("reload")["code"], "bad_configuration")
        self.assertEqual(self.result("tenant", tenant="acme")["id"], 7)

    def test_hangup_reloads(self):
        self.gate.start()
        self.gate.configure(tenants='( { id = 5; name = "five"; prefixes = [ "10.0.0.0/8" ]; } )')
        for _ in range(5):
            self.gate.process.send_signal(signal.SIGHUP)
        wait_for("reloaded", lambda: [t["name"] for t in self.result("tenants")["tenants"]] == ["five"])
        wait_for("done", lambda: not self.result("status")["configuration"]["reloading"])

    def test_one_reload_at_a_time_and_the_loop_goes_on_meanwhile(self):
        rules = self.path("a.rules", "".join(RULE % (n, n) for n in range(1, 2001)))
        numbers = Path(self.folder) / "numbers"
        os.mkfifo(numbers)  # a list that comes when it is told to
        self.gate.start()
        self.gate.configure(rules=f'[ "{rules}" ]', extra=f'lists: {{ optout = [ "{numbers}" ]; }};')
        with self.gate.client() as slow, self.gate.client() as other:
            slow.send('{"command":"reload"}\n')
            wait_for("it has begun", lambda: other.ask("status")["result"]["configuration"]["reloading"])
            self.assertEqual(other.ask("reload")["error"]["code"], "busy")
            for _ in range(10):
                self.assertTrue(other.ask("status")["result"]["configuration"]["reloading"])
            numbers.write_text("someone@example.org\n")
            answer = slow.line()
            self.assertTrue(answer["ok"], answer)
            self.assertEqual(answer["result"]["counts"]["rules"], 2000)
            self.assertFalse(other.ask("status")["result"]["configuration"]["reloading"])

    def test_a_compile_beyond_its_bounds_is_ended_and_told(self):
        numbers = Path(self.folder) / "numbers"
        os.mkfifo(numbers)  # a list that never comes
        # A start is held to what its file says; a reload to what was in force before it, which a slow machine needs.
        self.gate.start()
        self.gate.configure(compile_time='"1s"')
        self.result("reload")
        self.gate.configure(extra=f'lists: {{ optout = [ "{numbers}" ]; }};')
        error = self.error("reload")
        self.assertEqual(error["code"], "compile_failed")
        self.assertIn("gate.compile_time", error["message"])
        self.assertEqual(self.result("tenant", tenant="acme")["id"], 7)
        # No child is left.
        children = Path(f"/proc/{self.gate.process.pid}/task/{self.gate.process.pid}/children").read_text()
        self.assertEqual(children.strip(), "")

    def test_more_tenants_than_there_is_room_for(self):
        self.gate.settings["tenants"] = "2"
        self.gate.configure()
        self.gate.start()
        many = ",".join(f'{{ id = {n}; name = "t{n}"; prefixes = [ "10.0.{n}.0/24" ]; }}' for n in range(1, 4))
        self.gate.configure(tenants=f"( {many} )")
        error = self.error("reload")
        self.assertIn("gate.tenants", error["problems"][0]["message"])

    def test_a_bad_configuration_is_not_started_with(self):
        self.gate.configure(tenants="( { } )")
        self.gate.start(ready=False)
        self.assertEqual(self.gate.process.wait(DEADLINE), 1)
        self.assertIn("postern.conf:1: error: tenants[0]", self.gate.said())
        self.gate.configure(tenants=TWO, rules='[ "/nonexistent.rules" ]')
        self.gate.start(ready=False)
        self.assertEqual(self.gate.process.wait(DEADLINE), 1)
        self.assertIn("nonexistent.rules", self.gate.said())

    # Starting and stopping

    def test_two_are_one_too_many(self):
        self.gate.start()
        second = subprocess.run([POSTERND, "-c", self.gate.config], capture_output=True, text=True, timeout=DEADLINE)
        self.assertEqual(second.returncode, 1)
        self.assertIn("another posternd", second.stderr)
        self.assertEqual(self.result("tenant", tenant="acme")["id"], 7)

    def test_the_service_manager_is_told(self):
        path = f"{self.folder}/notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(DEADLINE)
            self.gate.start(env=dict(os.environ, NOTIFY_SOCKET=path, WATCHDOG_USEC="300000"), ready=False)
            said = []

            def hear(word):
                while not any(word in text for text in said):
                    said.append(manager.recv(4096).decode())
                return said

            hear("READY=1\nSTATUS=generation 1, 2 tenants, dataplane does not run")
            hear("WATCHDOG=1")
            self.gate.process.send_signal(signal.SIGHUP)
            hear("RELOADING=1\nMONOTONIC_USEC=")
            hear("READY=1\nSTATUS=generation 2")
            self.gate.process.send_signal(signal.SIGTERM)
            hear("STOPPING=1")
        self.assertEqual(self.gate.process.wait(DEADLINE), 0)

    def test_another_user_with_no_capabilities(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become somebody else")
        os.chmod(self.folder, 0o777)
        self.gate.configure(user='"nobody"')
        os.chmod(self.gate.config, 0o644)
        self.gate.start()
        posternd = self.result("status")["posternd"]
        self.assertEqual(posternd["uid"], pwd.getpwnam("nobody").pw_uid)
        self.assertEqual(posternd["capabilities"], "none")
        status = Path(f"/proc/{self.gate.process.pid}/status").read_text()
        for kind in ("CapPrm", "CapEff", "CapBnd"):
            self.assertRegex(status, rf"{kind}:\s0+\n")
        self.assertIn('capabilities="none"', self.gate.said())
        self.result("tenant suspend", tenant="acme", reason="r")
        self.result("reload")

    def test_an_unknown_user_or_group(self):
        for change in (("user", '"no-such-user"'),):
            self.gate.configure(**dict([change]))
            if os.geteuid() == 0:
                self.gate.start(ready=False)
                self.assertEqual(self.gate.process.wait(DEADLINE), 1)
                self.assertIn("no-such-user", self.gate.said())
        self.gate.configure(user=None)
        self.gate.config.write_text(self.gate.config.read_text().replace("clients = 8;", 'clients = 8; group = "no-such";'))
        self.gate.start(ready=False)
        self.assertEqual(self.gate.process.wait(DEADLINE), 1)
        self.assertIn("gate.control.group", self.gate.said())

    def test_ways_to_call_it(self):
        for words, status, said in (
                ([], 2, "usage"), (["-c"], 2, "usage"), (["-c", "x", "y"], 2, "usage"), (["--help"], 0, ""),
                (["--version"], 0, ""), (["-c", "/no/such/file"], 1, "/no/such/file")):
            result = subprocess.run([POSTERND, *words], capture_output=True, text=True, timeout=DEADLINE)
            self.assertEqual(result.returncode, status, words)
            self.assertIn(said, result.stderr)

    # Events

    def test_events_are_followed_and_filtered(self):
        self.gate.start()
        with self.gate.client() as all_, self.gate.client() as acme, self.gate.client() as smtp:
            self.assertTrue(all_.ask("events follow")["ok"])
            self.assertTrue(acme.ask("events follow", tenant="acme", types=["gate", "smtp"])["ok"])
            self.assertTrue(smtp.ask("events follow", types=["smtp"])["ok"])
            self.assertEqual(self.gate.ask("events follow", types=["bogus"])["error"]["code"], "bad_argument")
            self.result("reload")
            self.result("tenant suspend", tenant="acme", reason="r")
            # The audit log's anchor comes within the first second, before them or after.
            told = (event for event in iter(lambda: all_.line()["gate"]["event"], None) if event != "audit_anchor")
            self.assertEqual([next(told), next(told)], ["reloaded", "tenant_suspended"])
            self.assertEqual(acme.line()["gate"]["event"], "tenant_suspended")
            self.assertEqual(self.result("status")["events"]["followers"], 3)
        wait_for("they have gone", lambda: self.result("status")["events"]["followers"] == 0)
        self.assertEqual([e["gate"]["event"] for e in self.gate.events("gate") if e["gate"]["event"] != "audit_anchor"],
                         ["reloaded", "reloaded", "tenant_suspended"])

    def test_a_follower_that_does_not_read_is_cut_off(self):
        self.gate.start()
        with self.gate.client() as slow:
            slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.ask("events follow")
            with self.gate.client() as other:
                for _ in range(20000):
                    other.ask("limits set", tenant="acme", limits={"calls": "1/s"})
                    if other.ask("status")["result"]["events"]["followers"] == 0:
                        break
            self.assertEqual(self.result("status")["events"]["followers"], 0)
            while slow.line() is not None:
                pass
        metrics = self.scrape()
        self.assertEqual(metrics["postern_control_connections_total"]["samples"][(("result", "cut_off"),)], 1)

    def test_a_moved_log_is_opened_anew(self):
        self.gate.start()
        moved = self.gate.eve.with_name("moved")
        self.gate.eve.rename(moved)
        self.gate.process.send_signal(signal.SIGUSR1)
        wait_for("the new log", self.gate.eve.exists)
        self.result("tenant suspend", tenant="acme", reason="r")
        told = [e["gate"]["event"] for e in self.gate.events()]
        self.assertEqual([event for event in told if event != "audit_anchor"], ["tenant_suspended"])  # anchors go by time
        self.assertIn("reloaded", moved.read_text())

    # Metrics

    def scrape(self):
        with urllib.request.urlopen(self.gate.metrics_url, timeout=DEADLINE) as answer:
            self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
            self.text = answer.read().decode()
        return exposition.parse(self.text)

    def test_metrics_are_as_documented(self):
        self.gate.start()
        self.result("tenant suspend", tenant="acme", reason="r")
        metrics = self.scrape()
        rows = re.findall(r"^\| `(p\w+)` \| (counter|gauge) \| `?([^|`]*)`? \| (.*) \|$",
                          (DOCS / "control.md").read_text(), re.M)
        self.assertEqual([(name, m["type"], m["help"]) for name, m in metrics.items()],
                         [(name, type_, help_) for name, type_, _, help_ in rows])
        for name, _, labels, _ in rows:
            for key in metrics[name]["samples"]:
                self.assertEqual(sorted(label for label, _ in key), sorted(labels.split()), name)
        self.assertEqual(metrics["postern_tenant_suspended"]["samples"],
                         {(("tenant", "acme"),): 1, (("tenant", 'b"ulk'),): 1})
        self.assertEqual(metrics["postern_tenants"]["samples"][(("state", "suspended"),)], 2)
        self.assertEqual(metrics["postern_dataplane_up"]["samples"], {(): 0})
        promtool = shutil.which("promtool")
        if promtool:
            checked = subprocess.run([promtool, "check", "metrics"], input=self.text, capture_output=True, text=True)
            self.assertEqual(checked.returncode, 0, checked.stderr + checked.stdout)

    def test_tenants_beyond_the_bound_have_no_series(self):
        self.gate.configure()
        self.gate.config.write_text(self.gate.config.read_text().replace("metrics: {", "metrics: { tenants = 1;"))
        self.gate.start()
        self.assertEqual(self.scrape()["postern_tenant_suspended"]["samples"], {(("tenant", "acme"),): 0})

    def test_what_is_no_scrape(self):
        self.gate.start()
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(self.gate.metrics_url.removesuffix("metrics"), timeout=DEADLINE)
        self.assertEqual(refused.exception.code, 404)
        for data in (b"nonsense\r\n\r\n", b"GET " + b"x" * 100000 + b" HTTP/1.1\r\n\r\n", b"POST /metrics HTTP/1.1\r\n"
                     b"Content-Length: 99999999\r\n\r\n", b"\0" * 5000):
            with socket.create_connection(self.gate.metrics_at, DEADLINE) as client:
                with contextlib.suppress(OSError):  # it need not hear all of it
                    client.sendall(data)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(65536):
                        pass
        self.assertIn("postern_build_info", self.scrape())

    # `postern`

    def test_where_nobody_answers_it_says_what_to_do(self):
        result = self.gate.run("show")
        self.assertEqual(result.returncode, 1)
        self.assertIn("posternd does not run", result.stderr)
        self.assertIn("systemctl start posternd", result.stderr)
        self.gate.start()
        self.gate.stop(signal.SIGKILL)
        result = self.gate.run("tenant", "suspend", "acme", "--reason", "r")
        self.assertEqual(result.returncode, 1)
        self.assertIn("nobody listens", result.stderr)

    def test_what_people_type(self):
        self.gate.start()
        for words, shown in (
                (["show"], "DOWN: the dataplane does not run"), (["status"], "failure policy"), (["show", "tenants"], "acme"),
                (["tenants"], "suspended"), (["show", "tenant", "acme"], "30/min"), (["limits", "show", "7"], "30/min  "),
                (["tenant", "suspend", "acme", "--reason", "too much spam", "--approver", "jo", "--until", "1h"], "too much spam"),
                (["limits", "set", "acme", "messages_per_minute=10", "calls=unlimited"], "10/min"),
                (["tenant", "resume", "--reason", "sorry", "acme"], "active"), (["reload"], "generation 2"),
                (["ports"], "PORTS"), (["rules"], "RULES"), (["failure"], "open")):
            result = self.gate.run(*words)
            self.assertEqual((result.returncode, result.stderr), (0, ""), words)
            self.assertIn(shown, result.stdout, words)
            self.assertNotIn("\t", result.stdout)
            if words[:2] != ["tenant", "resume"]:  # it is resumed by now
                self.assertTrue(json.loads(self.gate.run(*words, "--json").stdout), words)
        for words in (["show", "bogus"], ["tenant"], ["tenant", "suspend", "acme"], ["limits", "set", "acme"],
                      ["limits", "set", "acme", "calls"], ["events"], ["reload", "now"], ["show", "--bogus"]):
            result = self.gate.run(*words)
            self.assertEqual(result.returncode, 2, words)
            self.assertIn("usage", result.stderr)
        self.assertEqual(self.gate.run("show", "tenant", "nobody").returncode, 1)
        self.assertEqual(self.gate.run("stats").returncode, 1)
        self.assertEqual(self.gate.run("show", "--help").returncode, 0)

    def test_events_as_people_read_them(self):
        self.gate.start()
        env = dict(os.environ, POSTERN_SOCKET=str(self.gate.socket))
        with subprocess.Popen([POSTERN, "events", "-f", "--tenant", "acme"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, env=env) as reader:
            wait_for("it follows", lambda: self.result("status")["events"]["followers"] == 1)
            self.result("tenant suspend", tenant="acme", reason="spam")
            self.assertIn("tenant_suspended: spam", reader.stdout.readline())
            self.gate.stop()
            self.assertEqual(reader.wait(DEADLINE), 1)
            self.assertIn("posternd ended the connection", reader.stderr.read())


class Exposition(unittest.TestCase):
    """The reader of metrics refuses what is none."""

    def test_it_refuses(self):
        head = "# HELP a_total h\n# TYPE a_total counter\n"
        self.assertFalse(exposition.refuses(head + 'a_total{x="1",y="\\"\\\\"} 1\na_total 2\n'))
        for wrong in ("a_total 1\n", head + "a_total 1", head + "a_total\n", head + "a_total x\n", head + "a_total -1\n",
                      head + 'a_total{x="1"} 1\na_total{x="1"} 2\n', head + 'a_total{x=1} 1\n', head + 'a_total{x="1",} 1\n',
                      head + 'a_total{x="\\x"} 1\n', head + head, head + 'a_total{x="1",x="2"} 1\n', head + "a_total  1\n",
                      head + "b_total 1\n", "# TYPE a_total counter\na_total 1\n", "# HELP a h\n# TYPE a counter\na 1\n"):
            self.assertTrue(exposition.refuses(wrong), wrong)


if __name__ == "__main__":
    POSTERND, POSTERN, DOCS = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
