/* fs/input/way.h: where links lead, by our reading and by the kernel's, and what may be opened. */
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/input/look.h"
#include "fs/input/tree.h"

#include "tests/unit/folder.h"

#include <stdio.h>

#define ROUNDS 150
#define LINKS  12
#define PATHS  60

static struct folder
	folder; /* of it, "in" is the tree, and beside it are "out" and the link "to" */
static struct tree tree;
static char root[64], typed[64];
static unsigned int seed;
static bool may_leave; /* links and paths may name what is outside of the tree */

static const char *const folders[] = {"a", "b", "a/c"};
static const char *const files[] = {"x", "a/x", "a/y", "b/y", "a/c/x"};

static int set_up(void **state)
{
	(void)state;
	folder_make(&folder);
	(void)snprintf(typed, sizeof(typed), "%s/to", folder.path);
	assert_int_equal(mkdirat(folder.fd, "in", 0755), 0);
	assert_int_equal(mkdirat(folder.fd, "out", 0755), 0);
	(void)snprintf(root, sizeof(root), "%s/in", folder.path);
	assert_int_equal(symlinkat("in", folder.fd, "to"), 0);
	folder_put(&folder, "out/x", "secret");
	tree = (struct tree){.seen_at = root, .typed = typed};
	tree.fd = openat(folder.fd, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		assert_int_equal(mkdirat(tree.fd, folders[i], 0755), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		AUTO_FREE char *path = format("in/%s", files[i]);

		folder_put(&folder, path, files[i]);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(close(tree.fd), 0);
	folder_remove(&folder);
	return 0;
}

/* What tree_open() reads, or its error. The caller frees *text. */
static int read_file(const char *path, char **text)
{
	size_t bytes;

	*text = NULL;
	return tree_read(&tree, path, 100, text, &bytes);
}

/* ------------------------------------------------------------------ as the kernel */

static unsigned int below(unsigned int count)
{
	return (unsigned int)rand_r(&seed) / 7 % count;
}

static const char *one_of(const char *const *words, size_t count)
{
	return words[below((unsigned int)count)];
}

/* Of names that are there or not, and ways up and down. */
static char *random_path(void)
{
	static const char *const parts[] = {"a", "a", "b", "c", "x", "x", "y", "z", "..", "..", ".",
		"", "l0", "l1", "l2", "l3", "l4", "in", "out"};
	const size_t count = sizeof(parts) / sizeof(*parts) - !may_leave;
	char *path = strdup("");

	for (unsigned int i = below(5) + 1; i > 0; i--) {
		AUTO_FREE char *old = path;

		path = format("%s%s%s", old, *old ? "/" : "", one_of(parts, count));
	}
	return path;
}

static char *random_target(void)
{
	AUTO_FREE char *path = random_path();
	const char *const heads[] = {
		"", "", "", "../", "../../in/", root, root, typed, folder.path};
	const char *head = one_of(heads, sizeof(heads) / sizeof(*heads));
	char *target = format("%s%s%s", head, *head == '/' ? "/" : "", path);

	return *target ? target : (free(target), strdup("."));
}

static void make_links(void)
{
	for (int i = 0; i < LINKS; i++) {
		AUTO_FREE char *target = random_target();
		AUTO_FREE char *path = format(
			"%s%sl%u", i % 3 ? folders[below(3)] : "", i % 3 ? "/" : "", below(5));

		if (symlinkat(target, tree.fd, path) < 0)
			assert_int_equal(errno, EEXIST);
	}
}

static void remove_links(void)
{
	for (unsigned int i = 0; i < 4 * 5; i++) {
		AUTO_FREE char *path =
			format("%s%sl%u", i % 4 ? folders[i % 4 - 1] : "", i % 4 ? "/" : "", i / 4);

		(void)unlinkat(tree.fd, path, 0); /* it need not be there */
	}
}

/* Where the kernel gets to: the whole path, or NULL with errno. */
static char *kernel_finds(const char *path)
{
	AUTO_FREE char *whole = format("%s/%s", root, path);
	AUTO_FD int fd = open(whole, O_PATH | O_CLOEXEC);
	AUTO_FREE char *name = format("/proc/self/fd/%d", fd);
	char found[256];
	ssize_t bytes = fd < 0 ? -1 : readlink(name, found, sizeof(found));

	return bytes < 0 ? NULL : strndup(found, (size_t)bytes);
}

static void compare(const char *path)
{
	AUTO_FREE char *kernel = kernel_finds(path);
	int error = kernel ? 0 : -errno;
	size_t bytes = strlen(root);
	struct way way = {0};
	int found = way_find(&tree, path, &way);
	bool inside =
		kernel && !strncmp(kernel, root, bytes) && (!kernel[bytes] || kernel[bytes] == '/');
	AUTO_FREE char *text = NULL;

	if (found == -EXDEV)
		assert_true(!inside || may_leave); /* there may be ways back in */
	else if (inside && !kernel[bytes])
		assert_int_equal(found, -EISDIR);
	else if (inside)
		assert_true(found == 0 && !strcmp(way.end, kernel + bytes + 1));
	else
		assert_true(found == error && found < 0);
	if (!inside && !strstr(path, "..")) /* paths have none (place.h), links may */
		assert_true(read_file(path, &text) < 0);
	way_clear(&way);
}

static void links_lead_where_the_kernel_goes_but_never_out(void **state)
{
	(void)state;
	seed = 1;
	for (int round = 0; round < ROUNDS; round++) {
		may_leave = round % 2;
		make_links();
		for (int i = 0; i < PATHS; i++) {
			AUTO_FREE char *path = random_path();

			compare(path);
		}
		remove_links();
	}
}

/* ------------------------------------------------------------------ one by one */

static void put_link(const char *target, const char *path)
{
	(void)unlinkat(tree.fd, path, 0); /* there may be none */
	assert_int_equal(symlinkat(target, tree.fd, path), 0);
}

static void assert_reads(const char *path, const char *content)
{
	AUTO_FREE char *text = NULL;

	assert_int_equal(read_file(path, &text), 0);
	assert_string_equal(text, content);
}

static void assert_fails(const char *path, int error)
{
	AUTO_FREE char *text = NULL;

	assert_int_equal(read_file(path, &text), error);
}

static void a_file_behind_links_is_read_and_nothing_outside(void **state)
{
	AUTO_FREE char *real = format("%s/a/y", root), *other = format("%s//b/y", typed);
	AUTO_FREE char *sibling = format("%s/in2/x", folder.path), *near = format("%s2/x", typed);
	struct stat info, there;

	(void)state;
	put_link("../b/y", "a/l0");
	assert_reads("a/l0", "b/y");
	put_link("b", "l1");
	assert_reads("l1/y", "b/y");
	put_link(real, "l2");
	assert_reads("l2", "a/y");
	put_link(other, "l2");
	assert_reads("l2", "b/y");
	assert_int_equal(tree_stat_end(&tree, "l2", &info), 0);
	assert_int_equal(tree_stat(&tree, "b/y", &there), 0);
	assert_int_equal(info.st_ino, there.st_ino);
	put_link("../out/x", "l2");
	assert_fails("l2", -EXDEV);
	put_link(sibling, "l2");
	assert_fails("l2", -EXDEV);
	put_link(near, "l2");
	assert_fails("l2", -EXDEV);
	put_link("/proc/self/fd/0", "l2");
	assert_fails("l2", -EXDEV);
	put_link("a", "l2");
	assert_fails("l2", -EISDIR);
	put_link(root, "l2");
	assert_fails("l2", -EISDIR);
	put_link("l2", "l2");
	assert_fails("l2", -ELOOP);
	put_link("z", "l2");
	assert_fails("l2", -ENOENT);
	assert_int_equal(tree_stat_end(&tree, "l2", &info), -ENOENT);
	tree.seen_at = tree.typed = NULL; /* who does not know where it is follows no such link */
	put_link(real, "l2");
	assert_fails("l2", -EXDEV);
	put_link("../in/x", "l2");
	assert_fails("l2", -EXDEV);
}

static void the_way_names_what_may_change_it(void **state)
{
	struct way way = {0};

	(void)state;
	put_link("b", "l0");
	put_link("../l0/l1", "a/l0");
	put_link("new/y", "b/l1");
	assert_int_equal(tree_way(&tree, "a/l0", &way), -ENOENT);
	assert_int_equal(way.count, 2);
	assert_string_equal(way.link[0], "l0");
	assert_string_equal(way.link[1], "b/l1");
	assert_string_equal(way.end, "b/new/y");
	way_clear(&way);
	put_link("../a/l0", "b/l1");
	assert_int_equal(tree_way(&tree, "a/l0", &way), -ELOOP);
	assert_int_equal(way.count, 2); /* each once */
	way_clear(&way);
	put_link("../../out/x", "b/l1");
	assert_int_equal(tree_way(&tree, "a/l0", &way), -EXDEV);
	assert_int_equal(way.count, 2);
	assert_null(way.end);
	way_clear(&way);
	assert_int_equal(tree_way(&tree, "a/x", &way), 0);
	assert_true(!way.count && !way.end);
}

static int show(void *context, const char *name, char **path)
{
	(void)context;
	*path = strcmp(name, "cat") ? NULL : strdup("a/y");
	return *path ? 0 : -ENOENT;
}

static void what_the_mount_shows_counts_as_what_it_stands_for(void **state)
{
	AUTO_FREE char *shown = format("%s/out/cat", root);

	(void)state;
	put_link(shown, "a/l0");
	assert_fails("a/l0", -ENOENT);
	tree.shown = show;
	assert_reads("a/l0", "a/y");
	assert_reads("out/cat", "a/y");
	assert_fails("out/dog", -ENOENT);
	put_link("../out", "b/l0");
	assert_reads("b/l0/cat", "a/y");
	assert_fails("b/l0", -EISDIR);
}

static void look(const char *path, char hex[DIGEST_HEX_BYTES])
{
	assert_int_equal(look_at(&tree, &path, 1, hex), 0);
}

static void a_look_through_a_link_sees_another_file_and_another_way(void **state)
{
	char before[DIGEST_HEX_BYTES], after[DIGEST_HEX_BYTES];

	(void)state;
	put_link("b", "l0");
	look("l0/y", before);
	look("l0/y", after);
	assert_string_equal(before, after);
	folder_put(&folder, "in/b/y", "other words");
	look("l0/y", after);
	assert_string_not_equal(before, after);
	put_link("a", "l0");
	look("l0/y", before);
	assert_string_not_equal(before, after);
}

static void paths_begin_where_the_tree_does(void **state)
{
	struct tree part = {.skip = strlen("in/a/"), .seen_at = root};
	struct way way = {0};

	(void)state;
	put_link("c/x", "a/l0");
	part.fd = openat(tree.fd, "a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(tree_way(&part, "in/a/l0", &way), 0);
	assert_string_equal(way.end, "in/a/c/x");
	way_clear(&way);
	assert_int_equal(close(part.fd), 0);
}

#define IN_A_TREE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_A_TREE(links_lead_where_the_kernel_goes_but_never_out),
		IN_A_TREE(a_file_behind_links_is_read_and_nothing_outside),
		IN_A_TREE(the_way_names_what_may_change_it),
		IN_A_TREE(what_the_mount_shows_counts_as_what_it_stands_for),
		IN_A_TREE(a_look_through_a_link_sees_another_file_and_another_way),
		IN_A_TREE(paths_begin_where_the_tree_does),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
