/* test_node.c - the node table: identity, lifetime, names, paths, writers, size. */
#include "fs/mount/node.h"
#include "fs/mount/node_use.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/run.h"

static struct node_table table;

static int set_up(void **state)
{
	struct stat root = {.st_dev = 1, .st_ino = 2};

	(void)state;
	return node_table_init(&table, &root);
}

static void no_handle(struct handle *handle)
{
	(void)handle;
	fail_msg("a handle was left open");
}

static int tear_down(void **state)
{
	(void)state;
	node_table_clear(&table, no_handle);
	return 0;
}

static struct node *enter(
	struct node *parent, const char *name, ino_t ino, bool folder, nlink_t links)
{
	struct node_seed seed = {
		.backed = true, .folder = folder, .dev = 1, .ino = ino, .links = links};
	struct node *node = node_enter(&table, parent, name, &seed);

	assert_non_null(node);
	return node;
}

static struct node *enter_file(struct node *parent, const char *name, ino_t ino)
{
	return enter(parent, name, ino, false, 1);
}

static struct node *enter_folder(struct node *parent, const char *name, ino_t ino)
{
	return enter(parent, name, ino, true, 2);
}

static void assert_path(
	struct node *node, const char *leaf, enum node_base base, const char *expected)
{
	char *path;

	assert_int_equal(node_path(&table, node, leaf, base, &path), 0);
	assert_string_equal(path, expected);
	free(path);
}

static void assert_nameless(struct node *node)
{
	char *path;

	assert_int_equal(node_path(&table, node, NULL, BASE_STORE, &path), -ENOENT);
}

static void rename_to(
	struct node *parent, const char *name, struct node *new_parent, const char *new_name)
{
	struct name *fresh = name_new(new_name);
	int none = -1;

	assert_non_null(fresh);
	node_rename(&table, parent, name, new_parent, fresh, &none);
}

static void a_name_looked_up_twice_is_one_node(void **state)
{
	struct node *node = enter_file(table.root, "a", 10);

	(void)state;
	assert_ptr_equal(enter_file(table.root, "a", 10), node);
	assert_ptr_equal(node_get(&table, node->id), node);
	assert_int_equal(node->nlookup, 2);
}

static void an_id_is_never_used_again(void **state)
{
	struct node *node = enter_file(table.root, "a", 10);
	uint64_t id = node->id;

	(void)state;
	node_unname(&table, table.root, "a");
	node_forget(&table, node, 1);
	assert_null(node_get(&table, id));
	assert_true(enter_file(table.root, "a", 10)->id > id);
	assert_int_equal(tear_down(NULL) + set_up(NULL), 0); /* another mount */
	assert_true(enter_file(table.root, "a", 10)->id > id + 1);
}

static void a_forgotten_node_is_found_by_its_id_until_it_is_removed(void **state)
{
	struct node *folder = enter_folder(table.root, "d", 9);
	struct node *node = enter_file(folder, "a", 10);
	uint64_t id = node->id;

	(void)state;
	node_forget(&table, node, 1);
	node_forget(&table, folder, 1);
	assert_ptr_equal(node_enter_again(&table, id), node);
	node_forget(&table, node, 1);
	rename_to(folder, "a", table.root, "b");
	assert_path(node_get(&table, id), NULL, BASE_MOUNT, "b");
	node_unname(&table, table.root, "b");
	assert_null(node_enter_again(&table, id));
	assert_null(node_enter_parent(&table, id));
}

/* As with a bind mount of a folder onto its own child, or changes underneath the mount. */
static void a_folder_below_itself_is_another_node(void **state)
{
	struct node *a = enter_folder(table.root, "a", 9);
	struct node *b = enter_folder(a, "b", 10);
	struct node *again = enter_folder(b, "c", 9);

	(void)state;
	assert_ptr_not_equal(again, a);
	assert_path(again, "d", BASE_MOUNT, "a/b/c/d");
	assert_true(node_is_below(&table, again, NODE_ROOT));
	assert_ptr_equal(enter_folder(table.root, "a", 9), a); /* each by its own name */
	assert_ptr_equal(enter_folder(b, "c", 9), again);
	rename_to(b, "c", table.root, "c");
	assert_path(again, NULL, BASE_MOUNT, "c");
	assert_ptr_equal(enter_folder(again, "e", 10), b); /* it has moved there */
	assert_path(b, NULL, BASE_MOUNT, "c/e");
	assert_ptr_not_equal(enter_folder(a, "self", 9), a);
}

