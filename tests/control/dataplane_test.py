#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""posternd and postern-dataplane together: dataplane_test.py POSTERND POSTERN DATAPLANE

Real programs, and a wire of two veth pairs in a network namespace of the test's own: what comes in at one end, what leaves at the
other, and what becomes of it when tenants are changed, configurations pushed and programs killed. Needs root.
"""
import contextlib
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import exposition
from gate import DEADLINE, wait_for
from wire import NEW, OTHER, PEER, TENANT, TENANTS, LiveCase, run_in_namespace

RULE = 'alert sip any any -> any any (msg:"m"; sip.method; content:"INVITE"; sid:%d;)\n'
SUSPENDED = 1  # bpf/tenant.h


class Together(LiveCase):
    @contextlib.contextmanager
    def slots(self):
        """The tenants' array as the dataplane has it."""
        pid = self.dataplane()["pid"]
        for link in Path(f"/proc/{pid}/fd").iterdir():
            if Path(os.readlink(link)).name.startswith("tenants."):
                with open(link, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
                    yield memory
                return
        self.fail("the dataplane has no array of tenants")

    def state_of(self, memory, tenant):
        for at in range(0, len(memory), self.slot_size(memory)):
            id_, state = struct.unpack_from("=II", memory, at)
            if id_ == tenant:
                return state
        return None

    def slot_size(self, memory):
        room = int(self.gate.settings.get("tenants", 4095)) + 1
        self.assertEqual(len(memory) % room, 0)
        return len(memory) // room

    # What a user sees

    def test_calls_are_counted_and_told_of(self):
        rules = Path(self.folder) / "a.rules"
        rules.write_text(RULE % 42)
        self.gate.configure(rules=f'[ "{rules}" ]')
        self.start()
        self.wait_passes(True)
        with self.gate.client() as follower:
            follower.ask("events follow", types=["alert"], tenant="acme")
            self.wire.call()
            event = follower.line()
        self.assertEqual((event["tenant"], event["alert"]["signature_id"]), ("acme", 42))
        wait_for("the log has it", lambda: any(e["alert"]["signature_id"] == 42 for e in self.gate.events("alert")))
        wait_for("stats come", lambda: self.gate.events("stats"))
        tenant = self.result("tenant", tenant="acme")
        self.assertGreater(tenant["counters"]["packets"], 0)
        self.assertGreater(tenant["counters"]["calls"], 0)
        self.assertEqual([hit["sid"] for hit in self.result("rules")["hits"]], [42])
        ports = self.result("ports")["ports"]
        self.assertEqual([(p["side"], p["interface"]) for p in ports], [("inside", "in0"), ("outside", "out0")])
        metrics = exposition.parse(self.metrics())
        self.assertEqual(metrics["postern_dataplane_up"]["samples"], {(): 1})
        self.assertGreater(metrics["postern_tenant_calls_total"]["samples"][(("tenant", "acme"),)], 0)
        self.assertGreater(metrics["postern_rule_hits_total"]["samples"][(("sid", "42"),)], 0)
        self.assertIn((("worker", "0"),), metrics["postern_worker_heartbeat_age_seconds"]["samples"])
        for words, shown in ((["show"], "runs, pid"), (["ports"], "in0"), (["stats"], "verdicts"), (["rules"], "42"),
                             (["show", "tenant", "acme"], "calls"), (["tenants"], "acme")):
            self.assertIn(shown, self.gate.run(*words).stdout, words)

    def test_an_emergency_call_is_an_alarm_whether_it_went_through_or_not(self):
        self.gate.configure(tenants=f"""( {{ id = 7; name = "acme"; prefixes = [ "{TENANT}/32" ]; country = "US"; emergency = "reject"; }},
            {{ id = 8; name = "other"; prefixes = [ "{OTHER}/32" ]; country = "US"; }} )""")
        self.start()
        self.wait_passes(True)
        self.wire.call(callee="9112345678")
        for _ in range(3):
            self.wire.call(callee="911")
        self.wire.call(OTHER, callee="911")
        told = wait_for("both are told of", lambda: (found := self.gate.gate_events("emergency_call")) and len(found) > 1 and found)
        self.assertEqual([(e["tenant"], e["action"], e["number"], e["address"], e["severity"]) for e in told],
                         [("acme", "reject", f"sip:911@{PEER}", TENANT, "error"), ("other", "alert", f"sip:911@{PEER}", OTHER, "error")])

    def metrics(self):

        with urllib.request.urlopen(self.gate.metrics_url, timeout=DEADLINE) as answer:
            return answer.read().decode()

    # Tenants

    def test_a_suspension_holds_at_once(self):
        self.start()
        self.wait_passes(True)
        self.result("tenant suspend", tenant="acme", reason="r")
        self.assertIs(self.wire.passes(), False)
        self.assertIs(self.wire.passes(OTHER), True)
        self.result("tenant resume", tenant="acme")
        self.assertIs(self.wire.passes(), True)

    def test_a_list_holds_at_once_and_outlives_both_programs(self):
        self.start()
        self.wait_passes(True)
        numbers = Path(self.folder) / "numbers"
        numbers.write_text("".join(f"+1415555{i:06}\n" for i in range(100000)))
        done = self.gate.run("list", "import", "acme", "dnc", numbers, "--json")
        self.assertIn('"in_force": true', done.stdout, done.stderr)
        self.assertIs(self.wire.passes(), True)
        added = self.result("list add", tenant="acme", kind="dnc", entries=["1"])
        self.assertEqual((added["in_force"], added["entries"]), (True, 100001))
        self.assertIs(self.wire.passes(), False)
        self.assertIs(self.wire.passes(OTHER), True)
        pid = self.dataplane()["pid"]
        os.kill(pid, signal.SIGKILL)
        self.wait_live(after=pid)
        self.wait_passes(False)
        self.gate.stop(signal.SIGKILL)
        self.assertIs(self.wire.passes(), False)
        self.start()
        self.assertIs(self.wire.passes(), False)
        self.assertTrue(self.result("list remove", tenant="acme", kind="dnc", entries=["1"])["in_force"])
        self.assertIs(self.wire.passes(), True)

    def standing(self, address):
        return self.result("list check", tenant="acme", kind="suppressed", entries=[address])["entries"][0]["standing"]

    def test_who_bounced_is_suppressed_over_restarts_of_both(self):
        self.start()
        self.wait_passes(True)
        refused = (False, "550 5.1.1 The recipient's address bounced before")
        self.assertEqual(self.wire.rcpt("gone@example.net", "550 5.1.1 No such user"), (True, "550 5.1.1 No such user"))
        self.assertEqual(self.wire.rcpt("Gone@Example.net"), refused)
        self.assertEqual(self.wire.rcpt("here@example.net"), (True, "250 ok"))
        wait_for("the list has it", lambda: self.standing("gone@example.net") == "listed")
        self.assertEqual(self.standing("here@example.net"), "absent")
        pid = self.dataplane()["pid"]
        self.gate.stop(signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        self.start()
        self.wait_live(after=pid)
        self.wait_passes(True)
        self.assertEqual(self.standing("gone@example.net"), "listed")
        self.assertEqual(self.wire.rcpt("gone@example.net"), refused)
        self.assertEqual(self.wire.rcpt("gone@example.net", src=OTHER), (True, "250 ok"))
        self.assertTrue(self.result("list remove", tenant="acme", kind="suppressed", entries=["gone@example.net"])["in_force"])
        self.assertEqual(self.wire.rcpt("gone@example.net"), (True, "250 ok"))
        self.assertEqual(self.standing("gone@example.net"), "absent")

    def test_whom_tenants_wrote_to_is_known_after_a_restart(self):
        def strangers():
            return self.result("tenant", tenant="acme")["counters"]["reasons"].get("new_recipients", 0)

        def write_to(*people):
            for who in people:
                self.assertEqual(self.wire.rcpt(f"{who}@example.net"), (True, "250 ok"))

        def restart():
            pid = self.dataplane()["pid"]
            os.kill(pid, signal.SIGTERM)
            self.wait_live(after=pid)
            self.wait_passes(True)

        self.gate.configure(extra=self.gate.extra + 'policy: { mail: { new_recipients: { count = 4; share = 1; learn = "0s"; }; }; };')
        self.start()
        self.wait_passes(True)
        write_to("ann", "bob", "carl")
        self.assertEqual(strangers(), 0)
        restart()
        self.assertIn("known again", self.gate.said())
        # Three are known; if they weren't, the first stranger would be the fourth.
        write_to("ann", "bob", "carl", "dora", "emil", "fred")
        self.assertEqual(strangers(), 0)
        write_to("gerd")
        self.assertEqual(strangers(), 1)
        pid = self.dataplane()["pid"]
        file = Path(self.folder) / "state" / "known.recipients"
        os.kill(pid, signal.SIGTERM)
        wait_for("it has ended", lambda: not Path(f"/proc/{pid}").exists())
        self.wait_live(after=pid)
        # One that is torn: it begins anew, and says so.
        self.gate.stop()
        pid = int(subprocess.run(["pgrep", "-f", f"^{self.dataplane_program} .*{self.folder}/"], capture_output=True, text=True,
                                 check=True).stdout.split()[0])
        os.kill(pid, signal.SIGTERM)
        wait_for("it has ended", lambda: not Path(f"/proc/{pid}").exists())
        file.write_bytes(file.read_bytes()[:-1])
        self.start()
        self.wait_passes(True)
        self.assertIn("begins anew", self.gate.said())
        write_to("ann", "bob", "carl")
        self.assertEqual(strangers(), 0)
        write_to("dora")
        self.assertEqual(strangers(), 1)

    def test_how_soon_a_change_is_in_the_array(self):
        self.start()
        took = []
        with self.slots() as memory, self.gate.client() as client:
            for turn in range(50):
                wanted = SUSPENDED if turn % 2 == 0 else 0
                command = ("tenant suspend", {"reason": "r"}) if wanted else ("tenant resume", {})
                began = time.monotonic()
                thread = threading.Thread(target=client.ask, args=command[:1], kwargs={"tenant": "acme", **command[1]})
                thread.start()
                while self.state_of(memory, 7) != wanted:
                    self.assertLess(time.monotonic() - began, DEADLINE)
                took.append(time.monotonic() - began)
                thread.join()
        took.sort()
        print(f"a change is in the array after {took[len(took) // 2] * 1e3:.1f} ms (median), "
              f"{took[-1] * 1e3:.1f} ms (the longest of {len(took)})")

    def test_a_limit_holds_at_once_and_a_wider_one_forgives(self):
        self.start()
        self.wait_passes(True)
        self.result("limits set", tenant="acme", limits={"calls": "1/d"})
        answers = [self.wire.passes() for _ in range(4)]
        self.assertEqual(answers.count(True), 1, answers)
        self.assertEqual(answers[-1], False)
        self.result("limits set", tenant="acme", limits={"calls": "1000/s"})
        self.assertIs(self.wire.passes(), True)

    def test_tenants_come_and_go_while_traffic_flows(self):
        self.start()
        self.wait_passes(True)
        self.assertTrue(self.wire.vanishes(NEW))  # nobody's address
        new = f'{{ id = 9; name = "new"; prefixes = [ "{NEW}/32" ]; state = "%s"; }}'
        for state, passes in (("suspended", False), ("active", True)):
            self.gate.configure(tenants=f"( {new % state}, {TENANTS} )")
            self.assertTrue(self.result("reload")["in_force"])
            self.assertIs(self.wire.passes(NEW), passes)
            self.assertIs(self.wire.passes(TENANT), True)
            self.assertIs(self.wire.passes(OTHER), True)
        self.gate.configure(tenants=f"( {TENANTS} )")
        self.result("reload")
        self.assertTrue(self.wire.vanishes(NEW))

    # Scores

    def score_them(self, suspend=80):
        risk = f'risk: {{ mode = "on"; suspend = {suspend}; asr: {{ minimum = 30; }}; }};'
        self.gate.configure(
            tenants=f"""( {{ id = 7; name = "acme"; prefixes = [ "{TENANT}/32" ]; limits: {{ calls = "1000/s"; }}; }},
              {{ id = 8; name = "other"; prefixes = [ "{OTHER}/32" ]; limits: {{ calls = "1000/s"; }}; risk = "shadow"; }} )""",
            extra=self.gate.extra + risk)
        self.start()
        self.wait_passes(True)

    def explain(self, tenant="acme"):
        return self.result("explain", tenant=tenant)

    def wait_level(self, level, tenant="acme"):
        wait_for(f"{tenant} is at {level}", lambda: self.explain(tenant)["risk"]["level"] == level)

    def calls_per_second(self, tenant):
        return self.result("limits", tenant=tenant)["limits"]["calls"]["per_second"]

    def test_failed_calls_throttle_at_once_and_the_score_can_be_taken_apart(self):
        self.score_them()
        self.wire.fail_calls(40)
        self.wait_level("throttle")
        wait_for("all are counted", lambda: self.explain()["terms"][0]["whole"] > 39)
        explained = self.explain()
        term = {t["name"]: t for t in explained["terms"]}["asr"]
        self.assertEqual((term["points"], term["breach"], term["held"], round(term["parts"])), (55, True, "", 0))
        self.assertGreaterEqual(term["distinct"], 20)
        self.assertEqual(explained["risk"]["score"], 55)
        wait_for("it holds", lambda: self.calls_per_second("acme") == 100)
        told = self.gate.gate_events("risk_rises")[-1]
        self.assertEqual((told["to"], told["mode"], told["points"], told["severity"]), ("throttle", "on", {"asr": 55}, "warning"))
        page = self.gate.run("explain", "tenant", "acme").stdout
        self.assertRegex(page, r"asr +55\.0 +calls +0 answered of 40 seized: 0 %, bound 18\.\d+ %, breach")
        lines = self.gate.run("show", "tenants", "--by", "risk").stdout.splitlines()
        self.assertRegex(next(line for line in lines if "acme" in line), r"acme +active +55\.0 +throttle +rises +on +0 %")
        # Whoever is in shadow is only told of; whoever has three failed calls is nothing at all.
        self.wire.fail_calls(3, OTHER)
        self.assertEqual(self.explain("other")["risk"]["level"], "none")
        self.wire.fail_calls(40, OTHER)
        self.wait_level("throttle", "other")
        self.assertEqual(self.gate.gate_events("risk_rises")[-1]["mode"], "shadow")
        self.assertEqual(self.calls_per_second("other"), 1000)
        # Another posternd goes on with it, without counting anything twice.
        seized = {t["name"]: t for t in self.explain()["terms"]}["asr"]["whole"]
        self.gate.stop()
        self.gate.start()
        self.wait_live()
        self.wait_level("throttle")
        after = {t["name"]: t for t in self.explain()["terms"]}["asr"]
        self.assertAlmostEqual(after["whole"], seized, delta=0.5)
        self.assertEqual(self.calls_per_second("acme"), 100)
        metrics = exposition.parse(self.metrics())
        self.assertEqual(metrics["postern_tenant_risk_score"]["samples"][(("tenant", "acme"),)], 55)
        self.assertEqual(metrics["postern_tenants_risk"]["samples"][(("level", "throttle"),)], 2)

    def test_120_of_300_answered_is_a_breach_and_so_are_80_short_calls_of_200(self):
        """The policy's own samples and thresholds, from packets to levels; the last hour tells of both by itself."""
        self.gate.configure(
            tenants=f"""( {{ id = 7; name = "acme"; prefixes = [ "{TENANT}/32" ]; }}, {{ id = 8; name = "other"; prefixes = [ "{OTHER}/32" ]; }} )""",
            extra=self.gate.extra + 'risk: { mode = "on"; }; policy: { short_call = "4s"; };')
        self.start()
        self.wait_passes(True)
        kept = self.wire.answer_calls(120)
        self.wire.fail_calls(180)
        self.wait_level("watch")
        wait_for("all are counted", lambda: self.explain()["terms"][0]["whole"] > 299)
        asr = {t["name"]: t for t in self.explain()["terms"]}["asr"]
        self.assertTrue(asr["breach"])
        self.assertAlmostEqual(asr["bound"], 0.487, places=2)
        self.assertAlmostEqual(asr["points"], 31, delta=0.5)
        kept += self.wire.answer_calls(120, OTHER)
        over = time.monotonic() + 4.1  # for these are to be no short ones
        for _ in range(80):  # each at once: on a busy machine eighty would take longer than a short one may
            self.wire.end_calls(self.wire.answer_calls(1, OTHER))
        time.sleep(max(0, over - time.monotonic()))
        self.wire.end_calls(kept)
        self.wait_level("throttle", "other")
        wait_for("all are counted", lambda: {t["name"]: t for t in self.explain("other")["terms"]}["short_calls"]["whole"] > 199)
        short = {t["name"]: t for t in self.explain("other")["terms"]}["short_calls"]
        self.assertEqual((short["breach"], short["points"], round(short["parts"]), round(short["whole"])), (True, 55, 80, 200))
        self.assertAlmostEqual(short["bound"], 0.302, places=2)
        told = {(e["tenant"], e["ratio"]): e for e in self.gate.gate_events("calls_breach")}
        self.assertEqual(set(told), {("acme", "asr"), ("other", "short_calls")})
        self.assertIn("calls of the last 60 minutes", self.gate.run("explain", "tenant", "acme").stdout.lower())
        lately = {r["ratio"]: r for r in self.result("tenant", tenant="other")["calls_lately"]}
        self.assertEqual((lately["short_calls"]["parts"], lately["short_calls"]["whole"], lately["short_calls"]["breach"]), (80, 200, True))
        self.assertEqual(self.gate.gate_events("risk_asks"), [])

    def test_two_families_suspend_and_a_person_lets_go(self):
        self.score_them(suspend=70)
        self.wire.fail_calls(40, code="607 Unwanted")
        self.wait_level("suspend")
        self.wait_passes(False)
        self.assertEqual(self.result("tenant", tenant="acme")["suspended"], {"from": "risk"})
        answer = self.gate.run("tenant", "resume", "acme", "--reason", "they explained it")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertIs(self.wire.passes(), True)
        self.assertIsNotNone(self.explain()["rules"]["pardoned_until"])
        self.assertEqual(self.explain()["risk"]["level"], "throttle")
        self.gate.stop(signal.SIGTERM)
        self.gate.start()
        self.wait_live()
        self.assertIs(self.wire.passes(), True)

    def test_who_wants_no_calls_any_more_comes_to_the_list(self):
        self.gate.configure(
            tenants=f"""( {{ id = 7; name = "acme"; prefixes = [ "{TENANT}/32" ]; }}, {{ id = 8; name = "other"; prefixes = [ "{OTHER}/32" ]; }} )""",
            extra=self.gate.extra + "policy: { learn_unwanted = true; };")
        self.start()
        self.wait_passes(True)
        self.wire.fail_calls(1, code="607 Unwanted")
        number = f"+1415555{self.wire.sent:04d}"

        def listed(tenant):
            return self.result("list check", tenant=tenant, kind="dnc", entries=[number])["entries"][0]["standing"] == "listed"

        wait_for("the callee is on the list", lambda: listed("acme"))
        self.assertFalse(listed("other"))

    def test_who_says_stop_comes_to_the_list_and_start_takes_it_off(self):
        self.start()
        self.wait_passes(True)
        mine, imported = "+14155550160", "+14155550161"
        self.result("list add", tenant="acme", kind="sms", entries=[imported])

        def standing(kind, number, tenant="acme"):
            return self.result("list check", tenant=tenant, kind=kind, entries=[number])["entries"][0]["standing"]

        for number in (mine, imported):
            self.wire.text(number, "STOP")
            wait_for("it is on the list", lambda n=number: standing("sms-stop", n) == "listed")
        self.assertEqual(standing("sms-stop", mine, "other"), "absent")
        # Twice the one and twice the other, in one turn: the last word holds.
        for words in ("START", "STOP", "START"):
            self.wire.text(mine, words)
        self.wire.text(imported, "START")
        for number in (mine, imported):
            wait_for("it is off the list", lambda n=number: standing("sms-stop", n) == "absent")
        self.assertEqual(standing("sms", imported), "listed")
        # It outlives both programs.
        self.gate.stop(signal.SIGKILL)
        self.gate.start()
        self.assertEqual((standing("sms-stop", mine), standing("sms", imported)), ("absent", "listed"))

    # Reloads

    def test_a_reload_that_the_dataplane_refuses_changes_nothing(self):
        rules = Path(self.folder) / "a.rules"
        rules.write_text(RULE % 1)
        self.gate.configure(rules=f'[ "{rules}" ]')
        self.start()
        before = self.dataplane()["workers"][0]
        self.gate.configure(extra="budgets: { flows = 2048; sessions = 256; messages = 64; calls = 1024; };")
        rules.write_text(RULE % 2)
        answer = self.gate.ask("reload")
        if answer["ok"]:  # budgets may be taken and wait for a restart: that has to be said
            self.assertIn("budgets.flows", [s["setting"] for s in answer["result"]["needs_restart"]])
            return
        self.assertEqual(answer["error"]["code"], "dataplane_refused")
        after = self.dataplane()["workers"][0]
        self.assertEqual(before["policy_generation"], after["policy_generation"])
        self.wire.call()
        self.assertEqual(self.result("rules")["sids"], [1])

    def test_generations_are_those_of_the_workers(self):
        self.start()
        for _ in range(5):
            result = self.result("reload")
            self.assertTrue(result["in_force"])
            worker = self.dataplane()["workers"][0]
            self.assertEqual(worker["policy_generation"], result["generation"])

    # Deaths

    def test_a_dead_dataplane_is_started_again_with_everything(self):
        self.start()
        self.result("tenant suspend", tenant="acme", reason="r")
        pid = self.dataplane()["pid"]
        os.kill(pid, signal.SIGKILL)
        self.wait_live(after=pid)
        self.assertEqual([e["status"] for e in self.gate.gate_events("dataplane_died")], ["signal 9"])
        self.assertEqual(len(self.gate.gate_events("dataplane_down")), 1)
        self.wait_passes(False)
        dataplane = self.dataplane()
        self.assertEqual((dataplane["starts"], dataplane["deaths"]), (2, 1))

    def test_a_new_posternd_adopts_what_runs_and_resets_nothing(self):
        self.start()
        self.wait_passes(True)
        self.result("limits set", tenant="acme", limits={"calls": "1/d"})
        self.wait_passes(False)
        pid = self.dataplane()["pid"]
        calls = self.result("tenant", tenant="acme")["counters"]["calls"]
        for how in (signal.SIGKILL, signal.SIGTERM):
            self.gate.stop(how)
            # Nobody is in control: what holds, holds.
            self.assertIs(self.wire.passes(), False)
            self.assertIs(self.wire.passes(OTHER), True)
            self.gate.start()
            self.assertEqual(self.wait_live(), pid)
            self.assertIs(self.wire.passes(), False)  # its bucket is as empty as it was
            self.assertGreaterEqual(self.result("tenant", tenant="acme")["counters"]["calls"], calls)
            self.assertEqual(self.dataplane()["starts"], 0)
        os.kill(pid, signal.SIGKILL)
        self.wait_live(after=pid)
        self.assertEqual(self.dataplane()["starts"], 1)

    def test_events_while_nobody_reads_are_kept_or_counted(self):
        self.start()
        self.wait_passes(True)
        self.gate.stop(signal.SIGKILL)
        numbers = [self.wire.call() for _ in range(20)]
        wait_for("they have left", lambda: any(f"K{numbers[-1]}\r" in text for text in self.wire.left()) or
                 not self.wire.call())
        self.gate.start()
        self.wait_live()
        wanted = {f"c{number}@{TENANT}" for number in numbers}
        wait_for("their events", lambda: wanted <= {e["sip"].get("call_id") for e in self.gate.events("sip")})

    def test_a_stopped_worker_is_an_alarm(self):
        self.gate.configure(heartbeat='"500ms"')
        self.start()
        pid = self.dataplane()["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            wait_for("it is seen", lambda: self.dataplane()["stalled"])
            self.assertTrue(self.gate.gate_events("worker_stalled"))
            self.assertEqual(self.gate.ask("tenant suspend", tenant="acme", reason="r")["ok"], True)
        finally:
            os.kill(pid, signal.SIGCONT)
        wait_for("all is well", lambda: not self.dataplane()["stalled"])
        self.assertTrue(self.gate.gate_events("worker_resumed"))
        self.wait_passes(False)

    def test_a_program_that_is_not_there_is_tried_again_and_told_of(self):
        self.gate.configure(dataplane='"/nonexistent/postern-dataplane"')
        self.gate.start()
        wait_for("it was tried", lambda: self.dataplane()["deaths"] >= 2)
        self.assertIn("/nonexistent/postern-dataplane", self.gate.said())
        self.assertFalse(self.dataplane()["up"])
        self.assertIn("DOWN", self.gate.run("show").stdout)
        deaths = self.gate.gate_events("dataplane_died")
        self.assertEqual(deaths[0]["status"], "exit 127")

    def test_kills_in_any_order_leave_no_process_behind_and_both_come_back(self):
        self.start()
        self.result("tenant suspend", tenant="acme", reason="r")

        random.seed(7)
        for _ in range(8):
            if random.random() < 0.5:
                self.gate.stop(signal.SIGKILL)
                self.gate.start()
            else:
                with contextlib.suppress(TypeError, ProcessLookupError):
                    os.kill(self.dataplane()["pid"], signal.SIGKILL)
            if random.random() < 0.5:
                self.wait_live()
        self.wait_live()
        self.wait_passes(False)
        running = subprocess.run(["pgrep", "-f", f"^{self.dataplane_program} .*{self.folder}/"], capture_output=True, text=True)
        self.assertEqual(len(running.stdout.split()), 1, running.stdout)


if __name__ == "__main__":
    sys.exit(run_in_namespace(sys.argv))
