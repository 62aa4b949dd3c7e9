#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "spec/catalogue.h"
#include "spec/model.h"

#include <string.h>

#include "tests/unit/run.h"

#define FIELD(text) "{\"type\":\"object\",\"properties\":{" text "}}"
#define PROMPT      "\"prompt\":{\"type\":\"string\",\"maxLength\":9}"

static const struct catalogue_entry usual = {.id = "acme/new",
	.title = "Acme New",
	.tasks = "Text to Video, Image to Video",
	.provider = "kie",
	.source = "the catalogue",
	.date = "2026-11-26"};

/* The file; NULL with *why. */
static cJSON *convert(const struct catalogue_entry *entry, const char *schema, char **why)
{
	struct catalogue_entry said = *entry;
	AUTO_JSON cJSON *json = cJSON_Parse(schema);
	cJSON *file = NULL;
	int error;

	assert_non_null(json);
	said.schema = json;
	error = catalogue_make(&said, &file, why);
	assert_int_equal(error, file ? 0 : -EINVAL);
	assert_true(file ? !*why : *why && **why);
	return file;
}

static cJSON *made(const char *schema)
{
	AUTO_FREE char *why = NULL;
	cJSON *file = convert(&usual, schema, &why);

	if (!file)
		print_error("%s: %s\n", schema, why);
	assert_non_null(file);
	return file;
}

static void same_json(const cJSON *is, const char *wanted)
{
	AUTO_JSON cJSON *json = cJSON_Parse(wanted);
	AUTO_FREE char *text = is ? cJSON_PrintUnformatted(is) : NULL;

	assert_non_null(json);
	if (!cJSON_Compare(is, json, true))
		fail_msg("is     %s\nwanted %s", text ? text : "nothing", wanted);
}

static void a_document_is_opened_to_its_input(void **state)
{
	static const char document[] =
		"{\"openapi\":\"3.1.0\",\"paths\":{\"/api/v1/jobs/createTask\":{\"post\":"
		"{\"requestBody\":{\"content\":{\"application/json\":{\"schema\":{\"$ref\":"
		"\"#/components/schemas/the%20Request~1x\"}}}}}}},\"components\":{\"schemas\":{"
		"\"the Request/x\":{\"type\":\"object\",\"properties\":{\"model\":{\"type\":"
		"\"string\"},\"input\":{\"$ref\":\"#/components/schemas/acme%20Input%20\"}}},"
		"\"acme Input\":{\"type\":\"object\",\"x-order\":[1],\"required\":[\"prompt\"],"
		"\"properties\":{\"prompt\":{\"title\":\"P\",\"type\":[\"string\",\"null\"],"
		"\"maxLength\":500,\"examples\":[\"a dog\"],\"description\":\"What\\nhappens\"},"
		"\"seed \":{\"$ref\":\"#/components/schemas/seed\",\"default\":3},\"n\":{\"anyOf\":"
		"[{\"type\":\"integer\",\"minimum\":1},{\"type\":\"null\"}]}}},\"seed\":{\"type\":"
		"\"integer\",\"exclusiveMaximum\":9}}}}";
	AUTO_JSON cJSON *file = made(document);

	(void)state;
	same_json(json_get(file, "properties"),
		"{\"prompt\":{\"type\":\"string\",\"maxLength\":500,\"description\":\"What "
		"happens\"},\"seed\":{\"type\":\"integer\",\"maximum\":8,\"default\":3},"
		"\"n\":{\"type\":\"integer\",\"minimum\":1}}");
	same_json(json_get(file, "required"), "[\"prompt\"]");
	assert_string_equal(json_text(file, "$id"), "acme/new");
	assert_string_equal(json_text(file, "x-kinofs-prompt"), "prompt");
	assert_null(json_get(file, "x-kinofs-result"));
}