/* The numbers of a random history: its seed is printed when it fails. */
static unsigned dice;

static size_t roll(size_t sides)
{
	dice = dice * 1103515245 + 12345;
	return (dice >> 16) % sides;
}

enum { KNOWN = 48, STEPS = 4000, SEEDS = 20 };
static struct {
	struct node *node;
	uint64_t count; /* lookups the kernel has not taken back */
} known[KNOWN];

static struct node *any_known(bool folder)
{
	struct node *node = known[roll(KNOWN)].node;

	return node && node->folder == folder ? node : table.root;
}

static void learn(struct node *node)
{
	size_t free_place = KNOWN;

	for (size_t i = 0; i < KNOWN; i++) {
		if (known[i].node == node) {
			known[i].count++;
			return;
		}
		if (!known[i].node)
			free_place = i;
	}
	if (free_place == KNOWN) {
		free_place = roll(KNOWN);
		node_forget(&table, known[free_place].node, known[free_place].count);
	}
	known[free_place].node = node;
	known[free_place].count = 1;
}

/* Any inode number, as a file or as a folder, may be found at any place, for the store is changed
 * underneath; what goes through the mount goes on meanwhile. */
static void step(void)
{
	static const char *const name[] = {"a", "b", "c"};
	const char *from = name[roll(3)], *to = name[roll(3)];
	struct node *folder = any_known(true), *other = any_known(true);
	size_t i = roll(KNOWN);

	switch (roll(8)) {
	case 0: rename_to(folder, from, other, to); break;
	case 1: node_exchange(&table, folder, from, other, to); break;
	case 2: node_unname(&table, folder, from); break;
	case 3:
		if (known[i].node)
			node_forget(&table, known[i].node, known[i].count);
		known[i].node = NULL;
		break;
	default: learn(enter(folder, from, 10 + roll(9), roll(3), roll(2) ? 1 : 2)); break;
	}
}

/* Every way up comes to an end, at the root or at a folder without a name. */
static void assert_no_circle(unsigned seed)
{
	for (size_t i = 0; i < KNOWN; i++) {
		size_t steps = 0;

		for (struct node *at = known[i].node; at && at->names; at = at->names->parent)
			if (steps++ > table.ids.count)
				fail_msg("seed %u: a circle", seed);
	}
}

static void no_change_underneath_makes_a_circle(void **state)
{
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		dice = seed;
		memset(known, 0, sizeof(known));
		for (size_t i = 0; i < STEPS; i++) {
			step();
			assert_no_circle(seed);
		}
		for (size_t i = 0; i < KNOWN; i++)
			if (known[i].node)
				node_forget(&table, known[i].node, known[i].count);
		assert_int_equal(tear_down(state) + set_up(state), 0);
	}
}

static void hard_links_share_one_node(void **state)
{
	struct node *folder = enter_folder(table.root, "d", 9);
	struct node *node = enter(table.root, "a", 10, false, 2);
	char **paths;

	(void)state;
	assert_ptr_equal(enter(folder, "b", 10, false, 2), node);
	paths = node_paths(&table, node);
	assert_non_null(paths);
	assert_string_equal(paths[0], "d/b");
	assert_string_equal(paths[1], "a");
	assert_null(paths[2]);
	free(paths[0]);
	free(paths[1]);
	free(paths);
	node_unname(&table, folder, "b");
	assert_path(node, NULL, BASE_MOUNT, "a");
}

static void an_inode_number_used_again_is_another_node(void **state)
{
	struct node *old = enter_file(table.root, "a", 10), *fresh;

	(void)state;
	node_unname(&table, table.root, "a");
	assert_nameless(old);
	fresh = enter_file(table.root, "b", 10);
	assert_ptr_not_equal(fresh, old);
	assert_nameless(old);
	node_forget(&table, old, 1);
	assert_ptr_equal(node_child(&table, table.root, "b"), fresh);
}

