#include "fs/mount/sharing.h"

#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "fs/engine/intake.h"
#include "fs/journal/view.h"
#include "fs/mount/fs.h"

#include <fcntl.h>
#include <string.h>

#define GROUPS_ROOM    32
#define LINE_MAX_BYTES (1 << 20) /* of an event */

void sharing_caller(fuse_req_t req, struct person *person)
{
	const struct fuse_ctx *caller = fuse_req_ctx(req);
	int count = GROUPS_ROOM;

	*person = (struct person){.uid = caller->uid, .gid = caller->gid};
	for (int room = 0; room < count;) {
		gid_t *group = reallocarray(person->group, (size_t)count, sizeof(*group));

		if (!group)
			break;
		person->group = group;
		room = count;
		count = fuse_req_getgroups(req, room, group);
		person->groups = count < 0 ? 0 : count < room ? count : room;
	}
}

bool sharing_sees_all(const struct person *person)
{
	return person->uid == 0 || person->uid == geteuid();
}

const struct person *sharing_reader(struct mount *mount, const struct open_file *file)
{
	return !mount->setup.shared || sharing_sees_all(&file->who) ? NULL : &file->who;
}

/* A folder that is gone hides nothing. */
static bool can_enter(struct mount *mount, const struct person *person, const char *folder)
{
	AUTO_FD int tree = openat(mount->setup.store_fd, "tree", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int may = tree < 0 ? 0 : rights_reach(tree, folder, person, 1);

	return may == 1 || may == -ENOENT;
}

bool sharing_reaches(struct mount *mount, const struct person *person, const char *path)
{
	AUTO_FREE char *folder = path_folder(path);

	return folder && can_enter(mount, person, folder);
}

/* As the kernel has it of a folder like /tmp. */
static bool is_kept_by_sticky_bit(
	int tree, const char *folder, const char *path, const struct person *person)
{
	struct stat in, info;

	return fstatat(tree, folder, &in, AT_SYMLINK_NOFOLLOW) == 0 && in.st_mode & S_ISVTX &&
	       in.st_uid != person->uid && fstatat(tree, path, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
	       info.st_uid != person->uid;
}

static int may_change(struct mount *mount, const struct person *person, const char *path)
{
	AUTO_FD int tree = openat(mount->setup.store_fd, "tree", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_FREE char *folder = path_folder(path);

	if (tree < 0 || !folder || rights_reach(tree, folder, person, 2 | 1) != 1)
		return -EACCES;
	return is_kept_by_sticky_bit(tree, folder, path, person) ? -EPERM : 0;
}

int sharing_changes(fuse_req_t req, const char *path)
{
	struct mount *mount = mount_of(req);
	struct person person;
	int error;

	if (!mount->setup.shared)
		return 0;
	sharing_caller(req, &person);
	error = sharing_sees_all(&person) ? 0 : may_change(mount, &person, path);
	person_clear(&person);
	return error;
}

/* Whether a file of the job is not as its rights say; narrows them. */
static bool is_other(struct mount *mount, const char *path, struct rights *rights)
{
	AUTO_FREE char *below = path_join("tree", path);
	const mode_t before = rights->mode;
	struct stat info;

	if (!below || fstatat(mount->setup.store_fd, below, &info, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISREG(info.st_mode))
		return false;
	rights_narrow(rights, &info);
	return rights->mode != before;
}

bool sharing_rights(struct mount *mount, const char *text, const char *model, const char *dir,
	const char *stem, struct rights *rights)
{
	static const char *const suffixes[] = {"json", "txt"};
	AUTO_FREE char *folder = path_join(model, dir);

	if (!rights_parse(text, rights))
		return false;
	for (size_t i = 0; stem && folder && i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		AUTO_FREE char *path = format("%s/%s.%s", folder, stem, suffixes[i]);

		if (path && is_other(mount, path, rights))
			intake_owner(mount->setup.intake, path);
	}
	return true;
}

bool sharing_shows(struct mount *mount, const struct person *person, const char *rights,
	const char *model, const char *dir, const char *stem)
{
	AUTO_FREE char *folder = path_join(model, dir);
	struct rights known;

	return folder && sharing_rights(mount, rights, model, dir, stem, &known) &&
	       rights_allow(&known, person, 4) && can_enter(mount, person, folder);
}

/* ------------------------------------------------------------------ events */

/* By what its files allow now; of a job that was forgotten, by what they did then. */
static bool shows_event(struct mount *mount, const struct person *person, const char *line)
{
	AUTO_JSON cJSON *event = cJSON_Parse(line);
	const char *quoted = json_text(event, "job_quoted"), *plain = json_text(event, "job");
	const char *model = json_text(event, "model");
	AUTO_FREE char *name = quoted ? unquote_name(quoted) : plain ? strdup(plain) : NULL;
	AUTO_FREE char *dir = name ? path_folder(name) : NULL, *rights = NULL;
	bool known;

	if (!model || !dir)
		return false;
	rights = view_rights(mount->setup.view, model, dir, path_last(name), &known);
	return sharing_shows(mount, person, known ? rights : json_text(event, "rights"), model, dir,
		known ? path_last(name) : NULL);
}

/* Where the line begins that has a byte at `at`, or -errno. */
static off_t line_begin(int fd, off_t at)
{
	char piece[4096];

	for (off_t end = at; end > 0;) {
		off_t from = end > (off_t)sizeof(piece) ? end - (off_t)sizeof(piece) : 0;
		ssize_t got = pread(fd, piece, (size_t)(end - from), from);
		const char *found;

		if (got != end - from || at - from > LINE_MAX_BYTES)
			return got < 0 ? -errno : -EIO;
		found = memrchr(piece, '\n', (size_t)got);
		if (found)
			return from + (found - piece) + 1;
		end = from;
	}
	return 0;
}

/* The line that begins there, without its end. NULL: none that is whole, or no memory. */
static char *read_line(int fd, off_t from)
{
	for (size_t room = 4096; room <= LINE_MAX_BYTES; room *= 4) {
		AUTO_FREE char *line = malloc(room + 1);
		ssize_t got = line ? pread(fd, line, room, from) : -1;
		char *end = got > 0 ? memchr(line, '\n', (size_t)got) : NULL;

		if (end) {
			*end = '\0';
			return TAKE(line);
		}
		if (got < (ssize_t)room)
			return NULL;
	}
	return NULL;
}

/* What of a line that begins at `from`, of so many bytes, is among the bytes at `at`. */
static void hide(char *bytes, size_t count, off_t at, off_t from, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		off_t place = from + (off_t)i - at;

		if (place >= 0 && place < (off_t)count)
			bytes[place] = i == 0 ? '{' : i == 1 ? '}' : ' ';
	}
}

ssize_t sharing_hide_events(struct mount *mount, const struct open_file *file, int fd, char *bytes,
	size_t count, off_t at)
{
	const struct person *person = sharing_reader(mount, file);
	off_t from = person && count ? line_begin(fd, at) : 0;

	if (!person || !count || from < 0)
		return from < 0 ? (ssize_t)from : (ssize_t)count;
	while (from < at + (off_t)count) {
		AUTO_FREE char *line = read_line(fd, from);

		if (!line)
			return from > at ? (ssize_t)(from - at) : 0;
		if (!shows_event(mount, person, line))
			hide(bytes, count, at, from, strlen(line));
		from += (off_t)strlen(line) + 1;
	}
	return (ssize_t)count;
}
