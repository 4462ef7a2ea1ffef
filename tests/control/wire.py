# SPDX-License-Identifier: BSD-3-Clause
"""A wire of two veth pairs in a network namespace, the real programs in it, and a test case that has both."""
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "replay"))
from gate import DEADLINE, Gate, wait_for  # noqa: E402
from packets import ACK, FIN, PSH, RST, SYN, TCP, UDP, Packet, frame, frame_read  # noqa: E402

IN_OWN_NAMESPACE = "POSTERN_TEST_NAMESPACE"
ETH_P_ALL = 3
TENANT, OTHER, NEW, PEER = "192.0.2.10", "203.0.113.5", "203.0.113.6", "198.51.100.1"
TENANTS = f"""{{ id = 7; name = "acme"; prefixes = [ "{TENANT}/32" ]; }},
  {{ id = 8; name = "other"; prefixes = [ "{OTHER}/32" ]; }}"""


def invite_text(number, src, callee="1"):
    return (f"INVITE sip:{callee}@{PEER} SIP/2.0\r\nVia: SIP/2.0/UDP {src}:5060;branch=z9hG4bK{number}\r\n"
            f"From: <sip:a@{src}>;tag=t{number}\r\nTo: <sip:1@{PEER}>\r\nCall-ID: c{number}@{src}\r\nCSeq: 1 INVITE\r\n"
            f"Max-Forwards: 70\r\nContact: <sip:a@{src}>\r\nContent-Length: 0\r\n\r\n")


def invite(number, src=TENANT, sport=5060, callee="1"):
    text = invite_text(number, src, callee)
    return frame(Packet(0, src, PEER, sport, 5060, text.encode(), UDP))