static void a_change_underneath_replaces_the_node(void **state)
{
	struct node *old = enter_file(table.root, "a", 10);
	struct node *fresh = enter_file(table.root, "a", 11);

	(void)state;
	assert_ptr_not_equal(fresh, old);
	assert_nameless(old);
	/* and a file with one link that was moved underneath keeps only its new name */
	assert_ptr_equal(enter_file(table.root, "c", 11), fresh);
	assert_null(node_child(&table, table.root, "a"));
	assert_path(fresh, NULL, BASE_MOUNT, "c");
}

static void a_folder_is_kept_by_its_children(void **state)
{
	struct node *folder = enter_folder(table.root, "d", 9);
	uint64_t id = folder->id;
	struct node *inner = enter_folder(folder, "e", 8);
	struct node *file = enter_file(inner, "f", 10);

	(void)state;
	node_forget(&table, folder, 1);
	node_forget(&table, inner, 1);
	assert_ptr_equal(node_get(&table, id), folder);
	assert_path(file, NULL, BASE_STORE, "tree/d/e/f");
	node_forget(&table, file, 1);
	node_unname(&table, inner, "f");
	node_unname(&table, folder, "e");
	assert_ptr_equal(node_get(&table, id), folder);
	node_unname(&table, table.root, "d");
	assert_null(node_get(&table, id));
}

static void a_handle_keeps_a_nameless_node(void **state)
{
	struct node *node = enter_file(table.root, "a", 10);
	uint64_t id = node->id;
	struct handle handle = {.fd = -1, .writable = true};

	(void)state;
	node_open(&table, node, &handle);
	node_unname(&table, table.root, "a");
	node_forget(&table, node, 1);
	assert_ptr_equal(node_get(&table, id), node);
	assert_false(node_close(&table, &handle));
	assert_ptr_equal(node_get(&table, id), node);
	node_release(&table, &handle);
	assert_null(node_get(&table, id));
}

static void a_rename_moves_everything_below(void **state)
{
	struct node *folder = enter_folder(table.root, "d", 9);
	struct node *other = enter_folder(table.root, "o", 8);
	struct node *file = enter_file(folder, "f", 10);

	(void)state;
	rename_to(table.root, "d", other, "moved");
	assert_path(file, NULL, BASE_MOUNT, "o/moved/f");
	assert_path(folder, "new", BASE_STORE, "tree/o/moved/new");
	assert_null(node_child(&table, table.root, "d"));
}

static void a_renamed_over_node_loses_its_name(void **state)
{
	struct node *from = enter_file(table.root, "a", 10);
	struct node *over = enter_file(table.root, "b", 11);

	(void)state;
	rename_to(table.root, "a", table.root, "b");
	assert_ptr_equal(node_child(&table, table.root, "b"), from);
	assert_null(node_child(&table, table.root, "a"));
	assert_nameless(over);
}

static void renaming_a_link_over_its_twin_changes_nothing(void **state)
{
	struct node *node = enter(table.root, "a", 10, false, 2);

	(void)state;
	enter(table.root, "b", 10, false, 2);
	rename_to(table.root, "a", table.root, "b");
	assert_ptr_equal(node_child(&table, table.root, "a"), node);
	assert_ptr_equal(node_child(&table, table.root, "b"), node);
}

static void an_exchange_swaps_names(void **state)
{
	struct node *folder = enter_folder(table.root, "d", 9);
	struct node *file = enter_file(table.root, "f", 10);
	struct node *inner = enter_file(folder, "i", 11);

	(void)state;
	node_exchange(&table, table.root, "d", table.root, "f");
	assert_path(file, NULL, BASE_MOUNT, "d");
	assert_path(inner, NULL, BASE_MOUNT, "f/i");
}

