/* test_quote.c - names of any bytes, shown and read back. */
#include "fs/base/cleanup.h"
#include "fs/base/json.h"
#include "fs/base/quote.h"

#include <string.h>

#include "tests/unit/run.h"

static void known_names(void **state)
{
	static const struct {
		const char *name, *quoted;
	} known[] = {
		{"", ""},
		{"a cat.txt", "a cat.txt"},
		{"été 視🎬", "été 視🎬"},
		{"a\\b", "a\\\\b"},
		{"\x1b[31m", "\\x1b[31m"},
		{"a\nb\a\x7f", "a\\x0ab\\x07\\x7f"},
		{"\xc2\x9b"
		 "1m",
			"\\xc2\\x9b1m"}, /* U+009B */
		{"\xe2\x80\xae"
		 "gpj",
			"\\xe2\\x80\\xaegpj"}, /* U+202E */
		{"\xff\xc3", "\\xff\\xc3"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		AUTO_FREE char *quoted = quote_name(known[i].name);
		AUTO_FREE char *back = unquote_name(quoted);

		assert_string_equal(quoted, known[i].quoted);
		assert_string_equal(back, known[i].name);
	}
}

static void what_is_no_quoted_name(void **state)
{
	static const char *const bad[] = {"\\", "a\\", "\\x", "\\x1", "\\xg0", "\\x00", "\\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_null(unquote_name(bad[i]));
}

static void assert_shown(const char *text, bool lines)
{
	size_t left = strlen(text), length;
	uint32_t code;

	for (; left; text += length, left -= length) {
		length = utf8_char(text, left, &code);
		assert_true(length > 0);
		assert_true(!utf8_is_control(code) || (lines && code == '\n'));
	}
}

static void any_name_comes_back(void **state)
{
	size_t seed = 7;
	char name[256];

	const int rounds = run_is_slow() ? 2000 : 20000;

	(void)state;
	for (int round = 0; round < rounds; round++) {
		AUTO_FREE char *quoted = NULL, *back = NULL, *line = NULL, *lines = NULL;
		AUTO_FREE char *text = NULL;
		AUTO_JSON cJSON *json = cJSON_CreateObject(), *read = NULL;
		cJSON *list = cJSON_AddArrayToObject(json, "list");
		size_t bytes = 1 + (size_t)round % 255;
		const char *told;

		for (size_t i = 0; i < bytes; i++) {
			seed = seed * 6364136223846793005 + 1442695040888963407;
			/* every other one in UTF-8 only, most of it control characters */
			name[i] =
				(char)(round % 2 ? 1 + (seed >> 33) % 255 : 1 + (seed >> 33) % 127);
			name[i] = name[i] == '/' ? '\\' : name[i];
		}
		name[bytes] = '\0';
		quoted = quote_name(name);
		back = unquote_name(quoted);
		line = quote_line(name);
		lines = quote_lines(name);
		assert_string_equal(back, name);
		assert_shown(quoted, false);
		assert_shown(line, false);
		assert_shown(lines, true);
		cJSON_AddStringToObject(json, "job", name);
		cJSON_AddItemToArray(list, cJSON_CreateString("a"));
		cJSON_AddItemToArray(list, cJSON_CreateString(name));
		quote_json(json);
		text = quote_json_print(json, round % 3);
		if (round % 3 == 0)
			assert_shown(text, false);
		read = cJSON_Parse(text);
		told = json_text(read, "job_quoted");
		if (told) {
			cleanup_free(&back);
			back = unquote_name(told);
			assert_string_equal(back, name);
			told = cJSON_GetStringValue(
				cJSON_GetArrayItem(json_get(read, "list_quoted"), 1));
			assert_string_equal(told, quoted);
		} else {
			assert_string_equal(json_text(read, "job"), name);
			assert_null(json_get(read, "list_quoted"));
		}
	}
}

static void links_and_words_of_a_shell(void **state)
{
	static const struct {
		const char *name, *link, *word;
	} known[] = {
		{"out/cat-1.mp4", "out/cat-1.mp4", "out/cat-1.mp4"},
		{"a b", "a%20b", "'a b'"},
		{"it's", "it%27s", "'it'\\''s'"},
		{"a\\b", "a%5Cb", "'a\\b'"},
		{"été:?#%", "%C3%A9t%C3%A9%3A%3F%23%25", "'été:?#%'"},
		{"a\n'\\\xff", "a%0A%27%5C%FF", "$'a\\x0a\\'\\\\\\xff'"},
		{"", "", "''"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		AUTO_FREE char *link = quote_link(known[i].name);
		AUTO_FREE char *word = quote_shell(known[i].name);

		assert_string_equal(link, known[i].link);
		assert_string_equal(word, known[i].word);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_names),
		cmocka_unit_test(what_is_no_quoted_name),
		cmocka_unit_test(any_name_comes_back),
		cmocka_unit_test(links_and_words_of_a_shell),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
