/*
 * rights.h - owner, group and mode, as chmod(1) knows them, of what stands for
 * some files, and whether somebody may. Any thread may call.
 */
#ifndef KINOFS_BASE_RIGHTS_H
#define KINOFS_BASE_RIGHTS_H

#include <stdbool.h>
#include <sys/stat.h>

struct rights {
	uid_t uid;
	gid_t gid;
	mode_t mode; /* the last nine bits */
};

/* As text: "1000:1000:640". */
#define RIGHTS_BYTES 32
void rights_print(const struct rights *rights, char text[RIGHTS_BYTES]);
/* false: it is none (text may be NULL). */
bool rights_parse(const char *text, struct rights *rights);

/* Who wants something. */
struct person {
	uid_t uid;
	gid_t gid;
	bool is_guess; /* gid may be another's: it takes rights away, and gives none */
	gid_t *group;  /* his other groups */
	int groups;
};
void person_clear(struct person *person);
/* Whoever owns a file of these attributes, with the groups that getgrouplist(3) says, which may ask
 * a server. Of a user that is not known there the group is a guess. 0 or -ENOMEM. */
int person_of_owner(const struct stat *info, struct person *person);

/* want: 4 to read, 2 to write, 1 to go in. The kernel's rule: the first of owner, group and others
 * that fits decides; root may all. */
bool rights_allow(const struct rights *rights, const struct person *person, mode_t want);

/* Takes off what may not be done with this file as well. What belongs to another group may be done
 * by nobody but the owner unless both that group and others may. */
void rights_narrow(struct rights *rights, const struct stat *info);

/* Whether a person can get to what this path below `at` leads to, and may do that with it. 1, 0, or
 * -errno (-ENOENT, -ELOOP …) of what stands in the way where he could see it himself. */
int rights_reach(int at, const char *path, const struct person *person, mode_t want);

#endif
