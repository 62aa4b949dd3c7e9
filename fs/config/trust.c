#include "fs/config/trust.h"

#include "fs/base/log.h"

#include <errno.h>
#include <unistd.h>

int trust_check(const char *path, const struct stat *info)
{
	uid_t self = geteuid();

	if (info->st_uid != 0 && info->st_uid != self) {
		log_error(
			"%s belongs to user %u, who could have your keys sent elsewhere; run: chown "
			"%u %s",
			path, info->st_uid, self, path);
		return -EPERM;
	}
	if (info->st_mode & (S_IWGRP | S_IWOTH)) {
		log_error(
			"%s can be written by others, who could have your keys sent elsewhere; run: "
			"chmod go-w %s",
			path, path);
		return -EPERM;
	}
	return 0;
}
