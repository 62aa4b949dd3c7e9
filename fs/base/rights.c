#include "fs/base/rights.h"

#include "fs/base/cleanup.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#define GROUPS_MAX 65536 /* NGROUPS_MAX */

void rights_print(const struct rights *rights, char text[RIGHTS_BYTES])
{
	(void)snprintf(text, RIGHTS_BYTES, "%u:%u:%03o", (unsigned)rights->uid,
		(unsigned)rights->gid, (unsigned)(rights->mode & 0777)); /* fits */
}

bool rights_parse(const char *text, struct rights *rights)
{
	unsigned uid, gid, mode;
	int end = 0;

	if (!text || sscanf(text, "%u:%u:%o%n", &uid, &gid, &mode, &end) != 3 || text[end] ||
		mode > 0777)
		return false;
	*rights = (struct rights){uid, gid, mode};
	return true;
}

void person_clear(struct person *person)
{
	free(person->group);
	*person = (struct person){0};
}

static int list_groups(const char *name, struct person *person)
{
	for (int room = 32; room <= GROUPS_MAX; room *= 2) {
		gid_t *group = reallocarray(person->group, (size_t)room, sizeof(*group));

		if (!group)
			return -ENOMEM;
		person->group = group;
		person->groups = room;
		if (getgrouplist(name, person->gid, group, &person->groups) >= 0)
			return 0;
	}
	person->groups = 0;
	return 0;
}

int person_of_owner(const struct stat *info, struct person *person)
{
	struct passwd entry, *found = NULL;
	AUTO_FREE char *buffer = malloc(65536);

	*person = (struct person){.uid = info->st_uid, .gid = info->st_gid, .is_guess = true};
	if (!buffer)
		return -ENOMEM;
	if (getpwuid_r(info->st_uid, &entry, buffer, 65536, &found) != 0 || !found)
		return 0;
	person->gid = entry.pw_gid;
	person->is_guess = false;
	return list_groups(entry.pw_name, person);
}

static bool is_member(const struct person *person, gid_t gid)
{
	bool found = person->gid == gid && !person->is_guess;

	for (int i = 0; i < person->groups && !found; i++)
		found = person->group[i] == gid;
	return found;
}

bool rights_allow(const struct rights *rights, const struct person *person, mode_t want)
{
	mode_t of_group = rights->mode >> 3, of_others = rights->mode;

	if (person->uid == 0)
		return true;
	if (person->uid == rights->uid)
		return (rights->mode >> 6 & want) == want;
	if (is_member(person, rights->gid))
		return (of_group & want) == want;
	if (person->is_guess && person->gid == rights->gid)
		of_others &= of_group;
	return (of_others & want) == want;
}

void rights_narrow(struct rights *rights, const struct stat *info)
{
	mode_t of_group = info->st_mode >> 3 & 7, of_others = info->st_mode & 7;

	if (info->st_gid != rights->gid)
		of_group = of_others = of_group & of_others;
	rights->mode &= 0700 | of_group << 3 | of_others;
	if (info->st_uid == rights->uid)
		rights->mode &= (info->st_mode & 0700) | 0077;
}

static bool may(const struct stat *info, const struct person *person, mode_t want)
{
	const struct rights rights = {info->st_uid, info->st_gid, info->st_mode & 0777};

	return rights_allow(&rights, person, want);
}

int rights_reach(int at, const char *path, const struct person *person, mode_t want)
{
	AUTO_FREE char *copy = strdup(path);
	AUTO_FD int folder = openat(at, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *rest = copy, *part;
	struct stat info;

	if (!copy)
		return -ENOMEM;
	if (folder < 0 || fstat(folder, &info) < 0)
		return -errno;
	while ((part = strsep(&rest, "/"))) {
		int next;

		if (!*part)
			continue;
		if (!S_ISDIR(info.st_mode))
			return S_ISLNK(info.st_mode) ? -ELOOP : -ENOTDIR;
		if (!may(&info, person, 1))
			return 0;
		next = openat(folder, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		cleanup_fd(&folder);
		folder = next;
		if (fstat(folder, &info) < 0)
			return -errno;
	}
	return may(&info, person, want);
}
