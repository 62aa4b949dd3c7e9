#include "fs/engine/moves.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/run.h"

static struct moves moves;

static int tear_down(void **state)
{
	(void)state;
	moves_clear(&moves);
	moves.count = 0;
	return 0;
}

/* What path was at first, by all renames that are kept. */
static void assert_first(const char *path, const char *first)
{
	size_t age = moves.count;
	char *at = NULL, *before;

	while ((before = moves_before(&moves, at ? at : path, &age))) {
		free(at);
		at = before;
	}
	assert_string_equal(at ? at : path, first);
	free(at);
}

static void renames_in_a_row_lead_back(void **state)
{
	(void)state;
	moves_note(&moves, "m/summer", "m/winter");
	moves_note(&moves, "m/winter/a.txt", "m/new/b.txt");
	moves_note(&moves, "m/new", "m/newer");
	assert_first("m/newer/b.txt", "m/summer/a.txt");
	assert_first("m/winter/c.txt", "m/summer/c.txt");
	assert_first("m/winterly", "m/winterly");
	assert_first("m/summer/a.txt", "m/summer/a.txt");
}

static void only_older_renames_count(void **state)
{
	(void)state;
	moves_note(&moves, "a", "b");
	moves_note(&moves, "b", "a");
	moves_note(&moves, "a", "c");
	assert_first("c", "a"); /* by c, a, b, a: not round and round */
	moves_note(&moves, "x", "b");
	assert_first("c", "a");
}

static void the_oldest_are_forgotten(void **state)
{
	char from[32], to[32];

	(void)state;
	for (int i = 0; i < 3 * MOVES_KEPT; i++) {
		snprintf(from, sizeof(from), "n%d", i);
		snprintf(to, sizeof(to), "n%d", i + 1);
		moves_note(&moves, from, to);
	}
	snprintf(from, sizeof(from), "n%d", 2 * MOVES_KEPT);
	assert_first(to, from);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(renames_in_a_row_lead_back, tear_down),
		cmocka_unit_test_teardown(only_older_renames_count, tear_down),
		cmocka_unit_test_teardown(the_oldest_are_forgotten, tear_down),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
