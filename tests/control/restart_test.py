#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What outlives posternd: restart_test.py POSTERND POSTERN

Killed at any time while everything is written at once (scores, levels, lists, cases, states), and started again: what
was acknowledged is there, and no more than what was asked for. KILLS in the environment: how often.
"""
import contextlib
import json
import os
import random
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request
from pathlib import Path

from gate import Gate, wait_for

TENANTS = """( { id = 7; name = "acme"; prefixes = [ "192.0.2.0/24" ]; },
  { id = 9; name = "globex"; prefixes = [ "198.51.100.0/24" ]; }, { id = 11; name = "initech"; prefixes = [ "203.0.113.0/24" ]; } )"""
RISK = """risk: { mode = "on"; domains = 1; bounces: { minimum = 50; }; complaints: { minimum = 50; minimum_parts = 5; }; };"""
KILLS = int(os.environ.get("KILLS", "4"))


def delivery(number, source="198.51.100.7", **more):
    return {"source": "log", "kind": "delivered", "message_id": f"m{number}@globex.example", "address": source,
            "rcpt": f"user{number}@d{number % 7}.example", "time": int(time.time()), **more}


class Writer(threading.Thread):
    """Asks one thing after another until posternd is gone. `asked` counts what it began, `acknowledged` what was stored."""

    def __init__(self, gate, ask, asked):
        super().__init__()
        self.gate, self.ask = gate, ask
        self.asked = self.acknowledged = asked
        self.wrong = None

    def run(self):
        try:
            with self.gate.client() as client:
                while True:
                    command, arguments = self.ask(self.asked)
                    self.asked += 1
                    answer = client.ask(command, **arguments)
                    if answer is None:
                        return
                    if "result" not in answer or answer["result"].get("stored") is False:
                        self.wrong = f"{command}: {answer}"
                        return
                    self.acknowledged = self.asked
        except OSError:
            pass


class Restart(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.gate = Gate(self.folder, POSTERND, POSTERN)
        self.gate.configure(tenants=TENANTS, extra=RISK)
        self.addCleanup(self.gate.stop, signal.SIGKILL)

    def term(self, name, tenant="globex"):
        terms = self.gate.ask("explain", tenant=tenant)["result"]["terms"]
        return next(term for term in terms if term["name"] == name)

    def state(self):
        """What is there of everything that is written."""
        tenant = self.gate.ask("tenant", tenant="initech")["result"]
        return {
            "scores": round(self.term("complaints")["whole"]),
            "cases": sum(item["what"] == "note" for item in self.gate.ask("case show", case=1)["result"]["history"]) - 1,
            "suspended": bool(tenant["suspended"]),
            "level": self.gate.ask("explain", tenant="globex")["result"]["risk"]["level"],
        }

    WRITERS = {
        "scores": lambda n: ("feedback report", {"reports": [delivery(n)]}),
        "lists": lambda n: ("list add", {"tenant": "acme", "kind": "optout", "entries": [f"user{n}@example.com"], "now": True}),
        "cases": lambda n: ("case note", {"case": 1, "text": f"line {n}"}),
        "states": lambda n: ("tenant resume" if n % 2 else "tenant suspend", {"tenant": "initech", "reason": f"number {n}"}),
    }

    def live(self, asked, seconds, all_heard=False):
        """A life; for each writer how much was acknowledged in the end, and asked for. `asked`: so far. `all_heard`: it
        doesn't end before each of them was answered."""
        writers = {name: Writer(self.gate, ask, asked[name]) for name, ask in self.WRITERS.items()}
        for writer in writers.values():
            writer.start()
        time.sleep(seconds)
        wait_for("answers", lambda: not all_heard or all(w.wrong or w.acknowledged > asked[name] for name, w in writers.items()))
        self.gate.stop(signal.SIGKILL)
        for writer in writers.values():
            writer.join()
            self.assertIsNone(writer.wrong)
        return {name: (writer.acknowledged, writer.asked) for name, writer in writers.items()}

    def on_list(self, numbers):
        entries = [f"user{n}@example.com" for n in numbers]
        result = self.gate.ask("list check", tenant="acme", kind="optout", entries=entries)["result"]["entries"] if entries else []
        return all(entry["standing"] != "absent" for entry in result)

    def test_killed_at_any_time_nothing_acknowledged_is_lost(self):
        chance = random.Random(1)
        self.gate.start()
        self.gate.ask("case open", tenant="acme", why="a test")
        asked, counted, listed = dict.fromkeys(self.WRITERS, 0), {"scores": 0, "cases": 0}, []
        for kill in range(KILLS):
            lived = self.live(asked, 0.05 + chance.random() * 0.6, all_heard=kill == 0)
            self.gate.start()
            there, what = self.state(), f"kill {kill}: {lived} after {asked}"
            for name, before in counted.items():
                acknowledged, tried = (n - asked[name] for n in lived[name])
                self.assertTrue(acknowledged <= there[name] - before <= tried, f"{what}; {name}: {before}, then {there[name]}")
                counted[name] = there[name]
            listed += range(asked["lists"], lived["lists"][0])
            self.assertTrue(self.on_list(listed[-500:]), what)
            # It is as it was after the last one, or the one that was on its way.
            self.assertIn(there["suspended"], {n % 2 == 1 for n in lived["states"]}, what)
            asked = {name: tried for name, (_, tried) in lived.items()}
            asked["states"] = 1 if there["suspended"] else 0
        self.assertTrue(all(self.on_list(listed[i:i + 500]) for i in range(0, len(listed), 500)))
        self.assertEqual(self.gate.run("audit", "verify").returncode, 0)
        self.assertTrue(counted["scores"] and counted["cases"] and listed)
        print(f"# {KILLS} kills: {counted}, {len(listed)} listed", file=sys.stderr)

    def deliver(self, count):
        for first in range(0, count, 100):
            answer = self.gate.ask("feedback report", reports=[delivery(n) for n in range(first, first + 100)])
            self.assertEqual(answer["result"]["results"], {"counted": 100})

    def complain(self, first, last):
        reports = [{"source": "arf", "kind": "complaint", "message_id": f"m{n}@globex.example",
                    "rcpt": f"user{n}@d{n % 7}.example"} for n in range(first, last)]
        return self.gate.ask("feedback report", reports=reports)["result"]["results"]

    def test_a_level_that_was_told_is_there_again(self):
        self.gate.start()
        self.deliver(500)
        self.assertEqual(self.complain(0, 30), {"counted": 30})
        # Told: it is on the disk, however soon it is killed.
        told = wait_for("a level", lambda: self.gate.gate_events("risk_rises"))[-1]
        self.gate.stop(signal.SIGKILL)
        explained = self.gate.start() and self.gate.ask("explain", tenant="globex")["result"]
        self.assertEqual((told["to"], explained["risk"]["level"]), ("throttle", "throttle"))
        self.assertGreater(explained["rules"]["noticed_at"] or "", "")
        self.assertEqual(len(self.gate.gate_events("risk_rises")), 1)
        self.assertIn("risk level", self.gate.run("audit", "export", "--tenant", "globex").stdout)

    def test_a_tenant_that_comes_back_has_the_score_it_had(self):
        self.gate.start()
        self.deliver(500)
        self.complain(0, 30)
        wait_for("a level", lambda: self.gate.gate_events("risk_rises"))
        self.gate.configure(tenants='( { id = 7; name = "acme"; prefixes = [ "192.0.2.0/24" ]; } )')
        self.assertTrue(self.gate.ask("reload")["result"])
        self.gate.stop()
        self.gate.start()
        self.gate.configure(tenants=TENANTS)
        self.assertTrue(self.gate.ask("reload")["result"])
        self.assertEqual(self.gate.ask("explain", tenant="globex")["result"]["risk"]["level"], "throttle")
        self.assertAlmostEqual(self.term("complaints")["parts"], 30, delta=0.1)

    def metric(self, name):
        with urllib.request.urlopen(self.gate.metrics_url, timeout=60) as answer:
            text = answer.read().decode()
        return float(re.search(rf"^{name}(?:{{.*}})? (\S+)$", text, re.M)[1])

    def suspend(self, tenant, number):
        return self.gate.ask("tenant suspend", tenant=tenant, reason=f"number {number} " + "x" * 80)["result"]

    def until_it_fails(self):
        """How many it took."""
        for number in range(20000):
            if self.suspend("acme", number).get("stored") is False:
                return number + 1
        raise AssertionError("it never fails")

    def goes_on_without_a_disk(self, why):
        self.gate.ask("tenant suspend", tenant="globex", reason="wrote to user@example.org")
        self.suspensions = self.until_it_fails()
        alarm = wait_for("an alarm", lambda: self.gate.gate_events("store_failed"))[0]
        self.assertEqual(alarm["severity"], "error")
        self.assertIn(why, alarm["reason"])
        self.assertIn("state can't be stored", self.gate.said())
        self.assertEqual((self.metric("postern_store_failing"), self.metric("postern_store_failures_total")), (1, 1))
        # What is decided holds, and it answers.
        self.assertIs(self.suspend("initech", 1)["stored"], False)
        self.assertTrue(self.gate.ask("tenant", tenant="initech")["result"]["suspended"])
        # What it did is kept; what would have to come after that is refused, and says why.
        self.assertIs(self.gate.ask("case open", tenant="acme", why="a first word")["result"]["stored"], False)
        self.assertIs(self.gate.ask("case note", case=1, text="a second one")["result"]["stored"], False)
        error = self.gate.ask("forget", address="user@example.org")["error"]
        self.assertEqual(error["code"], "not_stored")
        state = self.gate.ask("status")["result"]["state"]
        self.assertTrue(state["failing"])
        self.assertGreaterEqual(state["kept"], 4)  # two suspensions, a case opened, a line of it
        self.assertLess(abs(state["kept_since"] - time.time()), 600)
        self.assertEqual((self.metric("postern_store_kept_units"), state["lost"]), (state["kept"], 0))
        page = self.gate.run("status").stdout
        self.assertIn(f"NOT STORED: {state['reason'][:20]}", page)
        self.assertRegex(page, r"kept for it +\d+ units in memory, since 2")
        self.assertEqual(self.on_disk("SELECT count(*) FROM case_one"), 0)

    def everything_is_there(self):
        said = self.column("SELECT json_extract(text, '$.arguments.reason') FROM audit_entry WHERE tenant = 7"
                           " AND json_extract(text, '$.action') = 'tenant suspend' ORDER BY seq")
        self.assertEqual([int(reason.split()[1]) for reason in said], list(range(self.suspensions)))
        last = self.column("SELECT json_extract(text, '$.action') FROM audit_entry ORDER BY seq DESC LIMIT 40")
        self.assertEqual([action for action in last if action.startswith("case")], ["case note", "case open"])
        history = self.gate.ask("case show", case=1)["result"]["history"]
        self.assertEqual([item["fields"] for item in history if item["what"] == "note"],
                         [{"why": "a first word"}, {"text": "a second one"}])
        self.assertEqual(self.gate.run("audit", "verify").returncode, 0)

    def is_over(self):
        works = wait_for("it works again", lambda: self.gate.gate_events("store_works"))[0]
        self.assertGreaterEqual(works["kept"], 4)
        self.assertEqual(works["lost"], 0)
        self.assertEqual((self.metric("postern_store_failing"), self.metric("postern_store_kept_units"),
                          self.metric("postern_store_kept_since_timestamp_seconds")), (0, 0, 0))
        self.everything_is_there()
        self.assertTrue(self.gate.ask("forget", address="user@example.org")["ok"])
        wait_for("nobody is in the reasons", lambda: self.on_disk("SELECT count(*) FROM state_override WHERE data LIKE '%user@%'") == 0)
        self.assertGreater(self.metric("postern_store_last_commit_timestamp_seconds"), time.time() - 60)
        # What could not be written is, without being asked for again.
        wait_for("what was decided is on the disk", lambda: self.on_disk("SELECT count(*) FROM state_override") == 3)
        self.gate.stop(signal.SIGKILL)
        self.gate.start()
        for tenant in ("acme", "globex", "initech"):
            self.assertTrue(self.gate.ask("tenant", tenant=tenant)["result"]["suspended"])
        self.everything_is_there()

    def column(self, sql):
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/state/state.db?mode=ro", uri=True)) as db:
            return [row[0] for row in db.execute(sql)]

    def on_disk(self, sql):
        return self.column(sql)[0]

    def test_a_disk_that_is_full_is_told_and_the_gate_goes_on(self):
        if os.geteuid() != 0:
            self.skipTest("mounts a small disk: for root")
        state = self.folder / "state"
        state.mkdir(mode=0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k,mode=700", "postern-test", state], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", state], check=True)
        self.gate.start()
        self.goes_on_without_a_disk("No space left on device")
        subprocess.run(["mount", "-o", "remount,size=64m", state], check=True)
        self.is_over()

    def start_with_small_files(self):
        """What makes them grow again."""
        # Who goes beyond it is told by a signal, which is ignored here.
        previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGXFSZ, previous)
        self.gate.start()
        pid = self.gate.process.pid
        hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (600000, hard))
        return lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))

    def test_a_file_that_may_not_grow_is_told_and_the_gate_goes_on(self):
        grow = self.start_with_small_files()
        self.goes_on_without_a_disk("Input/output error")
        grow()
        self.is_over()

    def test_a_log_that_is_broken_meanwhile_is_told_once(self):
        self.gate.start()
        self.gate.stop()
        anchors = len(self.gate.gate_events("audit_anchor"))
        grow = self.start_with_small_files()
        # That looks at the log, too.
        wait_for("its anchor", lambda: len(self.gate.gate_events("audit_anchor")) > anchors)
        self.until_it_fails()
        with contextlib.closing(sqlite3.connect(self.folder / "state" / "state.db")) as db, db:
            db.execute("UPDATE audit_head SET seq = seq + 1")
        before = self.metric("postern_store_transactions_total")
        wait_for("it is tried twice more", lambda: self.metric("postern_store_transactions_total") >= before + 2)
        self.assertEqual(self.gate.gate_events("audit_broken"), [])
        grow()
        wait_for("it works again", lambda: self.gate.gate_events("store_works"))
        wait_for("it is told", lambda: self.gate.gate_events("audit_broken"))
        self.assertIsNot(self.suspend("acme", 0).get("stored"), False)
        self.assertEqual(self.gate.stop(), 0)
        self.assertEqual(len(self.gate.gate_events("audit_broken")), 1)

    def test_what_is_kept_is_written_at_the_end(self):
        grow = self.start_with_small_files()
        self.goes_on_without_a_disk("Input/output error")
        grow()
        self.assertEqual(self.gate.stop(), 0)
        self.assertEqual(self.gate.gate_events("store_lost"), [])
        self.gate.start()
        self.everything_is_there()

    def test_what_is_lost_with_the_end_is_told(self):
        self.start_with_small_files()
        self.goes_on_without_a_disk("Input/output error")
        self.assertEqual(self.gate.stop(), 0)
        lost = self.gate.gate_events("store_lost")
        self.assertEqual(len(lost), 1)
        self.assertGreaterEqual(lost[0]["kept"], 5)  # that it stops, too
        self.assertEqual(lost[0]["lost"], lost[0]["kept"])
        self.assertIn(f'msg="what waited for the disk is lost" units={lost[0]["kept"]}', self.gate.said())
        # What was acknowledged is there.
        self.gate.start()
        said = self.column("SELECT text FROM audit_entry WHERE tenant = 7 AND json_extract(text, '$.action') = 'tenant suspend'")
        self.assertEqual(len(said), self.suspensions - 1)
        self.assertEqual(self.gate.run("audit", "verify").returncode, 0)

    def test_a_database_that_may_not_be_written_is_no_start(self):
        if os.geteuid() != 0:
            self.skipTest("mounts: for root")
        self.gate.start()
        self.gate.stop()
        state = self.folder / "state"
        subprocess.run(["mount", "--bind", state, state], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", state], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", state], check=True)
        process = self.gate.start(ready=False)
        self.assertEqual(process.wait(60), 1)
        self.assertIn("Read-only file system", self.gate.said())

    def test_a_file_of_an_older_posternd_is_taken_over_and_removed(self):
        state = self.folder / "state"
        state.mkdir(mode=0o700)
        row = {"id": 9, "level": "throttle", "counted": time.time_ns(), "since": time.time_ns(), "noticed": time.time_ns(),
               "score": 60, "scored": time.time_ns(), "domains": 9, "ratios": {"complaints": [30, 500]}}
        (state / "risk.jsonl").write_text(json.dumps(row) + "\n")
        self.gate.start()
        self.assertFalse((state / "risk.jsonl").exists())
        self.assertEqual(self.gate.ask("explain", tenant="globex")["result"]["risk"]["level"], "throttle")
        self.gate.stop(signal.SIGKILL)
        self.gate.start()
        self.assertEqual(self.gate.ask("explain", tenant="globex")["result"]["risk"]["level"], "throttle")


if __name__ == "__main__":
    POSTERND, POSTERN = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
