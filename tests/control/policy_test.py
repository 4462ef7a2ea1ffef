#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What is in force and where it comes from; what another file would change; new tenants: policy_test.py POSTERND POSTERN

posternd without a dataplane: what it writes into tenants' slots is what `policy` shows as in force.
"""
import json
import signal
import sys
import tempfile
import time
import unittest
from pathlib import Path

from gate import Gate, wait_for

TIERS = """tiers: {
  bulk: { messages = "60/h"; calls = "1/s"; recipients_per_message = 50; };
  new: { messages = "60/min"; calls = "1/s";
    warmup = ( { days = 1; messages = "1/min"; }, { days = 7; messages = "10/min"; recipients_per_message = 5; } ); };
};
"""
TENANTS = """(
  { id = 7; name = "acme"; prefixes = [ "192.0.2.0/25" ]; tier = "bulk"; limits: { calls = "5/s"; }; },
  { id = 8; name = "none"; prefixes = [ "192.0.2.128/25" ]; risk = "on"; } )"""


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Policy(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.gate = Gate(self.folder, POSTERND, POSTERN)
        self.gate.configure(tenants=TENANTS, extra=TIERS)
        self.addCleanup(self.gate.stop, signal.SIGKILL)

    def ask(self, command, **arguments):
        answer = self.gate.ask(command, **arguments)
        self.assertTrue(answer["ok"], answer)
        return answer["result"]

    def limits(self, tenant):
        return {limit["name"]: limit for limit in self.ask("policy", tenant=tenant)["tenant"]["limits"]}

    def run_policy(self, *words, status=0):
        result = self.gate.run("policy", *words)
        self.assertEqual((result.returncode, result.stderr), (status, ""), (words, result.stdout))
        return result.stdout

    # show

    def test_every_limit_says_where_it_comes_from(self):
        self.gate.start()
        limits = self.limits("acme")
        self.assertEqual([limits[n]["from"] for n in ("messages", "calls", "bytes")], ["tier", "tenant", "none"])
        self.assertEqual([limits[n]["value"] for n in ("messages", "calls", "bytes")], ["60/h", "5/s", "unlimited"])
        self.assertRegex(limits["messages"]["place"], r"postern\.conf:\d+$")
        line = int(limits["messages"]["place"].rsplit(":", 1)[1])
        self.assertIn("bulk", self.gate.config.read_text().splitlines()[line - 1])
        self.assertEqual(limits["recipients_per_message"]["in_force"], {"count": 50})
        self.assertEqual(limits["messages"]["in_force"]["burst"], 60)
        self.assertEqual(limits["bytes"]["in_force"]["per_second"], None)

    def test_limits_of_mail_are_the_tenants_the_tiers_or_the_gates(self):
        self.gate.configure(tenants=TENANTS.replace('tier = "bulk"; limits: {', 'tier = "letters"; limits: { same_body = 30;').replace(
            'risk = "on"', 'tier = "letters"'), extra=TIERS.replace("tiers: {", 'tiers: { letters: { mail_class = "bulk"; '
            'distinct_recipients = 1000; distinct_domains = 50; per_domain = "40/h"; };') +
            'policy: { mail: { per_domain = "20/h"; same_body = "9/h"; }; };')
        self.gate.start()
        acme, none = self.limits("acme"), self.limits("none")
        self.assertEqual([acme[n]["from"] for n in ("same_body", "per_domain", "distinct_recipients", "calls_at_once")],
                         ["tenant", "tier", "tier", "none"])
        self.assertEqual(acme["same_body"]["in_force"], {"count": 30})
        self.assertEqual(acme["distinct_recipients"]["in_force"], {"count": 1000})
        self.assertEqual(acme["distinct_domains"]["in_force"], {"count": 50})
        self.assertEqual(acme["per_domain"]["in_force"]["burst"], 40)
        # Who sends bulk has no limit of the same text but his own.
        self.assertEqual((none["same_body"]["from"], none["same_body"]["in_force"]), ("gate", {"count": None}))
        self.gate.configure(extra='tiers: { letters: { distinct_domains = "unlimited"; }; };\n'
                                  'policy: { mail: { per_domain = "20/h"; same_body = "9/h"; }; };')
        self.ask("reload")
        none = self.limits("none")
        self.assertEqual((none["same_body"]["value"], none["same_body"]["in_force"]), ("9/h", {"count": 9}))
        self.assertEqual((none["per_domain"]["from"], none["per_domain"]["in_force"]["burst"]), ("gate", 20))
        self.assertEqual((none["distinct_domains"]["from"], none["distinct_domains"]["in_force"]), ("tier", {"count": None}))
        self.assertEqual((none["distinct_recipients"]["from"], none["distinct_recipients"]["in_force"]), ("none", {"count": None}))
        self.assertEqual(self.ask("tenant", tenant="none")["limits"]["per_domain"]["burst"], 20)

    def test_a_command_goes_before_tier_and_tenant(self):
        self.gate.start()
        self.ask("limits set", tenant="acme", limits={"messages": "7/min", "recipients_per_message": "3", "calls_at_once": "2"})
        limits = self.limits("acme")
        self.assertEqual((limits["messages"]["value"], limits["messages"]["from"]), ("7/min", "command"))
        self.assertNotIn("place", limits["messages"])
        self.assertEqual((limits["recipients_per_message"]["value"], limits["recipients_per_message"]["from"]), ("3", "command"))
        self.assertEqual(limits["recipients_per_message"]["in_force"], {"count": 3})
        self.assertEqual((limits["calls_at_once"]["value"], limits["calls_at_once"]["in_force"]), ("2", {"count": 2}))
        self.ask("tenant suspend", tenant="acme", reason="spam")
        tenant = self.ask("policy", tenant="acme")["tenant"]
        self.assertEqual((tenant["state"], tenant["state_from"]), ("suspended", "command"))

    def test_modes_checks_and_thresholds_have_places(self):
        self.gate.configure(extra=TIERS + 'policy: { actions: { opt_out = "alert"; }; };\nrisk: { suspend = 90; };\n')
        self.gate.start()
        result = self.ask("policy")
        checks = {check["name"]: check for check in result["checks"]}
        self.assertEqual(checks["opt_out"]["action"], "alert")
        self.assertRegex(checks["opt_out"]["from"], r"postern\.conf:\d+$")
        self.assertEqual((checks["do_not_call"]["action"], checks["do_not_call"]["from"], checks["do_not_call"]["row"]),
                         ("reject", "default", "AUP-DNC"))
        risk = {s["setting"]: s for s in result["risk"]}
        self.assertEqual(risk["risk.suspend"]["value"], "90")
        self.assertNotEqual(risk["risk.suspend"]["from"], "default")
        self.assertEqual((risk["risk.watch"]["value"], risk["risk.watch"]["from"]), ("25", "default"))
        self.assertEqual({name: tier["tenants"] for name, tier in result["tiers"].items()}, {"bulk": 1, "new": 0})
        self.assertEqual(self.ask("policy", tenant="none")["tenant"]["risk"]["mode"], "on")
        self.assertEqual(self.ask("policy", tenant="acme")["tenant"]["risk"]["from"], "default")
        self.assertEqual(list(self.ask("policy", tier="bulk")["tiers"]), ["bulk"])
        self.assertEqual(self.gate.ask("policy", tier="none")["error"]["code"], "no_such_tier")
        self.assertEqual(self.gate.ask("policy", tenant="nobody")["error"]["code"], "no_such_tenant")

    def test_what_people_read(self):
        self.gate.start()
        self.ask("limits set", tenant="acme", limits={"messages": "7/min"})
        text = self.run_policy("show", "acme")
        for words in ("tenant acme, id 7, tier bulk".split()[1], "7/min", "command", "tier bulk", "CHECKS", "opt_out"):
            self.assertIn(words, text)
        text = self.run_policy("show")
        for words in ("TIERS", "THRESHOLDS", "ANSWERS", "550 5.7.1 Refused by policy", "default"):
            self.assertIn(words, text)
        self.assertIn("60/h", self.run_policy("show", "--tier", "bulk"))
        self.assertTrue(json.loads(self.run_policy("show", "acme", "--json")))
        for words in (["show", "a", "b"], ["show", "acme", "--tier", "x"], [], ["bogus"], ["lint"], ["diff"]):
            self.assertEqual(self.gate.run("policy", *words).returncode, 2, words)

    # diff

    def changes(self, *files, status=1):
        return json.loads(self.run_policy("diff", "--json", *map(str, files), status=status))["changes"]

    def test_a_file_against_what_is_in_force(self):
        self.gate.start()
        self.assertEqual(self.changes(self.gate.config, status=0), [])
        self.assertEqual(self.run_policy("diff", str(self.gate.config)), "no difference\n")
        self.ask("limits set", tenant="acme", limits={"messages": "7/min", "calls_at_once": "2"})
        new = Path(self.folder) / "new.conf"
        new.write_text(self.gate.config.read_text().replace('calls = "5/s"', 'calls = "6/s"').replace(
            '{ id = 8; name = "none"', '{ id = 9; name = "other"').replace('"60/h"', '"1/min burst 60"'))
        changes = self.changes(new)
        self.assertIn({"removed": "tenants.none"}, changes)
        self.assertIn({"added": "tenants.other"}, changes)
        by_name = {c["setting"]: c for c in changes if "setting" in c}
        # What a person has set is told, and is no tier's.
        self.assertEqual(sorted(by_name), ["tenants.acme.limits.calls", "tenants.acme.limits.calls_at_once",
                                           "tenants.acme.limits.messages", "tiers.bulk.messages"])
        self.assertEqual((by_name["tenants.acme.limits.calls"]["before"], by_name["tenants.acme.limits.calls"]["after"]), ("5/s", "6/s"))
        self.assertEqual(by_name["tenants.acme.limits.messages"]["was_from"], "command")
        self.assertEqual(self.changes(self.gate.config, new)[:2], [{"removed": "tenants.none"}, {"added": "tenants.other"}])

    def test_thousands_of_settings_come_in_several_answers(self):
        many = ",\n".join(f'{{ id = {i}; name = "t{i}"; prefixes = [ "10.{i >> 8}.{i & 255}.0/24" ]; tier = "bulk"; }}'
                          for i in range(1, 1001))
        self.gate.configure(tenants=f"( {many} )")
        self.gate.start()
        self.assertEqual(self.changes(self.gate.config, status=0), [])
        new = Path(self.folder) / "new.conf"
        new.write_text(self.gate.config.read_text().replace('name = "t900"; prefixes', 'name = "t900"; country = "US"; prefixes'))
        self.assertEqual([c["setting"] for c in self.changes(new)], ["tenants.t900.country"])
        bad = Path(self.folder) / "bad.conf"
        bad.write_text("tenants: ( { } );\n")
        result = self.gate.run("policy", "diff", str(bad))
        self.assertEqual(result.returncode, 1)
        self.assertIn('needs the setting "id"', result.stderr)

    # lint

    def test_lint_says_file_line_and_column(self):
        config = Path(self.folder) / "odd.conf"
        config.write_text('tiers: { t: { messages = "1/s"; calls = "1/s"; }; };\n'
                          'tenants: ( { id = 1; name = "a"; prefixes = [ "10.0.0.0/8" ]; tier = "t"; } );\n'
                          'policy: {\n  shadow = true;\n};\n')
        result = self.gate.run("policy", "lint", str(config))
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, f"{config}:4:3: policy.shadow: every limit, check and rule is counted, and none is "
                                        "enforced [shadow]\n")
        notes = json.loads(self.gate.run("policy", "lint", "--json", str(config)).stdout)["notes"]
        self.assertEqual([(n["kind"], n["setting"], n["line"], n["column"]) for n in notes], [("shadow", "policy.shadow", 4, 3)])
        config.write_text(config.read_text().replace("true", "false"))
        result = self.gate.run("policy", "lint", str(config))
        self.assertEqual((result.returncode, result.stdout), (0, f"{config}: nothing odd\n"))
        config.write_text("nonsense = 1;\n")
        result = self.gate.run("policy", "lint", str(config))
        self.assertEqual(result.returncode, 1)
        self.assertIn("no such setting", result.stderr)

    # Warm-up

    def new_tenants(self, **since):
        tenants = ",".join(f'{{ id = {i + 1}; name = "{name}"; prefixes = [ "10.{i}.0.0/16" ]; tier = "new"; since = "{when}"; }}'
                           for i, (name, when) in enumerate(since.items()))
        self.gate.configure(tenants=f"( {tenants} )")

    def per_minute(self, tenant):
        return round(self.limits(tenant)["messages"]["in_force"]["per_second"] * 60)

    def test_a_new_tenant_has_the_lower_of_both(self):
        day, now = 86400, time.time()
        self.new_tenants(today=stamp(now - 60), days=stamp(now - 2 * day), passed=stamp(now - 8 * day), later=stamp(now + day))
        self.gate.start()
        self.assertEqual([self.per_minute(t) for t in ("today", "days", "passed", "later")], [1, 10, 60, 1])
        self.assertEqual(self.limits("today")["messages"]["lowered_by"], ["warmup"])
        self.assertEqual(self.limits("passed")["messages"]["lowered_by"], [])
        self.assertEqual(self.limits("days")["recipients_per_message"]["in_force"], {"count": 5})
        self.assertTrue(self.ask("policy", tenant="passed")["tenant"]["warmup"]["passed"])
        warmup = self.ask("policy", tenant="days")["tenant"]["warmup"]
        self.assertEqual((warmup["passed"], warmup["step"], warmup["steps"]), (False, 2, 2))
        self.assertAlmostEqual(warmup["until"], now + 5 * day, delta=5)
        self.assertIn("step 2 of 2 until", self.run_policy("show", "days"))
        self.assertIn("passed", self.run_policy("show", "passed"))
        # What a person has set stays as it was set.
        self.ask("limits set", tenant="today", limits={"messages": "30/min"})
        self.assertEqual(self.per_minute("today"), 30)

    def test_a_step_changes_over_by_itself(self):
        for soon in (2, 20, 200):  # a slow machine may take longer to start it
            self.new_tenants(acme=stamp(time.time() - 86400 + soon))
            self.gate.start()
            if self.per_minute("acme") == 1:
                break
            self.gate.stop()
            self.gate.eve.unlink()
        wait_for("the next step holds", lambda: self.per_minute("acme") == 10)
        told = [e for e in self.gate.events("gate") if e["gate"]["event"] == "warmup_step"]
        self.assertEqual([e["tenant"] for e in told], ["acme"])
        self.assertAlmostEqual(told[0]["gate"]["until"], time.time() + 6 * 86400, delta=90)
        # Another posternd goes by the age, not by what was before.
        self.gate.stop(signal.SIGKILL)
        self.gate.start()
        self.assertEqual(self.per_minute("acme"), 10)


if __name__ == "__main__":
    POSTERND, POSTERN = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
