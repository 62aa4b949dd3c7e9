/* test_language.c - what a model file can say beyond a prompt and a picture: lists, films and
 * sounds, objects, required defaults, rules and prices over what is given. */
#include "fs/base/cleanup.h"
#include "fs/base/path.h"
#include "spec/place.h"
#include "spec/price.h"
#include "spec/spec.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/run.h"

#define HEAD                                                                                       \
	"{\"$id\":\"m\",\"title\":\"M\",\"x-kinofs-provider\":\"kie\",\"x-kinofs-model\":\"maker/m\","
#define PICTURES "\"x-kinofs-file\":{\"types\":[\"image/png\"],\"marks\":"
#define TEXTS    "\"items\":{\"type\":\"string\"}"
#define DATED    "\"date\":\"2026-01-01\",\"source\":\"s\""

/* A prompt that may be left out, lists of frames and references, a film, a sound, shots. */
static const char rich[] = HEAD
	"\"x-kinofs-prompt\":\"prompt\",\"required\":[\"frames\",\"mode\",\"size\"],\"properties\":{"
	"\"prompt\":{\"type\":\"string\"},"
	"\"frames\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":2," TEXTS "," PICTURES
	"[\"\",\"end\"]}},"
	"\"refs\":{\"type\":\"array\",\"maxItems\":3," TEXTS "," PICTURES "[\"ref\"]}},"
	"\"film\":{\"type\":\"string\",\"x-kinofs-file\":{\"types\":[\"video/mp4\"],\"schemes\":"
	"[\"asset\"],\"marks\":[\"\"]}},"
	"\"sounds\":{\"type\":\"array\"," TEXTS
	",\"x-kinofs-file\":{\"types\":[\"audio/mpeg\"],\"marks\":[\"\"]}},"
	"\"mode\":{\"type\":\"string\",\"enum\":[\"std\",\"pro\"],\"default\":\"std\"},"
	"\"size\":{\"type\":\"object\",\"required\":[\"unit\"],\"properties\":{\"unit\":"
	"{\"type\":\"string\",\"const\":\"px\"},\"width\":{\"type\":\"integer\","
	"\"minimum\":64,\"maximum\":4096,\"multipleOf\":8}}},"
	"\"shots\":{\"type\":\"array\",\"maxItems\":2,\"items\":{\"type\":\"object\","
	"\"required\":[\"text\"],\"properties\":{\"text\":{\"type\":\"string\"},"
	"\"seconds\":{\"type\":\"integer\",\"default\":5},\"faces\":{\"type\":\"array\"," TEXTS
	"," PICTURES "[\"face\"]}}}}},"
	"\"seconds\":{\"type\":\"integer\",\"default\":5}},"
	"\"x-kinofs-rules\":["
	"{\"refuse\":{\"film\":true,\"refs\":true},\"message\":\"a film or references\"},"
	"{\"refuse\":{\"mode\":\"std\",\"seconds\":{\"minimum\":11}},\"message\":\"long is pro\"},"
	"{\"refuse\":{\"shots\":true,\"prompt\":false},\"message\":\"shots need a prompt\"},"
	"{\"sum\":{\"of\":[\"frames\",\"refs\",\"film\"],\"over\":3},\"message\":\"at most 3\"}],"
	"\"x-kinofs-prices\":["
	"{\"when\":{\"film\":true},\"credits\":2,\"per\":{\"seconds_of\":\"film\"}," DATED "},"
	"{\"when\":{\"mode\":[\"std\",\"pro\"]},\"credits\":4,\"per\":\"seconds\"," DATED "},"
	"{\"plus\":true,\"credits\":3,\"per\":\"refs\",\"beyond\":1," DATED "},"
	"{\"plus\":true,\"when\":{\"mode\":\"pro\"},\"credits\":1,\"per\":\"prompt\","
	"\"each\":4," DATED "}]}";

/* Nothing but a film. */
static const char silent[] = HEAD
	"\"required\":[\"film\"],\"properties\":{\"film\":{\"type\":\"string\",\"x-kinofs-file\":"
	"{\"types\":[\"video/mp4\"],\"marks\":[\"\"]}}}}";

