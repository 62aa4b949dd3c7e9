#include "fs/serve/words.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "spec/nearest.h"

#include <string.h>

/* With the sign that a value follows. xattr is mount.c's, and passed on to it. */
static const char *const ours[] = {
	"store=", "journal=", "config=", "settle=", "lenient", "nonempty", "xattr"};
/* So that no right word is taken for a slip of ours: mount.fuse3(8), mount(8). */
static const char *const theirs[] = {"allow_other", "allow_root", "auto_unmount",
	"fsname=", "subtype=", "max_read=", "default_permissions", "ro", "rw", "nosuid", "nodev",
	"exec", "noexec", "atime", "noatime", "diratime", "nodiratime", "relatime", "norelatime",
	"strictatime", "nostrictatime", "lazytime", "nolazytime", "sync", "async", "dirsync",
	"context=", "fscontext=", "defcontext=", "rootcontext=", "debug", "clone_fd",
	"max_idle_threads=", "max_threads=", "uid=", "gid=", "umask=", "plain_io"};

/* fstab's own words, which mount(8) passes on (fstab(5)). */
static bool is_ignored(const char *word)
{
	static const char *const words[] = {"user", "users", "nouser", "owner", "group", "auto",
		"noauto", "nofail", "_netdev", "defaults",
		/* mount.fuse3 passes these on to root; a mount of ours never has either */
		"suid", "dev"};

	for (size_t i = 0; i < COUNT(words); i++)
		if (!strcmp(word, words[i]))
			return true;
	return !strncmp(word, "x-", 2) || !strncmp(word, "comment=", 8);
}

/* Of a word with a sign: of its name alone, for "sttle" is no nearer to "settle" with a value. */
static int check_spelling(const char *word)
{
	const char *known[COUNT(ours) + COUNT(theirs)];
	AUTO_FREE char *name = strndup(word, strcspn(word, "=") + (strchr(word, '=') ? 1 : 0));
	const char *near;

	for (size_t i = 0; i < COUNT(known); i++)
		known[i] = i < COUNT(ours) ? ours[i] : theirs[i - COUNT(ours)];
	near = name ? nearest_name(name, known, COUNT(known)) : NULL;
	for (size_t i = 0; near && i < COUNT(ours); i++)
		if (near == ours[i] && strcmp(name, near) != 0) {
			log_error("there is no option -o %s; did you mean \"%s\"?", word, near);
			return -EINVAL;
		}
	return 0;
}

/* What other filesystems show all files with, logged. */
static bool is_of_one_owner(const char *word)
{
	if (strncmp(word, "uid=", 4) != 0 && strncmp(word, "gid=", 4) != 0 &&
		strncmp(word, "umask=", 6) != 0)
		return false;
	log_error("there is no option -o %s: owner and mode are those of the files. How several "
		  "people share a mount is in kinofs(1), SHARING",
		word);
	return true;
}

/* Adds a word to the list for libfuse. */
static int pass_on(struct serve_options *options, const char *word)
{
	char *list = format("%s%s%s", options->fuse_options ? options->fuse_options : "",
		options->fuse_options ? "," : "", word);

	if (!list)
		return -ENOMEM;
	free(options->fuse_options);
	options->fuse_options = list;
	return 0;
}

static int read_settle(const char *text, struct serve_options *options)
{
	char *rest;
	double seconds = strtod(text, &rest);

	if (*rest || rest == text || !(seconds >= 0 && seconds <= 3600)) {
		log_error("-o settle=%s: must be a number of seconds, 0 to 3600", text);
		return -EINVAL;
	}
	options->settle_seconds = seconds;
	return 0;
}

static int set_path(char **member, const char *text)
{
	free(*member);
	*member = strdup(text);
	return *member ? 0 : -ENOMEM;
}

static int set_flag(bool *member)
{
	*member = true;
	return 0;
}

static int read_word(char *word, struct serve_options *options)
{
	if (!*word || is_ignored(word))
		return 0;
	if (!strncmp(word, "store=", 6))
		return set_path(&options->store, word + 6);
	if (!strncmp(word, "journal=", 8))
		return set_path(&options->journal, word + 8);
	if (!strncmp(word, "config=", 7))
		return set_path(&options->config, word + 7);
	if (!strncmp(word, "settle=", 7))
		return read_settle(word + 7, options);
	if (!strcmp(word, "lenient"))
		return set_flag(&options->lenient);
	if (!strcmp(word, "nonempty"))
		return set_flag(&options->nonempty);
	if (is_of_one_owner(word))
		return -EINVAL;
	return check_spelling(word) < 0 ? -EINVAL : pass_on(options, word);
}

int words_read(char *list, struct serve_options *options)
{
	char *rest;
	int error = 0;

	for (char *word = strtok_r(list, ",", &rest); word && !error;
		word = strtok_r(NULL, ",", &rest))
		error = read_word(word, options);
	return error;
}
