#include "fs/base/cleanup.h"
#include "fs/base/limits.h"
#include "spec/problem.h"
#include "spec/text.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit/run.h"

static void expect(const char *text, size_t max_chars, const char *wanted)
{
	AUTO_FREE char *shown = text_printable(text, strlen(text), max_chars);

	assert_string_equal(shown, wanted);
}

static void what_a_terminal_would_obey_becomes_a_space(void **state)
{
	(void)state;
	expect("a\x1b[31mb\r\n\tc\x7f", 100, "a [31mb   c ");
	expect("a\xc2\x9b"
	       "31mb",
		100, "a 31mb"); /* C1: CSI */
	expect("a\xe2\x80\xae"
	       "b\xe2\x81\xa6"
	       "c",
		100, "a b c"); /* U+202E, U+2066 */
	expect("a\xe2\x80\xa8"
	       "b",
		100, "a b"); /* U+2028 */
}

static void bad_bytes_become_replacement_characters(void **state)
{
	(void)state;
	expect("caf\xe9!", 100, "caf\xef\xbf\xbd!");
	expect("\xc0\x80", 100, "\xef\xbf\xbd\xef\xbf\xbd");                 /* overlong */
	expect("\xed\xa0\x80", 100, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
	expect("\xe7\x8c", 100, "\xef\xbf\xbd\xef\xbf\xbd");                 /* cut short */
}

static void long_texts_are_cut_at_whole_characters(void **state)
{
	(void)state;
	expect("猫猫猫", 3, "猫猫猫");
	expect("猫猫猫猫", 3, "猫猫…");
	expect("abc", 1, "…");
	expect("abc", 0, "");
	expect("", 0, "");
	expect("\xf0\x9f\x90\xb1\xf0\x9f\x90\xb1\xf0\x9f\x90\xb1", 2, "\xf0\x9f\x90\xb1…");
}

static void bytes_need_no_nul(void **state)
{
	AUTO_FREE char *shown = text_printable("abcdef", 3, 10);

	(void)state;
	assert_string_equal(shown, "abc");
}

static void a_list_reads_a_line_each(void **state)
{
	struct problems list = {0};
	AUTO_FREE char *text = NULL;

	(void)state;
	problems_add(&list, "duration", "%d is too\nlong", 7);
	problems_add(&list, NULL, "not JSON");
	problems_add_in(&list, "a/defaults.json", "seed", "too small");
	text = problems_text(&list);
	assert_string_equal(text, "duration: 7 is too long\nnot JSON\n"
				  "seed: too small (in a/defaults.json)\n");
	problems_clear(&list);
	assert_int_equal(list.count, 0);
}

static void a_list_has_an_end(void **state)
{
	struct problems list = {0};

	(void)state;
	for (int i = 0; i < 2 * LIMIT_PROBLEMS; i++)
		problems_add(&list, "x", "%d", i);
	assert_int_equal(list.count, LIMIT_PROBLEMS);
	assert_string_equal(list.item[0].text, "0");
	problems_clear(&list);
}

static void nothing_makes_an_empty_text(void **state)
{
	struct problems list = {0};
	AUTO_FREE char *text = problems_text(&list);

	(void)state;
	assert_string_equal(text, "");
}

static void names_are_compared_as_people_slip(void **state)
{
	(void)state;
	assert_int_equal(text_distance("prompt", "prompt"), 0);
	assert_int_equal(text_distance("Prompt", "prompt"), 0);
	assert_int_equal(text_distance("promt", "prompt"), 1);
	assert_int_equal(text_distance("", "abc"), 3);
	assert_true(text_distance("a-name-that-is-longer-than-any-field-could-possibly-be-in-any-"
				  "model-file",
			    "a") == SIZE_MAX);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_terminal_would_obey_becomes_a_space),
		cmocka_unit_test(bad_bytes_become_replacement_characters),
		cmocka_unit_test(long_texts_are_cut_at_whole_characters),
		cmocka_unit_test(bytes_need_no_nul),
		cmocka_unit_test(a_list_reads_a_line_each),
		cmocka_unit_test(a_list_has_an_end),
		cmocka_unit_test(nothing_makes_an_empty_text),
		cmocka_unit_test(names_are_compared_as_people_slip),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
