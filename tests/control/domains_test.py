#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Senders' domains, looked up at a DNS server of the test's own: domains_test.py DOMAIN_LOOK"""
import json
import subprocess
import sys
import threading
import unittest

import dns
from gate import DEADLINE, wait_for


class Domains(unittest.TestCase):
    def setUp(self):
        self.server = dns.Server()
        self.addCleanup(self.server.close)
        self.said, self.numbers = [], []
        self.program = None

    def start(self, servers=None, timeout=20000, tries=2):
        """Its server answers: a timeout below that is for who doesn't."""
        self.program = subprocess.Popen([LOOK, servers or self.server.address, str(timeout), str(tries)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        threading.Thread(target=self._read, daemon=True).start()

    def end(self):
        self.program.stdin.close()
        self.assertEqual(self.program.wait(DEADLINE), 0)
        self.program.stdout.close()

    def _read(self):
        for line in self.program.stdout:
            (self.numbers if line.startswith("{") else self.said).append(line.strip())

    def see(self, *domains):
        self.program.stdin.write("".join(domain + "\n" for domain in domains))
        self.program.stdin.flush()

    def stats(self):
        before = len(self.numbers)
        self.see("?")
        wait_for("numbers", lambda: len(self.numbers) > before)
        return json.loads(self.numbers[-1])

    def wait_answers(self, count):
        def answered():
            stats = self.stats()
            return stats["good"] + stats["bad"] + stats["unknown"] >= count
        wait_for(f"{count} answers", answered)

    def test_aup_domain_invalid_no_such_domain_and_a_null_mx_are_bad(self):
        self.server.says.update({
            "good.example": dns.mx("mx.good.example"),
            ("a-only.example", dns.MX): {}, ("a-only.example", dns.A): dns.a("192.0.2.1"),
            ("six.example", dns.MX): {}, ("six.example", dns.A): {}, ("six.example", dns.AAAA): dns.aaaa("2001:db8::1"),
            "nothing.example": {},
            "null.example": dns.null_mx(),
        })
        self.start()
        self.see("good.example", "a-only.example", "six.example", "nothing.example", "null.example", "none.example")
        self.wait_answers(6)
        self.assertEqual(sorted(self.said), ["none.example bad", "null.example bad"])
        self.assertEqual(self.stats()["good"], 4)
        self.assertEqual(self.server.asked("six.example"), 3)

    def test_aup_domain_invalid_what_gives_no_answer_passes(self):
        says = {"servfail.example": dns.SERVFAIL, "refused.example": dns.REFUSED, "silent.example": {"silent": True},
                "wrong.example": {"wrong_id": True, "code": dns.NXDOMAIN},
                ("half.example", dns.MX): {}, ("half.example", dns.A): dns.SERVFAIL}
        self.server.says.update(says)
        self.start(timeout=200)
        self.see("servfail.example", "refused.example", "silent.example", "wrong.example", "half.example")
        self.wait_answers(5)
        self.assertEqual(self.said, [])
        self.assertEqual(self.stats()["unknown"], 5)

    def test_truncated_comes_again_over_tcp_and_slow_is_waited_for(self):
        self.server.says["cut.example"] = {"truncated": True, "records": dns.null_mx()}
        self.server.says["slow.example"] = {"delay": 0.3, "code": dns.NXDOMAIN}
        self.start()
        self.see("cut.example", "slow.example")
        self.wait_answers(2)
        self.assertEqual(sorted(self.said), ["cut.example bad", "slow.example bad"])
        self.assertIn(("cut.example", dns.MX), self.server.tcp_questions)

    def test_an_answer_holds_and_a_domain_is_asked_for_once(self):
        self.start()
        self.see(*["none.example"] * 50)
        self.wait_answers(1)
        self.see(*["none.example"] * 50)
        stats = self.stats()
        self.assertEqual((stats["told"], stats["begun"], stats["known"], stats["bad_now"]), (100, 1, 99, 1))
        self.assertEqual(self.server.asked("none.example"), 1)

    def test_a_flood_of_domains_is_asked_for_a_few_at_a_time(self):
        self.start()
        self.see(*[f"d{i}.example" for i in range(2000)])
        stats = self.stats()
        self.assertEqual(stats["told"], 2000)
        self.assertEqual(stats["begun"] + stats["refused"], 2000)
        self.assertGreater(stats["refused"], 1000)  # 50 at once, and 50 a second more
        self.wait_answers(stats["begun"])
        # Who was refused passed; seen again later, it is looked up.
        wait_for("there is room again", lambda: (self.see("d1999.example"), self.server.asked("d1999.example"))[1])

    def test_what_is_no_name_is_never_asked_for(self):
        self.start()
        self.see("[192.0.2.1]", "x" * 300, "y." + "x" * 64 + ".example", "good.example")
        self.wait_answers(2)  # of the long label at once that it is no name
        self.assertEqual({name for name, _ in self.server.questions}, {"good.example"})

    def test_without_a_server_everything_passes(self):
        address = self.server.address
        self.server.close()
        self.start(servers=address, timeout=50)
        self.see("a.example", "b.example")
        self.wait_answers(2)
        self.assertEqual(self.said, [])


if __name__ == "__main__":
    LOOK = sys.argv[1]
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
