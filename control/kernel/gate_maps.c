/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening: the object, the pinned maps, their versions. */
#include "control/kernel/gate_maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "control/kernel/gate_maps_internal.h"

#define LOAD_TRIES 20

int gate_maps_fail(struct gate_maps *maps, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(maps->error, sizeof(maps->error), format, args);
	va_end(args);
	return err;
}

const char *gate_maps_error(const struct gate_maps *maps)
{
	return maps->error;
}

/* What libbpf complains of first while an object is loaded: its cause. One thread. */
static char complaint[GATE_ERROR_SIZE];

__attribute__((format(printf, 2, 0))) static int keep_complaint(enum libbpf_print_level level,
								const char *format, va_list args)
{
	if (level == LIBBPF_WARN && !complaint[0]) {
		vsnprintf(complaint, sizeof(complaint), format, args);
		complaint[strcspn(complaint, "\n")] = '\0';
	}
	return 0;
}

/* The same, but perhaps for its size: that is the other object's, for few tenants or for many. */
static bool pin_is_alike(const struct bpf_map_info *info, const struct bpf_map *map)
{
	return info->type == bpf_map__type(map) && info->key_size == bpf_map__key_size(map) &&
	       info->value_size == bpf_map__value_size(map) &&
	       info->map_flags == bpf_map__map_flags(map);
}

/* A pinned map must be the object's in every respect, or libbpf refuses it without saying why. */
static int pin_check(struct gate_maps *maps, const struct bpf_map *map)
{
	const char *path = bpf_map__pin_path(map);
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	int fd = path ? bpf_obj_get(path) : -1, err = 0;

	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		err = gate_maps_fail(maps, -errno, "%s: %s", path, strerror(errno));
	else if (pin_is_alike(&info, map) && info.max_entries != bpf_map__max_entries(map))
		err = gate_maps_fail(maps, -EPROTO,
				     "%s: of another size: found %u, wanted %u: made when there "
				     "was room for another number of tenants",
				     path, info.max_entries, bpf_map__max_entries(map));
	else if (!pin_is_alike(&info, map))
		err = gate_maps_fail(maps, -EPROTO,
				     "%s: of another version: found type %u, %u of %u to %u bytes, "
				     "flags %#x; wanted type %u, %u of %u to %u bytes, flags %#x",
				     path, info.type, info.max_entries, info.key_size,
				     info.value_size, info.map_flags, bpf_map__type(map),
				     bpf_map__max_entries(map), bpf_map__key_size(map),
				     bpf_map__value_size(map), bpf_map__map_flags(map));
	close(fd);
	return err;
}

static int load_once(struct gate_maps *maps, const char *object, const char *dir)
{
	struct bpf_map *map;
	int err;

	LIBBPF_OPTS(bpf_object_open_opts, options, .pin_root_path = dir);
	maps->object = bpf_object__open_file(object, &options);
	if (!maps->object)
		return gate_maps_fail(maps, -errno, "%s: %s", object, strerror(errno));
	bpf_object__for_each_map(map, maps->object)
	{
		err = pin_check(maps, map);
		if (err)
			return err;
	}
	err = bpf_object__load(maps->object);
	if (err)
		return gate_maps_fail(maps, err, "%s: %s%s%s", object, strerror(-err),
				      complaint[0] ? ": " : "", complaint);
	return 0;
}

/*
 * The kernel gives up verifying when a signal comes (EAGAIN), also one that stops the process or
 * lets it go on. libbpf tries that five times, which a large program on a slow machine outlasts.
 */
static int load(struct gate_maps *maps, const char *object, const char *dir)
{
	int err = -EAGAIN;

	for (int i = 0; i < LOAD_TRIES && err == -EAGAIN; i++) {
		bpf_object__close(maps->object);
		complaint[0] = '\0';
		err = load_once(maps, object, dir);
	}
	return err;
}

/* New maps are all zero: they get this program's versions. */
static int check_versions(struct gate_maps *maps, const char *dir)
{
	int err = gate_view_map(&maps->view, dir, maps->error);

	if (err)
		return err;
	if (!maps->view.shared->magic) {
		if (getrandom(maps->view.shared->key, sizeof(maps->view.shared->key), 0) < 0)
			return gate_maps_fail(maps, -errno, "getrandom: %s", strerror(errno));
		gate_shared_stamp(maps->view.shared);
	}
	return gate_shared_check(maps->view.shared, maps->error);
}

static int map_fd(const struct gate_maps *maps, const char *name)
{
	return bpf_object__find_map_fd_by_name(maps->object, name);
}

static int read_maps(struct gate_maps *maps)
{
	size_t most = sizeof(struct gate_port_counters);
	int err, cpus = libbpf_num_possible_cpus();

	if (cpus < 0)
		return gate_maps_fail(maps, cpus, "possible CPUs: %s", strerror(-cpus));
	if (sizeof(struct gate_tenant_counters) > most)
		most = sizeof(struct gate_tenant_counters);
	maps->per_cpu = calloc((size_t)cpus, most);
	maps->flows = map_fd(maps, "postern_flows");
	maps->counters = map_fd(maps, "postern_counters");
	maps->per_tenant = map_fd(maps, "postern_per_tenant");
	err = maps->per_cpu ? 0 : -ENOMEM;
	if (!err)
		err = gate_table_open(&maps->table);
	if (!err)
		err = gate_blocked_open(&maps->blocked, map_fd(maps, "postern_blocked"));
	return err ? gate_maps_fail(maps, err, "reading the maps: %s", strerror(-err)) : 0;
}

static int check_dir(struct gate_maps *maps, const char *dir)
{
	struct statfs fs;

	if (statfs(dir, &fs) < 0)
		return gate_maps_fail(maps, -errno, "%s: %s", dir, strerror(errno));
	if (fs.f_type != BPF_FS_MAGIC)
		return gate_maps_fail(maps, -ENODEV, "%s: no bpffs: mount -t bpf bpf %s", dir, dir);
	return 0;
}

struct gate_maps *gate_maps_open(const char *object, const char *dir, char error[GATE_ERROR_SIZE])
{
	struct gate_maps *maps = calloc(1, sizeof(*maps));
	libbpf_print_fn_t print;
	int err;

	error[0] = '\0';
	if (!maps)
		return NULL;
	maps->table = (struct gate_table){-1, -1};
	print = libbpf_set_print(keep_complaint);
	err = check_dir(maps, dir);
	if (!err)
		err = load(maps, object, dir);
	if (!err)
		err = check_versions(maps, dir);
	if (!err)
		err = read_maps(maps);
	libbpf_set_print(print);
	if (!err)
		return maps;
	memcpy(error, maps->error, sizeof(maps->error));
	gate_maps_close(maps);
	errno = -err;
	return NULL;
}

void gate_maps_close(struct gate_maps *maps)
{
	if (!maps)
		return;
	gate_table_close(&maps->table);
	gate_blocked_close(&maps->blocked);
	gate_view_close(&maps->view);
	bpf_object__close(maps->object);
	free(maps->per_cpu);
	free(maps);
}

int gate_maps_unpin(const char *dir)
{
	static const char *const names[] = {GATE_PINS};
	char path[PATH_MAX];

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		if (unlink(path) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

struct gate_view *gate_maps_view(struct gate_maps *maps)
{
	return &maps->view;
}

int gate_maps_program(const struct gate_maps *maps)
{
	return bpf_program__fd(bpf_object__find_program_by_name(maps->object, GATE_PROGRAM));
}

int gate_maps_sockets(const struct gate_maps *maps)
{
	return map_fd(maps, GATE_SOCKETS);
}
