/* faults.c - read, check and count the rules; route.c carries them out. */
#include "contrib/simulator/faults.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const fault_on_names[FAULT_ONS] = {
	"create", "poll", "upload", "download", "credit", "catalogue"};

enum value {
	NO_VALUE,
	STATUS,    /* 200 to 599 */
	ANY_VALUE, /* a number or a string */
	SECONDS,
	NEED_TEXT,
	MAY_TEXT,
};

#define BIT(on)  (1u << (on))
#define ANYWHERE (BIT(FAULT_ONS) - 1)

static const struct deed {
	const char *name;
	enum value value;
	unsigned int on; /* where it makes sense */
} deeds[FAULT_DOS] = {
	[DO_NOTHING] = {"", NO_VALUE, 0},
	[DO_HTTP] = {"http", STATUS, ANYWHERE},
	[DO_CODE] = {"code", ANY_VALUE, ANYWHERE & ~BIT(ON_DOWNLOAD)},
	[DO_RESET_BEFORE] = {"reset_before", NO_VALUE, ANYWHERE},
	[DO_RESET_AFTER] = {"reset_after", NO_VALUE, ANYWHERE},
	[DO_STALL] = {"stall", NO_VALUE, ANYWHERE},
	[DO_DELAY] = {"delay", SECONDS, ANYWHERE},
	[DO_TRUNCATE] = {"truncate", NO_VALUE, ANYWHERE},
	[DO_GARBAGE] = {"garbage", NO_VALUE, ANYWHERE},
	[DO_HTML] = {"html", NO_VALUE, ANYWHERE},
	[DO_HUGE] = {"huge", NO_VALUE, ANYWHERE},
	[DO_REDIRECT] = {"redirect", NEED_TEXT, ANYWHERE},
	[DO_FAIL] = {"fail", MAY_TEXT, BIT(ON_CREATE) | BIT(ON_POLL)},
	[DO_EXPIRE] = {"expire", NO_VALUE, BIT(ON_POLL) | BIT(ON_DOWNLOAD)},
};

struct rule {
	enum fault_on on;
	struct fault fault; /* its text belongs to the list below */
	const char *model;
	double times, skip; /* left; times is negative when it never ends */
};

static struct rule *rules;
static size_t rule_count;
static cJSON *list_kept; /* owns the strings of the rules */
static unsigned int applied;

static char *__attribute__((format(printf, 2, 3))) complain(int index, const char *format, ...)
{
	AUTO_FREE char *text = NULL;
	char *sentence = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	if (asprintf(&sentence, "rule %d: %s", index + 1, text ? text : "is wrong") < 0)
		return NULL;
	return sentence;
}

static char *check_keys(int index, const cJSON *item)
{
	static const char *const keys = "|on|do|times|skip|model|value|";
	const cJSON *member;

	if (!cJSON_IsObject(item))
		return complain(index, "must be an object");
	cJSON_ArrayForEach (member, item) {
		char bars[32];

		(void)snprintf(bars, sizeof(bars), "|%s|", member->string);
		if (!strstr(keys, bars))
			return complain(index, "unknown key \"%s\"", member->string);
	}
	return NULL;
}

static char *read_on(int index, const cJSON *item, struct rule *rule)
{
	const char *on = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "on"));
	const cJSON *model = cJSON_GetObjectItemCaseSensitive(item, "model");

	for (rule->on = 0; rule->on < FAULT_ONS; rule->on++)
		if (on && !strcmp(on, fault_on_names[rule->on]))
			break;
	if (rule->on == FAULT_ONS)
		return complain(index, "\"on\" must be create, poll, upload, download, credit or "
				       "catalogue");
	rule->model = cJSON_GetStringValue(model);
	if (model && !rule->model)
		return complain(index, "\"model\" must be a string");
	if (model && (rule->on == ON_UPLOAD || rule->on == ON_CREDIT))
		return complain(index, "\"on\": \"%s\" belongs to no model", on);
	return NULL;
}

static char *read_do(int index, const cJSON *item, struct rule *rule)
{
	const char *what = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "do"));
	enum fault_do deed = DO_NOTHING + 1;

	while (deed < FAULT_DOS && (!what || strcmp(what, deeds[deed].name) != 0))
		deed++;
	if (deed == FAULT_DOS)
		return complain(index, "\"do\" must be http, code, reset_before, reset_after, "
				       "stall, delay, truncate, garbage, html, huge, redirect, "
				       "fail or expire");
	rule->fault.what = deed;
	if (deeds[deed].on & BIT(rule->on))
		return NULL;
	return complain(index, "\"%s\" makes no sense on %s", what, fault_on_names[rule->on]);
}

