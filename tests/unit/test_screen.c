/* fs/cli/screen.c: text cut and broken to the width of a terminal. */
#include "fs/base/cleanup.h"
#include "fs/cli/screen.h"

#include <locale.h>
#include <string.h>

#include "tests/unit/run.h"

static const struct screen narrow = {.is_terminal = true, .width = 24};

static void assert_cut(const char *text, int columns, const char *wanted)
{
	AUTO_FREE char *made = NULL;
	size_t bytes;
	FILE *out = open_memstream(&made, &bytes);

	screen_put_cut(out, text, columns);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(made, wanted);
	assert_true(columns < 1 || screen_columns(made) <= columns);
}

static void of_a_long_text_the_end_is_kept(void **state)
{
	(void)state;
	assert_cut("hailuo/cat", 10, "hailuo/cat");
	assert_cut("hailuo/cat", 8, "…luo/cat");
	assert_cut("hailuo/cat", 4, "…cat");
	assert_cut("hailuo/cat", 1, "…");
	assert_cut("hailuo/cat", 0, "hailuo/cat");
	assert_cut("", 3, "");
	assert_cut("a/猫猫猫", 6, "…猫猫"); /* each takes two columns; half of one is left out */
	assert_cut("a/猫猫猫", 7, "…猫猫猫");
	assert_cut("ae\xcc\x81", 2, "ae\xcc\x81"); /* an accent takes none */
	assert_int_equal(screen_columns("\xff"), 1);
}

static void assert_wrapped(
	const struct screen *screen, int indent, const char *text, const char *wanted)
{
	AUTO_FREE char *made = NULL;
	size_t bytes;
	FILE *out = open_memstream(&made, &bytes);

	screen_put_wrapped(out, screen, indent, text);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(made, wanted);
}

static void a_paragraph_is_broken_between_words(void **state)
{
	static const struct screen none = {0};

	(void)state;
	assert_wrapped(&none, 2, "no end of it, however long it may be",
		"  no end of it, however long it may be\n");
	assert_wrapped(&narrow, 4, "twenty columns  are left here, no more",
		"    twenty columns are\n    left here, no more\n");
	assert_wrapped(&narrow, 4, "12345678901234567890 1", "    12345678901234567890\n    1\n");
	assert_wrapped(&narrow, 4, "a word-that-is-longer-than-the-line b",
		"    a\n    word-that-is-longer-\n    than-the-line b\n");
	assert_wrapped(&narrow, 0, "", "\n");
}

static void colours_are_only_where_they_are_wanted(void **state)
{
	const struct screen coloured = {.is_terminal = true, .colours = true};
	AUTO_FREE char *made = NULL;
	size_t bytes;
	FILE *out = open_memstream(&made, &bytes);

	(void)state;
	screen_put_coloured(out, &narrow, "31", "a");
	screen_put_coloured(out, &coloured, "31", "b");
	assert_int_equal(fclose(out), 0);
	assert_string_equal(made, "a\033[31mb\033[0m");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_long_text_the_end_is_kept),
		cmocka_unit_test(a_paragraph_is_broken_between_words),
		cmocka_unit_test(colours_are_only_where_they_are_wanted),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* as screen_look() does on a terminal */
	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
