/* fs/journal/witness.h: a copy of a store, or one put back, is told from outside of it. */
#include "fs/base/cleanup.h"
#include "fs/journal/journal.h"
#include "fs/journal/witness.h"

#include "tests/unit/folder.h"

static struct folder folder;
static char id[STORE_ID_BYTES];

/* The store is the folder itself; its witnesses are in state/. */
static int make_store(void **state)
{
	AUTO_FREE char *witnesses = NULL;

	(void)state;
	folder_make(&folder);
	folder_put(&folder, JOURNAL_FILE, "a journal");
	assert_true(asprintf(&witnesses, "%s/state", folder.path) > 0);
	assert_int_equal(setenv("XDG_STATE_HOME", witnesses, 1), 0);
	store_id_new(id);
	return 0;
}

static int remove_store(void **state)
{
	(void)state;
	folder_remove(&folder);
	return 0;
}

static struct testimony take(int64_t generation)
{
	struct testimony now = {.generation = generation};

	assert_int_equal(testimony_take(folder.fd, &now), 0);
	assert_int_equal(now.generation, generation);
	return now;
}

static void every_store_has_an_identity_of_its_own(void **state)
{
	char other[STORE_ID_BYTES];

	(void)state;
	store_id_new(other);
	assert_int_equal(strspn(other, "0123456789abcdef"), STORE_ID_BYTES - 1);
	assert_string_not_equal(other, id);
}

static void what_was_told_is_known(void **state)
{
	struct testimony now = take(7), then;

	(void)state;
	assert_int_equal(witness_ask(id, &then), WITNESS_MISSING);
	assert_int_equal(witness_tell(id, &now), 0);
	assert_int_equal(witness_ask(id, &then), WITNESS_KNOWN);
	assert_int_equal(then.generation, 7);
	assert_true(then.inode == now.inode && then.born_ns == now.born_ns);
	assert_true(testimony_fits(&then, &now));
	now.generation = 8;
	assert_int_equal(witness_tell(id, &now), 0);
	assert_int_equal(witness_ask(id, &then), WITNESS_KNOWN);
	assert_int_equal(then.generation, 8);
}

static void stores_have_witnesses_of_their_own(void **state)
{
	struct testimony now = take(7), then;
	char other[STORE_ID_BYTES];

	(void)state;
	store_id_new(other);
	assert_int_equal(witness_tell(id, &now), 0);
	assert_int_equal(witness_ask(other, &then), WITNESS_MISSING);
}

static void a_step_back_does_not_fit_and_steps_forward_do(void **state)
{
	const struct testimony then = take(7);
	struct testimony now = then;

	(void)state;
	now.generation = 6;
	assert_false(testimony_fits(&then, &now));
	now.generation = 9;
	assert_true(testimony_fits(&then, &now));
}

static void a_copy_of_the_journal_does_not_fit(void **state)
{
	struct testimony then = take(7), now;

	(void)state;
	folder_put(&folder, "copy", "a journal");
	assert_int_equal(renameat(folder.fd, "copy", folder.fd, JOURNAL_FILE), 0);
	now = take(7);
	assert_false(testimony_fits(&then, &now));
	/* the number used again, as filesystems do, for a file that was made later */
	now.inode = then.inode;
	now.born_ns = then.born_ns + 1;
	assert_false(testimony_fits(&then, &now));
}

static void a_store_that_was_moved_fits(void **state)
{
	struct testimony then = take(7), now = {.generation = 7};
	int moved;

	(void)state;
	assert_int_equal(mkdirat(folder.fd, "moved", 0700), 0);
	assert_int_equal(renameat(folder.fd, JOURNAL_FILE, folder.fd, "moved/" JOURNAL_FILE), 0);
	moved = openat(folder.fd, "moved", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(testimony_take(moved, &now), 0);
	assert_true(testimony_fits(&then, &now));
	assert_int_equal(testimony_take(folder.fd, &now), -ENOENT);
	assert_int_equal(close(moved), 0);
}

static void a_witness_cut_short_is_missing(void **state)
{
	struct testimony now = take(7), then;
	AUTO_FREE char *path = NULL;

	(void)state;
	assert_int_equal(witness_tell(id, &now), 0);
	assert_true(asprintf(&path, "state/kinofs/stores/%s", id) > 0);
	folder_put(&folder, path, "7 12");
	assert_int_equal(witness_ask(id, &then), WITNESS_MISSING);
	folder_put(&folder, path, "");
	assert_int_equal(witness_ask(id, &then), WITNESS_MISSING);
}

/* Neither a copy nor the original can be told; so it is not said that the witness is missing. */
static void where_nothing_can_be_kept_nothing_is_missing(void **state)
{
	struct testimony now = take(7), then;

	(void)state;
	folder_put(&folder, "state", "no folder");
	assert_int_equal(witness_ask(id, &then), WITNESS_UNUSABLE);
	assert_int_equal(witness_tell(id, &now), -ENOTDIR);
}

static int tell(void *context)
{
	return witness_tell(id, context);
}

static void a_witness_that_cannot_be_kept_is_an_error_and_the_old_one_stays(void **state)
{
	struct testimony old = take(7), now = take(8), then;
	int error;

	(void)state;
	assert_int_equal(witness_tell(id, &old), 0);
	assert_int_equal(fchmodat(folder.fd, "state/kinofs/stores", 0555, 0), 0);
	error = folder_ask(tell, &now, -1);
	assert_int_equal(fchmodat(folder.fd, "state/kinofs/stores", 0700, 0), 0);
	if (error == ASK_FAILED)
		skip(); /* a root that may not become somebody else */
	assert_int_equal(error, -EACCES);
	assert_int_equal(witness_ask(id, &then), WITNESS_KNOWN);
	assert_int_equal(then.generation, 7);
}

#define IN_A_STORE(test) cmocka_unit_test_setup_teardown(test, make_store, remove_store)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_A_STORE(every_store_has_an_identity_of_its_own),
		IN_A_STORE(what_was_told_is_known),
		IN_A_STORE(stores_have_witnesses_of_their_own),
		IN_A_STORE(a_step_back_does_not_fit_and_steps_forward_do),
		IN_A_STORE(a_copy_of_the_journal_does_not_fit),
		IN_A_STORE(a_store_that_was_moved_fits),
		IN_A_STORE(a_witness_cut_short_is_missing),
		IN_A_STORE(where_nothing_can_be_kept_nothing_is_missing),
		IN_A_STORE(a_witness_that_cannot_be_kept_is_an_error_and_the_old_one_stays),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