static char *read_value(int index, const cJSON *item, struct rule *rule)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, "value");
	bool is_number = cJSON_IsNumber(value);
	const char *name = deeds[rule->fault.what].name;

	rule->fault.number = is_number ? value->valuedouble : 0;
	rule->fault.text = cJSON_GetStringValue(value);
	switch (deeds[rule->fault.what].value) {
	case NO_VALUE: return value ? complain(index, "\"%s\" takes no \"value\"", name) : NULL;
	case STATUS:
		if (is_number && value->valueint >= 200 && value->valueint <= 599)
			return NULL;
		return complain(index, "\"%s\" needs a \"value\" from 200 to 599", name);
	case ANY_VALUE:
		if (is_number || rule->fault.text)
			return NULL;
		return complain(index, "\"%s\" needs a number or a reason as \"value\"", name);
	case SECONDS:
		if (is_number && value->valuedouble >= 0 && value->valuedouble <= 86400)
			return NULL;
		return complain(index, "\"%s\" needs seconds as \"value\"", name);
	case NEED_TEXT:
		return rule->fault.text ? NULL
		                        : complain(index, "\"%s\" needs a text as \"value\"", name);
	case MAY_TEXT:
		if (!value || rule->fault.text)
			return NULL;
		return complain(index, "the \"value\" of \"%s\" must be a text", name);
	}
	return NULL;
}

static char *read_count(int index, const cJSON *item, const char *key, double *ret_count)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, key);

	if (!value)
		return NULL;
	if (!cJSON_IsNumber(value) || value->valuedouble < 0 ||
		value->valuedouble != (double)value->valueint)
		return complain(index, "\"%s\" must be a whole number, 0 or more", key);
	*ret_count = value->valuedouble;
	return NULL;
}

static char *read_rule(int index, const cJSON *item, struct rule *rule)
{
	char *problem = check_keys(index, item);

	rule->times = 1;
	if (!problem)
		problem = read_on(index, item, rule);
	if (!problem)
		problem = read_do(index, item, rule);
	if (!problem)
		problem = read_value(index, item, rule);
	if (!problem)
		problem = read_count(index, item, "times", &rule->times);
	if (!problem)
		problem = read_count(index, item, "skip", &rule->skip);
	if (rule->times == 0)
		rule->times = -1;
	return problem;
}

char *faults_replace(const cJSON *list)
{
	size_t count = (size_t)cJSON_GetArraySize(list);
	cJSON *kept = cJSON_Duplicate(list, true);
	struct rule *read = calloc(count + 1, sizeof(*read));
	char *problem = NULL;

	if (!cJSON_IsArray(list))
		problem = strdup("the rules must be a JSON list");
	else if (!kept || !read)
		problem = strdup("no memory for the rules");
	for (size_t i = 0; !problem && i < count; i++)
		problem = read_rule((int)i, cJSON_GetArrayItem(kept, (int)i), &read[i]);
	if (problem) {
		cJSON_Delete(kept);
		free(read);
		return problem;
	}
	faults_free();
	rules = read;
	rule_count = count;
	list_kept = kept;
	return NULL;
}

char *faults_load(const char *path)
{
	AUTO_FREE char *text = calloc(1, SIM_FAULTS_BYTES + 1);
	AUTO_JSON cJSON *list = NULL;
	FILE *file = fopen(path, "re");
	char *problem = NULL;

	if (!file || !text) {
		if (asprintf(&problem, "%s", strerror(errno)) < 0)
			problem = NULL;
	} else if (fread(text, 1, SIM_FAULTS_BYTES, file) == SIM_FAULTS_BYTES || ferror(file)) {
		problem = strdup("too long or not readable");
	} else {
		list = cJSON_Parse(text);
		problem = list ? faults_replace(list) : strdup("not JSON");
	}
	if (file)
		(void)fclose(file); /* only read */
	return problem;
}

struct fault faults_take(enum fault_on on, const char *model)
{
	for (size_t i = 0; i < rule_count; i++) {
		struct rule *rule = &rules[i];

		if (rule->on != on || rule->times == 0)
			continue;
		if (rule->model && (!model || strcmp(rule->model, model) != 0))
			continue;
		if (rule->skip > 0) {
			rule->skip--;
			continue;
		}
		if (rule->times > 0)
			rule->times--;
		applied++;
		return rule->fault;
	}
	return (struct fault){.what = DO_NOTHING};
}

unsigned int faults_applied(void)
{
	return applied;
}

void faults_free(void)
{
	cJSON_Delete(list_kept);
	free(rules);
	list_kept = NULL;
	rules = NULL;
	rule_count = 0;
}
