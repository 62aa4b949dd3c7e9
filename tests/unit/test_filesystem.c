/* Which filesystems are of the network, by the types that statfs(2) tells: none of them can be
 * mounted in a test, so the call is answered here. */
#include "fs/base/filesystem.h"

#include <fcntl.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "tests/unit/run.h"

static uint32_t magic;

/* In place of libc's. */
int fstatfs64(int fd, struct statfs64 *info)
{
	(void)fd;
	*info = (struct statfs64){.f_type = (__fsword_t)(int32_t)magic};
	return 0;
}

static void is(uint32_t type, enum filesystem wanted)
{
	const char *name = NULL;

	magic = type;
	assert_int_equal(filesystem_of(STDIN_FILENO, &name), wanted);
	assert_non_null(name);
}

/* The numbers are those of statfs(2). */
static void those_of_the_network_are_known(void **state)
{
	static const uint32_t network[] = {0x6969, 0xFF534D42, 0xFE534D42, 0x517B, 0x01021997,
		0x00C36400, 0x5346414F, 0x73757245, 0x7461636F, 0x0BD00BD0, 0x01161970, 0x786F4256};

	(void)state;
	for (size_t i = 0; i < sizeof(network) / sizeof(*network); i++)
		is(network[i], FILESYSTEM_NETWORK);
}

static void a_local_disk_and_fuse_are_told_apart(void **state)
{
	static const uint32_t local[] = {
		0xEF53, 0x58465342, 0x9123683E, 0xF2F52010, 0x01021994, 0x794C7630, 0x2FC12FC1};

	(void)state;
	for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++)
		is(local[i], FILESYSTEM_LOCAL);
	is(0x65735546, FILESYSTEM_FUSE);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_of_the_network_are_known),
		cmocka_unit_test(a_local_disk_and_fuse_are_told_apart),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