static void paths_start_at_the_mount_or_in_the_store(void **state)
{
	struct node_seed control = {.kind = NODE_CONTROL, .folder = true};
	struct node_seed incoming = {
		.kind = NODE_INCOMING, .backed = true, .folder = true, .dev = 1, .ino = 3};
	struct node *folder = node_enter(&table, table.root, ".kinofs", &control);
	struct node *in = node_enter(&table, folder, "incoming", &incoming);

	(void)state;
	assert_path(table.root, NULL, BASE_MOUNT, "");
	assert_path(table.root, NULL, BASE_STORE, "tree");
	assert_path(table.root, "a", BASE_MOUNT, "a");
	assert_path(table.root, "a", BASE_STORE, "tree/a");
	assert_path(in, "v", BASE_MOUNT, ".kinofs/incoming/v");
	assert_path(in, "v", BASE_STORE, "incoming/v");
}

static void the_last_writer_of_a_dirty_node_completes_it(void **state)
{
	struct node *node = enter_file(table.root, "a", 10);
	struct handle one = {.fd = -1, .writable = true}, two = one, reader = {.fd = -1};

	(void)state;
	assert_false(node_mark_dirty(&table, node));
	node_open(&table, node, &one);
	node_open(&table, node, &two);
	node_open(&table, node, &reader);
	assert_true(node_is_written(&table, "a"));
	assert_true(node_mark_dirty(&table, node));
	assert_false(node_close(&table, &one));
	assert_true(node_close(&table, &two));
	assert_false(node_is_written(&table, "a"));
	assert_false(node_close(&table, &reader));
	node_release(&table, &reader);
	node_release(&table, &one);
	node_release(&table, &two);
	assert_false(node_is_written(&table, "a/b"));
	assert_false(node_is_written(&table, "nothing"));
}

/* What the kernel demands of FUSE passthrough (shim.c). */
static void handles_open_together_have_one_backing(void **state)
{
	struct node *node = enter_file(table.root, "a", 10);
	struct handle one = {.fd = -1, .backing = 7}, two = {.fd = -1, .backing = 8};
	struct handle plain = {.fd = -1}, late = {.fd = -1, .backing = 9};

	(void)state;
	assert_false(node_is_open(&table, node));
	node_open(&table, node, &one);
	node_open(&table, node, &two);
	node_open(&table, node, &plain);
	assert_int_equal(two.backing, 7);
	assert_int_equal(plain.backing, 7);
	assert_false(node_release(&table, &one));
	assert_true(node_is_open(&table, node));
	assert_false(node_release(&table, &plain));
	assert_true(node_release(&table, &two));
	plain.backing = 0;
	node_open(&table, node, &plain);
	node_open(&table, node, &late);
	assert_int_equal(late.backing, 0);
	node_release(&table, &late);
	node_release(&table, &plain);
}

static void a_node_is_below_the_folders_it_is_in(void **state)
{
	struct node_seed seed = {
		.kind = NODE_OUT, .backed = true, .folder = true, .dev = 1, .ino = 9};
	struct node *out = node_enter(&table, table.root, "out", &seed);
	struct node *folder = enter_folder(out, "d", 8);
	struct node *file = enter_file(folder, "f", 10);

	(void)state;
	assert_true(node_is_below(&table, file, NODE_OUT));
	assert_true(node_is_below(&table, file, NODE_ROOT));
	assert_false(node_is_below(&table, file, NODE_MODEL));
	assert_false(node_is_below(&table, table.root, NODE_OUT));
	node_unname(&table, folder, "f");
	assert_false(node_is_below(&table, file, NODE_OUT));
}

static void a_borrowed_descriptor_is_a_writable_one_if_there_is_one(void **state)
{
	struct node *node = enter_file(table.root, "a", 10);
	struct handle reader = {.fd = open("/dev/null", O_RDONLY)};
	struct handle writer = {.fd = open("/dev/null", O_WRONLY), .writable = true};
	int fd;

	(void)state;
	assert_int_equal(node_borrow(&table, node), -ENOENT);
	node_open(&table, node, &writer);
	node_open(&table, node, &reader);
	fd = node_borrow(&table, node);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
	close(fd);
	(void)node_close(&table, &writer);
	node_release(&table, &writer);
	node_release(&table, &reader);
	close(writer.fd);
	close(reader.fd);
}

