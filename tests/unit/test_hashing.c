/* fs/engine/hashing.h: a picture is hashed by the thread, once for as long as it looks the same. */
#include "fs/base/cleanup.h"
#include "fs/engine/hashing.h"
#include "fs/engine/inbox.h"

#include <semaphore.h>

#include "tests/unit/folder.h"

#define BYTES 100000

static const struct job_key cat = {"a/model", "dir", "cat"};
static struct folder folder;
static struct inbox inbox;
static struct hashing *hashing;
static struct tree tree;
static sem_t woken;
static char bytes[BYTES];

static void wake(void *context)
{
	assert_int_equal(sem_post(context), 0);
}

static int set_up(void **state)
{
	(void)state;
	folder_make(&folder);
	memset(bytes, 'x', BYTES);
	folder_write(&folder, "cat.png", bytes, BYTES);
	assert_int_equal(sem_init(&woken, 0, 0), 0);
	inbox_init(&inbox, wake, &woken);
	tree = (struct tree){.fd = folder.fd};
	hashing = hashing_new(&inbox, &tree);
	assert_non_null(hashing);
	hashing_for(hashing, &cat);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hashing_stop(hashing);
	hashing_free(hashing);
	inbox_close(&inbox);
	inbox_destroy(&inbox);
	assert_int_equal(sem_destroy(&woken), 0);
	folder_remove(&folder);
	return 0;
}

static int ask(char hex[DIGEST_HEX_BYTES])
{
	AUTO_FD int fd = openat(folder.fd, "cat.png", O_RDONLY | O_CLOEXEC);

	return hashing_digest(hashing, "cat.png", fd, hex);
}

/* The message that the picture is hashed has come, for the job it was asked for. */
static void assert_told(void)
{
	struct message_list list;
	struct message *message;

	assert_int_equal(sem_wait(&woken), 0);
	inbox_take(&inbox, &list);
	message = STAILQ_FIRST(&list);
	assert_int_equal(message->kind, MESSAGE_HASHED);
	assert_string_equal(message->first, cat.model);
	assert_string_equal(message->second, cat.dir);
	assert_string_equal(message->third, cat.stem);
	message_end(message, 0, NULL);
}

static void assert_digest(const char *hex)
{
	char expected[DIGEST_HEX_BYTES];

	assert_int_equal(digest_bytes(bytes, BYTES, expected), 0);
	assert_string_equal(hex, expected);
}

static void a_picture_is_hashed_by_the_thread_and_known_after(void **state)
{
	char hex[DIGEST_HEX_BYTES];

	(void)state;
	assert_int_equal(hashing_start(hashing), 0);
	assert_int_equal(ask(hex), -EINPROGRESS);
	assert_told();
	assert_int_equal(ask(hex), 0);
	assert_digest(hex);
	bytes[BYTES / 2] = 'y';
	folder_write(&folder, "cat.png", bytes, BYTES);
	assert_int_equal(ask(hex), -EINPROGRESS);
	assert_told();
	assert_int_equal(ask(hex), 0);
	assert_digest(hex);
	hashing_clear(hashing);
	assert_int_equal(ask(hex), -EINPROGRESS);
	assert_told();
}

static void nobody_who_cannot_wait_waits(void **state)
{
	char hex[DIGEST_HEX_BYTES];

	(void)state;
	assert_int_equal(ask(hex), 0); /* there is no thread */
	assert_digest(hex);
	assert_int_equal(hashing_start(hashing), 0);
	hashing_for(hashing, NULL);
	assert_int_equal(ask(hex), 0);
	assert_digest(hex);
}

static void a_picture_that_is_gone_is_told_as_well(void **state)
{
	char hex[DIGEST_HEX_BYTES];

	(void)state;
	hashing_defer(hashing);
	assert_int_equal(ask(hex), -EINPROGRESS);
	assert_int_equal(unlinkat(folder.fd, "cat.png", 0), 0);
	assert_true(hashing_work(hashing));
	assert_told();
	assert_false(hashing_work(hashing));
}

static void an_end_leaves_the_rest(void **state)
{
	char hex[DIGEST_HEX_BYTES];

	(void)state;
	hashing_defer(hashing);
	for (int i = 0; i < 100; i++)
		assert_int_equal(ask(hex), -EINPROGRESS);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_picture_is_hashed_by_the_thread_and_known_after),
		CASE(nobody_who_cannot_wait_waits),
		CASE(a_picture_that_is_gone_is_told_as_well),
		CASE(an_end_leaves_the_rest),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