static void what_a_file_cannot_say_is_a_reason(void **state)
{
	static const struct {
		const char *schema, *why;
	} cases[] = {
		{"null", "no schema of it yet"},
		{"{\"paths\":{\"/api/v1/chat\":{}}}", "not ordered through createTask"},
		{"{\"properties\":{\"input\":{\"$ref\":\"#/nowhere\"}}}", "leads nowhere"},
		{FIELD("\"a\":{\"$ref\":\"http://elsewhere/x\"}"), "leads nowhere"},
		{FIELD("\"a\":{\"$ref\":\"#/properties/a\"}"), "too deep"},
		{FIELD("\"a\":{\"type\":\"string\",\"pattern\":\"^#[0-9a-f]{6}$\"}"),
			"a: must be like"},
		{FIELD("\"a\":{\"type\":\"string\",\"pattern\":\"^(https?|oss)://\"}"),
			"kinofs knows no key \"pattern\""},
		{FIELD("\"a\":{\"type\":\"string\",\"not\":{\"const\":\"x\"}}"), "\"not\""},
		{FIELD("\"a\":{\"type\":\"array\",\"uniqueItems\":true,\"items\":{\"type\":\"string\"}}"),
			"uniqueItems"},
		{FIELD("\"a\":{\"type\":\"array\"}"), "a: is a list of what is not said"},
		{FIELD("\"a\":{\"type\":\"object\"}"), "a: its fields are not said"},
		{FIELD("\"a\":{\"type\":[\"string\",\"integer\"]}"), "a: its type is not said"},
		{FIELD("\"a\":{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}"),
			"oneOf"},
		{FIELD("\"a\":{\"type\":\"number\",\"exclusiveMinimum\":0}"), "exclusiveMinimum"},
		{FIELD("\"model\":{\"type\":\"string\"}"), "model: a field cannot have this name"},
		{FIELD("\"a b\":{\"type\":\"string\"}"), "a field's name"},
		{FIELD("\"\":{\"type\":\"string\"}"), "a field's name"},
		{FIELD("\"a\":{\"type\":\"string\"},\"a \":{\"type\":\"string\"}"),
			"a: is there twice"},
		{FIELD("\"a\":{\"type\":\"integer\",\"enum\":[1,\"x\"]}"), "a: \"enum\" holds"},
		{FIELD("\"a_url\":{\"type\":\"string\"}"), "a_url: which kind of file"},
		{"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},\"if\":{}}",
			"\"if\""},
		{"{\"type\":\"object\",\"allOf\":[{\"type\":\"string\"}],\"properties\":{}}",
			"nothing fits both"},
		{"{\"oneOf\":[" FIELD("\"a\":{\"type\":\"string\"}") "," FIELD(
			 "\"a\":{\"type\":\"integer\"}") "]}",
			"a: the shapes"},
		{"{\"anyOf\":[{\"type\":\"string\"}],\"properties\":{\"a\":{\"type\":\"string\"}}}",
			"anyOf: a part is no object"},
		{"{\"type\":\"object\",\"allOf\":[{\"if\":{\"required\":[\"a\"]},\"then\":{}}],\"properties\":{\"a\":{\"type\":\"string\"}}}",
			"allOf: a part says \"if\""},
		{FIELD("\"o\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},\"allOf\":[{\"not\":{\"required\":[\"a\"]}}]}"),
			"\"allOf\""},
		{"{\"oneOf\":[" FIELD(PROMPT) "," FIELD(PROMPT) "," FIELD(PROMPT) "]}",
			"several shapes"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_FREE char *why = NULL;
		AUTO_JSON cJSON *file = convert(&usual, cases[i].schema, &why);

		if (file || !strstr(why, cases[i].why))
			fail_msg("%s: %s, not %s", cases[i].schema, file ? "made" : why,
				cases[i].why);
	}
}

static void references_cannot_multiply_without_end(void **state)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	AUTO_FREE char *whole = NULL, *why = NULL;
	AUTO_JSON cJSON *file = NULL;

	(void)state;
	(void)fprintf(out, "{\"properties\":{\"input\":{\"$ref\":\"#/d0\"}}");
	for (int i = 0; i < 5; i++) {
		(void)fprintf(out, ",\"d%d\":{\"type\":\"object\",\"properties\":{", i);
		for (int j = 0; j < 9; j++)
			(void)fprintf(
				out, "%s\"f%d\":{\"$ref\":\"#/d%d\"}", j ? "," : "", j, i + 1);
		(void)fprintf(out, "}}");
	}
	(void)fprintf(out, ",\"d5\":{\"type\":\"string\"}}");
	whole = stream_text(out, &text);
	assert_non_null(whole);
	file = convert(&usual, whole, &why);
	assert_null(file);
	assert_non_null(strstr(why, "too large"));
}

