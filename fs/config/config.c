#include "fs/config/config.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/limits.h"
#include "fs/base/log.h"
#include "fs/base/path.h"
#include "fs/config/hook.h"
#include "fs/config/keys.h"
#include "spec/json_text.h"
#include "spec/nearest.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_SETTLE_MS       2000
#define DEFAULT_SETTLE_ALONE_MS 15000
#define CREATES_MAX             10000
#define KEYS_MAX                8 /* of one object */

/* One key of the configuration and where its value goes. */
struct key {
	const char *name;
	enum {
		KEY_TEXT,
		KEY_COUNT,
		KEY_AMOUNT,
		KEY_SECONDS,
		KEY_OBJECT,
		KEY_PROVENANCE,
		KEY_ANY
	} kind;
	/* char *, int64_t, double, int64_t ms, const cJSON *, enum provenance_mode, const cJSON *
	 */
	void *to;
};

/* What the file may say of one provider, besides its account. */
struct provider_keys {
	char *key_file;
	int64_t creates; /* -1: not said */
};

/* ------------------------------------------------------------------ the file */

static int set_text(const char *where, const struct key *key, const cJSON *value)
{
	char **text = key->to;

	if (!cJSON_IsString(value)) {
		log_error("%s: %s must be a string", where, key->name);
		return -EINVAL;
	}
	free(*text);
	*text = strdup(value->valuestring);
	return *text ? 0 : -ENOMEM;
}

static int set_number(const char *where, const struct key *key, const cJSON *value)
{
	double number = cJSON_IsNull(value) ? 0 : cJSON_GetNumberValue(value);

	if (!(number >= 0 && number <= 1e12)) { /* also when it is no number */
		log_error("%s: %s must be a number, 0 or more%s", where, key->name,
			key->kind == KEY_SECONDS ? "" : " (null or 0: no limit)");
		return -EINVAL;
	}
	if (key->kind == KEY_AMOUNT)
		*(double *)key->to = number;
	else
		*(int64_t *)key->to = (int64_t)(key->kind == KEY_SECONDS ? number * 1000 : number);
	return 0;
}

static int set_object(const char *where, const struct key *key, const cJSON *value)
{
	if (!cJSON_IsObject(value)) {
		log_error("%s: %s must be an object", where, key->name);
		return -EINVAL;
	}
	*(const cJSON **)key->to = value;
	return 0;
}

static int set_provenance(const char *where, const struct key *key, const cJSON *value)
{
	static const char *const modes[] = {
		[PROVENANCE_OFF] = "off", [PROVENANCE_MARK] = "mark", [PROVENANCE_FULL] = "full"};

	for (size_t i = 0; i < COUNT(modes); i++)
		if (cJSON_IsString(value) && !strcmp(value->valuestring, modes[i])) {
			*(enum provenance_mode *)key->to = (enum provenance_mode)i;
			return 0;
		}
	log_error("%s: %s must be \"mark\", \"full\" or \"off\"", where, key->name);
	return -EINVAL;
}

static int set_value(const char *where, const struct key *key, const cJSON *value)
{
	if (key->kind == KEY_PROVENANCE)
		return set_provenance(where, key, value);
	if (key->kind == KEY_TEXT)
		return set_text(where, key, value);
	if (key->kind == KEY_ANY) {
		*(const cJSON **)key->to = value;
		return 0;
	}
	return key->kind == KEY_OBJECT ? set_object(where, key, value)
	                               : set_number(where, key, value);
}

static int unknown_key(const char *where, const char *name, const struct key *keys, size_t count)
{
	const char *names[KEYS_MAX];
	const char *near;

	for (size_t i = 0; i < count; i++)
		names[i] = keys[i].name;
	near = nearest_name(name, names, count);
	log_error("%s: there is no key \"%s\"%s%s%s", where, name, near ? "; did you mean \"" : "",
		near ? near : "", near ? "\"?" : "");
	return -EINVAL;
}

/* Reads every member of an object by the table; says everything that is wrong. where: "FILE", or
 * "FILE: caps". An object that is absent has no members. */
static int read_object(const char *where, const cJSON *object, const struct key *keys, size_t count)
{
	const cJSON *member;
	int error = 0;

	cJSON_ArrayForEach (member, object) {
		size_t i = 0;
		int result;

		while (i < count && strcmp(keys[i].name, member->string) != 0)
			i++;
		result = i < count ? set_value(where, &keys[i], member)
		                   : unknown_key(where, member->string, keys, count);
		if (result)
			error = result;
	}
	return error;
}

static int read_provider(const char *file, const cJSON *object, const struct provider *provider,
	struct account *account, struct provider_keys *extra)
{
	const struct key keys[] = {
		{"base_url", KEY_TEXT, &account->base_url},
		{"key_file", KEY_TEXT, &extra->key_file},
		{provider->creates_key, KEY_COUNT, &extra->creates},
		{"upload_url", KEY_TEXT, &account->upload_url}, /* last: not all have it */
	};
	AUTO_FREE char *where = format("%s: providers.%s", file, provider->name);
	int error = where ? read_object(where, object, keys, COUNT(keys) - !provider->uploads)
	                  : -ENOMEM;

	if (extra->creates > CREATES_MAX) {
		log_error("%s: %s is more than %d", where, provider->creates_key, CREATES_MAX);
		error = -EINVAL;
	} else if (extra->creates >= 0) {
		account->creates = (int)extra->creates;
	}
	return error;
}

static int read_providers(const char *file, const cJSON *object, struct config *config,
	struct provider_keys extra[PROVIDERS])
{
	AUTO_FREE char *where = format("%s: providers", file);
	const cJSON *said[PROVIDERS] = {NULL};
	struct key keys[PROVIDERS];
	int error;

	for (size_t i = 0; i < PROVIDERS; i++)
		keys[i] = (struct key){provider_at(i)->name, KEY_OBJECT, (void *)&said[i]};
	error = where ? read_object(where, object, keys, PROVIDERS) : -ENOMEM;
	for (size_t i = 0; i < PROVIDERS; i++) {
		int result = read_provider(
			file, said[i], provider_at(i), &config->account[i], &extra[i]);

		if (result)
			error = result;
	}
	return error;
}

static int read_caps(const char *file, const cJSON *object, struct caps *caps)
{
	const struct key keys[] = {
		{"jobs_per_day", KEY_COUNT, &caps->jobs_per_day},
		{"credits_per_day", KEY_AMOUNT, &caps->credits_per_day},
		{"credits_per_month", KEY_AMOUNT, &caps->credits_per_month},
		{"credits_per_job", KEY_AMOUNT, &caps->credits_per_job},
	};
	AUTO_FREE char *where = format("%s: caps", file);

	return where ? read_object(where, object, keys, COUNT(keys)) : -ENOMEM;
}

static int read_document(const char *file, const cJSON *top, struct config *config,
	struct provider_keys extra[PROVIDERS])
{
	const cJSON *providers = NULL, *caps = NULL, *hook = NULL;
	const struct key keys[] = {
		{"providers", KEY_OBJECT, (void *)&providers},
		{"caps", KEY_OBJECT, (void *)&caps},
		{"settle_seconds", KEY_SECONDS, &config->settle_ms},
		{"settle_alone_seconds", KEY_SECONDS, &config->settle_alone_ms},
		{"hook", KEY_ANY, (void *)&hook},
		{"provenance", KEY_PROVENANCE, &config->provenance},
	};
	int error = read_object(file, top, keys, COUNT(keys));
	int in_providers = read_providers(file, providers, config, extra);
	int in_caps = read_caps(file, caps, &config->caps);
	int in_hook = hook ? hook_read(file, hook, &config->hook) : 0;

	return error ?: in_providers ?: in_caps ?: in_hook;
}

/* As JSON, with the line and the column of a slip. 0 or -errno, logged. */
static int parse(const char *file, const char *text, cJSON **top)
{
	struct problems problems = {0};
	int error = json_read(text, strlen(text), LIMIT_CONFIG_BYTES, NULL, &problems, top);

	for (size_t i = 0; i < problems.count; i++)
		log_error("%s: %s%s%s", file, problems.item[i].field ? problems.item[i].field : "",
			problems.item[i].field ? ": " : "",
			problems.item[i].text ? problems.item[i].text : "");
	if (!error && problems.count)
		error = -EINVAL;
	if (!error && !cJSON_IsObject(*top)) {
		log_error("%s is not a JSON object", file);
		error = -EINVAL;
	}
	problems_clear(&problems);
	return error;
}

/* A daemon leaves the folder that it was started in. */
static int set_file(const char *file, struct config *config)
{
	AUTO_FREE char *here = *file == '/' ? NULL : get_current_dir_name();

	config->file = *file == '/' ? strdup(file) : here ? path_join(here, file) : NULL;
	return config->file ? 0 : -ENOMEM;
}

