/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program on a wire: two hosts, each behind a veth pair, and the gate's two ports between
 * them. All of it is in namespaces that end with the test's processes. argv: gate.bpf.o.
 */
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <unistd.h>

#include "control/kernel/gate_port.h"
#include "control/policy/policy_build.h"
#include "tests/bpf/kernel_gate.h"
#include "tests/bpf/live_host.h"
#include "tests/bpf/live_socket.h"
#include "tests/bpf/stage_cases.h"
#include "tests/unit/test.h"

/* stage_case_policy()'s: plain, suspended. */
#define PLAIN4     "10.1.0.2"
#define PLAIN6     "2001:db8:1::2"
#define SUSPENDED4 "10.2.0.2"
#define NOBODYS4   "172.16.0.2"
#define FAR4       "192.0.2.9"
#define FAR6       "2001:db8:ffff::9"

#define SOON  300   /* ms to wait for what must not come */
#define LATER 30000 /* for what must */

static struct {
	struct live_host inside, outside;
	struct gate_maps *maps;
	struct gate_view *view;
	struct policy *policy;
} wire;

static int local(const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return system(text);
}

/* From here to a host: `port` here, `end` there. XDP wants plain frames, and NAPI at the far end.
 */
static bool cable(struct live_host *host, const char *port, const char *end)
{
	return local("ip link add %s type veth peer name %s netns %d", port, end, host->pid) == 0 &&
	       local("ip link set %s up", port) == 0 &&
	       live_host_command(host, "ip link set lo up && ip link set %s up", end) == 0 &&
	       live_host_command(host, "ethtool -K %s gro on tx off >/dev/null", end) == 0;
}

static bool addresses(void)
{
	return live_host_command(&wire.inside,
				 "for a in " PLAIN4 " " SUSPENDED4 " " NOBODYS4
				 "; do ip addr add $a/32 dev end; done && ip addr add " PLAIN6
				 "/64 dev end nodad && ip route add 192.0.2.0/24 dev end && "
				 "ip -6 route add 2001:db8:ffff::/48 dev end") == 0 &&
	       live_host_command(&wire.outside,
				 "ip addr add " FAR4 "/24 dev end && ip addr add " FAR6
				 "/48 dev end nodad && ip route add 10.0.0.0/8 dev end && "
				 "ip route add 172.16.0.0/12 dev end && "
				 "ip -6 route add 2001:db8:1::/48 dev end") == 0;
}

static void set_ports(enum gate_failure failure)
{
	uint32_t in = if_nametoindex("inside"), out = if_nametoindex("outside");

	gate_maps_port(
		wire.maps, 0,
		&(struct gate_port){
			.ifindex = in, .peer = out, .from = FROM_INSIDE, .failure = failure});
	gate_maps_port(
		wire.maps, 1,
		&(struct gate_port){
			.ifindex = out, .peer = in, .from = FROM_OUTSIDE, .failure = failure});
}

static const char *build_wire(void)
{
	if (system("command -v ip ethtool >/dev/null") != 0)
		return "needs ip and ethtool";
	if (!live_host_start(&wire.inside) || !live_host_start(&wire.outside))
		return "no network namespaces";
	if (!cable(&wire.inside, "inside", "end") || !cable(&wire.outside, "outside", "end"))
		return "no veth pairs, or no way to set them up";
	if (!addresses())
		return "no IPv6, or no addresses";
	return NULL;
}

static int begin(void **state)
{
	wire.policy = stage_case_policy();
	wire.maps = kernel_gate_open(kernel_gate_dir());
	wire.view = gate_maps_view(wire.maps);
	if (gate_maps_apply(wire.maps, wire.policy, NULL) != 0)
		return -1;
	set_ports(GATE_FAIL_OPEN);
	for (unsigned port = 80; port; port = port == 80 ? 5060 : port == 5060 ? 25 : 0)
		if (!live_host_echo(&wire.outside, port))
			return -1;
	return gate_port_attach(wire.maps, if_nametoindex("inside")) ||
	       gate_port_attach(wire.maps, if_nametoindex("outside"));
}

static int end(void **state)
{
	gate_maps_close(wire.maps);
	policy_free(wire.policy);
	return 0;
}

