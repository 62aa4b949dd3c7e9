#include "fs/input/access.h"

#include "fs/base/cleanup.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"

#include <errno.h>
#include <string.h>

/* The job of one owner, as far as it was looked at. */
struct looking {
	const struct tree *tree;
	const char *named; /* the file that says whose it is */
	struct person owner;
	struct rights rights;
	struct problems *problems;
	bool refused;
};

static const char *naming_file(const struct job_files *files)
{
	const char *const in_turn[] = {files->spec, files->batch, files->prompt,
		files->nbeside ? files->beside[0].path : NULL};

	for (size_t i = 0; i < sizeof(in_turn) / sizeof(*in_turn); i++)
		if (in_turn[i])
			return in_turn[i];
	return NULL;
}

static void refuse(struct looking *looking, const char *path)
{
	AUTO_FREE char *shown = quote_name(path);

	looking->refused = true;
	if (looking->problems)
		problems_add(looking->problems, path_last(path),
			"%s may not be read by who saved %s: its owner must allow that (chmod), or "
			"put another in its place",
			shown ? shown : "it", path_last(looking->named));
}

/* Whether he may get to a link: 1, 0 or -errno. */
static int may_reach(const struct looking *looking, const char *link)
{
	AUTO_FREE char *folder = path_folder(link);

	return folder ? rights_reach(looking->tree->fd, folder, &looking->owner, 1) : -ENOMEM;
}

/* Whether he may read what is at a path, getting there by each link on the way: the same. */
static int may_read(const struct looking *looking, const char *path)
{
	struct way way = {0};
	int error = tree_way(looking->tree, path, &way);
	int may = error && !tree_is_absence(error) ? error : 1;

	if (may == 1 && (way.count || way.end))
		may = may_reach(looking, path);
	if (may == -ELOOP)
		may = 1; /* behind a link of a folder, which is among those on the way */
	for (size_t i = 0; i < way.count && may == 1; i++)
		may = may_reach(looking, way.link[i]);
	if (may == 1)
		may = rights_reach(looking->tree->fd, way.end ? way.end : path, &looking->owner, 4);
	way_clear(&way);
	return may;
}

/* 0 or -errno. Whether a file is there at all is not told to who may not look. */
static int look(struct looking *looking, const char *path)
{
	int may = may_read(looking, path);
	struct stat info;
	bool there = tree_stat_end(looking->tree, path, &info) == 0;

	/* what is his own he may give himself */
	if (may == 0 && (!there || info.st_uid != looking->owner.uid))
		refuse(looking, path);
	if (may < 0 && !tree_is_absence(may))
		return may;
	if (there)
		rights_narrow(&looking->rights, &info);
	return 0;
}

/* A link is of who made it, and all may do everything with it; what it leads to says more. */
static struct rights own_rights(const struct stat *info)
{
	const mode_t mode = S_ISLNK(info->st_mode) ? 0755 : info->st_mode & 0777;

	return (struct rights){info->st_uid, info->st_gid, mode};
}

int access_judge(const struct tree *tree, const struct job_files *files,
	const struct picture *picture, size_t npictures, struct problems *problems,
	char rights[RIGHTS_BYTES])
{
	struct looking looking = {.tree = tree, .named = naming_file(files), .problems = problems};
	const char *path[FILES_MAX];
	size_t count = files_list(files, path);
	struct stat info = {0};
	int error;

	*rights = '\0';
	if (!looking.named)
		return 1;
	error = tree_stat(tree, looking.named, &info);
	if (!error)
		error = person_of_owner(&info, &looking.owner);
	looking.rights = own_rights(&info);
	for (size_t i = 0; i < count && !error; i++)
		if (path[i] != files->defaults) /* are for all who work below them */
			error = look(&looking, path[i]);
	for (size_t i = 0; i < npictures && !error; i++)
		error = look(&looking, picture[i].path);
	if (!error)
		rights_print(&looking.rights, rights);
	person_clear(&looking.owner);
	return error ? error : !looking.refused;
}