/* The provider nests its fields. */
static const char nested[] = HEAD
	"\"x-kinofs-endpoint\":\"e\",\"x-kinofs-prompt\":\"input/prompt\","
	"\"required\":[\"input\"],\"properties\":{\"input\":{\"type\":\"object\","
	"\"required\":[\"prompt\",\"image\"],\"properties\":{\"prompt\":{\"type\":\"string\"},"
	"\"image\":{\"type\":\"string\"," PICTURES "[\"\"]}}}},"
	"\"parameters\":{\"type\":\"object\",\"properties\":{\"seconds\":{\"type\":\"integer\"},"
	"\"size\":{\"type\":\"string\"}}}}}";

/* Where a film is no picture: any number of them are to go by; a picture is made; a film is linked.
 */
static const char to_go_by[] =
	HEAD "\"properties\":{\"refs\":{\"type\":\"array\"," TEXTS "," PICTURES "[\"\"]}}}}";
static const char still[] = HEAD
	"\"x-kinofs-result\":\"image\",\"properties\":{\"image\":{\"type\":\"string\"," PICTURES
	"[\"\"]}}}}";
static const char linked[] =
	HEAD "\"properties\":{\"image\":{\"type\":\"string\"," PICTURES
	     "[\"\"]}},\"video_url\":{\"type\":\"string\",\"format\":\"uri\"}}}";

struct outcome {
	struct model *model;
	struct spec spec;
	struct problems problems, missing;
	char *text, *missing_text, *input;
};

/* names: files beside it, with blanks between them. */
static struct outcome make(const char *file, const char *json, const char *prompt,
	const char *names, const char *defaults)
{
	struct outcome out = {0};
	struct spec_beside beside[8];
	AUTO_FREE char *why = NULL, *list = strdup(names ? names : "");
	struct spec_source source = {.dir = "m",
		.stem = "dog",
		.json = json,
		.json_bytes = json ? strlen(json) : 0,
		.prompt = prompt,
		.prompt_bytes = prompt ? strlen(prompt) : 0,
		.defaults = defaults,
		.defaults_bytes = defaults ? strlen(defaults) : 0,
		.beside = beside};
	char *rest = list, *name;

	out.model = model_parse(file, strlen(file), &why);
	if (!out.model)
		fail_msg("%s", why);
	while ((name = strsep(&rest, " ")) && *name) {
		struct named as = name_role(out.model, name, true);

		assert_int_equal(as.role, ROLE_MEDIA);
		beside[source.nbeside++] =
			(struct spec_beside){path_join("m", name), as.slot, as.number, as.is_end};
	}
	assert_int_equal(spec_build(out.model, &source, &out.spec, &out.problems, &out.missing), 0);
	for (size_t i = 0; i < source.nbeside; i++)
		free(beside[i].path);
	out.text = problems_text(&out.problems);
	out.missing_text = problems_text(&out.missing);
	out.input = cJSON_PrintUnformatted(spec_input(out.model, out.spec.body));
	return out;
}

static void clear(struct outcome *out)
{
	spec_clear(&out->spec);
	problems_clear(&out->problems);
	problems_clear(&out->missing);
	model_free(out->model);
	free(out->text);
	free(out->missing_text);
	free(out->input);
}

static void expect(struct outcome out, const char *problems, const char *missing, const char *input)
{
	assert_string_equal(out.text, problems);
	assert_string_equal(out.missing_text, missing);
	if (input)
		assert_string_equal(out.input, input);
	clear(&out);
}

