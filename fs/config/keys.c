#include "fs/config/keys.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/limits.h"
#include "fs/base/log.h"
#include "fs/base/path.h"
#include "fs/base/read.h"
#include "fs/config/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int check_privacy(const char *path, int fd, enum privacy privacy)
{
	struct stat info;

	if (fstat(fd, &info) < 0)
		return -errno;
	if (privacy == PRIVACY_SECRET && (info.st_mode & 077)) {
		log_error("the key file %s can be read by others; run: chmod 600 %s", path, path);
		return -EPERM;
	}
	return privacy == PRIVACY_GIVEN ? 0 : trust_check(path, &info);
}

void key_wipe(char *key)
{
	if (key)
		explicit_bzero(key, strlen(key));
	free(key);
}

int private_read(const char *path, enum privacy privacy, char **text)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *whole = NULL;
	size_t bytes;
	int error = fd < 0 ? -errno : check_privacy(path, fd, privacy);

	if (error == -EPERM || error == -ENOENT)
		return error;
	if (!error)
		error = read_whole(fd, LIMIT_CONFIG_BYTES, &whole, &bytes);
	if (!error && bytes > LIMIT_CONFIG_BYTES)
		error = -EFBIG;
	if (!error) {
		*text = whole;
		return 0;
	}
	log_error("cannot read %s: %s", path, strerror(-error));
	key_wipe(whole);
	return error;
}

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

char *key_path(const char *file, const char *key_file)
{
	const char *home = getenv("HOME");
	AUTO_FREE char *folder = NULL;

	if (!strncmp(key_file, "~/", 2) && home && *home)
		return path_join(home, key_file + 2);
	if (*key_file == '/' || !strchr(file, '/'))
		return strdup(key_file);
	folder = path_folder(file);
	return folder ? format("%s/%s", folder, key_file) : NULL;
}

static int read_key_file(const char *path, char **key)
{
	int error = path ? private_read(path, PRIVACY_SECRET, key) : -ENOMEM;

	if (error == -ENOENT)
		log_error("there is no key file %s", path);
	else if (!error)
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
	path = format("%s/%s_api_key", directory, provider->name);
	if (!path)
		return -ENOMEM;
	error = private_read(path, PRIVACY_GIVEN, key); /* systemd guards the directory */
	if (!error)
		(*key)[strcspn(*key, "\r\n")] = '\0';
	return error == -ENOENT ? 0 : error;
}

int key_check(const struct provider *provider, const char *key)
{
	for (; *key; key++)
		if (*key <= ' ' || *key > '~') {
			log_error(
				"the key for %s has a character that no key has", provider->title);
			return -EINVAL;
		}
	return 0;
}

int key_find(const struct provider *provider, const char *file, const char *key_file,
	struct account *account)
{
	AUTO_FREE char *path = NULL;
	char **key = &account->key;
	int error = 0;

	for (const char *const *name = provider->key_variables; *name; name++) {
		char *value = take_variable(*name);

		if (*key)
			key_wipe(value);
		else
			*key = value;
	}
	account->key_given = *key != NULL;
	if (!*key && key_file) {
		path = key_path(file, key_file);
		error = read_key_file(path, key);
	}
	if (!*key && !error)
		error = read_credential(provider, key);
	if (!error && *key && !**key)
		free(TAKE(*key));
	return error || !*key ? error : key_check(provider, *key);
}