static void a_replaced_file_is_reachable_until_it_is_forgotten(void **state)
{
	struct node *node = enter_file(table.root, "a", 10);
	struct name *fresh = name_new("a");
	int replaced = open("/dev/null", O_PATH), kept = replaced, fd;

	(void)state;
	(void)enter_file(table.root, "b", 11);
	node_rename(&table, table.root, "b", table.root, fresh, &replaced);
	assert_int_equal(replaced, -1);
	assert_nameless(node);
	fd = node_borrow(&table, node);
	assert_true(fd >= 0);
	close(fd);
	node_forget(&table, node, 1);
	assert_int_equal(fcntl(kept, F_GETFD), -1);
}

static void a_file_with_another_name_takes_no_descriptor(void **state)
{
	struct name *fresh = name_new("a");
	int replaced = open("/dev/null", O_PATH), kept = replaced;

	(void)state;
	(void)enter(table.root, "a", 10, false, 2);
	(void)enter(table.root, "c", 10, false, 2);
	(void)enter_file(table.root, "b", 11);
	node_rename(&table, table.root, "b", table.root, fresh, &replaced);
	assert_int_equal(replaced, kept);
	close(kept);
}

static void parents_of_the_root_and_of_removed_folders(void **state)
{
	struct node *folder = enter_folder(table.root, "d", 9);

	(void)state;
	assert_ptr_equal(node_enter_parent(&table, NODE_ROOT_ID), table.root);
	assert_ptr_equal(node_enter_parent(&table, folder->id), table.root);
	node_unname(&table, table.root, "d");
	assert_null(node_enter_parent(&table, folder->id));
}

/* 160 bytes beside the name itself, malloc's own and the hashes included. */
static void a_hundred_thousand_nodes_are_small_and_the_last_are_remembered(void **state)
{
	enum { COUNT = 100000, NAME = 11 };
	size_t before = mallinfo2().uordblks, used;
	char name[16]; /* of NAME bytes; the compiler thinks of larger numbers */

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "file%07d", i);
		enter_file(table.root, name, (ino_t)i + 100);
	}
	used = mallinfo2().uordblks - before;
	if (used) /* a sanitizer's malloc does not say */
		assert_in_range(used / COUNT, 1, 160 + NAME);
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "file%07d", i);
		node_forget(&table, node_child(&table, table.root, name), 1);
	}
	assert_int_equal(table.ids.count, NODES_REMEMBERED + 1);
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "file%07d", i);
		if (i < COUNT - NODES_REMEMBERED)
			assert_null(node_child(&table, table.root, name));
		node_unname(&table, table.root, name);
	}
	assert_int_equal(table.names.count, 0);
	assert_int_equal(table.keys.count, 0);
	assert_int_equal(table.ids.count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_looked_up_twice_is_one_node),
		TEST(an_id_is_never_used_again),
		TEST(a_forgotten_node_is_found_by_its_id_until_it_is_removed),
		TEST(a_folder_below_itself_is_another_node),
		TEST(no_change_underneath_makes_a_circle),
		TEST(hard_links_share_one_node),
		TEST(an_inode_number_used_again_is_another_node),
		TEST(a_change_underneath_replaces_the_node),
		TEST(a_folder_is_kept_by_its_children),
		TEST(a_handle_keeps_a_nameless_node),
		TEST(a_rename_moves_everything_below),
		TEST(a_renamed_over_node_loses_its_name),
		TEST(renaming_a_link_over_its_twin_changes_nothing),
		TEST(an_exchange_swaps_names),
		TEST(paths_start_at_the_mount_or_in_the_store),
		TEST(the_last_writer_of_a_dirty_node_completes_it),
		TEST(handles_open_together_have_one_backing),
		TEST(a_node_is_below_the_folders_it_is_in),
		TEST(a_borrowed_descriptor_is_a_writable_one_if_there_is_one),
		TEST(a_replaced_file_is_reachable_until_it_is_forgotten),
		TEST(a_file_with_another_name_takes_no_descriptor),
		TEST(parents_of_the_root_and_of_removed_folders),
		TEST(a_hundred_thousand_nodes_are_small_and_the_last_are_remembered),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