static void files_fill_lists_in_order(void **state)
{
	(void)state;
	expect(make(rich, NULL, "x", "dog.end.png dog.png dog.ref2.png dog.ref.png", NULL),
		"frames, refs, film: at most 3\n", "",
		"{\"prompt\":\"x\",\"frames\":[\"dog.png\",\"dog.end.png\"],"
		"\"refs\":[\"dog.ref.png\",\"dog.ref2.png\"],\"mode\":\"std\",\"size\":{\"unit\":"
		"\"px\"}}");
	expect(make(rich, NULL, "x", "dog.png dog.mp3 dog.2.mp3 dog.mp4", NULL), "", "",
		"{\"prompt\":\"x\",\"frames\":[\"dog.png\"],\"film\":\"dog.mp4\","
		"\"sounds\":[\"dog.mp3\",\"dog.2.mp3\"],\"mode\":\"std\",\"size\":{\"unit\":\"px\"}}");
	expect(make(silent, NULL, NULL, "dog.mp4", NULL), "", "", "{\"film\":\"dog.mp4\"}");
	expect(make(nested, NULL, "x", "dog.mp4", NULL), "", "",
		"{\"input\":{\"prompt\":\"x\",\"image\":\"dog.mp4#last\"}}");
}

static void a_gap_among_files_is_waited_for(void **state)
{
	(void)state;
	expect(make(rich, NULL, "x", "dog.end.png", NULL), "",
		"frames: dog.png (or another picture) is needed as well\n", NULL);
	expect(make(rich, NULL, "x", "dog.png dog.ref.png dog.ref3.png", NULL), "",
		"refs: dog.ref2.png (or another picture) is needed as well\n", NULL);
}

static const char paired[] = HEAD
	"\"required\":[\"frames\"],\"properties\":{\"frames\":{\"type\":\"array\",\"minItems\":2,"
	"\"maxItems\":2," TEXTS "," PICTURES "[\"\",\"end\"]}},\"music\":{\"type\":\"string\","
	"\"format\":\"uri\"}}}";

static void the_second_of_two_is_waited_for(void **state)
{
	(void)state;
	expect(make(paired, NULL, NULL, "dog.png", NULL), "",
		"frames: dog.end.png (or another picture) is needed as well\n", NULL);
	expect(make(paired, "{\"frames\":[\"a.png\"]}", NULL, NULL, NULL),
		"frames: 1 in the list; at least 2 are needed\n", "", NULL);
}

static void what_must_be_a_link_is_no_name(void **state)
{
	(void)state;
	expect(make(paired, "{\"music\":\"song.mp3\"}", NULL, "dog.png dog.end.png", NULL),
		"music: \"song.mp3\" is no link that the provider can fetch: is no http:// or https:// "
		"link\n",
		"", NULL);
}

