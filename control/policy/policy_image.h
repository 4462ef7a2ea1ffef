/* SPDX-License-Identifier: BSD-3-Clause */
/* A snapshot as the dataplane takes it (bpf/policy_image.h). Control's thread. */
#ifndef POSTERN_POLICY_IMAGE_BUILD_H
#define POSTERN_POLICY_IMAGE_BUILD_H

#include <stddef.h>

#include "bpf/policy_image.h"

/* 0 and an image (64-aligned, the caller's to free()), or -ENOMEM. Keeps nothing of `policy`. */
int policy_image_build(const struct policy *policy, void **imagep, size_t *sizep);

/*
 * A sealed memfd with these bytes in it: what CHANNEL_POLICY and CHANNEL_RULESET take. The caller
 * closes it. -errno. `name` is for /proc only.
 */
int image_memfd(const char *name, const void *image, size_t size);

#endif
