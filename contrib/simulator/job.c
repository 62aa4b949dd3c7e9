/* job.c - what a checked input asks for: words, files, length, price. */
#include "contrib/simulator/models.h"

#include <string.h>

#define USUAL_SECONDS 6 /* of a film, where no field says it */
#define MOST_SECONDS  30

/* Whether these fields are in a list of files where each place has a meaning. */
static bool is_last_frame(const cJSON *file, int index)
{
	const cJSON *marks = schema_get(file, "marks");
	const char *mark = cJSON_GetStringValue(cJSON_GetArrayItem(marks, index));

	return mark && !strcmp(mark, "end");
}

static enum kind kind_of(const cJSON *types)
{
	const char *type = cJSON_GetStringValue(cJSON_GetArrayItem(types, 0));

	if (type && !strncmp(type, "video/", 6))
		return KIND_VIDEO;
	return type && !strncmp(type, "audio/", 6) ? KIND_AUDIO : KIND_IMAGE;
}

static bool add_media(struct job *job, const struct media *media)
{
	struct media *grown = reallocarray(job->media, job->media_count + 1, sizeof(*media));

	if (!grown)
		return false;
	job->media = grown;
	job->media[job->media_count++] = *media;
	return true;
}

static bool add_file(struct job *job, const cJSON *file, const cJSON *value, int index)
{
	struct media media = {.url = value->valuestring,
		.types = schema_get(file, "types"),
		.max_bytes = value_number(schema_get(file, "max_bytes"), 0),
		.is_last = is_last_frame(file, index)};

	media.kind = kind_of(media.types);
	return add_media(job, &media);
}

/* Every file and every task that the value refers to, however deep. */
static bool add_all(struct job *job, const cJSON *schema, const cJSON *value)
{
	const cJSON *file = schema_file(schema);
	const struct media task = {.url = cJSON_GetStringValue(value), .kind = KIND_TASK};
	const cJSON *items = schema_get(schema, "items");
	const cJSON *member;
	bool is_good = true;
	int index = 0;

	if (cJSON_IsString(value) && file)
		return add_file(job, file, value, 0);
	if (cJSON_IsString(value))
		return !cJSON_IsTrue(schema_get(schema, "x-kinofs-job")) || add_media(job, &task);
	cJSON_ArrayForEach (member, value) {
		if (cJSON_IsArray(value) && file)
			is_good &= add_file(job, file, member, index++);
		else if (cJSON_IsArray(value))
			is_good &= add_all(job, items, member);
		else
			is_good &= add_all(job,
				schema_get(schema_get(schema, "properties"), member->string),
				member);
	}
	return is_good;
}

/* Model files of the first release name the field of the last frame at their top. */
static void mark_last(const cJSON *schema, const cJSON *input, struct job *job)
{
	const char *name = schema_text(schema, "x-kinofs-last-frame");
	const char *url = name ? cJSON_GetStringValue(value_at(input, name)) : NULL;

	for (size_t i = 0; i < job->media_count; i++)
		job->media[i].is_last |= url == job->media[i].url && url;
}

/* What a field of this name says, here or in an object below. */
static const cJSON *find_named(const cJSON *schema, const cJSON *input, const char *name)
{
	const cJSON *value = value_effective(schema, input, name);
	const cJSON *member;

	cJSON_ArrayForEach (member, schema_get(schema, "properties")) {
		if (value)
			break;
		value = schema_get(member, "properties")
		                ? find_named(member, schema_get(input, member->string), name)
		                : NULL;
	}
	return value;
}

/* The clip of this kind says its own type, as does the input; a film clip may have any name. */
static const char *type_of(enum kind kind, const char *wanted)
{
	const char *suffix = sim.clips[kind] ? strrchr(sim.clips[kind], '.') : NULL;

	return result_type(kind, kind != KIND_VIDEO && suffix ? suffix + 1 : wanted);
}

/* Pictures may be asked for by number. */
static double count_of(const cJSON *schema, const cJSON *input, enum kind kind)
{
	static const char *const names[] = {"num_images", "max_images", "n"};
	double count = 1;

	for (size_t i = 0; i < 3 && kind == KIND_IMAGE; i++)
		count = value_number(find_named(schema, input, names[i]), count);
	return count;
}

static void add_results(struct job *job, const cJSON *schema, const cJSON *input, const char *name)
{
	static const char *const kinds[] = {"video", "image", "audio"};
	const char *wanted = cJSON_GetStringValue(find_named(schema, input, "output_format"));

	for (enum kind kind = KIND_VIDEO; kind <= KIND_AUDIO; kind++) {
		double count = count_of(schema, input, kind);

		if (strcmp(name, kinds[kind]) != 0)
			continue;
		do
			job->results[job->result_count++] = type_of(kind, wanted);
		while (--count > 0 && job->result_count < SIM_RESULTS);
	}
}

/* x-kinofs-result: one kind or a list of them. */
static void read_results(struct job *job, const cJSON *schema, const cJSON *input)
{
	const cJSON *promise = schema_get(schema, "x-kinofs-result");
	const cJSON *kind;

	if (cJSON_IsString(promise))
		add_results(job, schema, input, promise->valuestring);
	cJSON_ArrayForEach (kind, promise)
		if (cJSON_IsString(kind) && job->result_count < SIM_RESULTS)
			add_results(job, schema, input, kind->valuestring);
	if (!job->result_count)
		add_results(job, schema, input, "video");
}

bool job_read(const struct model *model, const cJSON *input, struct job *ret_job)
{
	const cJSON *schema = model->schema;
	const char *address = schema_text(schema, "x-kinofs-prompt");
	const char *prompt = address ? cJSON_GetStringValue(value_at(input, address)) : NULL;
	const char *resolution = cJSON_GetStringValue(find_named(schema, input, "resolution"));
	double seconds = value_number(find_named(schema, input, "duration"), 0);

	*ret_job = (struct job){.provider = model->provider,
		.model = model->name,
		.prompt = prompt ? prompt : "",
		.seconds = seconds < 1 ? USUAL_SECONDS : (int)seconds,
		.resolution = resolution ? resolution : ""};
	if (ret_job->seconds > MOST_SECONDS)
		ret_job->seconds = MOST_SECONDS;
	/* The unit of PPInfra's balance is UNKNOWN (fs/net/API.md 7.5): nothing costs anything. */
	ret_job->price = model->provider == KIE ? rules_price(schema, input) : 0;
	if (!add_all(ret_job, schema, input)) {
		job_clear(ret_job);
		return false;
	}
	mark_last(schema, input, ret_job);
	read_results(ret_job, schema, input);
	return true;
}

void job_clear(struct job *job)
{
	free(job->media);
	job->media = NULL;
	job->media_count = 0;
}
