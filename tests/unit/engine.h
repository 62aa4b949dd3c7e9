/*
 * engine.h - for the unit tests of the engine: each case is a history of its own of tests/sim, in
 * which the provider and the mount are kind until the case says otherwise.
 */
#ifndef KINOFS_TESTS_UNIT_ENGINE_H
#define KINOFS_TESTS_UNIT_ENGINE_H

#include "fs/journal/journal.h"
#include "tests/sim/sim.h"

#include "tests/unit/run.h"

#define QUIET_MS  3000  /* longer than files settle */
#define LONG_MS   90000 /* longer than a job takes */
#define MINUTE_MS 60000
#define HOUR_MS   (60 * MINUTE_MS)

enum { A = 0, B = 1, C = 2 }; /* stems at the top of the first model */

extern const struct content fox, boat;

extern struct rows rows; /* that were looked at last */

/* Of a program, and of a case. */
int engine_open(void **state), engine_close(void **state);
int engine_set_up(void **state), engine_tear_down(void **state);

#define CASE(name) cmocka_unit_test_setup_teardown(name, engine_set_up, engine_tear_down)

/* Places. */
int text(int stem), spec(int stem);

/* Orders it, and waits for its end. */
void drop(int stem, const struct content *content);

/* What the record of a job shows, until the next look; NULL: nothing. */
const struct job_row *shown_at(int model, const char *stem);
const struct job_row *shown(int stem);

const char *state_of(int stem);
#define ASSERT_STATE(stem, wanted) assert_string_equal(state_of(stem), wanted)

/* Once nothing is to come any more. */
void assert_sound(void);

/* Says it to the engine, and to who counts what may be ordered: 0 or -errno. */
int order(const char *verb, int stem);

/* Every turn comes a little late, as with the real clock; pictures are hashed in between. */
void run_late(int64_t for_ms);
/* A file in the folder of a model, of which the engine is told. */
void put_file(int model, const char *name, const void *bytes, size_t count);

#endif
