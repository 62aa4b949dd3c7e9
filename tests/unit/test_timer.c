#include "fs/engine/timer.h"

#include <stdlib.h>

#include "tests/unit/run.h"

#define MANY 500

static void fires_in_order_of_due_time(void **state)
{
	struct timers timers = {0};
	struct timer timer[MANY] = {{0}};
	int64_t last = 0;
	struct timer *due;
	int fired = 0;

	(void)state;
	srandom(1);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(timer_set(&timers, &timer[i], random() % 1000), 0);
	/* set anew, earlier or later, and some taken out */
	for (int i = 0; i < MANY; i += 3)
		assert_int_equal(timer_set(&timers, &timer[i], random() % 1000), 0);
	for (int i = 0; i < MANY; i += 5)
		timer_clear(&timers, &timer[i]);
	while ((due = timer_due(&timers, 2000))) {
		assert_true(due->due_ms >= last);
		assert_int_not_equal((due - timer) % 5, 0);
		last = due->due_ms;
		fired++;
	}
	assert_int_equal(fired, MANY - MANY / 5);
	assert_int_equal(timer_next(&timers), INT64_MAX);
	timers_free(&timers);
}

static void is_not_due_before_its_time(void **state)
{
	struct timers timers = {0};
	struct timer timer = {0};

	(void)state;
	assert_int_equal(timer_set(&timers, &timer, 100), 0);
	assert_null(timer_due(&timers, 99));
	assert_int_equal(timer_next(&timers), 100);
	assert_ptr_equal(timer_due(&timers, 100), &timer);
	assert_null(timer_due(&timers, 100));
	timer_clear(&timers, &timer); /* taking out what is not set is fine */
	timers_free(&timers);
}

static void what_is_due_at_once_fires_in_the_order_it_was_set(void **state)
{
	struct timers timers = {0};
	struct timer timer[MANY] = {{0}};

	(void)state;
	for (int i = 0; i < MANY; i++)
		assert_int_equal(timer_set(&timers, &timer[i], 7), 0);
	/* set anew for the same time: behind the others now */
	for (int i = 0; i < MANY; i += 2)
		assert_int_equal(timer_set(&timers, &timer[i], 7), 0);
	for (int i = 1; i < MANY; i += 2)
		assert_ptr_equal(timer_due(&timers, 7), &timer[i]);
	for (int i = 0; i < MANY; i += 2)
		assert_ptr_equal(timer_due(&timers, 7), &timer[i]);
	assert_null(timer_due(&timers, 7));
	timers_free(&timers);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_in_order_of_due_time),
		cmocka_unit_test(is_not_due_before_its_time),
		cmocka_unit_test(what_is_due_at_once_fires_in_the_order_it_was_set),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
