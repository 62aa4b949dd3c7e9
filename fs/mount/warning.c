#include "fs/mount/warning.h"

#include "fs/base/cleanup.h"
#include "fs/mount/publish.h"

#include <string.h>

/* Has the publisher tell who watches out/. */
static void tell(struct mount *mount)
{
	const struct publish_order order = {.kind = PUBLISH_LOOK};

	pthread_mutex_lock(&mount->watch_lock);
	if (mount->publisher)
		(void)publisher_post(mount->publisher, &order); /* without memory nobody is told */
	pthread_mutex_unlock(&mount->watch_lock);
}

void mount_warn(struct mount *mount, char *text)
{
	AUTO_FREE char *before = NULL;

	pthread_mutex_lock(&mount->money_lock);
	before = mount->warning;
	mount->warning = text;
	(void)clock_gettime(CLOCK_REALTIME, &mount->warned); /* fails only for a bad clock */
	if (!before != !text)
		mount->warning_turned = mount->warned;
	pthread_mutex_unlock(&mount->money_lock);
	if (!before != !text)
		tell(mount);
}

bool warning_is_here(struct mount *mount, const char *name)
{
	bool is_here;

	if (strcmp(name, WARNING_NAME) != 0)
		return false;
	pthread_mutex_lock(&mount->money_lock);
	is_here = mount->warning;
	pthread_mutex_unlock(&mount->money_lock);
	return is_here;
}

void warning_changed(struct mount *mount, struct timespec *time)
{
	const struct timespec *turned = &mount->warning_turned;

	pthread_mutex_lock(&mount->money_lock);
	if (turned->tv_sec > time->tv_sec ||
		(turned->tv_sec == time->tv_sec && turned->tv_nsec > time->tv_nsec))
		*time = *turned;
	pthread_mutex_unlock(&mount->money_lock);
}

int warning_stat(struct mount *mount, struct node *node, struct stat *st)
{
	(void)node;
	pthread_mutex_lock(&mount->money_lock);
	st->st_size = mount->warning ? (off_t)strlen(mount->warning) : 0;
	st->st_mtim = st->st_ctim = mount->warned;
	pthread_mutex_unlock(&mount->money_lock);
	return 0;
}

int warning_render(struct mount *mount, struct node *node, char **text, size_t *bytes)
{
	(void)node;
	pthread_mutex_lock(&mount->money_lock);
	*text = strdup(mount->warning ? mount->warning : ""); /* gone since it was found */
	pthread_mutex_unlock(&mount->money_lock);
	if (!*text)
		return -ENOMEM;
	*bytes = strlen(*text);
	return 0;
}
