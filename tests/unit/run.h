/*
 * run.h - the end of every unit test's main(): all tests, or those whose names match the
 * program's argument, a pattern with * and ?.
 */
#ifndef KINOFS_TESTS_UNIT_RUN_H
#define KINOFS_TESTS_UNIT_RUN_H

#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Whether each step takes fifty times as long, so that fewer of the same kind have to do: tests/run
 * says so to what it runs under valgrind. */
static inline bool run_is_slow(void)
{
	return getenv("KINOFS_TESTS_SLOW") != NULL;
}

/* Whether there is something to run: a mistyped name must not look like success. */
static inline int run_choose(int argc, char **argv, const struct CMUnitTest *tests, size_t count)
{
	if (argc < 2)
		return 1;
	for (size_t i = 0; i < count; i++) {
		if (fnmatch(argv[1], tests[i].name, 0) == 0) {
			cmocka_set_test_filter(argv[1]);
			return 1;
		}
	}
	(void)fprintf(stderr, "no test is called %s\n", argv[1]);
	return 0;
}

#define RUN_TESTS(argc, argv, tests, start, stop)                                                  \
	(run_choose(argc, argv, tests, sizeof(tests) / sizeof((tests)[0]))                         \
			? cmocka_run_group_tests(tests, start, stop)                               \
			: 1)

#endif