static bool ping(const char *from, const char *to, unsigned port, unsigned wait)
{
	return live_host_ping(&wire.inside, from, to, port, wait);
}

/* Packets at the place for the reason, however they ended. */
static uint64_t seen(uint32_t place, enum reason reason)
{
	struct gate_port_counters c;
	uint64_t sum = 0;

	assert_int_equal(gate_maps_port_counters(wire.maps, place, &c), 0);
	for (unsigned i = 0; i < WIRE_COUNT; i++)
		sum += c.reason[reason][i];
	return sum;
}

/* So many more than before, when they have come: on a busy machine that is later. */
static bool comes_to(uint32_t place, enum reason reason, uint64_t before)
{
	const uint64_t end = kernel_gate_now() + LATER * UINT64_C(1000000);

	while (seen(place, reason) <= before && kernel_gate_now() < end)
		usleep(1000);
	return seen(place, reason) > before;
}

/* ARP and neighbour discovery go before: the hosts know nothing of each other. */
static void traffic_that_is_not_read_goes_through(void **state)
{
	assert_true(ping(PLAIN4, FAR4, 80, LATER));
	assert_true(ping(PLAIN6, FAR6, 80, LATER));
	assert_true(live_host_stream(&wire.inside, PLAIN4, FAR4, 80, 200000));
	assert_true(live_host_stream(&wire.inside, PLAIN6, FAR6, 80, 200000));
	assert_true(seen(0, REASON_NOT_IP) > 0);
}

static void a_spoofed_source_does_not(void **state)
{
	uint64_t before = seen(0, REASON_SPOOFED);

	assert_false(ping(NOBODYS4, FAR4, 80, SOON));
	assert_true(comes_to(0, REASON_SPOOFED, before));
	assert_true(ping(PLAIN4, FAR4, 80, LATER));
}

static void a_suspended_tenant_is_stopped_by_the_word_in_memory_and_let_go_by_it(void **state)
{
	uint32_t *tenant = &wire.view->tenants[1].state;

	assert_false(ping(SUSPENDED4, FAR4, 80, SOON));
	for (unsigned i = 0; i < 5; i++) {
		assert_true(ping(PLAIN4, FAR4, 80, LATER));
		*tenant = TENANT_SUSPENDED;
		assert_false(ping(PLAIN4, FAR4, 80, SOON));
		*tenant = TENANT_ACTIVE;
	}
	assert_true(ping(PLAIN4, FAR4, 80, LATER));
	wire.view->tenants[2].state = TENANT_ACTIVE;
	assert_true(ping(SUSPENDED4, FAR4, 80, LATER));
	wire.view->tenants[2].state = TENANT_SUSPENDED;
}

static void without_a_dataplane_the_failure_policy_holds_the_wire(void **state)
{
	uint64_t before = seen(0, REASON_NO_SOCKET);

	assert_true(ping(PLAIN4, FAR4, 5060, LATER));
	assert_true(live_host_stream(&wire.inside, PLAIN4, FAR4, 25, 20000));
	assert_true(seen(0, REASON_NO_SOCKET) > before);
	set_ports(GATE_FAIL_CLOSED);
	assert_false(ping(PLAIN4, FAR4, 5060, SOON));
	/* What nobody reads goes on. */
	assert_true(ping(PLAIN4, FAR4, 80, LATER));
	set_ports(GATE_FAIL_OPEN);
	assert_true(ping(PLAIN4, FAR4, 5060, LATER));
	/* An open gate doesn't let go who was stopped, but for what may be an emergency call. */
	assert_false(ping(SUSPENDED4, FAR4, 80, SOON));
	before = seen(0, REASON_CALL_UNREAD);
	assert_true(ping(SUSPENDED4, FAR4, 5060, LATER));
	assert_true(seen(0, REASON_CALL_UNREAD) > before);
	set_ports(GATE_FAIL_CLOSED);
	assert_false(ping(SUSPENDED4, FAR4, 5060, SOON));
	set_ports(GATE_FAIL_OPEN);
}

/* A UDP datagram of IPv4 to the port. */
static bool is_datagram_to(const uint8_t *frame, uint32_t len, unsigned port)
{
	return len >= 42 && frame[12] == 0x08 && frame[13] == 0 && frame[23] == 17 &&
	       (frame[36] << 8 | frame[37]) == (int)port;
}

