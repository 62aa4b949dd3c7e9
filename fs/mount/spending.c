#include "fs/mount/spending.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "fs/journal/spending.h"
#include "fs/mount/node_use.h"

#include <string.h>

#define NAME_BYTES 32 /* "2026-11.json", and room for any number */

static void name_of(int month, char name[NAME_BYTES])
{
	(void)snprintf(name, NAME_BYTES, "%04d-%02d.json", month / 100, month % 100);
}

/* The month that a name is of, if there is a file of it; else -ENOENT. */
static int month_of(struct mount *mount, const char *name)
{
	const int now = spending_this_month();
	char wanted[NAME_BYTES];

	for (int month = spending_first_month(mount->setup.view); month <= now;
		month = spending_month_after(month)) {
		name_of(month, wanted);
		if (!strcmp(name, wanted))
			return month;
	}
	return -ENOENT;
}

int months_find(struct mount *mount, struct node *folder, const char *name, pid_t caller,
	struct node_seed *seed)
{
	int month = month_of(mount, name);

	(void)folder, (void)caller;
	if (month < 0)
		return month;
	seed->kind = NODE_MONTH;
	seed->ino = generated_ino(NODE_MONTH, (uint64_t)month);
	return 0;
}

/* A cookie is the month of the entry before it, or whatever a caller makes up (seekdir(3)). */
int months_list(struct mount *mount, struct node *folder, off_t from, generated_each *each,
	void *context, fuse_req_t req)
{
	const int now = spending_this_month();

	(void)folder, (void)req;
	for (int month = spending_first_month(mount->setup.view); month <= now;
		month = spending_month_after(month)) {
		char name[NAME_BYTES];

		if (month <= from)
			continue;
		name_of(month, name);
		if (each(context, name, NODE_MONTH, generated_ino(NODE_MONTH, (uint64_t)month),
			    month))
			break;
	}
	return 0;
}

void caps_add(struct mount *mount, cJSON *object)
{
	pthread_mutex_lock(&mount->money_lock);
	cJSON_AddItemToObject(object, "caps", cJSON_Duplicate(mount->caps, true));
	pthread_mutex_unlock(&mount->money_lock);
}

int month_render(struct mount *mount, struct node *node, char **text, size_t *bytes)
{
	AUTO_JSON cJSON *object = cJSON_CreateObject();
	AUTO_FREE char *path = NULL, *shown = NULL;
	int error = node_path(&mount->nodes, node, NULL, BASE_MOUNT, &path);
	int month = error < 0 ? error : month_of(mount, path_last(path));

	if (month < 0)
		return month;
	caps_add(mount, object);
	error = spending_of_month(mount->setup.view, month, object);
	if (error < 0)
		return error;
	shown = quote_json_print(object, true);
	*text = shown ? format("%s\n", shown) : NULL;
	if (!*text)
		return -ENOMEM;
	*bytes = strlen(*text);
	return 0;
}