static void the_kind_of_result_is_what_the_task_leads_to(void **state)
{
	static const struct {
		const char *tasks, *result; /* NULL: it makes no media */
	} cases[] = {
		{"Text to Video", "null"},
		{"Image to Image", "\"image\""},
		{"Text to Speech", "\"audio\""},
		{"Video to Audio", "\"audio\""},
		{"Video Upscale", "null"},
		{"Image Editing,Text to Image", "\"image\""},
		{"Text to Image,Text to Video", "[\"video\",\"image\"]"},
		{"Chat", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct catalogue_entry said = usual;
		AUTO_FREE char *why = NULL;
		AUTO_JSON cJSON *file = NULL;

		said.tasks = cases[i].tasks;
		file = convert(&said, FIELD(PROMPT), &why);
		assert_int_equal(file != NULL, cases[i].result != NULL);
		assert_int_equal(catalogue_is_media(&said), cases[i].result != NULL);
		if (file && strcmp(cases[i].result, "null") != 0)
			same_json(json_get(file, "x-kinofs-result"), cases[i].result);
		else
			assert_null(json_get(file, "x-kinofs-result"));
	}
}

/* What becomes of one field that names files. */
static void files_are_known_by_name_and_description(void **state)
{
	static const struct {
		const char *field, *file;
	} cases[] = {
		{"\"image_url\":{\"type\":\"string\",\"description\":\"The picture (File URL after "
		 "upload; Accepted types: image/jpeg, image/png, image/jpg; Max size: 10.0MB)\"}",
			"{\"types\":[\"image/jpeg\",\"image/png\"],\"max_bytes\":10485760,\"marks\":[\"\"]}"},
		{"\"tail_image_url\":{\"type\":\"string\",\"description\":\"Supports JPG, PNG or "
		 "WebP, does not support GIF; not exceeding 30 MB\"}",
			"{\"types\":[\"image/jpeg\",\"image/png\",\"image/webp\"],\"max_bytes\":31457280,"
			"\"marks\":[\"end\"]}"},
		{"\"mask_url\":{\"type\":\"string\",\"format\":\"uri\",\"description\":\"10MB or 20MB\"}",
			"{\"types\":[\"image/jpeg\",\"image/png\",\"image/webp\"],\"marks\":[\"mask\"]}"},
		{"\"video_urls\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"pattern\":"
		 "\"^(https?|oss)://\"},\"description\":\"URL of the image; MP4, MOV; audio encoding "
		 "supports AAC\"}",
			"{\"types\":[\"video/mp4\",\"video/quicktime\"],\"schemes\":[\"oss\"],"
			"\"marks\":[\"\"]}"},
		{"\"reference_voice\":{\"type\":\"string\",\"format\":\"uri\",\"description\":"
		 "\"wav or mp3, or asset://{id}\"}",
			"{\"types\":[\"audio/mpeg\",\"audio/wav\"],\"schemes\":[\"asset\"],"
			"\"marks\":[\"\"]}"},
		{"\"image_urls\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"description\":"
		 "\"First and last frame image URLs.\"}",
			"{\"types\":[\"image/jpeg\",\"image/png\",\"image/webp\"],"
			"\"marks\":[\"\",\"end\"]}"},
		{"\"reference_image\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},"
		 "\"description\":\"Reference image URLs\"}",
			"{\"types\":[\"image/jpeg\",\"image/png\",\"image/webp\"],\"marks\":[\"\"]}"},
		{"\"audio_url\":{\"type\":\"string\",\"description\":\"Accepted types: audio/mp3, "
		 "audio/mpeg, audio/m4a\"}",
			"{\"types\":[\"audio/mpeg\",\"audio/mp4\"],\"marks\":[\"\"]}"},
		{"\"voice\":{\"type\":\"string\",\"description\":\"URL https://x/<voice>.mp3\"}",
			NULL},
		{"\"audio_profile\":{\"type\":\"string\",\"description\":\"URL\"}", NULL},
		{"\"task_id\":{\"type\":\"string\",\"description\":\"of an image\"}", NULL},
		{"\"image_size\":{\"type\":\"string\",\"enum\":[\"1K\"]}", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_FREE char *schema = format(FIELD("%s"), cases[i].field);
		AUTO_JSON cJSON *file = made(schema);
		const cJSON *field = json_get(file, "properties")->child;

		if (cases[i].file)
			same_json(json_get(field, "x-kinofs-file"), cases[i].file);
		else
			assert_null(json_get(field, "x-kinofs-file"));
	}
}

static void each_place_for_a_file_has_one_field(void **state)
{
	AUTO_JSON cJSON *file = made(FIELD(PROMPT
		",\"first_frame_url\":{\"type\":\"string\"},\"last_frame_url\":{\"type\":"
		"\"string\"},\"reference_image_urls\":{\"type\":\"array\",\"items\":{\"type\":"
		"\"string\"}},\"image_urls\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
		"\"audio_url\":{\"type\":\"string\"},\"second_audio_url\":{\"type\":\"string\"},"
		"\"shots\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
		"\"image_url\":{\"type\":\"string\"}}}}"));
	static const char *const wanted[][2] = {{"first_frame_url", "[\"\"]"},
		{"last_frame_url", "[\"end\"]"}, {"reference_image_urls", "[\"ref\"]"},
		{"image_urls", NULL}, {"audio_url", "[\"\"]"}, {"second_audio_url", "[\"ref\"]"}};
	const cJSON *properties = json_get(file, "properties"), *inside;

	(void)state;
	for (size_t i = 0; i < COUNT(wanted); i++) {
		const cJSON *marks = json_get(
			json_get(json_get(properties, wanted[i][0]), "x-kinofs-file"), "marks");

		if (wanted[i][1])
			same_json(marks, wanted[i][1]);
		else
			assert_null(marks);
	}
	inside = json_get(json_get(json_get(properties, "shots"), "items"), "properties")->child;
	assert_non_null(json_get(json_get(inside, "x-kinofs-file"), "types"));
	assert_null(json_get(json_get(inside, "x-kinofs-file"), "marks"));
}

static void limits_in_prose_are_taken_when_they_are_certain(void **state)
{
	static const struct {
		const char *type, *prose, *limits;
	} cases[] = {
		{"string", "Min length: 3, Max length: 20,000 characters",
			"{\"maxLength\":20000,\"minLength\":3}"},
		{"string", "Maximum length: 500 characters", "{\"maxLength\":500}"},
		{"string", "length is limited to 3-5000 characters.",
			"{\"maxLength\":5000,\"minLength\":3}"},
		{"string", "All texts combined: up to 5000 characters", "{}"},
		{"string", "up to 100 characters, in French up to 80 characters", "{}"},
		{"integer", "Video duration in 4-15 seconds.", "{\"minimum\":4,\"maximum\":15}"},
		{"number", "Optional range 4-12 s", "{\"minimum\":4,\"maximum\":12}"},
		{"number", "(6-30). (Minimum: 6, Maximum: 30, Step: 1)",
			"{\"minimum\":6,\"maximum\":30}"},
		{"integer", "Video duration in 4-30 seconds. Special values -1", "{}"},
		{"integer", "Range is 1-4; range is 1-12 for sequences", "{}"},
		{"integer", "Range is 9-4", "{}"},
		{"integer", "The same seed gives the same picture", "{}"},
		{"array", "Presently, up to 10 image inputs are allowed.", "{\"maxItems\":10}"},
		{"array", "Input reference images (1-8 images).",
			"{\"maxItems\":8,\"minItems\":1}"},
		{"array", "Exactly one image is required.", "{\"maxItems\":1,\"minItems\":1}"},
		{"array", "up to 4 images when there is a video", "{}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_FREE char *schema = format(
			FIELD("\"a\":{\"type\":\"%s\",%s\"description\":\"%s\"}"), cases[i].type,
			cases[i].type[0] == 'a' ? "\"items\":{\"type\":\"string\"}," : "",
			cases[i].prose);
		AUTO_JSON cJSON *file = made(schema);
		cJSON *field = json_get(json_get(file, "properties"), "a");

		cJSON_DeleteItemFromObject(field, "type");
		cJSON_DeleteItemFromObject(field, "items");
		cJSON_DeleteItemFromObject(field, "description");
		same_json(field, cases[i].limits);
	}
}

static void a_length_in_words_becomes_the_texts_it_may_be(void **state)
{
	AUTO_JSON cJSON *file = made(FIELD("\"duration\":{\"type\":\"string\",\"default\":\"4\","
					   "\"description\":\"Optional duration: 3s - 5s\"}"));

	(void)state;
	same_json(json_get(json_get(json_get(file, "properties"), "duration"), "enum"),
		"[\"3\",\"4\",\"5\"]");
}

static void what_the_schema_says_goes_before_its_prose(void **state)
{
	AUTO_JSON cJSON *file = made(FIELD("\"a\":{\"type\":\"integer\",\"minimum\":1,"
					   "\"description\":\"in 4-15 seconds\"}"));

	(void)state;
	same_json(json_get(json_get(json_get(file, "properties"), "a"), "minimum"), "1");
	assert_null(json_get(json_get(json_get(file, "properties"), "a"), "maximum"));
}

static void a_default_that_is_none_is_dropped(void **state)
{
	static const char *const fields[] = {"\"type\":\"string\",\"default\":\"\"",
		"\"type\":\"string\",\"default\":null", "\"type\":\"integer\",\"default\":\"x\"",
		"\"type\":\"integer\",\"maximum\":3,\"default\":4",
		"\"type\":\"string\",\"enum\":[\"a\"],\"default\":\"b\"",
		"\"type\":\"array\",\"items\":{\"type\":\"string\"},\"default\":[\"\"]"};

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		AUTO_FREE char *schema = format(FIELD("\"a\":{%s}"), fields[i]);
		AUTO_JSON cJSON *file = made(schema);

		assert_null(json_get(json_get(json_get(file, "properties"), "a"), "default"));
	}
}

static void fields_that_belong_together_become_rules(void **state)
{
#define AB                                                                                         \
	"\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"string\"},\"y\":{\"type\":\"boolean\"}}"
	static const struct {
		const char *schema, *refused;
	} cases[] = {
		{"{" AB ",\"anyOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}",
			"[{\"a\":false,\"b\":false}]"},
		{"{" AB ",\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}",
			"[{\"a\":true,\"b\":true},{\"a\":false,\"b\":false}]"},
		{"{" AB ",\"not\":{\"required\":[\"a\",\"b\"]}}", "[{\"a\":true,\"b\":true}]"},
		{"{" AB ",\"dependentRequired\":{\"a\":[\"b\"]}}", "[{\"a\":true,\"b\":false}]"},
		{"{" AB ",\"allOf\":[{\"anyOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}]}",
			"[{\"a\":false,\"b\":false}]"},
		{"{" AB
		 ",\"allOf\":[{\"not\":{\"required\":[\"a\",\"b\"]}},{\"not\":{\"required\":[\"b\",\"y\"]}},{\"type\":\"object\",\"anyOf\":[{\"required\":[\"a\"]},{\"required\":[\"y\"]}]}]}",
			"[{\"a\":true,\"b\":true},{\"b\":true,\"y\":{\"given\":true}},{\"a\":false,\"y\":{\"given\":false}}]"},
		{"{" AB ",\"dependentRequired\":{\"y\":[\"a\"]}}",
			"[{\"y\":{\"given\":true},\"a\":false}]"},
		{"{\"anyOf\":[{\"required\":[\"p\",\"a\"],\"properties\":{\"p\":{\"type\":\"string\"},"
		 "\"a\":{\"type\":\"string\"}}},{\"required\":[\"p\",\"b\"],\"properties\":{\"p\":{"
		 "\"type\":\"string\"},\"b\":{\"type\":\"string\"},\"c\":{\"type\":\"string\"}}}]}",
			"[{\"a\":true,\"b\":true},{\"a\":true,\"c\":true},{\"c\":true,\"b\":false},"
			"{\"a\":false,\"b\":false}]"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_JSON cJSON *file = made(cases[i].schema), *refused = cJSON_CreateArray();
		const cJSON *rule;

		cJSON_ArrayForEach (rule, json_get(file, "x-kinofs-rules"))
			cJSON_AddItemToArray(
				refused, cJSON_Duplicate(json_get(rule, "refuse"), true));
		same_json(refused, cases[i].refused);
	}
}

/* ------------------------------------------------------------------ prices */

#define PRICED                                                                                     \
	FIELD(PROMPT                                                                               \
		",\"duration\":{\"type\":\"string\",\"enum\":[\"5\",\"10\"],\"default\":\"5\"},"   \
		"\"resolution\":{\"type\":\"string\",\"enum\":[\"720p\",\"1080P\"]},"              \
		"\"sound\":{\"type\":\"boolean\",\"default\":false}")

static void a_price_is_read_where_every_word_is_understood(void **state)
{
	static const struct {
		const char *prose, *rows; /* without dates and sources */
	} cases[] = {
		{"A 5-second video costs 160 credits ($0.80), and a 10-second video costs 320 credits "
		 "($1.60).",
			"[{\"when\":{\"duration\":\"5\"},\"credits\":160},{\"when\":{\"duration\":\"10\"},"
			"\"credits\":320}]"},
		{"With audio, at 720p: 14 credits; without audio, at 720p: 10 credits",
			"[{\"when\":{\"sound\":true,\"resolution\":\"720p\"},\"credits\":14},{\"when\":{\"sound\":false,\"resolution\":\"720p\"},\"credits\":10}]"},
		{"720p 14 credits/s, 1080p 1,200 credits/s",
			"[{\"when\":{\"resolution\":\"720p\"},\"credits\":14,\"per\":\"duration\"},{\"when\":{\"resolution\":\"1080P\"},\"credits\":1200,\"per\":\"duration\"}]"},
		{"10 credits per 1,000 characters",
			"[{\"when\":{},\"credits\":10,\"per\":\"prompt\",\"each\":1000}]"},
		{"It costs 4 credits.", "[{\"when\":{},\"credits\":4}]"},
		{"720p: $0.10 per second; 1080p: $0.20 per second",
			"[{\"when\":{\"resolution\":\"720p\"},\"usd\":0.1,\"per\":\"duration\"},"
			"{\"when\":{\"resolution\":\"1080P\"},\"usd\":0.2,\"per\":\"duration\"}]"},
		{"With audio 20 credits, without audio 10 credits.",
			"[{\"when\":{\"sound\":true},\"credits\":20},{\"when\":{\"sound\":false},"
			"\"credits\":10}]"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct catalogue_entry said = usual;
		AUTO_FREE char *why = NULL;
		AUTO_JSON cJSON *file = NULL;
		cJSON *row;

		said.price = cases[i].prose;
		file = convert(&said, PRICED, &why);
		assert_non_null(file);
		cJSON_ArrayForEach (row, json_get(file, "x-kinofs-prices")) {
			assert_string_equal(json_text(row, "date"), usual.date);
			assert_string_equal(json_text(row, "source"), usual.source);
			cJSON_DeleteItemFromObject(row, "date");
			cJSON_DeleteItemFromObject(row, "source");
		}
		same_json(json_get(file, "x-kinofs-prices"), cases[i].rows);
	}
}

static void a_price_is_never_guessed(void **state)
{
	static const char *const prose[] = {"", "free of charge", "From 10 credits",
		"A 7-second video costs 10 credits.", "A 4K video costs 10 credits",
		"At 720p a 5-second video costs 10 credits, and a 10-second one costs 20 credits",
		"At 720p a 5-second video costs 10 credits, and a 10-second video costs 20 credits",
		"A video costs 10 credits ($0.80)", "A video costs 10 credits or 12 credits",
		"A 5-second video costs 10 credits, and a 5-second video costs 20 credits",
		"720p costs 10 credits; 10 seconds cost 20 credits", "10 credits per megapixel",
		"$0,325 per video", "10 credits for up to 15 seconds",
		"A 5-second video costs 10 credits, and a discount of 20% holds until June.",
		"A 5-second video costs 10 credits per second",
		"720p 14 credits/s, 1080p 1,200 credits/s and a fee"};
	static const char no_length[] = FIELD(PROMPT);

	(void)state;
	for (size_t i = 0; i <= COUNT(prose); i++) {
		struct catalogue_entry said = usual;
		AUTO_FREE char *why = NULL;
		AUTO_JSON cJSON *file = NULL;

		said.price = i < COUNT(prose) ? prose[i] : "10 credits per second";
		file = convert(&said, i < COUNT(prose) ? PRICED : no_length, &why);
		assert_non_null(file);
		if (json_get(file, "x-kinofs-prices"))
			fail_msg("a price was read from: %s", said.price);
	}
}

/* ------------------------------------------------------------------ an older file */

static void a_renewed_file_keeps_what_people_wrote(void **state)
{
	AUTO_JSON cJSON *old = made(FIELD(
		"\"prompt\":{\"type\":\"string\",\"maxLength\":9,\"description\":\"Say it.\"},"
		"\"duration\":{\"type\":\"integer\",\"minimum\":4,\"maximum\":8},\"image_url\":{"
		"\"type\":\"string\",\"description\":\"Max size: 10MB\"}"));
	AUTO_JSON cJSON *now = made(
		FIELD("\"prompt\":{\"type\":\"string\",\"maxLength\":20,\"description\":\"P\"},"
		      "\"duration\":{\"type\":\"integer\"},\"image_url\":{\"type\":\"string\","
		      "\"description\":\"PNG\"},\"more\":{\"type\":\"boolean\"}"));
	AUTO_JSON cJSON *renewed = NULL;

	(void)state;
	cJSON_ReplaceItemInObject(old, "title", cJSON_CreateString("Well said"));
	renewed = catalogue_renew(old, now);
	assert_string_equal(json_text(renewed, "title"), "Well said");
	same_json(json_get(renewed, "properties"),
		"{\"prompt\":{\"type\":\"string\",\"maxLength\":20,\"description\":\"Say it.\"},"
		"\"duration\":{\"type\":\"integer\",\"minimum\":4,\"maximum\":8},\"image_url\":{"
		"\"type\":\"string\",\"description\":\"Max size: 10MB\",\"x-kinofs-file\":{\"types\":"
		"[\"image/png\"],\"marks\":[\"\"],\"max_bytes\":10485760}},"
		"\"more\":{\"type\":\"boolean\"}}");
	assert_false(catalogue_same(old, renewed));
}

/* Where a page is looser than what people found out, it says nothing new. */
static void a_looser_page_changes_nothing(void **state)
{
	AUTO_JSON cJSON *now = made(FIELD(
		"\"n\":{\"type\":\"number\"},\"s\":{\"type\":\"string\",\"minLength\":0},"
		"\"audio_url\":{\"type\":\"string\"},\"image_url\":{\"type\":\"string\",\"description\":\"png, webp\"}"));
	AUTO_JSON cJSON *old = cJSON_Duplicate(now, true), *renewed = NULL;
	AUTO_FREE char *difference = NULL;
	cJSON *fields = json_get(old, "properties"), *types;

	(void)state;
	cJSON_ReplaceItemInObject(json_get(fields, "n"), "type", cJSON_CreateString("integer"));
	cJSON_AddNumberToObject(json_get(fields, "n"), "default", 3);
	cJSON_AddNumberToObject(json_get(fields, "s"), "minLength", 1);
	types = json_get(json_get(json_get(fields, "audio_url"), "x-kinofs-file"), "types");
	while (cJSON_GetArraySize(types) > 1) /* it is not said which; people know better */
		cJSON_DeleteItemFromArray(types, 1);
	types = json_get(json_get(json_get(fields, "image_url"), "x-kinofs-file"), "types");
	cJSON_AddItemToArray(types, cJSON_DetachItemFromArray(types, 0));
	renewed = catalogue_renew(old, now);
	difference = catalogue_difference(old, renewed);
	if (difference)
		fail_msg("%s", difference);
	assert_true(catalogue_same(old, renewed));
}

static void words_and_dates_make_no_difference(void **state)
{
	AUTO_JSON cJSON *one = made(FIELD(PROMPT)), *other = made(FIELD(PROMPT));

	(void)state;
	cJSON_ReplaceItemInObject(other, "title", cJSON_CreateString("Another"));
	cJSON_ReplaceItemInObject(other, "x-kinofs-source", cJSON_CreateString("elsewhere"));
	assert_true(catalogue_same(one, other));
	cJSON_AddItemToObject(one, "required", cJSON_CreateArray());
	assert_true(catalogue_same(one, other));
	cJSON_AddItemToArray(json_get(one, "required"), cJSON_CreateString("prompt"));
	assert_false(catalogue_same(one, other));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_is_opened_to_its_input),
		cmocka_unit_test(what_a_file_cannot_say_is_a_reason),
		cmocka_unit_test(references_cannot_multiply_without_end),
		cmocka_unit_test(the_kind_of_result_is_what_the_task_leads_to),
		cmocka_unit_test(files_are_known_by_name_and_description),
		cmocka_unit_test(each_place_for_a_file_has_one_field),
		cmocka_unit_test(limits_in_prose_are_taken_when_they_are_certain),
		cmocka_unit_test(a_length_in_words_becomes_the_texts_it_may_be),
		cmocka_unit_test(what_the_schema_says_goes_before_its_prose),
		cmocka_unit_test(a_default_that_is_none_is_dropped),
		cmocka_unit_test(fields_that_belong_together_become_rules),
		cmocka_unit_test(a_price_is_read_where_every_word_is_understood),
		cmocka_unit_test(a_price_is_never_guessed),
		cmocka_unit_test(a_renewed_file_keeps_what_people_wrote),
		cmocka_unit_test(a_looser_page_changes_nothing),
		cmocka_unit_test(words_and_dates_make_no_difference),
	};

	return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
