#include "fs/config/hook.h"

#include "fs/base/cleanup.h"
#include "fs/base/log.h"
#include "fs/config/keys.h"
#include "fs/config/trust.h"

#include <errno.h>
#include <string.h>

void hook_words_free(char **words)
{
	for (size_t i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}

static int check_list(const char *file, const cJSON *list)
{
	const cJSON *word;

	cJSON_ArrayForEach (word, list)
		if (!cJSON_IsString(word) || (word == list->child && !*word->valuestring))
			break;
	if (cJSON_IsArray(list) && list->child && !word)
		return 0;
	log_error("%s: hook must be a list of strings: a program, then its arguments", file);
	return -EINVAL;
}

static int check_program(const char *file, const char *path)
{
	struct stat info;

	if (stat(path, &info) < 0) {
		int error = -errno;

		log_error("%s: hook: cannot use %s: %s", file, path, strerror(-error));
		return error;
	}
	if (!S_ISREG(info.st_mode) || access(path, X_OK) < 0) {
		log_error("%s: hook: %s is no program that can be run; perhaps: chmod u+x %s", file,
			path, path);
		return -EACCES;
	}
	return trust_check(path, &info);
}

int hook_read(const char *file, const cJSON *list, char ***words)
{
	int error = check_list(file, list);
	size_t count = 0;
	const cJSON *word;
	char **made;

	*words = NULL;
	if (error)
		return error;
	made = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(*made));
	cJSON_ArrayForEach (word, list) {
		if (!made)
			break;
		made[count] = count ? strdup(word->valuestring) : key_path(file, word->valuestring);
		if (!made[count++])
			break;
	}
	error = word ? -ENOMEM : check_program(file, made[0]);
	if (error)
		hook_words_free(made);
	else
		*words = made;
	return error;
}