/* The socket's next frame is a datagram to the port. */
static void expect_datagram_to(struct live_socket *s, unsigned port)
{
	const uint64_t end = kernel_gate_now() + LATER * UINT64_C(1000000);
	const uint8_t *frame;
	uint32_t len;

	while (!(frame = live_socket_next(s, &len)) && kernel_gate_now() < end)
		usleep(1000);
	assert_non_null(frame);
	assert_true(is_datagram_to(frame, len, port));
}

static void what_is_to_be_read_comes_to_the_socket_as_long_as_it_lives(void **state)
{
	struct live_socket s;
	uint32_t inside = if_nametoindex("inside"), len;

	/* The two ports have one xsks_map here: the outside one is to leave the socket alone. */
	wire.view->shared->port[1].heartbeat_max = 1;
	gate_heartbeat_write(wire.view, 1, 0, 1);
	assert_true(live_socket_open(&s, inside, gate_maps_sockets(wire.maps)));
	for (unsigned i = 0; i < 5; i++) {
		/* Nobody sends it on here. */
		assert_false(ping(PLAIN4, FAR4, 5060, SOON));
		expect_datagram_to(&s, 5060);
	}
	assert_true(ping(PLAIN4, FAR4, 80, LATER));
	/* Mail of the suspended too: it is told so. */
	assert_false(ping(SUSPENDED4, FAR4, 5060, SOON));
	expect_datagram_to(&s, 5060);
	assert_false(ping(SUSPENDED4, FAR4, 80, SOON));
	assert_null(live_socket_next(&s, &len));
	/* It stands still: its last heartbeat is old. */
	wire.view->shared->port[0].heartbeat_max = 1;
	gate_heartbeat_write(wire.view, 0, 0, 1);
	assert_true(ping(PLAIN4, FAR4, 5060, LATER));
	assert_null(live_socket_next(&s, &len));
	assert_true(seen(0, REASON_HEARTBEAT_STALE) > 0);
	wire.view->shared->port[0].heartbeat_max = 0;
	assert_false(ping(PLAIN4, FAR4, 5060, SOON));
	expect_datagram_to(&s, 5060);
	/* It is gone. */
	live_socket_close(&s);
	assert_true(ping(PLAIN4, FAR4, 5060, LATER));
	wire.view->shared->port[1].heartbeat_max = 0;
}

/* As after a kill -9: no process has the program, its interfaces do. */
static void the_wire_outlives_who_made_it_and_is_taken_over(void **state)
{
	gate_maps_close(wire.maps);
	assert_true(ping(PLAIN4, FAR4, 80, LATER));
	wire.maps = kernel_gate_open(kernel_gate_dir());
	wire.view = gate_maps_view(wire.maps);
	assert_int_equal(wire.view->tenants[2].state, TENANT_SUSPENDED);
	assert_int_equal(gate_port_attach(wire.maps, if_nametoindex("inside")), 0);
	assert_int_equal(gate_port_attach(wire.maps, if_nametoindex("outside")), 0);
	assert_true(ping(PLAIN4, FAR4, 80, LATER));
	assert_false(ping(SUSPENDED4, FAR4, 80, SOON));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(traffic_that_is_not_read_goes_through),
		cmocka_unit_test(a_spoofed_source_does_not),
		cmocka_unit_test(
			a_suspended_tenant_is_stopped_by_the_word_in_memory_and_let_go_by_it),
		cmocka_unit_test(without_a_dataplane_the_failure_policy_holds_the_wire),
		cmocka_unit_test(what_is_to_be_read_comes_to_the_socket_as_long_as_it_lives),
		cmocka_unit_test(the_wire_outlives_who_made_it_and_is_taken_over),
	};
	const char *why;
	int rc = 77;

	if (argc < 2)
		return 1;
	why = kernel_gate_enter(argv[1]);
	if (!why)
		why = build_wire();
	if (why)
		printf("skipped: %s\n", why);
	else
		rc = cmocka_run_group_tests(tests, begin, end) != 0;
	live_host_stop(&wire.inside);
	live_host_stop(&wire.outside);
	kernel_gate_leave();
	return rc;
}
