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
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
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


class Explain(Command):
    def explain(self, *args, **options):
        return " ".join(self.rules("explain", *args, **options).split())

    def test_a_shipped_rule_by_its_number(self):
        said = self.explain("9000003", "-r", RULES)
        for words in ("9000003, revision 1: EHLO name of a spam bot", "headers.rules:4", "mail (SMTP) from a tenant to anyone",
                      "smtp.helo: argument of HELO or EHLO", '- holds "ylmf-pc" in either case', "- is 7 bytes long",
                      'it is refused; the client hears "550 5.7.1 This client is known for abuse"', "10 points against the tenant",
                      '"ylmf-pc" in either case is looked for first', "cost", "that it must match"):
            self.assertIn(words, said)

    def test_every_shipped_rule_has_its_words(self):
        said = self.rules("explain", *sorted(RULES.glob("*.rules")))
        rules = sum(len([line for line in path.read_text().splitlines() if line and not line.startswith(("#", "\t", " "))])
                    for path in RULES.glob("*.rules"))
        self.assertEqual(len([line for line in said.splitlines() if ", revision " in line]), rules)
        for part in ("  of ", "  where ", "  then ", "  search ", "  cost "):
            self.assertEqual(len([line for line in said.splitlines() if line.startswith(part)]), rules, part)
        self.assertNotIn("likewise", said)

    def test_the_plan_is_the_compilers(self):
        said = self.explain(self.path("plan.rules", """\
alert smtp any any -> any any (msg:"a"; email.body; content:"rare words"; content:"x"; distance:0; within:9; pcre:"/b+c/R"; sid:1;)
alert smtp any any -> any any (msg:"b"; email.body; pcre:"/[0-9]{4}[a-f]+(?=x)/"; sid:2;)
alert smtp any any -> any any (msg:"c"; email.subject; content:!"no"; bsize:<9; sid:3;)
alert smtp any any -> any any (msg:"d"; email.body; content:"much longer"; content:"short"; distance:0; fast_pattern; sid:4;)
"""))
        for words in ('"rare words" is looked for first (the rarest of what hangs together); where it is, PCRE2 decides',
                      "bytes before and after it are seen, however packets cut the body",
                      '- holds "x", after the one before, within 9 bytes of there',
                      '- matches the expression "/b+c/R", from where the one before ends',
                      "Hyperscan runs /[0-9]{4}[a-f]+(?=x)/ on every byte", "PREFILTER", "PCRE2 decides",
                      "this expression runs on every byte of the buffer",
                      '- does not hold "no"', "- is shorter than 9 bytes",
                      '"short" is looked for first (fast_pattern chose it)',
                      "email.body: a streaming search", "email.subject: a block search"):
            self.assertIn(words, said)

    def test_what_is_kept_of_a_body_is_said(self):
        rule = 'reject smtp any any -> any any (msg:"k"; email.body; content:"words"; metadata:%srisk 2; sid:1;)\n'
        words = "keeps of a mail that it refuses 200 bytes of the body around what it found, redacted, as evidence"
        self.assertIn(words, self.explain(self.path("keep.rules", rule % "keep 200, ")))
        self.assertNotIn("keeps", self.explain(self.path("none.rules", rule % "")))

    def test_what_has_no_sentence_is_shown_as_it_stands(self):
        said = self.explain(self.path("plain.rules", 'alert smtp any 25 <> [192.0.2.1,$HOME_NET] any (msg:"n"; priority:7; email.subject; '
                                      'content:"ab"; byte_test:2,>,5,0; metadata:colour blue, aup AUP-X; reference:url,example.com/a; sid:1;)\n'))
        for words in ("between anyone, port 25 and [192.0.2.1,$HOME_NET], either way",
                      "- byte_test:2,>,5,0 (compares a number in the buffer)", "metadata colour blue", "policy AUP-X",
                      "also priority:7 (", "see url,example.com/a"):
            self.assertIn(words, said)

    def test_the_cost_over_a_capture(self):
        said = self.explain(self.path("my.rules", COUNTED), "--on", self.capture)
        self.assertIn(f"ns per KiB of {self.capture}, where something of it was found 9 times", said)

    def test_for_machines_it_says_the_same(self):
        explained = self.json("explain", *sorted(RULES.glob("*.rules")))
        for rule in explained:
            labels = [line["label"] for line in rule["words"]]
            self.assertEqual((labels[0], labels[-1]), ("of", "then"), rule["sid"])
            self.assertTrue(rule["search"] and rule["samples"]["match"] and rule["samples"]["miss"], rule["sid"])
            self.assertIn("ns_per_kib", rule["cost"])
            if rule["sid"] % 25 != 3:
                continue
            said = self.explain(str(rule["sid"]), "-r", rule["file"])
            for text in [rule["msg"], f"{rule['file']}:{rule['line']}"] + [
                    " ".join(text.split()) for line in rule["words"] for text in [line["text"], *line["more"]]] + [
                    " ".join(chain["words"].split()) for chain in rule["search"]]:
                self.assertIn(text.replace(r"\x5cx", r"\x"), said)
        self.assertEqual(len({rule["sid"] for rule in explained}), len(explained))

    def test_the_plan_for_machines(self):
        rules = self.path("plan.rules", b"""\
alert smtp any any -> any any (msg:"caf\xe9"; email.body; content:"rare words"; nocase; content:"x"; distance:0; within:9; sid:1;)
alert smtp any any -> any any (msg:"b"; email.body; pcre:"/[0-9]{4}[a-f]+(?=x)/"; sid:2;)
alert smtp any any -> any any (msg:"c"; email.subject; pcre:"/(?:prize|lottery) [0-9]/"; bsize:<9; sid:3;)
""")
        a, b, c = self.json("explain", rules)
        self.assertEqual(a["msg"], "caf\\xe9")
        first = a["search"][0]
        self.assertEqual((first["how"], first["literal"], first["nocase"], first["mode"], first["confirmed"]),
                         ("literal", "rare words", True, "stream", True))
        self.assertGreater(first["reach"], 0)
        self.assertEqual((b["search"][0]["how"], b["search"][0]["every_byte"], b["search"][0]["prefilter"]), ("expression", True, True))
        self.assertTrue(b["cost"]["alone"])
        self.assertEqual(b["warnings"][0]["line"], 2)
        self.assertEqual([chain["how"] for chain in c["search"]], ["expression", "length"])
        self.assertFalse(c["search"][0]["every_byte"])
        self.assertEqual(c["samples"], {"match": 0, "miss": 0})

    def test_what_is_wrong_leaves_the_json_whole(self):
        half = self.path("half.rules", COUNTED.replace("bsize", "bsise"))
        explained = self.json("explain", half, status=1, said="half.rules:4:")
        self.assertEqual([rule["sid"] for rule in explained], [1, 2, 3])
        self.assertEqual(self.json("explain", "77", "-r", half, status=1, said="no rule 77 in"), [])

    def test_the_language_for_machines(self):
        lists = self.json("keywords")
        self.assertEqual(sorted(lists), ["buffers", "keywords", "refused"])
        for name, entries in lists.items():
            self.assertEqual(self.json("keywords", name), {name: entries})
            lines = self.rules("keywords", name).splitlines()[1:]
            self.assertEqual([line.split()[0] for line in lines], [entry["name"] for entry in entries])
            for line, entry in zip(lines, entries):
                self.assertTrue(entry["words"] and line.endswith(entry["words"]), line)
        body = next(entry for entry in lists["buffers"] if entry["name"] == "email.body")
        self.assertTrue(body["pieces"])
        for wrong in (("nonsense",), ("buffers", "keywords"), ("--nonsense",)):
            self.rules("keywords", *wrong, status=2, said="usage: postern rules keywords")

    def test_what_can_not_be_explained(self):
        rules = self.path("my.rules", COUNTED)
        for args, status, said in (
            ((), 2, "which rule?"),
            (("--nonsense",), 2, "nonsense"),
            (("77", "-r", rules), 1, "no rule 77 in"),
            ((self.path("nowhere"),), 1, "nowhere: error: No such file"),
            ((self.path("empty.rules", "# none\n"),), 1, "there are no rules in"),
            ((rules, "--on", self.path("nowhere")), 1, "nowhere: No such file"),
        ):
            with self.subTest(args):
                self.explain(*args, status=status, said=said)
        # A rule that is not good does not keep the others from being explained.
        said = self.explain(self.path("half.rules", COUNTED.replace("bsize", "bsise")), status=1, said="half.rules:4:")
        self.assertIn("3, revision 0: not there", said)
        self.assertNotIn("4, revision", said)


