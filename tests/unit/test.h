/* SPDX-License-Identifier: BSD-3-Clause */
/* cmocka and what it wants included before it. */
#ifndef POSTERN_TESTS_UNIT_TEST_H
#define POSTERN_TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif
