#include "fs/config/config.h"

#include "fs/base/cleanup.h"
#include "fs/base/limits.h"
#include "fs/base/log.h"
#include "spec/nearest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_SETTLE_MS 2000
#define CREATES_MAX       10000
#define KEYS_MAX          8 /* of one object */

/* One key of the configuration and where its value goes. */
struct key {
	const char *name;
	enum { KEY_TEXT, KEY_COUNT, KEY_AMOUNT, KEY_SECONDS } kind;
	void *to; /* char *, int64_t, double, int64_t ms */
};

/* ------------------------------------------------------------------ the file */

static int set_value(const char *where, const struct key *key, const cJSON *value)
{
	double number = cJSON_IsNull(value) ? 0 : cJSON_GetNumberValue(value);

	if (key->kind == KEY_TEXT) {
		if (!cJSON_IsString(value)) {
			log_error("%s: %s must be a string", where, key->name);
			return -EINVAL;
		}
		free(*(char **)key->to);
		*(char **)key->to = strdup(value->valuestring);
		return *(char **)key->to ? 0 : -ENOMEM;
	}
	if (!(number >= 0 && number <= 1e12)) { /* also when it is no number */
		log_error("%s: %s must be a number, 0 or more (null or 0: no limit)", where,
			key->name);
		return -EINVAL;
	}
	if (key->kind == KEY_AMOUNT)
		*(double *)key->to = number;
	else
		*(int64_t *)key->to = (int64_t)(key->kind == KEY_SECONDS ? number * 1000 : number);
	return 0;
}

static int unknown_key(const char *where, const char *name, const char *const *names, size_t count)
{
	const char *near = nearest_name(name, names, count);

	log_error("%s: there is no key \"%s\"%s%s%s", where, name, near ? "; did you mean \"" : "",
		near ? near : "", near ? "\"?" : "");
	return -EINVAL;
}

/* Reads every member of an object by the table; says everything that is wrong. */
static int read_object(const char *where, const cJSON *object, const struct key *keys, size_t count)
{
	const char *names[KEYS_MAX];
	const cJSON *member;
	int error = 0;

	for (size_t i = 0; i < count; i++)
		names[i] = keys[i].name;
	if (!object)
		return 0;
	if (!cJSON_IsObject(object)) {
		log_error("%s: must be an object", where);
		return -EINVAL;
	}
	cJSON_ArrayForEach (member, object) {
		size_t i = 0;
		int result;

		while (i < count && strcmp(keys[i].name, member->string) != 0)
			i++;
		result = i < count ? set_value(where, &keys[i], member)
		                   : unknown_key(where, member->string, names, count);
		if (result)
			error = result;
	}
	return error;
}

static int check_members(
	const char *where, const cJSON *object, const char *const *names, size_t count)
{
	const cJSON *member;
	int error = 0;

	cJSON_ArrayForEach (member, object) {
		size_t i = 0;

		while (i < count && strcmp(names[i], member->string) != 0)
			i++;
		if (i == count)
			error = unknown_key(where, member->string, names, count);
	}
	return error;
}

/* What the file may say of one provider, besides its account. */
struct provider_keys {
	char *key_file;
	int64_t creates;
};

static int read_provider(const char *where, const cJSON *object, const char *creates_name,
	struct account *account, struct provider_keys *extra)
{
	const struct key keys[] = {
		{"base_url", KEY_TEXT, &account->base_url},
		{"key_file", KEY_TEXT, &extra->key_file},
		{creates_name, KEY_COUNT, &extra->creates},
		{"upload_url", KEY_TEXT, &account->upload_url},
	};
	size_t count = account->upload_url ? 4 : 3; /* only kie.ai has an upload host */
	int error = read_object(where, object, keys, count);

	if (extra->creates > CREATES_MAX) {
		log_error("%s: %s is more than %d", where, creates_name, CREATES_MAX);
		error = -EINVAL;
	} else if (extra->creates >= 0) {
		account->creates = (int)extra->creates;
	}
	return error;
}

static int read_caps(struct caps *caps, const cJSON *object)
{
	const struct key keys[] = {
		{"jobs_per_day", KEY_COUNT, &caps->jobs_per_day},
		{"credits_per_day", KEY_AMOUNT, &caps->credits_per_day},
		{"credits_per_month", KEY_AMOUNT, &caps->credits_per_month},
		{"credits_per_job", KEY_AMOUNT, &caps->credits_per_job},
	};

	return read_object("caps", object, keys, 4);
}

static int read_settle(const cJSON *top, int64_t *settle_ms)
{
	const struct key key = {"settle_seconds", KEY_SECONDS, settle_ms};
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(top, key.name);

	return value ? set_value("configuration", &key, value) : 0;
}

static int read_document(const cJSON *top, struct config *config, struct provider_keys extra[2])
{
	static const char *const top_names[] = {"providers", "caps", "settle_seconds"};
	static const char *const provider_names[] = {"kie", "ppinfra"};
	const cJSON *providers = cJSON_GetObjectItemCaseSensitive(top, "providers");
	int errors[] = {
		check_members("configuration", top, top_names, 3),
		check_members("providers", providers, provider_names, 2),
		read_provider("providers.kie", cJSON_GetObjectItemCaseSensitive(providers, "kie"),
			"creates_per_10s", &config->kie, &extra[0]),
		read_provider("providers.ppinfra",
			cJSON_GetObjectItemCaseSensitive(providers, "ppinfra"),
			"creates_per_minute", &config->ppinfra, &extra[1]),
		read_caps(&config->caps, cJSON_GetObjectItemCaseSensitive(top, "caps")),
		read_settle(top, &config->settle_ms),
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errors[i])
			return errors[i];
	return 0;
}

/* A small file as text; -EFBIG over LIMIT_CONFIG_BYTES. private: nobody else may read it. */
static int read_file(const char *path, bool secret, char **text)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	AUTO_FREE char *buffer = NULL;
	struct stat info;
	ssize_t got;

	if (fd < 0 || fstat(fd, &info) < 0)
		return -errno;
	if (secret && (info.st_mode & 077))
		return -EPERM;
	if (info.st_size > LIMIT_CONFIG_BYTES)
		return -EFBIG;
	buffer = calloc(1, LIMIT_CONFIG_BYTES + 1);
	if (!buffer)
		return -ENOMEM;
	got = read(fd, buffer, LIMIT_CONFIG_BYTES);
	if (got < 0)
		return -errno;
	*text = TAKE(buffer);
	return 0;
}

static int read_config_file(const char *path, struct config *config, struct provider_keys extra[2])
{
	AUTO_FREE char *usual = NULL, *text = NULL;
	AUTO_JSON cJSON *top = NULL;
	const char *base = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	int error;

	if (!path) {
		if (asprintf(&usual, "%s%s/kinofs/config.json",
			    base && *base ? base : (home ? home : ""),
			    base && *base ? "" : "/.config") < 0)
			return -ENOMEM;
	}
	error = read_file(path ? path : usual, false, &text);
	if (error == -ENOENT && !path)
		return 0;
	if (error) {
		log_error("cannot read %s: %s", path ? path : usual, strerror(-error));
		return error;
	}
	top = cJSON_Parse(text);
	if (!cJSON_IsObject(top)) {
		log_error("%s is not a JSON object", path ? path : usual);
		return -EINVAL;
	}
	return read_document(top, config, extra);
}

/* ------------------------------------------------------------------ keys */

/* Takes the variable out of the environment, so that no child and no core dump has it. */
static char *take_variable(const char *name)
{
	char *value = getenv(name);
	char *copy;

	if (!value || !*value)
		return NULL;
	copy = strdup(value);
	explicit_bzero(value, strlen(value));
	(void)unsetenv(name); /* fails only for a bad name */
	return copy;
}

static int read_key_file(const char *path, char **key)
{
	int error = read_file(path, true, key);

	if (error == -EPERM)
		log_error("the key file %s can be read by others; run: chmod 600 %s", path, path);
	else if (error)
		log_error("cannot read the key file %s: %s", path, strerror(-error));
	else
		(*key)[strcspn(*key, "\r\n")] = '\0';
	return error;
}

/* systemd's LoadCredential=kie_api_key:… puts a file there (systemd.exec(5)). */
static int read_credential(const struct provider *provider, char **key)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	AUTO_FREE char *path = NULL;
	int error;

	if (!directory)
		return 0;
	if (asprintf(&path, "%s/%s_api_key", directory, provider->name) < 0)
		return -ENOMEM;
	error = read_file(path, false, key); /* systemd guards the directory */
	if (!error)
		(*key)[strcspn(*key, "\r\n")] = '\0';
	return error == -ENOENT ? 0 : error;
}

/* A key goes into a header: only visible ASCII (RFC 6750). */
static int check_key(const struct provider *provider, const char *key)
{
	for (; *key; key++)
		if (*key <= ' ' || *key > '~') {
			log_error(
				"the key for %s has a character that no key has", provider->title);
			return -EINVAL;
		}
	return 0;
}

static int find_key(const struct provider *provider, const char *key_file, struct account *account)
{
	int error = 0;

	for (const char *const *name = provider->key_variables; *name; name++) {
		char *value = take_variable(*name);

		if (account->key)
			free(value);
		else
			account->key = value;
	}
	if (!account->key && key_file)
		error = read_key_file(key_file, &account->key);
	if (!account->key && !error)
		error = read_credential(provider, &account->key);
	if (!error && account->key && !*account->key)
		free(TAKE(account->key));
	return error || !account->key ? error : check_key(provider, account->key);
}

/* ------------------------------------------------------------------ all of it */

static int set_url(char **url, const char *variable)
{
	const char *value = getenv(variable);
	size_t length;

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

int config_read(const char *path, struct config *config)
{
	struct provider_keys extra[2] = {{NULL, -1}, {NULL, -1}}; /* -1: not said */
	int error;

	*config = (struct config){
		.caps = {.jobs_per_day = DEFAULT_JOBS_PER_DAY}, .settle_ms = DEFAULT_SETTLE_MS};
	error = set_defaults(&provider_kie, &config->kie);
	if (!error)
		error = set_defaults(&provider_ppinfra, &config->ppinfra);
	if (!error)
		error = read_config_file(path, config, extra);
	if (!error)
		error = set_url(&config->kie.base_url, "KINOFS_KIE_URL");
	if (!error)
		error = set_url(&config->kie.upload_url, "KINOFS_KIE_UPLOAD_URL");
	if (!error)
		error = set_url(&config->ppinfra.base_url, "KINOFS_PPINFRA_URL");
	if (!error)
		error = find_key(&provider_kie, extra[0].key_file, &config->kie);
	if (!error)
		error = find_key(&provider_ppinfra, extra[1].key_file, &config->ppinfra);
	free(extra[0].key_file);
	free(extra[1].key_file);
	return error;
}

static void account_clear(struct account *account)
{
	if (account->key)
		explicit_bzero(account->key, strlen(account->key));
	free(account->key);
	free(account->base_url);
	free(account->upload_url);
}

void config_clear(struct config *config)
{
	account_clear(&config->kie);
	account_clear(&config->ppinfra);
	*config = (struct config){0};
}

const struct account *config_account(const struct config *config, const struct provider *provider)
{
	return provider == &provider_kie ? &config->kie : &config->ppinfra;
}
