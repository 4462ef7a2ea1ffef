#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Rules that are pushed to posternd: rules_test.py POSTERND POSTERN

Pushes, their history, rollbacks, and what is decided over single rules; what outlives what. Without a dataplane.
"""
import base64
import json
import os
import shutil
import signal
import sys
import tempfile
import unittest
from pathlib import Path

from gate import Gate, wait_for

CAPTURE = Path(__file__).resolve().parents[1] / "replay" / "captures" / "smtp-submission.pcapng"

RULE = 'alert smtp any any -> any any (msg:"%s"; smtp.helo; content:"%s"; sid:%d; rev:%d;)\n'
FIELDS = {"generation", "time", "how", "by", "reason", "source", "text", "counts", "changes", "took_s", "in_force", "kept"}


def rule(sid, rev=1, content=None):
    return RULE % (f"rule {sid}", content or f"x{sid}", sid, rev)


class Rules(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.gate = Gate(self.folder, POSTERND, POSTERN)
        self.configured = self.path("configured.rules", rule(1) + rule(2))
        self.gate.configure(rules=f'[ "{self.configured}" ]')
        self.addCleanup(self.gate.stop, signal.SIGKILL)
        self.gate.start()

    def path(self, name, text):
        path = self.folder / name
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

    def push(self, text, **arguments):
        """The answer."""
        with self.gate.client() as client:
            self.assertTrue(client.ask("rules stage", file="pushed.rules", text=text)["ok"])
            return client.ask("rules push", **arguments)

    def pushed(self, text, **arguments):
        answer = self.push(text, **arguments)
        self.assertTrue(answer["ok"], answer)
        return answer["result"]

    def states(self):
        return {r["sid"]: (r["rev"], r["state"], r["state_by"]) for r in self.result("rules list")["rules"]}

    def live(self):
        return sorted(sid for sid, (_, state, _) in self.states().items() if state == "live")

    def restart(self, how=signal.SIGTERM):
        self.gate.stop(how)
        self.gate.start()

    def history(self):
        return self.result("rules history")["history"]

    # Pushes

    def test_a_push_says_what_it_changed_and_how_long_it_took(self):
        result = self.pushed(rule(2, 2, "other") + rule(3), reason="they asked for it")
        rules = result["changes"]["rules"]
        self.assertEqual(rules["added"], {"count": 1, "sids": [3]})
        self.assertEqual(rules["removed"], {"count": 1, "sids": [1]})
        self.assertEqual(rules["modified"], {"count": 1, "sids": [2]})
        self.assertEqual(result["counts"]["rules"], 2)
        self.assertEqual(result["counts"]["tenants"], 1)
        self.assertEqual(set(result["times"]), {"parse_s", "compile_s", "swap_s"})
        self.assertEqual(result["databases"], {"count": 1, "found": 0})
        self.assertIs(result["stored"], True)
        self.assertEqual(result["rules_source"], "pushed")
        event = self.gate.gate_events("rules_changed")[-1]
        self.assertEqual((event["how"], event["generation"], event["reason"]),
                         ("push", result["generation"], "they asked for it"))
        self.assertEqual(event["changes"], {"added": 1, "removed": 1, "changed": 1})
        self.assertEqual(event["counts"], {"rules": 2, "shadow": 0, "disabled": 0})
        first, second = self.history()
        self.assertLessEqual(FIELDS, set(first))
        self.assertEqual((first["how"], first["generation"], first["uid"], first["reason"], first["in_force"], first["kept"]),
                         ("push", result["generation"], os.geteuid(), "they asked for it", True, True))
        self.assertEqual((second["how"], second["in_force"]), ("start", False))

    def test_a_rule_whose_text_changed_under_the_same_rev_is_a_changed_rule(self):
        result = self.pushed(rule(1, 1, "another text") + rule(2))
        self.assertEqual(result["changes"]["rules"]["modified"], {"count": 1, "sids": [1]})

    def test_the_same_rules_again_change_nothing_and_compile_nothing(self):
        self.pushed(rule(1) + rule(3))
        # On two lines, with blanks behind it: the same rule.
        result = self.pushed(rule(1).replace("smtp.helo", "smtp.helo").rstrip("\n") + "  \t\n# a remark\n" + rule(3))
        self.assertEqual([result["changes"]["rules"][c]["count"] for c in ("added", "removed", "modified")], [0, 0, 0])
        self.assertEqual(result["databases"], {"count": 1, "found": 1})

    def test_a_push_reads_no_configuration(self):
        self.gate.config.write_text("this is { no configuration")
        self.assertEqual(self.pushed(rule(7))["counts"]["rules"], 1)
        self.assertEqual(self.error("reload")["code"], "bad_configuration")
        self.assertEqual(self.live(), [7])

    def test_a_bad_push_changes_nothing_and_every_mistake_is_told(self):
        before = self.result("rules list"), self.history()
        answer = self.push(rule(5) + 'alert smtp any any -> any any (msg:"m"; contnt:"x"; sid:6;)\n' + rule(5))
        self.assertEqual(answer["error"]["code"], "bad_rules")
        problems = [(p["file"], p["line"]) for p in answer["error"]["problems"]]
        self.assertEqual(problems, [("pushed.rules", 2), ("pushed.rules", 3)])
        self.assertEqual((self.result("rules list"), self.history()), before)
        event = self.gate.gate_events("rules_refused")[-1]
        self.assertEqual((event["how"], event["code"]), ("push", "bad_rules"))
        # It was used up: nothing is pushed by accident later.
        for text in ("# nothing\n", "\n"):
            self.assertEqual(self.push(text)["error"]["code"], "bad_rules")
        self.assertEqual((self.result("rules list"), self.history()), before)
        # What was refused is not kept either.
        self.assertEqual(len(list((self.folder / "state" / "rules").glob("*.rules"))), 1)

    def test_nothing_is_pushed_without_being_staged(self):
        self.assertEqual(self.error("rules push")["code"], "bad_argument")
        with self.gate.client() as client:
            client.ask("rules stage", file="a", text=rule(9))
        # That connection has gone, and what it staged with it.
        with self.gate.client() as client, self.gate.client() as other:
            self.assertEqual(client.ask("rules push")["error"]["code"], "bad_argument")
            client.ask("rules stage", file="a", text=rule(9))
            self.assertEqual(other.ask("rules push")["error"]["code"], "bad_argument")
            self.assertEqual(client.ask("rules push", configuration=True)["error"]["code"], "bad_argument")
            self.assertTrue(client.ask("rules push")["ok"])
            self.assertEqual(client.ask("rules push")["error"]["code"], "bad_argument")
        self.assertEqual(self.live(), [9])

    def test_pieces_of_a_file_are_one_file(self):
        text = "".join(rule(n) for n in range(1, 400))
        with self.gate.client() as client:
            for at in range(0, len(text), 997):
                client.ask("rules stage", file="long.rules", text=text[at:at + 997])
            staged = client.ask("rules stage", file="other.rules", text=rule(1000))["result"]
            self.assertEqual(staged, {"files": 2, "bytes": len(text) + len(rule(1000))})
            self.assertEqual(client.ask("rules push")["result"]["counts"]["rules"], 400)
        rows = {r["sid"]: (Path(r["file"]).name, r["line"]) for r in self.result("rules list")["rules"]}
        self.assertEqual((rows[1], rows[399], rows[1000]), (("long.rules", 1), ("long.rules", 399), ("other.rules", 1)))

    def test_which_rules_keep_bytes_of_bodies_can_be_asked(self):
        keeps = 'reject smtp any any -> any any (msg:"k"; email.body; content:"w"; metadata:keep 200; sid:7;)\n'
        self.pushed(rule(1) + keeps)
        self.assertEqual({r["sid"]: r.get("keep") for r in self.result("rules list")["rules"]}, {1: None, 7: 200})

    def test_one_change_at_a_time(self):
        numbers = self.folder / "numbers"
        os.mkfifo(numbers)  # a list that comes when it is told to
        self.gate.configure(extra=f'lists: {{ optout = [ "{numbers}" ]; }};')
        with self.gate.client() as slow, self.gate.client() as other:
            self.assertTrue(other.ask("rules stage", file="a", text=rule(9))["ok"])
            slow.send('{"command":"reload"}\n')
            wait_for("it has begun", lambda: other.ask("status")["result"]["configuration"]["reloading"])
            for command, arguments in (("rules disable", {"sid": 1}), ("rules rollback", {"generation": 1}), ("reload", {}),
                                       ("rules push", {})):
                self.assertEqual(other.ask(command, **arguments)["error"]["code"], "busy", command)
            numbers.write_text("someone@example.org\n")
            self.assertTrue(slow.line()["ok"])
        self.assertEqual(self.live(), [1, 2])

    # What it may cost

    def test_rules_beyond_the_budget_are_told_of_or_refused(self):
        self.gate.configure(rules_budget="1")
        self.assertNotIn("cost", self.pushed(rule(3)))  # by the configuration in force
        self.assertGreater(self.result("reload")["generation"], 0)
        result = self.pushed(rule(4))
        self.assertEqual(result["cost"]["budget_ns_per_kib"], 1)
        self.assertGreater(result["cost"]["ns_per_kib"], 1)
        self.assertGreater(result["cost"]["gbits_per_core"], 0)
        self.assertIn("more than gate.rules_budget, 1 ns", result["problems"][0]["message"])
        self.gate.configure(rules_over_budget='"refuse"')
        self.assertEqual(self.result("reload")["changes"]["settings"], ["gate.rules_over_budget"])
        before = self.result("rules list"), self.history()
        error = self.push(rule(5))["error"]
        self.assertEqual((error["code"], error["problems"]), ("over_budget", []))
        self.assertRegex(error["message"], r"^matching costs about \d+ ns per KiB of traffic, .* Gbit/s a core: more than")
        self.assertEqual(self.error("rules push", configuration=True)["code"], "over_budget")
        self.assertEqual((self.result("rules list"), self.history()), before)
        self.assertIn("gate.rules_budget", self.gate.run("rules", "push", self.path("n.rules", rule(5))).stderr)
        # Nothing is in the way of less, or of what was there.
        self.result("rules disable", sid=4)
        self.result("rules rollback")
        self.assertEqual(self.live(), [3])
        self.restart()
        self.assertEqual(self.live(), [3])
        self.gate.configure(rules_budget="10000000")
        self.result("reload")
        self.assertEqual(self.pushed(rule(5))["problems"], [])
        self.assertIn("Gbit/s a core", self.gate.run("rules", "push", self.path("n.rules", rule(5))).stdout)

    def test_a_configuration_beyond_the_budget_is_started_with(self):
        self.gate.configure(rules_budget="1", rules_over_budget='"refuse"')
        self.restart()
        self.assertEqual(self.live(), [1, 2])
        self.assertIn("more than gate.rules_budget", self.gate.said())
        self.assertEqual(self.error("reload")["code"], "over_budget")

    def test_a_compile_beyond_its_bounds_is_ended_and_told(self):
        # Expressions without a literal, which Hyperscan takes long for; and rules that are many.
        slow = "".join('alert smtp any any -> any any (msg:"m"; email.body; '
                       f'pcre:"/[a-{chr(98 + n % 24)}]{{3,{40 + n % 50}}}[0-9]{{2,{20 + n}}}[^x]{{0,30}}[k-z]/"; sid:{n + 1};)\n'
                       for n in range(400))
        large = "".join(rule(n) for n in range(1, 150001))
        # A reload is held to what was in force before it: a second is for the last push alone.
        for text, bounds, said in ((large, {"compile_time": '"1h"', "compile_memory": '"64Mi"'}, "gate.compile_memory"),
                                   (slow, {"compile_time": '"1s"', "compile_memory": '"4Gi"'}, "gate.compile_time")):
            self.gate.configure(**bounds)
            self.result("reload")
            before = self.result("rules list")
            with self.gate.client() as client:
                for at in range(0, len(text), 30000):
                    self.assertTrue(client.ask("rules stage", file="a", text=text[at:at + 30000])["ok"])
                error = client.ask("rules push")["error"]
            self.assertEqual(error["code"], "compile_failed", error)
            self.assertIn(said, error["message"])
            self.assertEqual(self.result("rules list"), before)
            children = Path(f"/proc/{self.gate.process.pid}/task/{self.gate.process.pid}/children").read_text()
            self.assertEqual(children.strip(), "")

    # Where the rules come from

    def test_pushed_rules_outlive_restarts_and_reloads(self):
        self.pushed(rule(7))
        self.configured.write_text(rule(1) + rule(8))
        result = self.result("reload")
        self.assertEqual((result["rules_source"], self.live()), ("pushed", [7]))
        for how in (signal.SIGTERM, signal.SIGKILL):
            self.restart(how)
            self.assertEqual(self.live(), [7])
        before = len(self.history())
        result = self.result("rules push", configuration=True)
        self.assertEqual((result["rules_source"], self.live()), ("configuration", [1, 8]))
        self.restart()
        self.assertEqual(self.live(), [1, 8])
        self.configured.write_text(rule(1))
        self.result("reload")
        self.assertEqual(self.live(), [1])
        self.assertEqual([e["how"] for e in self.history()[:2]], ["reload", "push"])
        self.assertEqual(len(self.history()), before + 2)

    def test_what_a_rule_is_told_leaves_the_source_as_it_is(self):
        self.result("rules disable", sid=1)
        self.assertEqual(self.result("rules list")["source"], "configuration")
        # What lies there by now is not what is in force.
        self.configured.write_text(rule(8))
        self.result("rules shadow", sid=2, state="on")
        self.assertEqual(set(self.states()), {1, 2})
        self.result("reload")
        self.assertEqual(set(self.states()), {8})

    def test_a_push_that_is_lost_is_told_of_and_the_gate_starts(self):
        self.pushed(rule(7))
        self.gate.stop()
        for text in (self.folder / "state" / "rules").glob("*.rules"):
            text.write_bytes(text.read_bytes()[:-3] + b"x\n\n")
        self.gate.start()
        self.assertEqual((self.live(), self.result("rules list")["source"]), ([1, 2], "configuration"))
        problems = self.result("reload")["problems"]
        self.assertEqual(problems, [])
        self.assertIn("those of gate.rules are", self.gate.said())

    def test_a_damaged_memory_of_rules_is_not_started_with(self):
        self.gate.stop()
        (self.folder / "state" / "rules" / "rules.json").write_text('{"version": 1, "text": 7}')
        self.gate.start(ready=False)
        self.assertEqual(self.gate.process.wait(60), 1)
        self.assertIn("rules.json", self.gate.said())

    def test_where_the_disk_refuses_it_says_so_and_tries_again(self):
        block = self.folder / "state" / "rules" / "rules.json.new"
        block.mkdir()
        result = self.pushed(rule(7))
        self.assertIs(result["stored"], False)
        self.assertIn("lost when posternd ends", result["warning"])
        self.assertEqual(self.live(), [7])
        block.rmdir()
        state = self.folder / "state" / "rules" / "rules.json"
        wait_for("it is stored", lambda: json.loads(state.read_text())["source"] == "pushed")
        self.restart(signal.SIGKILL)
        self.assertEqual(self.live(), [7])

    def test_without_its_cache_it_only_takes_longer(self):
        self.gate.stop()
        cache = self.folder / "state" / "cache"
        for file in cache.iterdir():
            file.write_bytes(b"torn")
        self.gate.start()
        self.assertEqual(self.live(), [1, 2])
        shutil.rmtree(cache)
        cache.write_text("no directory")
        result = self.pushed(rule(1) + rule(2))
        self.assertEqual(result["databases"]["found"], 0)
        self.assertIn("can't be kept", " ".join(p["message"] for p in result["problems"]))

    # Generations

    def test_a_rollback_is_to_the_text_of_then(self):
        first = self.result("rules list")["generation"]
        second = self.pushed(rule(5))["generation"]
        third = self.pushed(rule(5, 2, "changed") + rule(6))["generation"]
        result = self.result("rules rollback", reason="it hit everybody")
        self.assertEqual((self.states()[5][0], len(self.states())), (1, 1))
        self.assertGreater(result["generation"], third)
        newest = self.history()[0]
        self.assertEqual((newest["how"], newest["of"], newest["reason"]), ("rollback", second, "it hit everybody"))
        # Twice is back and forth.
        self.result("rules rollback")
        self.assertEqual(set(self.states()), {5, 6})
        # The configuration's, though its file has changed since.
        self.configured.write_text(rule(9))
        self.result("rules rollback", generation=first)
        self.assertEqual(self.live(), [1, 2])
        self.restart()
        self.assertEqual(self.live(), [1, 2])
        self.assertEqual(self.error("rules rollback", generation=4711)["code"], "no_such_generation")
        os.unlink(next((self.folder / "state" / "rules").glob(self.history()[2]["text"] + "*")))
        gone = self.history()[2]
        self.assertIs(gone["kept"], False)
        self.assertEqual(self.error("rules rollback", generation=gone["generation"])["code"], "bad_rules")
        self.assertEqual(self.live(), [1, 2])

    def test_there_is_nothing_to_go_back_to_at_first(self):
        self.assertEqual(self.error("rules rollback")["code"], "no_such_generation")

    def test_the_history_is_bounded_and_so_are_the_texts(self):
        with self.gate.client() as client:
            for n in range(230):
                client.ask("rules stage", file="a", text=rule(5, 1 + n))
                self.assertTrue(client.ask("rules push")["ok"])
        history = self.history()
        self.assertEqual(len(history), 200)
        self.assertTrue(all(e["kept"] for e in history))
        self.assertEqual(len(list((self.folder / "state" / "rules").glob("*.rules"))), 200)
        self.assertEqual(self.states()[5][0], 230)

    # Single rules

    def test_what_is_decided_over_a_rule_outlives_pushes_and_restarts(self):
        self.result("rules disable", sid=1, reason="too loud")
        self.result("rules shadow", sid=2, state="on")
        wanted = {1: (1, "disabled", "command"), 2: (1, "shadow", "command")}
        self.assertEqual(self.states(), wanted)
        self.assertEqual(self.result("rules")["sids"], [2])
        self.restart(signal.SIGKILL)
        self.assertEqual(self.states(), wanted)
        self.pushed(rule(1, 2) + rule(3))
        self.assertEqual(self.states(), {1: (2, "disabled", "command"), 3: (1, "live", "rule")})
        self.assertEqual(self.result("rules list")["overrides_unused"], [2])
        self.pushed(rule(1, 2) + rule(2, 2) + rule(3))
        self.assertEqual(self.states()[2], (2, "shadow", "command"))
        self.assertEqual([r["sid"] for r in self.result("rules list", state="disabled")["rules"]], [1])
        self.result("rules enable", sid=1)
        self.result("rules shadow", sid=2, state="own")
        self.assertEqual(self.live(), [1, 2, 3])
        self.assertEqual([e["how"] for e in self.history()[:2]], ["shadow", "enable"])
        self.assertEqual(self.history()[0]["sid"], 2)

    def test_a_rule_that_is_in_shadow_by_its_text_can_be_made_to_act(self):
        self.pushed(rule(5).replace("rev:1;", "rev:1; metadata:shadow yes;"))
        self.assertEqual(self.states()[5], (1, "shadow", "rule"))
        self.result("rules shadow", sid=5, state="off")
        self.assertEqual(self.states()[5], (1, "live", "command"))

    def test_rules_that_are_not_there_have_nothing_to_be_told(self):
        for command in ("rules disable", "rules enable"):
            self.assertEqual(self.error(command, sid=77)["code"], "no_such_rule")
            self.assertEqual(self.error(command, sid=0)["code"], "no_such_rule")
            self.assertEqual(self.error(command, sid=1 << 40)["code"], "no_such_rule")
        self.assertEqual(self.error("rules shadow", sid=1, state="maybe")["code"], "bad_argument")
        self.assertEqual(self.error("rules list", state="asleep")["code"], "bad_argument")

    def test_a_push_in_shadow_is_live_with_the_next_that_is_not(self):
        result = self.pushed(rule(1) + rule(2, 2) + rule(3), shadow=True)
        self.assertEqual(result["counts"]["shadow"], 2)
        self.assertEqual(self.states(), {1: (1, "live", "rule"), 2: (2, "shadow", "push"), 3: (1, "shadow", "push")})
        self.restart()
        self.assertEqual(self.states()[3], (1, "shadow", "push"))
        # What goes on changing in shadow stays there.
        self.pushed(rule(1) + rule(2, 3) + rule(3), shadow=True)
        self.assertEqual(self.live(), [1])
        # By command, one at a time; which outlives the end of the others' shadow.
        self.result("rules shadow", sid=2, state="off")
        self.assertEqual(self.live(), [1, 2])
        self.result("rules shadow", sid=1, state="on")
        result = self.pushed(rule(1) + rule(2, 3) + rule(3))
        self.assertEqual(result["changes"]["rules"]["modified"], {"count": 1, "sids": [3]})
        self.assertEqual(self.live(), [2, 3])

    def test_a_rollback_from_a_push_in_shadow_is_to_what_acted(self):
        self.pushed(rule(1, 2, "tried") + rule(2), shadow=True)
        self.assertEqual(self.live(), [2])
        self.result("rules rollback")
        self.assertEqual(self.states()[1], (1, "live", "rule"))
        self.result("rules rollback")
        self.assertEqual(self.states()[1], (2, "shadow", "push"))

    # What rules load

    def test_what_rules_load_is_kept_with_them(self):
        values = self.path("bad.lst", base64.b64encode(b"x.example").decode() + "\n")
        text = 'alert smtp any any -> any any (msg:"d"; smtp.helo; dataset:isset,bad,type string,load bad.lst; sid:%d;)\n'
        configured = self.path("load.rules", text % 5)
        self.gate.configure(rules=f'[ "{configured}" ]')
        first = self.result("reload")["generation"]
        done = self.gate.run("rules", "push", os.path.relpath(self.path("pushed.rules", text % 6)))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        kept = [f.read_bytes() for f in (self.folder / "state" / "rules").glob("*.rules")]
        self.assertEqual(sum(values.read_bytes() in text for text in kept), 2)
        values.unlink()
        self.restart()
        self.assertEqual(self.live(), [6])
        self.result("rules disable", sid=6)
        self.result("rules rollback", generation=first)
        self.assertEqual(self.live(), [5])
        # The configuration's is read anew, and is gone.
        self.assertIn("bad.lst", self.error("rules push", configuration=True)["problems"][0]["message"])
        for words in (("push", configured), ("push", configured, "--no-test")):
            done = self.gate.run("rules", *words)
            self.assertEqual(done.returncode, 1)
            self.assertIn("bad.lst", done.stderr)
        self.assertEqual(self.live(), [5])

    def test_what_rules_load_can_be_staged(self):
        text = 'alert smtp any any -> any any (msg:"d"; smtp.helo; dataset:isset,bad,type string,load bad.lst; sid:5;)\n'
        with self.gate.client() as client:
            client.ask("rules stage", file="/nowhere/a.rules", text=text)
            self.assertEqual(client.ask("rules push")["error"]["code"], "bad_rules")
            client.ask("rules stage", file="/nowhere/a.rules", text=text)
            client.ask("rules stage", file="/nowhere/bad.lst", text="eC5leGFtcGxl\n", data=True)
            self.assertEqual(client.ask("rules push")["result"]["counts"]["rules"], 1)

    # `postern`

    def test_what_people_type(self):
        pack = self.folder / "pack"
        pack.mkdir()
        (pack / "a.rules").write_text(rule(5) + "# é \\ \" \t\n")
        (pack / "b.rules").write_text(rule(6))
        done = self.gate.run("rules", "push", pack, self.path("c.rules", rule(7)), "--shadow", "--reason", "a try")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("3 in shadow", done.stdout)
        self.assertIn("new rules", done.stdout)
        for words, shown in ((("list",), "a.rules:1"), (("history",), "a try"), (("shadow", 5, "off"), "2 in shadow"),
                             (("disable", 6), "1 off"), (("enable", 6), "0 off"), (("list", "--state", "live"), "rule 5"),
                             (("rollback", 1), "gone rules"), (("rollback",), "new rules"),
                             (("push", "--configuration"), "gone rules")):
            done = self.gate.run("rules", *words)
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)
            self.assertIn(shown, done.stdout, words)
        self.assertEqual(json.loads(self.gate.run("rules", "push", pack, "--json").stdout)["counts"]["rules"], 2)
        self.assertEqual(len(json.loads(self.gate.run("rules", "list", "--json").stdout)["rules"]), 2)
        self.assertIn("not those of gate.rules", self.gate.run("reload").stdout)

    def test_a_failed_sample_is_in_the_way_of_a_push(self):
        rules = self.path("s.rules", rule(5) + rule(6))
        samples = self.path("s.samples", '5 match\n\tsmtp.helo "x5"\n5 miss\n\tsmtp.helo "y5"\n')
        done = self.gate.run("rules", "push", rules, "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(json.loads(done.stdout)["tested"]["samples"], 2)
        before = self.result("rules list"), self.history()
        rules.write_text(rule(5, 2, "z5") + rule(6))
        done = self.gate.run("rules", "push", rules)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("s.samples:1", done.stderr)
        self.assertIn("1 samples failed; nothing was pushed", done.stderr)
        samples.write_text('5 match\n\tsmtp.helo "z5"\n5 miss\n\tsmtp.helo "y5"\n7 match\n\tsmtp.helo "no such rule"\n')
        self.assertEqual(self.gate.run("rules", "push", rules).returncode, 1)
        samples.write_text("5 match\n\tsmtp.bogus \"z5\"\n")
        done = self.gate.run("rules", "push", rules)
        self.assertEqual(done.returncode, 1)
        self.assertIn("s.samples:2:", done.stderr)
        self.assertEqual((self.result("rules list"), self.history()), before)
        self.assertEqual(self.gate.run("rules", "push", rules, "--no-test").returncode, 0)
        self.assertEqual(self.states()[5][0], 2)

    def test_what_people_type_wrong(self):
        before = self.result("rules list")["generation"]
        latin = self.folder / "latin.rules"
        latin.write_bytes(rule(5).encode() + b"# caf\xe9\n")
        bad = self.path("bad.rules", rule(5) + "alert smtp any any -> any any (bogus; sid:6;)\n")
        for words, status, said in (
                (("push",), 2, "usage"), (("push", "--configuration", "x"), 2, "usage"), (("push", "--bogus"), 2, "usage"),
                (("push", "/nowhere"), 1, "/nowhere: error: No such file"), (("push", latin), 1, "latin.rules:2: error"),
                (("push", self.path("empty.rules", "")), 1, "nothing in these files"),
                (("push", bad), 1, "bad.rules:2:"), (("push", self.path("no.rules", "# no\n")), 1, "there is no rule"),
                (("push", self.folder / "state"), 1, "error"),
                (("rollback", "x"), 2, "usage"), (("rollback", 99), 1, "generation 99"), (("disable",), 2, "usage"),
                (("disable", "x"), 2, "usage"), (("disable", 99), 1, "no rule with sid 99"), (("shadow", 1), 2, "usage"),
                (("shadow", 1, "maybe"), 1, "maybe"), (("list", "--state", "x"), 1, "state"), (("history", "x"), 2, "usage"),
                (("bogus",), 2, "no command")):
            done = self.gate.run("rules", *words)
            self.assertEqual(done.returncode, status, (words, done))
            self.assertIn(said, done.stderr, words)
        self.assertEqual(self.result("rules list")["generation"], before)

    # What would have been hit

    def attempt(self, text, *options):
        """`postern rules try` against what runs: new, gone and same hits."""
        path = self.path("mine.rules", text)
        result = self.gate.run("rules", "try", path, "--on", CAPTURE, "--json", *options)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        hits = json.loads(result.stdout)["hits"]
        return hits["new"], hits["gone"], hits["same"]

    def test_rules_are_tried_against_what_runs(self):
        some = rule(1, content="mail.")
        new, _, same = self.attempt(some)  # rule 1 of the configuration looks for x1
        self.assertGreater(new, 0)
        self.assertEqual(same, 0)
        self.pushed(some)
        self.assertEqual(self.attempt(some), (0, 0, new))
        self.assertEqual(self.attempt(rule(1, content="nothing")), (0, new, 0))
        self.result("rules disable", sid=1)
        self.assertEqual(self.attempt(some), (new, 0, 0))


if __name__ == "__main__":
    POSTERND, POSTERN = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