class Wire:
    """The two ends that are not the gate's."""

    def __init__(self):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for side in ("in", "out"):
            subprocess.run(["ip", "link", "add", f"{side}0", "type", "veth", "peer", "name", f"{side}1"], check=True)
            for end in ("0", "1"):
                subprocess.run(["sysctl", "-qw", f"net.ipv6.conf.{side}{end}.disable_ipv6=1"], check=False)
                subprocess.run(["ip", "link", "set", side + end, "up"], check=True)
        self.inside, self.outside = self._end("in1"), self._end("out1")
        self.sent = self.syns = 0  # calls and sessions begun; SYNs, and answers to them, that came

    @staticmethod
    def _end(name):
        end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        end.bind((name, 0))
        end.setblocking(False)
        return end

    def _drain(self, end):
        """SIP texts that came."""
        texts = []
        while True:
            try:
                data, address = end.recvfrom(65536)
            except BlockingIOError:
                return texts
            if address[2] == socket.PACKET_OUTGOING:
                continue
            with contextlib.suppress(Exception):
                packet = frame_read(0, data)
                if packet and packet.payload:
                    texts.append(packet.payload.decode(errors="replace"))
                elif packet and packet.proto == TCP and packet.flags & SYN:
                    self.syns += 1

    def call(self, src=TENANT, callee="1"):
        """A new call's INVITE; its number."""
        self.sent += 1
        self.inside.send(invite(self.sent, src, 10000 + self.sent, callee))  # a flow of its own
        return self.sent

    def fail_calls(self, count, src=TENANT, code="404 Not Found"):
        """Calls to as many callees, each of them answered by its peer with that, until the gate refuses one."""
        calls = []
        for _ in range(count):
            number = self.sent = self.sent + 1
            sport = 10000 + number
            text = invite_text(number, src, callee=f"1415555{number:04d}")
            self.inside.send(frame(Packet(0, src, PEER, sport, 5060, text.encode(), UDP)))
            branch = f"branch=z9hG4bK{number}\r"
            seen = wait_for("the call leaves or is refused", lambda b=branch: [
                out for out, texts in ((True, self.left()), (False, self.came_back())) if any(b in text for text in texts)])
            if not seen[0]:
                return calls
            head, rest = text.split("\r\n", 1)
            keep = [line for line in rest.split("\r\n") if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
            keep = [line + ";tag=u" if line.startswith("To:") else line for line in keep]
            answer = "\r\n".join([f"SIP/2.0 {code}", *keep, "Content-Length: 0", "", ""])
            self.outside.send(frame(Packet(0, PEER, src, 5060, sport, answer.encode(), UDP)))
            # What is sent at the other port from now on comes after it.
            wait_for("the answer arrives", lambda b=branch: any(b in text for text in self.came_back()))
            calls.append((src, sport, [line.replace("1 INVITE", "2 BYE").replace("z9hG4bK", "z9hG4bKb") for line in keep]))
        return calls

    def answer_calls(self, count, src=TENANT):
        """The same, answered; for end_calls()."""
        return self.fail_calls(count, src, "200 OK")

    def end_calls(self, calls):
        """A BYE of the caller's for each."""
        for src, sport, keep in calls:
            bye = "\r\n".join([f"BYE sip:{PEER} SIP/2.0", *keep, "Content-Length: 0", "", ""])
            self.inside.send(frame(Packet(0, src, PEER, sport, 5060, bye.encode(), UDP)))
            branch = keep[0].rsplit("branch=", 1)[1]
            wait_for("the BYE leaves", lambda b=branch: any(b in text for text in self.left()))

    def text(self, number, words, dst=TENANT):
        """A text (SIP MESSAGE) to the tenant, from somebody with that number."""
        self.sent += 1
        text = (f"MESSAGE sip:1@{dst} SIP/2.0\r\nVia: SIP/2.0/UDP {PEER}:5060;branch=z9hG4bKm{self.sent}\r\n"
                f"From: <sip:{number}@{PEER}>;tag=m{self.sent}\r\nTo: <sip:1@{dst}>\r\nCall-ID: m{self.sent}@{PEER}\r\n"
                f"CSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\nContent-Length: {len(words)}\r\n\r\n{words}")
        self.outside.send(frame(Packet(0, PEER, dst, 5060, 20000 + self.sent, text.encode(), UDP)))

    def rcpt(self, to, answer="250 ok", src=TENANT):
        """A session with one RCPT: whether its server was asked, which answers so, and what the client hears."""
        self.sent += 1
        seq, sport = {src: 1000, PEER: 5000}, 10000 + self.sent

        def say(who, flags, text=b""):
            other, end = (PEER, self.inside) if who == src else (src, self.outside)
            ports = (sport, 25) if who == src else (25, sport)
            end.send(frame(Packet(0, who, other, *ports, text, TCP, seq[who], seq[other] if flags & ACK else 0, flags)))
            seq[who] += len(text) + bool(flags & (SYN | FIN))

        def comes(end, words):
            return wait_for(words, lambda: [text for text in end() if words in text])

        def turn(who, text):
            say(who, PSH | ACK, text.encode() + b"\r\n")
            comes(self.left if who == src else self.came_back, text)

        before = self.syns
        say(src, SYN)  # the answer, at the gate's other port, is to come after it
        wait_for("the SYN leaves", lambda: (self.left(), self.syns > before)[1])
        say(PEER, SYN | ACK)
        wait_for("its answer arrives", lambda: (self.came_back(), self.syns > before + 1)[1])
        say(src, ACK)
        for who, text in ((PEER, "220 mx.example ESMTP"), (src, "EHLO a.example"), (PEER, "250 mx.example"),
                          (src, "MAIL FROM:<ann@a.example>"), (PEER, "250 ok")):
            turn(who, text)
        say(src, PSH | ACK, f"RCPT TO:<{to}>\r\n".encode())
        asked, heard = wait_for("RCPT leaves or is refused", lambda: (
            [(True, None) for text in self.left() if "RCPT" in text] +
            [(False, text.strip()) for text in self.came_back() if text[:1] in "45"] or [None])[0])
        if asked:
            say(PEER, PSH | ACK, answer.encode() + b"\r\n")
            heard = comes(self.came_back, answer)[0].strip()
        for who in (src, PEER):
            say(who, RST | ACK)
        return asked, heard

    def left(self):
        return self._drain(self.outside)

    def came_back(self):
        return self._drain(self.inside)

    def vanishes(self, src):
        """Whether a call neither passes nor is answered: a tenant's, sent after it, passes."""
        number, witness = self.call(src), self.call()
        seen = []

        def witnessed():
            seen.extend(self.left() + self.came_back())
            return any(f"branch=z9hG4bK{witness}\r" in text for text in seen)

        wait_for("the next call passes", witnessed)
        return not any(f"branch=z9hG4bK{number}\r" in text for text in seen)

    def passes(self, src=TENANT, within=DEADLINE):
        """Whether a call passes (True) or is answered by the gate (False); None: nothing yet."""
        number = self.call(src)
        end = time.monotonic() + within
        while time.monotonic() < end:
            if any(f"branch=z9hG4bK{number}\r" in text for text in self.left()):
                return True
            if any(f"branch=z9hG4bK{number}\r" in text for text in self.came_back()):
                return False
            time.sleep(0.002)
        return None


class LiveCase(unittest.TestCase):
    """A gate of its own, live on the wire. The programs' paths come by run_in_namespace()."""

    posternd = postern = dataplane_program = None
    wire = None

    @classmethod
    def setUpClass(cls):
        cls.wire = Wire()

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.gate = Gate(self.folder, self.posternd, self.postern)
        self.addCleanup(self.end)
        self.gate.configure(
            tenants=f"( {TENANTS} )", inside='"in0"', outside='"out0"',
            supervise="true", dataplane=f'"{self.dataplane_program}"', idle_us="200", huge='"no"', heartbeat='"10s"',
            extra="budgets: { flows = 1024; sessions = 256; messages = 64; calls = 1024; };")

    def end(self):
        with contextlib.suppress(Exception):
            pid = self.dataplane()["pid"]
            self.gate.stop()
            os.kill(pid, signal.SIGTERM)
            wait_for("the dataplane has gone", lambda: not Path(f"/proc/{pid}").exists())
        self.gate.stop(signal.SIGKILL)
        subprocess.run(["pkill", "-KILL", "-f", f"^{self.dataplane_program} .*{self.folder}/"], check=False)
        if sys.exc_info()[0] or os.environ.get("POSTERN_TEST_VERBOSE"):
            print(self.gate.said())

    def result(self, command, **arguments):
        answer = self.gate.ask(command, **arguments)
        self.assertTrue(answer["ok"], answer)
        return answer["result"]

    def dataplane(self):
        return self.result("status")["dataplane"]

    def start(self, *options):
        self.gate.start(*options)
        self.wait_live()

    def wait_live(self, after=None):
        """Until a dataplane's workers run, another one than `after`; its pid."""

        def live():
            dataplane = self.dataplane()
            worker = (dataplane["workers"] or [{}])[0]
            good = dataplane["up"] and not dataplane["trouble"] and worker.get("heartbeat_age_ms") is not None
            return good and dataplane["pid"] != after and dataplane["pid"]

        return wait_for("the dataplane's workers run", live)

    def wait_passes(self, wanted, src=TENANT):
        wait_for(f"calls pass: {wanted}", lambda: self.wire.passes(src, within=2) is wanted)

    def children(self):
        pid = self.gate.process.pid
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def run_in_namespace(argv):
    """TEST POSTERND POSTERN DATAPLANE [OPTION...] in a network namespace of its own; the exit status. In one of processes, too:
    a dataplane outlives who started it, but not this, also when this is killed."""
    if os.geteuid() != 0:
        print("skipped: needs root, for a network namespace")
        return 77
    if IN_OWN_NAMESPACE not in os.environ:
        if subprocess.run(["unshare", "--net", "--pid", "--fork", "--mount-proc", "true"], capture_output=True).returncode != 0:
            print("skipped: no network namespaces here")
            return 77
        # The shell waits for whoever has lost his parent.
        os.execvpe("unshare", ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", '"$@"; exit $?', "-",
                               sys.executable, *argv], dict(os.environ, **{IN_OWN_NAMESPACE: "1"}))
    LiveCase.posternd, LiveCase.postern, LiveCase.dataplane_program = argv[1:4]
    return not unittest.main(argv=argv[:1] + argv[4:], verbosity=2, exit=False).result.wasSuccessful()
