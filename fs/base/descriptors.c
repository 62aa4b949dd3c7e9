#include "fs/base/descriptors.h"

#include "fs/base/log.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>

#define OWN_MAX 64 /* some for each download, upload and question under way, and for looks */

static struct rlimit before;

static void restore(void)
{
	(void)setrlimit(RLIMIT_NOFILE, &before); /* lowering never fails */
}

void descriptors_raise(void)
{
	struct rlimit most;

	if (getrlimit(RLIMIT_NOFILE, &before) < 0)
		return;
	most = (struct rlimit){before.rlim_max, before.rlim_max};
	if (setrlimit(RLIMIT_NOFILE, &most) < 0 || pthread_atfork(NULL, NULL, restore) != 0)
		log_warn("the limit of open files stays at %lu: %s", (unsigned long)before.rlim_cur,
			strerror(errno));
}

struct descriptors descriptors_to_give(void)
{
	struct rlimit limit;
	int all, own;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT_MAX)
		return (struct descriptors){INT_MAX, INT_MAX};
	all = (int)limit.rlim_cur;
	own = all / 4 < OWN_MAX ? all / 4 : OWN_MAX;
	return (struct descriptors){all - own, all - own / 2};
}
