/* fs/journal/registry.h: a store and the journals that lie apart from it. */
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/journal/registry.h"

#include "tests/unit/folder.h"
#include "tests/unit/synced.h"

#define ID "0123456789abcdef"

static struct folder folder;

static int make_store(void **state)
{
	(void)state;
	folder_make(&folder);
	return 0;
}

static int remove_store(void **state)
{
	(void)state;
	folder_remove(&folder);
	return 0;
}

/* The journal knows its store as soon as it is there; so the store is to know it as long. */
static void an_entry_is_durable_with_all_that_leads_to_it(void **state)
{
	AUTO_FREE char *names = format("/" ID "/" REGISTRY "/%s/", strrchr(folder.path, '/') + 1);

	(void)state;
	synced_forget();
	assert_int_equal(registry_add(folder.fd, ID, "/a/journal"), 0);
	assert_true(registry_has(folder.fd, ID));
	assert_true(were_synced(names));
}

static void an_entry_is_counted_and_says_where(void **state)
{
	AUTO_FREE char *where = NULL;

	(void)state;
	assert_int_equal(registry_count(folder.fd, &where), 0);
	assert_null(where);
	assert_int_equal(registry_add(folder.fd, ID, "/a/journal"), 0);
	assert_int_equal(registry_add(folder.fd, ID, "/b/journal"), -EEXIST);
	assert_int_equal(registry_count(folder.fd, &where), 1);
	assert_non_null(strstr(where, ":/a/journal"));
}

#define IN_A_STORE(test) cmocka_unit_test_setup_teardown(test, make_store, remove_store)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_A_STORE(an_entry_is_durable_with_all_that_leads_to_it),
		IN_A_STORE(an_entry_is_counted_and_says_where),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
