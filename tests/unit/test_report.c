/* test_report.c - what the engine is told: everything, in the order noted, with its moment. */
#include "fs/mount/report.h"

#include "fs/engine/intake.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/run.h"

static char heard[256];

static void hear(const char *what, const char *path, const char *to, int64_t at_ms)
{
	size_t used = strlen(heard);

	(void)snprintf(heard + used, sizeof(heard) - used, "%s %s%s%s %lld\n", what, path,
		to ? " " : "", to ? to : "", (long long)at_ms);
}

/* The engine's door, in place of fs/engine/intake.c. */
void intake_changed(struct intake *intake, const char *path, int64_t at_ms)
{
	(void)intake;
	hear("changed", path, NULL, at_ms);
}

void intake_owner(struct intake *intake, const char *path)
{
	(void)intake;
	hear("owner", path, NULL, 0);
}

void intake_removed(struct intake *intake, const char *path, int64_t at_ms)
{
	(void)intake;
	hear("removed", path, NULL, at_ms);
}

void intake_moved(struct intake *intake, const char *from, const char *to, int64_t at_ms)
{
	(void)intake;
	hear("moved", from, to, at_ms);
}

static void reports_come_in_the_order_noted(void **state)
{
	struct reports reports;

	(void)state;
	*heard = '\0';
	reports_init(&reports);
	report_note(&reports, REPORT_CHANGED, "m/cat.txt", NULL, 1);
	report_note(&reports, REPORT_MOVED, "m/cat.txt", "m/dog.txt", 3);
	report_note(&reports, REPORT_REMOVED, "m/dog.txt", NULL, 2);
	assert_string_equal(heard, "");
	reports_tell(&reports, NULL);
	assert_string_equal(heard, "changed m/cat.txt 1\n"
				   "moved m/cat.txt m/dog.txt 3\n"
				   "removed m/dog.txt 2\n");
	reports_clear(&reports);
}

static void a_report_is_told_once(void **state)
{
	struct reports reports;

	(void)state;
	*heard = '\0';
	reports_init(&reports);
	report_note(&reports, REPORT_CHANGED, "a", NULL, 1);
	reports_tell(&reports, NULL);
	reports_tell(&reports, NULL);
	report_note(&reports, REPORT_CHANGED, "b", NULL, 2);
	reports_tell(&reports, NULL);
	assert_string_equal(heard, "changed a 1\nchanged b 2\n");
	report_note(&reports, REPORT_CHANGED, "never told", NULL, 3);
	reports_clear(&reports); /* frees it */
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_come_in_the_order_noted),
		cmocka_unit_test(a_report_is_told_once),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
