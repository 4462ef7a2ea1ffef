/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bpf/kernel_gate.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/test.h"

static char bpffs[] = "/tmp/postern-bpffs-XXXXXX";
static bool mounted;
static const char *object;

static const char *explain(const char *what)
{
	static char text[128];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
	return text;
}

static const char *loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int rc = fd < 0 ? -1 : ioctl(fd, SIOCSIFFLAGS, &request);

	if (fd >= 0)
		close(fd);
	return rc < 0 ? explain("loopback") : NULL;
}

const char *kernel_gate_enter(const char *path)
{
	object = path;
	if (geteuid() != 0)
		return "needs root";
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0)
		return explain("no namespaces");
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return explain("no private mounts");
	if (!mkdtemp(bpffs))
		return explain("no temporary folder");
	if (mount("bpf", bpffs, "bpf", 0, NULL) < 0) {
		const char *why = explain("no bpffs");

		rmdir(bpffs);
		return why;
	}
	mounted = true;
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
	return loopback_up();
}

void kernel_gate_leave(void)
{
	if (!mounted)
		return;
	umount2(bpffs, MNT_DETACH);
	rmdir(bpffs);
	mounted = false;
}

const char *kernel_gate_dir(void)
{
	return bpffs;
}

const char *kernel_gate_new_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", bpffs, name);
	assert_int_equal(mkdir(path, 0700), 0);
	return path;
}

struct gate_maps *kernel_gate_open(const char *dir)
{
	char error[GATE_ERROR_SIZE];
	struct gate_maps *maps = gate_maps_open(object, dir, error);

	if (!maps)
		fail_msg("%s", error);
	return maps;
}

/* A socket's minimum: frames, the three rings that it can't be without, an interface. */
static int socket_bind(int fd, void *frames, size_t size)
{
	const struct xdp_umem_reg umem = {
		.addr = (uintptr_t)frames, .len = size, .chunk_size = 4096};
	const struct sockaddr_xdp address = {
		.sxdp_family = AF_XDP, .sxdp_ifindex = 1, .sxdp_flags = XDP_COPY};
	const int entries = 16;

	if (setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof(umem)) < 0 ||
	    setsockopt(fd, SOL_XDP, XDP_UMEM_FILL_RING, &entries, sizeof(entries)) < 0 ||
	    setsockopt(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &entries, sizeof(entries)) < 0 ||
	    setsockopt(fd, SOL_XDP, XDP_RX_RING, &entries, sizeof(entries)) < 0)
		return -1;
	return bind(fd, (const struct sockaddr *)&address, sizeof(address));
}

static int socket_open(void)
{
	const size_t size = 16 * 4096;
	void *frames = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = socket(AF_XDP, SOCK_RAW, 0);

	assert_true(frames != MAP_FAILED);
	if (fd < 0 || socket_bind(fd, frames, size) < 0)
		fail_msg("AF_XDP socket: %s", strerror(errno));
	return fd;
}

void kernel_gate_listen(struct gate_maps *maps, bool listen)
{
	static int fd = -1;
	uint32_t queue = 0;

	if (fd < 0)
		fd = socket_open();
	if (!listen)
		bpf_map_delete_elem(gate_maps_sockets(maps), &queue);
	else if (bpf_map_update_elem(gate_maps_sockets(maps), &queue, &fd, BPF_ANY) < 0)
		fail_msg("xsks_map: %s", strerror(errno));
}

uint32_t kernel_gate_run(struct gate_maps *maps, const void *frame, uint32_t len, unsigned repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = len,
		    .repeat = (int)repeat);
	int rc = bpf_prog_test_run_opts(gate_maps_program(maps), &options);

	if (rc < 0)
		fail_msg("BPF_PROG_TEST_RUN of %u bytes: %s", len, strerror(-rc));
	return options.retval;
}

uint64_t kernel_gate_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