TRIED = """\
reject smtp $TENANTS any -> any any (msg:"No tests"; email.subject; content:"test"; metadata:reply "550 5.7.1 No tests"; sid:1000001;)
alert sip any any -> any any (msg:"INVITE"; sip.method; content:"INVITE"; sid:1000002; rev:4;)
alert smtp any any -> any any (msg:"never"; email.subject; content:"no such subject"; sid:1000003;)
"""


class Try(Command):
    def setUp(self):
        super().setUp()
        self.mine = self.path("my.rules", TRIED)
        self.config = CAPTURES.parent / "postern.conf"
        self.traffic = ("--on", CAPTURES / "smtp-submission.pcapng", "--on", CAPTURES / "smtp-malware.pcapng",
                        "--on", CAPTURES / "sip-calls.pcapng", "-c", self.config)

    def attempt(self, *args, **options):
        return self.json("try", self.mine, *self.traffic, *args, **options)

    def events(self, rules):
        """What one replay of the same alerts."""
        result = subprocess.run([POSTERN, "replay", "-q", "--events", "-", "-c", self.config, "-r", rules, *self.traffic[1:6:2]],
                                capture_output=True, text=True)
        return [e for e in map(json.loads, result.stdout.splitlines()) if e["event_type"] == "alert"]

    def test_new_hits_are_what_a_replay_alerts(self):
        report, events = self.attempt("--alone"), self.events(self.mine)
        self.assertEqual(report["hits"]["new"], len(events))
        self.assertEqual((report["hits"]["gone"], report["hits"]["same"]), (0, 0))
        self.assertEqual({rule["sid"]: rule["new"] for rule in report["rules"]},
                         {sid: len([e for e in events if e["alert"]["signature_id"] == sid]) for sid in (1000001, 1000002)})
        self.assertEqual({t["tenant"]: t["new"] for t in report["tenants"]},
                         {name: len([e for e in events if e["tenant"] == name]) for name in {e["tenant"] for e in events}})
        refused = [e for e in events if e["alert"]["action"] == "blocked"]
        self.assertGreater(len(refused), 0)
        self.assertEqual(report["hits"]["new_refused"], len(refused))

    def test_examples_say_whose_message_it_was(self):
        rules = {rule["sid"]: rule for rule in self.attempt("--alone", "--examples", "2")["rules"]}
        mail, call = rules[1000001]["examples"], rules[1000002]["examples"]
        self.assertEqual((len(mail), len(call)), (2, 2))
        self.assertEqual((mail[0]["tenant"], mail[0]["buffer"], mail[0]["change"]), ("acme", "email.subject", "new"))
        self.assertIn("test", mail[0]["subject"])
        self.assertIn("@", mail[0]["from"])
        self.assertEqual(call[0]["tenant"], "dial")
        self.assertRegex(call[0]["call_id"], "@192.0.2.40")
        self.assertEqual(self.attempt("--alone", "--examples", "0")["rules"][0]["examples"], [])

    def test_the_same_rules_change_nothing(self):
        report = self.attempt("-r", self.mine)
        self.assertEqual((report["hits"]["new"], report["hits"]["gone"]), (0, 0))
        self.assertEqual(report["hits"]["same"], len(self.events(self.mine)))
        self.attempt("-r", self.mine, "--check")
        self.attempt("--alone", "--check", status=1)

    def test_a_rule_laid_over_another_takes_its_place(self):
        running = self.path("running.rules", TRIED.replace('"test"', '"invoice"'))
        report = self.attempt("-r", running)
        self.assertEqual([rule["sid"] for rule in report["rules"]], [1000001, 1000002])
        changed = report["rules"][0]
        self.assertGreater(changed["new"], 0)
        self.assertGreater(changed["gone"], 0)
        self.assertEqual({e["change"] for e in changed["examples"]}, {"new", "gone"})
        self.assertEqual((report["rules"][1]["new"], report["rules"][1]["gone"]), (0, 0))

    def test_running_rules_of_other_numbers_stay_or_are_replaced(self):
        running = self.path("running.rules", 'alert smtp any any -> any any (msg:"EICAR"; file.data; content:"EICAR-STANDARD"; sid:7;)\n')
        over, instead = self.attempt("-r", running), self.attempt("-r", running, "--replace")
        self.assertEqual((over["how"], instead["how"]), ("over", "replace"))
        self.assertEqual(over["hits"]["gone"], 0)
        gone = {rule["sid"]: rule["gone"] for rule in instead["rules"] if rule["gone"]}
        self.assertEqual(gone, {7: 2})  # in smtp-malware

    def test_the_running_rules_of_a_configuration(self):
        config = self.path("postern.conf", f'gate: {{ rules = [ "{self.mine}" ]; }};\n')
        report = self.json("try", self.mine, "--on", self.capture, "-c", config)
        self.assertEqual((report["rules_running"], report["hits"]["new"]), (3, 0))
        self.rules("try", self.mine, "--on", self.capture, "-c", self.path("bad.conf", "gate: nonsense;"), status=1, said="bad.conf:1")

    def test_rules_that_tell_nobody_are_counted(self):
        rules = self.path("silent.rules", TRIED.replace("reject", "pass").replace(' metadata:reply "550 5.7.1 No tests";', ""))
        report = self.json("try", rules, "--on", self.capture, "--alone")
        self.assertEqual((report["rules_silent"], report["hits"]["new"]), (1, 0))

    def test_rules_bring_what_they_load(self):
        """Two files of rules, each with a set of its own: in one ruleset the sets must not be taken for each other."""
        rule = 'alert smtp any any -> any any (msg:"set"; smtp.helo; dataset:isset,%s,type string,load %s.lst; sid:%d;)\n'
        self.path("a.lst", "bWFpbC5hY21lLmV4YW1wbGUuY29t\n")  # base64, as Suricata's are
        self.path("b.lst", "bm8uc3VjaC5uYW1l\n")
        mine, running = self.path("a.rules", rule % ("a", "a", 1)), self.path("b.rules", rule % ("b", "b", 2))
        report = self.json("try", mine, "--on", self.capture, "-r", running)
        self.assertEqual([rule["sid"] for rule in report["rules"]], [1])
        self.assertGreater(report["hits"]["new"], 0)
        bench = self.json("bench", mine, running, "--on", self.capture, "--rounds", "1")
        self.assertEqual(bench["hits"], report["hits"]["new"])
        self.assertIn("dataset:isset,a,type string,load a.lst", " ".join(self.rules("explain", mine).split()))

    def test_a_page(self):
        page = self.rules("try", self.mine, *self.traffic, "-r", RULES)
        for words in ("3 rules laid over", "TENANT", "acme", "dial", "RULE", "No tests", "subject: test", "call: "):
            self.assertIn(words, page)

    def test_what_can_not_be_tried(self):
        on = ("--on", self.capture)
        for args, status, said in (
            ((), 2, "which rules?"),
            ((self.mine,), 2, "on which capture? --on"),
            ((self.mine, *on, "--examples", "many"), 2, "--examples: 'many' is not a number"),
            ((self.mine, *on, "--nonsense"), 2, "nonsense"),
            ((self.path("nowhere"), *on, "--alone"), 1, "nowhere: error: No such file"),
            ((self.mine, *on, "-r", self.path("nowhere")), 1, "nowhere: error: No such file"),
            ((self.mine, "--on", self.path("nowhere"), "--alone"), 1, "nowhere: No such file"),
            ((self.path("bad.rules", TRIED.replace("content", "contents")), *on, "--alone"), 1, "bad.rules:1:"),
            ((self.mine, *on, "--socket", self.path("none")), 1, "which rules are running?"),
        ):
            with self.subTest(args):
                self.assertEqual(self.rules("try", *args, status=status, said=said), "")


if __name__ == "__main__":
    POSTERN, RULES, CAPTURES = (Path(x).resolve() for x in sys.argv[1:4])
    unittest.main(argv=sys.argv[:1])
