#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Egress addresses on block lists, by a DNS server of the test's own: egress_test.py POSTERND POSTERN"""
import contextlib
import json
import signal
import sqlite3
import sys
import tempfile
import unittest

import dns
from feedback_test import delivered, log_of
from gate import Gate, wait_for

ZONE = "dnsbl.example"
OWN, SHARED, SIX = "192.0.2.1", "203.0.113.1", "2001:db8::25"
TENANTS = """( { id = 7; name = "acme"; prefixes = [ "192.0.2.0/24" ]; },
  { id = 9; name = "globex"; prefixes = [ "198.51.100.0/24" ]; } )"""


def reverse(address):
    if ":" in address:
        return ".".join(reversed("20010db8000000000000000000000025")) + "." + ZONE
    return ".".join(reversed(address.split("."))) + "." + ZONE


class Egress(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.server = dns.Server()
        self.addCleanup(self.server.close)
        self.gate = Gate(self.folder, POSTERND, POSTERN)
        self.addCleanup(self.gate.stop, signal.SIGKILL)
        self.gate.configure(tenants=TENANTS, egress=f'[ "{OWN}", "{SHARED}", "{SIX}" ]', dnsbl=f'( {{ zone = "{ZONE}"; }} )',
                            dnsbl_interval='"1s"', resolver=f'"{self.server.address}"', resolver_timeout='"20s"',
                            resolver_tries="2")

    def looks(self):
        return {look["address"]: look for look in self.gate.ask("egress")["result"]["egress"]}

    def wait_polls(self, address=OWN, count=2):
        """So many more questions for the address."""
        before = self.server.asked(reverse(address))
        wait_for("the list is asked", lambda: self.server.asked(reverse(address)) >= before + count)

    def wait_listed(self, address, listed=True):
        wait_for(f"{address} is listed: {listed}", lambda: self.looks()[address]["listed"] is listed)

    def points(self, tenant):
        terms = self.gate.ask("explain", tenant=tenant)["result"]["terms"]
        return next((term["points"] for term in terms if term["name"] == "dnsbl"), 0)

    def said(self):
        import urllib.request  # only here
        text = urllib.request.urlopen(self.gate.metrics_url, timeout=30).read().decode()
        return {line.split('"')[1]: int(line.split()[-1]) for line in text.splitlines()
                if line.startswith("postern_dnsbl_answers_total{")}

    def test_aup_blacklist_a_listing_gives_its_points_to_whose_address_it_is(self):
        self.server.says[reverse(OWN)] = dns.a("127.0.0.2", "127.0.0.4")
        self.gate.start()
        self.wait_listed(OWN)
        self.assertEqual(self.looks()[OWN]["names"], "SBL XBL")
        self.assertEqual(self.looks()[OWN]["tenant"], "acme")
        self.assertAlmostEqual(self.points("acme"), 30, delta=0.1)
        self.assertEqual(self.points("globex"), 0)
        self.assertFalse(self.looks()[SHARED]["listed"])
        self.assertRegex(self.gate.run("show", "egress").stdout, rf"{OWN} +acme +{ZONE} +SBL XBL")
        # It goes on: no more points; nor after a restart.
        self.wait_polls()
        self.gate.stop(signal.SIGTERM)
        self.gate.start()
        self.assertTrue(self.looks()[OWN]["listed"])
        self.wait_polls()
        self.assertAlmostEqual(self.points("acme"), 30, delta=0.1)
        self.server.says[reverse(OWN)] = dns.NXDOMAIN
        self.wait_listed(OWN, False)
        self.assertEqual([e["names"] for e in self.gate.gate_events("dnsbl_listed")], ["SBL XBL"])
        self.assertEqual(len(self.gate.gate_events("dnsbl_delisted")), 1)

    def test_aup_blacklist_points_of_a_shared_address_go_by_shares_of_bad_events(self):
        self.gate.start()
        for client, bounces in (("192.0.2.10", 30), ("198.51.100.10", 10)):
            bounced = [(f"{client}-{i}@x.example", [(f"u{i}@d.example", "5.1.1", "bounced", "550 5.1.1 unknown")])
                       for i in range(bounces)]
            path = self.gate.folder / "maillog"
            path.write_text(log_of(bounced + delivered(50, name=client), client=client))
            result = self.gate.run("feedback", "log", path, "--json")
            self.assertEqual(json.loads(result.stdout)["results"], {"counted": bounces + 50})
        self.server.says[reverse(SHARED)] = dns.a("127.0.0.3")
        self.wait_listed(SHARED)
        self.assertAlmostEqual(self.points("acme"), 30 * 3 / 4, delta=0.2)
        self.assertAlmostEqual(self.points("globex"), 30 / 4, delta=0.2)

    def test_ipv6_is_looked_up_by_nibbles(self):
        self.server.says[reverse(SIX)] = dns.a("127.0.0.3")
        self.gate.start()
        self.wait_listed(SIX)
        self.assertEqual(self.looks()[SIX]["names"], "CSS")

    def test_error_answers_are_no_listings(self):
        answers = {f"192.0.2.{number}": answer for number, answer in enumerate((
            dns.a("127.255.255.254"), dns.a("127.0.0.2", "127.255.255.252"), dns.a("93.184.216.34"), dns.SERVFAIL, dns.REFUSED,
            {"silent": True}, {"wrong_id": True, "records": dns.a("127.0.0.2")}, {"truncated": True, "silent": True}))}
        self.server.says.update((reverse(address), answer) for address, answer in answers.items())
        egress = ", ".join(f'"{address}"' for address in answers)
        self.gate.configure(egress=f"[ {egress} ]", resolver_timeout='"100ms"')
        self.gate.start()
        wait_for("each said nothing", lambda: {look["answer"] for look in self.looks().values()} == {"nothing"})
        wait_for("twice", lambda: self.said()["nothing"] >= 2 * len(answers))
        self.assertEqual([look["address"] for look in self.looks().values() if look["listed"]], [])
        self.assertEqual(self.gate.gate_events("dnsbl_listed"), [])

    def test_what_says_nothing_leaves_a_listing_as_it_was(self):
        answers = {OWN: dns.SERVFAIL, SHARED: dns.a("127.255.255.254"), SIX: {"silent": True}}
        self.server.says.update((reverse(address), dns.a("127.0.0.2")) for address in answers)
        self.gate.start()
        for address in answers:
            self.wait_listed(address)
        # From here on nothing is to be waited for; what is listed outlives a restart.
        self.gate.stop(signal.SIGTERM)
        self.server.says.update((reverse(address), answer) for address, answer in answers.items())
        self.gate.configure(resolver_timeout='"100ms"')
        self.gate.start()
        wait_for("each says nothing", lambda: {look["answer"] for look in self.looks().values()} == {"nothing"})
        before = self.said()["nothing"]
        wait_for("and twice more", lambda: self.said()["nothing"] >= before + 2 * len(answers))
        for address in answers:
            self.assertTrue(self.looks()[address]["listed"], address)
        self.server.says[reverse(OWN)] = {"code": dns.NOERROR}  # no data
        self.wait_listed(OWN, False)

    def test_one_answer_alone_is_no_listing(self):
        self.server.says[reverse(OWN)] = dns.NXDOMAIN
        self.gate.start()
        self.wait_polls(count=1)
        listed = self.said()["listed"]
        self.server.says[reverse(OWN)] = dns.a("127.0.0.2")
        wait_for("it was said once", lambda: self.said()["listed"] > listed)
        if self.said()["listed"] == listed + 1:
            self.server.says[reverse(OWN)] = dns.NXDOMAIN
            self.wait_polls(count=3)
            if self.said()["listed"] == listed + 1:  # a busy machine may have had the second answer by then
                self.assertEqual(self.gate.gate_events("dnsbl_listed"), [])

    def test_truncated_answers_come_again_over_tcp_and_slow_ones_are_waited_for(self):
        self.server.says[reverse(OWN)] = {"truncated": True, "records": dns.a("127.0.0.2")}
        self.server.says[reverse(SHARED)] = {"delay": 0.15, "records": dns.a("127.0.0.3")}
        self.gate.start()
        self.wait_listed(OWN)
        self.wait_listed(SHARED)
        self.assertIn((reverse(OWN), dns.A), self.server.tcp_questions)

    def test_pbl_and_codes_that_nobody_knows_are_told_and_blame_nobody(self):
        self.server.says[reverse(OWN)] = dns.a("127.0.0.10", "127.0.0.99")
        self.gate.start()
        self.wait_listed(OWN)
        self.assertEqual(self.looks()[OWN]["names"], "PBL 127.0.0.99")
        self.assertEqual(self.points("acme"), 0)

    def test_a_zone_s_own_codes(self):
        self.gate.configure(dnsbl=f'( {{ zone = "{ZONE}"; codes = [ "127.0.0.2-127.0.0.9 bad", "127.0.0.10 poor" ]; '
                                  'blameless = [ "poor" ]; } )')
        self.server.says[reverse(OWN)] = dns.a("127.0.0.9")
        self.server.says[reverse(SHARED)] = dns.a("127.0.0.10")
        self.gate.start()
        self.wait_listed(OWN)
        self.wait_listed(SHARED)
        self.assertEqual((self.looks()[OWN]["names"], self.looks()[SHARED]["names"]), ("bad", "poor"))
        self.assertAlmostEqual(self.points("acme"), 30, delta=0.1)

    def test_without_a_server_nothing_is_known_and_posternd_answers(self):
        self.server.close()
        self.gate.configure(resolver_timeout='"100ms"')
        self.gate.start()
        wait_for("it is asked in vain", lambda: self.said()["nothing"] >= 3)
        self.assertFalse(any(look["listed"] for look in self.looks().values()))

    def test_aup_domain_invalid_a_domain_is_on_the_list_while_the_dns_says_so(self):
        """Through the store: the dataplane tells of domains, and there is none here."""
        def standing(domain):
            result = self.gate.run("list", "check", "--global", "invalid-domain", domain, "--json")
            return json.loads(result.stdout)["entries"][0]["standing"] if not result.returncode else result.stderr
        self.gate.start()
        self.gate.stop(signal.SIGTERM)
        with contextlib.closing(sqlite3.connect(self.gate.folder / "state" / "state.db")) as db, db:
            db.executemany("INSERT INTO domain_bad(name, since) VALUES (?, 0)",
                           [("none.example",), ("good.example",), ("dark.example",)])
        self.server.says.update({"good.example": dns.mx("mx.example"), "dark.example": dns.SERVFAIL})
        self.gate.start()
        self.gate.run("list", "add", "--global", "invalid-domain", "by-hand.example")
        wait_for("it is bad still", lambda: standing("none.example") == "listed")
        wait_for("it exists by now", lambda: self.server.asked("good.example") and standing("good.example") == "absent")
        wait_for("nothing is known of it any more",
                 lambda: self.server.asked("dark.example") and standing("dark.example") == "absent")
        self.assertEqual((standing("none.example"), standing("by-hand.example")), ("listed", "listed"))

    def test_what_is_no_address_or_code_is_refused_with_its_place(self):
        self.gate.configure(egress='[ "192.0.2.300" ]', dnsbl='( { zone = "x"; codes = [ "192.0.2.1 x" ]; } )', resolver='"nonsense"')
        said = self.gate.run("check", self.gate.config)
        self.assertNotEqual(said.returncode, 0)
        for words in ("gate.egress[0]", "gate.dnsbl[0].codes[0]", "gate.resolver"):
            self.assertIn(words, said.stdout + said.stderr)


if __name__ == "__main__":
    POSTERND, POSTERN = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