static int read_config_file(
	const char *file, bool named, struct config *config, struct provider_keys extra[PROVIDERS])
{
	AUTO_FREE char *text = NULL;
	AUTO_JSON cJSON *top = NULL;
	int error = private_read(file, PRIVACY_TRUSTED, &text);

	if (error == -ENOENT && !named)
		return 0;
	if (error == -ENOENT)
		log_error("cannot read %s: %s", file, strerror(-error));
	if (!error)
		error = set_file(file, config);
	if (!error)
		error = parse(file, text, &top);
	return error ? error : read_document(file, top, config, extra);
}

/* ------------------------------------------------------------------ all of it */

/* The environment has the last word; a slash at the end is dropped. */
static int set_url(char **url, const char *variable)
{
	const char *value = variable ? getenv(variable) : NULL;
	size_t length;

	if (!*url)
		return 0;
	if (value && *value) {
		free(*url);
		*url = strdup(value);
		if (!*url)
			return -ENOMEM;
	}
	length = strlen(*url);
	while (length > 0 && (*url)[length - 1] == '/')
		(*url)[--length] = '\0';
	return 0;
}

static int set_defaults(const struct provider *provider, struct account *account)
{
	account->base_url = strdup(provider->default_base_url);
	if (provider->default_upload_url)
		account->upload_url = strdup(provider->default_upload_url);
	account->creates = provider->default_creates;
	account->per_ms = provider->default_per_ms;
	return account->base_url && (account->upload_url || !provider->default_upload_url)
	               ? 0
	               : -ENOMEM;
}

/* What stands in the environment, and the key from wherever it is. file: the configuration. */
static int finish_account(const struct provider *provider, const char *file, const char *key_file,
	bool with_key, struct account *account)
{
	int error = set_url(&account->base_url, provider->url_variable);

	if (!error)
		error = set_url(&account->upload_url, provider->upload_url_variable);
	return error || !with_key ? error : key_find(provider, file, key_file, account);
}

static int read_all(const char *path, bool with_keys, struct config *config)
{
	AUTO_FREE char *file = path ? strdup(path) : xdg_path(XDG_CONFIG, "kinofs/config.json");
	struct provider_keys extra[PROVIDERS];
	int error = file ? 0 : -ENOMEM;

	*config = (struct config){
		.caps = {.jobs_per_day = DEFAULT_JOBS_PER_DAY},
		.settle_ms = DEFAULT_SETTLE_MS,
		.settle_alone_ms = DEFAULT_SETTLE_ALONE_MS,
		.provenance = PROVENANCE_MARK,
	};
	for (size_t i = 0; i < PROVIDERS; i++) {
		extra[i] = (struct provider_keys){.creates = -1};
		if (!error)
			error = set_defaults(provider_at(i), &config->account[i]);
	}
	if (!error)
		error = read_config_file(file, path, config, extra);
	for (size_t i = 0; i < PROVIDERS; i++) {
		if (!error)
			error = finish_account(provider_at(i), file, extra[i].key_file, with_keys,
				&config->account[i]);
		free(extra[i].key_file);
	}
	return error;
}

int config_read(const char *path, struct config *config)
{
	return read_all(path, true, config);
}

int config_read_keyless(const char *path, struct config *config)
{
	return read_all(path, false, config);
}

static void account_clear(struct account *account)
{
	key_wipe(account->key);
	free(account->base_url);
	free(account->upload_url);
}

void config_clear(struct config *config)
{
	for (size_t i = 0; i < PROVIDERS; i++)
		account_clear(&config->account[i]);
	hook_words_free(config->hook);
	free(config->file);
	*config = (struct config){0};
}

static bool is_same_place(const struct account *account, const struct account *other)
{
	return !strcmp(account->base_url, other->base_url) &&
	       (!account->upload_url || !strcmp(account->upload_url, other->upload_url));
}

void config_renew(struct config *config, struct config *fresh)
{
	const struct caps caps = config->caps;

	config->caps = fresh->caps;
	fresh->caps = caps;
	for (size_t i = 0; i < PROVIDERS; i++) {
		struct account *account = &config->account[i], *other = &fresh->account[i];
		char *key = account->key;

		if (account->key_given)
			continue;
		if (!is_same_place(account, other)) {
			log_warn("%s has another URL in the configuration now: its key stays as it "
				 "was, too, until kinofs is mounted again",
				provider_at(i)->title);
			continue;
		}
		account->key = other->key;
		other->key = key;
	}
}

const struct account *config_account(const struct config *config, const struct provider *provider)
{
	size_t i = 0;

	while (provider_at(i) != provider) /* it is one of them */
		i++;
	return &config->account[i];
}