static void marks_count_where_they_are_declared(void **state)
{
	static const struct {
		const char *model, *name;
		size_t stem; /* 0: it is an ordinary file */
		int number;
	} known[] = {
		{rich, "dog.ref.png", 3, 1},
		{rich, "dog.REF12.png", 3, 12},
		{rich, "dog.ref1.png", 8, 1},
		{rich, "dog.ref02.png", 9, 1},
		{rich, "dog.2.png", 5, 1},
		{rich, "dog.2.mp3", 3, 2},
		{rich, ".ref.png", 0, 0},
		{rich, "ref.png", 3, 1},
		{rich, "dog.face.png", 3, 1},
		{rich, "dog.mp4", 3, 1},
		{silent, "dog.2.mp4", 5, 1},
		{silent, "dog.mp3", 0, 0},
		{silent, "dog.png", 3, 1},
		{nested, "dog.mp4", 3, 1}, /* what it ends with is what this begins with */
		{nested, "dog.end.mkv", 7, 1},
		{nested, "dog.mp3", 0, 0},
		{to_go_by, "dog.mp4", 0, 0},
		{still, "dog.mp4", 0, 0},
		{linked, "dog.mp4", 0, 0},
		{nested, "dog.ref.png", 7, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		AUTO_FREE char *why = NULL;
		struct model *model = model_parse(known[i].model, strlen(known[i].model), &why);
		struct named as = name_role(model, known[i].name, true);

		if (as.stem != known[i].stem || (as.role == ROLE_MEDIA) != (known[i].stem > 0) ||
			as.number != known[i].number)
			fail_msg("%s: %zu bytes, number %d", known[i].name, as.stem, as.number);
		model_free(model);
	}
}

static void a_spec_says_lists_and_objects(void **state)
{
	(void)state;
	expect(make(rich,
		       "{\"frames\":\"a.png\",\"film\":\"asset://x\",\"size\":{\"width\":\"128\"},"
		       "\"prompt\":\"p\",\"shots\":[{\"text\":\"t\",\"faces\":[\"b.png\"]}]}",
		       NULL, NULL, NULL),
		"", "",
		"{\"frames\":[\"a.png\"],\"film\":\"asset://x\",\"size\":{\"width\":128,\"unit\":\"px\"},"
		"\"prompt\":\"p\",\"shots\":[{\"text\":\"t\",\"faces\":[\"b.png\"]}],\"mode\":\"std\"}");
	expect(make(rich,
		       "{\"frames\":[],\"sounds\":[7],\"size\":{\"width\":100,\"hight\":1,\"unit\":"
		       "\"cm\"},\"shots\":[{\"seconds\":1},{\"text\":\"\",\"faces\":[\"/x\"]},{}]}",
		       NULL, NULL, NULL),
		"frames: 0 in the list; at least 1 are needed\n"
		"sounds/0: 7 is not possible; allowed: a text in double quotes\n"
		"size/width: 100 is not possible; allowed: multiples of 8\n"
		"size/hight: no such field. Fields: unit, width\n"
		"size/unit: \"cm\" is not possible; allowed: \"px\"\n"
		"shots: 3 in the list; the limit is 2\n"
		"shots/0/text: is needed\n"
		"shots/1/faces/0: \"/x\" is an absolute path; write it relative to the spec's own "
		"folder\n"
		"shots/2/text: is needed\n"
		"shots, prompt: shots need a prompt\n",
		"", NULL);
}

static void local_files_are_found_wherever_they_stand(void **state)
{
	struct outcome out = make(rich,
		"{\"shots\":[{\"text\":\"a\"},{\"text\":\"b\",\"faces\":[\"f.png\",\"g.png\"]}],"
		"\"prompt\":\"p\",\"frames\":[\"https://e.x/a.png\",\"e.png\"]}",
		NULL, NULL, NULL);

	(void)state;
	assert_string_equal(out.text, "");
	assert_int_equal(out.spec.nfiles, 3);
	assert_string_equal(out.spec.file[0].address, "frames/1");
	assert_string_equal(out.spec.file[1].address, "shots/1/faces/0");
	assert_string_equal(out.spec.file[2].address, "shots/1/faces/1");
	assert_string_equal(out.spec.file[2].path, "m/g.png");
	assert_int_equal(
		spec_set_string(out.model, out.spec.body, "shots/1/faces/1", "https://u"), 0);
	assert_int_equal(spec_set_string(out.model, out.spec.body, "frames/7", "x"), -ENOENT);
	clear(&out);
}

static void objects_take_members_from_defaults(void **state)
{
	(void)state;
	expect(make(nested, "{\"parameters\":{\"size\":\"big\"}}", "x", "dog.png",
		       "{\"parameters\":{\"size\":\"small\",\"seconds\":\"7\"},\"input\":{\"image\":"
		       "\"other.png\"}}"),
		"", "",
		"{\"parameters\":{\"size\":\"big\",\"seconds\":7},\"input\":{\"prompt\":\"x\","
		"\"image\":\"dog.png\"}}");
	expect(make(nested, NULL, NULL, "dog.png", NULL), "",
		"input/prompt: a prompt is needed: write what the video shall show into dog.txt, or as "
		"\"input/prompt\" in dog.json\n",
		NULL);
}

static void files_alone_wait_where_words_may_follow(void **state)
{
	(void)state;
	expect(make(rich, NULL, NULL, "dog.png", NULL), "",
		"prompt: a prompt may follow: write it into dog.txt, or {} into dog.json to go "
		"without\n",
		NULL);
	expect(make(rich, "{}", NULL, "dog.png", NULL), "", "", NULL);
	expect(make(silent, NULL, "words", "dog.mp4", NULL),
		"prompt: m takes no prompt; move the text file away\n", "", NULL);
}

static void rules_look_at_what_is_given_and_at_values(void **state)
{
	(void)state;
	expect(make(rich, "{\"film\":\"a.mp4\",\"refs\":[\"b.png\"],\"frames\":[\"c.png\"]}", NULL,
		       NULL, NULL),
		"film, refs: a film or references\n", "", NULL);
	expect(make(rich, "{\"seconds\":11,\"frames\":[\"c.png\"]}", NULL, NULL, NULL),
		"mode, seconds: long is pro\n", "", NULL);
	expect(make(rich, "{\"seconds\":11,\"mode\":\"PRO\",\"frames\":[\"c.png\"]}", NULL, NULL,
		       NULL),
		"", "", NULL);
}

/* A file by itself may still get what a rule misses. */
static void a_part_breaks_no_rule_that_another_may_mend(void **state)
{
	AUTO_FREE char *why = NULL;
	struct model *model = model_parse(rich, strlen(rich), &why);
	const char json[] = "{\"shots\":[{\"text\":\"a\"}]}";
	struct spec_source source = {
		.dir = "m", .stem = "dog", .json = json, .json_bytes = strlen(json)};
	struct problems problems = {0};
	struct spec spec;

	(void)state;
	assert_int_equal(spec_build(model, &source, &spec, &problems, NULL), 0);
	assert_int_equal(problems.count, 0);
	spec_clear(&spec);
	model_free(model);
}

static double credits(const char *json, const struct picture *file, size_t count)
{
	struct outcome out = make(rich, json, NULL, NULL, NULL);
	struct price price = price_estimate(out.model, out.spec.body, file, count);

	clear(&out);
	return price.known ? price.credits : NAN;
}

static void prices_count_seconds_and_files(void **state)
{
	struct picture film = {.field = (char[]){"film"}, .seconds = 7.2};
	const char with_film[] = "{\"film\":\"a.mp4\",\"frames\":[\"c.png\"]}";

	(void)state;
	assert_float_equal(credits("{\"frames\":[\"c.png\"]}", NULL, 0), 20, 1e-9);
	assert_float_equal(
		credits("{\"frames\":[\"c.png\"],\"seconds\":\"8\"}", NULL, 0), 32, 1e-9);
	assert_float_equal(
		credits("{\"frames\":[\"c.png\"],\"refs\":[\"a.png\",\"b.png\"]}", NULL, 0), 23,
		1e-9);
	assert_float_equal(credits(with_film, &film, 1), 16, 1e-9);
	assert_float_equal(
		credits("{\"frames\":[\"c.png\"],\"mode\":\"pro\",\"prompt\":\"8 letters\"}", NULL,
			0),
		22.25, 1e-9);
	film.seconds = 0;
	assert_true(isnan(credits(with_film, &film, 1)));
	assert_true(isnan(credits(with_film, NULL, 0)));
}

static void the_request_has_the_providers_name(void **state)
{
	struct outcome out =
		make(silent, "{\"model\":\"m\",\"input\":{\"film\":\"a.mp4\"}}", NULL, NULL, NULL);

	(void)state;
	assert_string_equal(out.text, "");
	assert_string_equal(
		cJSON_GetStringValue(cJSON_GetObjectItem(out.spec.body, "model")), "maker/m");
	clear(&out);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_fill_lists_in_order),
		cmocka_unit_test(a_gap_among_files_is_waited_for),
		cmocka_unit_test(the_second_of_two_is_waited_for),
		cmocka_unit_test(what_must_be_a_link_is_no_name),
		cmocka_unit_test(marks_count_where_they_are_declared),
		cmocka_unit_test(a_spec_says_lists_and_objects),
		cmocka_unit_test(local_files_are_found_wherever_they_stand),
		cmocka_unit_test(objects_take_members_from_defaults),
		cmocka_unit_test(files_alone_wait_where_words_may_follow),
		cmocka_unit_test(rules_look_at_what_is_given_and_at_values),
		cmocka_unit_test(a_part_breaks_no_rule_that_another_may_mend),
		cmocka_unit_test(prices_count_seconds_and_files),
		cmocka_unit_test(the_request_has_the_providers_name),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
