#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""posternd and the kernel's maps: kernel_test.py POSTERND POSTERN GATE_BPF_O

With mode xdp the tenants' array is a map of the kernel's. In a network and mount namespace of the test's own, with a
bpffs of its own. Needs root.
"""
import ctypes
import mmap
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

from gate import Gate

IN_OWN_NAMESPACE = "POSTERN_TEST_NAMESPACE"
BPFFS = "/sys/fs/bpf"
SYS_BPF, BPF_OBJ_GET, BPF_OBJ_GET_INFO_BY_FD = 321, 7, 15
TENANT = '{ id = 7; name = "acme"; prefixes = [ "192.0.2.0/24" ]; }'
BUCKET_FROM_END = 8  # the slot's last word is a bucket, or padding: whatever it is, nobody resets it


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, max(len(attributes), 128))
    result = ctypes.CDLL(None, use_errno=True).syscall(SYS_BPF, command, buffer, len(buffer))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


class Map:
    """A pinned array, mapped: elements of `size` bytes, as the kernel says."""

    def __init__(self, name):
        path = ctypes.create_string_buffer(f"{BPFFS}/{name}".encode())
        fd = bpf(BPF_OBJ_GET, struct.pack("=QII", ctypes.addressof(path), 0, 0))
        info = ctypes.create_string_buffer(128)
        bpf(BPF_OBJ_GET_INFO_BY_FD, struct.pack("=IIQ", fd, 128, ctypes.addressof(info)))
        _, _, _, self.size, self.count = struct.unpack_from("=IIIII", info)
        self.memory = mmap.mmap(fd, self.size * self.count)
        os.close(fd)

    def words(self, index, count):
        return struct.unpack_from(f"={count}I", self.memory, index * self.size)

    def tenants(self):
        """{id: (slot, state)}"""
        found = {}
        for slot in range(1, self.count):
            id_, state = self.words(slot, 2)
            if id_:
                found[id_] = (slot, state)
        return found


class Kernel(unittest.TestCase):
    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.gate = Gate(folder, POSTERND, POSTERN)
        self.addCleanup(self.gate.stop, signal.SIGKILL)
        self.addCleanup(self.unpin)
        self.gate.configure(tenants=f"( {TENANT} )", mode='"xdp"', inside='"in0"', outside='"out0"',
                            xdp_program=f'"{OBJECT}"')

    @staticmethod
    def unpin():
        for name in os.listdir(BPFFS):
            if name.startswith("postern_"):
                os.unlink(f"{BPFFS}/{name}")

    def result(self, command, **arguments):
        answer = self.gate.ask(command, **arguments)
        self.assertTrue(answer["ok"], answer)
        return answer["result"]

    def ports(self):
        """(ifindex, peer, from, failure) of the two ports."""
        shared = Map("postern_gate").words(0, 12 + 2 * 8)
        return shared[12:16], shared[20:24]

    def test_what_is_in_force_is_in_the_maps(self):
        self.gate.start()
        tenants = Map("postern_tenants")
        self.assertEqual({id_: state for id_, (_, state) in tenants.tenants().items()}, {7: 0})
        inside, outside = (socket.if_nametoindex(f"{name}0") for name in ("in", "out"))
        self.assertEqual(self.ports(), ((inside, outside, 1, 0), (outside, inside, 2, 0)))
        self.result("tenant suspend", tenant="acme", reason="r")
        self.assertEqual(tenants.tenants()[7][1], 1)
        self.gate.configure(tenants=f'( {{ id = 9; name = "new"; prefixes = [ "10.0.0.0/8" ]; }}, {TENANT} )',
                            failure='"closed"')
        slot = tenants.tenants()[7][0]
        self.result("reload")
        self.assertEqual(tenants.tenants()[7], (slot, 1))  # where it was, and suspended
        self.assertEqual(tenants.tenants()[9][1], 0)
        self.assertEqual([port[3] for port in self.ports()], [1, 1])
        self.result("tenant resume", tenant="acme")
        self.assertEqual(tenants.tenants()[7][1], 0)
        self.assertEqual(self.gate.gate_events("kernel_failed"), [])

    def test_a_new_posternd_finds_buckets_as_they_were(self):
        self.gate.start()
        self.result("limits set", tenant="acme", limits={"calls": "1/d"})
        tenants = Map("postern_tenants")
        slot = tenants.tenants()[7][0]
        at = (slot + 1) * tenants.size - BUCKET_FROM_END
        struct.pack_into("=Q", tenants.memory, at, 123456789)
        before = tenants.memory[slot * tenants.size:(slot + 1) * tenants.size]
        for how in (signal.SIGKILL, signal.SIGTERM):
            self.gate.stop(how)
            self.gate.start()
            self.assertEqual(tenants.memory[slot * tenants.size:(slot + 1) * tenants.size], before)
            self.assertEqual(Map("postern_tenants").tenants(), {7: (slot, 0)})

    def test_maps_of_another_version_are_refused_and_left_alone(self):
        self.gate.start()
        self.gate.stop()
        shared = Map("postern_gate")
        struct.pack_into("=I", shared.memory, 4, 99)
        self.gate.start(ready=False)
        self.assertEqual(self.gate.process.wait(60), 1)
        self.assertIn("gate.mode", self.gate.said())
        self.assertEqual(shared.words(0, 2)[1], 99)

    def test_an_interface_that_is_not_there_is_told_of(self):
        self.gate.configure(inside='"nowhere0"')
        self.gate.start()
        self.assertIn("no such interface", self.gate.gate_events("kernel_failed")[0]["reason"])


def main():
    if os.geteuid() != 0:
        print("skipped: needs root, for namespaces and the kernel's maps")
        return 77
    if IN_OWN_NAMESPACE not in os.environ:
        inside = "mount -t bpf bpf /sys/fs/bpf && ip link add in0 type veth peer name in1 && ip link add out0 type veth peer name out1"
        if subprocess.run(["unshare", "-nm", "sh", "-c", f"mount -t sysfs sysfs /sys && {inside}"], capture_output=True).returncode:
            print("skipped: no namespaces with a bpffs here")
            return 77
        os.execvpe("unshare", ["unshare", "-nm", "sh", "-c", f'mount -t sysfs sysfs /sys && {inside} && exec "$0" "$@"', sys.executable,
                               *sys.argv], dict(os.environ, **{IN_OWN_NAMESPACE: "1"}))
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
    return 0


if __name__ == "__main__":
    POSTERND, POSTERN, OBJECT = sys.argv[1:4]
    sys.exit(main())
