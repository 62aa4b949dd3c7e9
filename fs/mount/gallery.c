#include "fs/mount/gallery.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "fs/journal/card.h"
#include "fs/journal/spending.h"
#include "fs/mount/gallery_page.h"
#include "fs/mount/node_use.h"
#include "fs/mount/sharing.h"
#include "fs/mount/spending.h"
#include "spec/price.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#define NAME_BYTES 32                 /* "2026-11.js", and room for any number */
#define STALE_MS   (15LL * 60 * 1000) /* days and months turn */

/* Which state of everything a script shows. */
struct edition {
	int month; /* 0: gallery.js */
	int64_t version, hour;
	unsigned long changes;
};

struct gallery {
	pthread_mutex_t lock;
	struct edition edition;
	size_t bytes; /* 0: nothing is known */
	char *text;   /* NULL: it went to who opened it, as that of a month does, which is large */
};

struct gallery *gallery_new(void)
{
	struct gallery *gallery = calloc(1, sizeof(*gallery));

	if (gallery)
		pthread_mutex_init(&gallery->lock, NULL);
	return gallery;
}

void gallery_free(struct gallery *gallery)
{
	if (!gallery)
		return;
	free(gallery->text);
	pthread_mutex_destroy(&gallery->lock);
	free(gallery);
}

int gallery_render_page(struct mount *mount, struct node *node, char **text, size_t *bytes)
{
	(void)mount, (void)node;
	*bytes = (size_t)(gallery_page_end - gallery_page);
	*text = copy_bytes(gallery_page, *bytes);
	return *text ? 0 : -ENOMEM;
}

/* ------------------------------------------------------------------ months */

static void name_of(int month, char name[NAME_BYTES])
{
	(void)snprintf(name, NAME_BYTES, "%04d-%02d.js", month / 100, month % 100);
}

/* The month that a name is of, or -ENOENT. */
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

int gallery_find(struct mount *mount, struct node *folder, const char *name, pid_t caller,
	struct node_seed *seed)
{
	int month = month_of(mount, name);

	(void)folder, (void)caller;
	if (month < 0)
		return month;
	seed->kind = NODE_GALLERY_MONTH;
	seed->ino = generated_ino(NODE_GALLERY_MONTH, (uint64_t)month);
	return 0;
}

/* A cookie is the month of the entry before it, or whatever a caller makes up (seekdir(3)). */
int gallery_list(struct mount *mount, struct node *folder, off_t from, generated_each *each,
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
		if (each(context, name, NODE_GALLERY_MONTH,
			    generated_ino(NODE_GALLERY_MONTH, (uint64_t)month), month))
			break;
	}
	return 0;
}

/* ------------------------------------------------------------------ a script */

/* Writes one. */
struct script {
	struct mount *mount;
	const struct person *person; /* NULL: who may see all */
	FILE *out;
	int tree;
	bool any;
};

/* JSON as it may stand in a script, wherever that is: quote_json_print() has escaped the separators
 * that end a line there, and "<" begins what ends or comments out one inside a page. */
static int write_json(FILE *out, const cJSON *json)
{
	AUTO_FREE char *text = quote_json_print(json, false);

	if (!text)
		return -ENOMEM;
	for (const char *at = text; *at;) {
		size_t plain = strcspn(at, "<");

		(void)fwrite(at, 1, plain, out); /* stream_text() tells, here and below */
		at += plain;
		if (*at && at++)
			(void)fputs("\\u003c", out);
	}
	return 0;
}

static bool is_there(int tree, const char *path)
{
	AUTO_FREE char *folder = path_folder(path);
	AUTO_FD int at = folder ? folders_open(tree, folder) : -1;
	struct stat st;

	return at >= 0 && fstatat(at, path_last(path), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode);
}

/* What the user removed, or gave another name, is shown no more. */
static void drop_gone(int tree, struct job_row *row)
{
	for (size_t i = 0; i < row->noutputs; i++) {
		struct output *output = &row->output[i];

		if (output->state == OUTPUT_PUBLISHED && output->file &&
			!is_there(tree, output->file))
			output->state = OUTPUT_LOST;
	}
}

static int write_take(void *context, struct gallery_take *take)
{
	struct script *script = context;
	const struct mount_setup *setup = &script->mount->setup;
	const struct job_row *row = take->row;
	AUTO_JSON cJSON *card = NULL;

	if (script->person && !sharing_shows(script->mount, script->person, row->rights,
				      row->model_id, row->dir, row->stem))
		return 0;
	drop_gone(script->tree, take->row);
	card = card_make(take, models_find(setup->models, row->model_id), setup->mountpoint);
	(void)fputs(script->any ? ",\n" : "\n", script->out);
	script->any = true;
	return card ? write_json(script->out, card) : -ENOMEM;
}

static double credits_of(const cJSON *orders, const char *day)
{
	const cJSON *entry;
	double sum = 0;

	cJSON_ArrayForEach (entry, orders) {
		const char *its_day = json_text(entry, "day");

		if (!day || (its_day && !strcmp(its_day, day)))
			sum += json_number(entry, "taken_credits");
	}
	return sum;
}

/* What was ordered today and this month, forgotten or not, and the caps. */
static int add_spending(struct mount *mount, cJSON *head)
{
	AUTO_JSON cJSON *month = cJSON_CreateObject();
	int error = spending_of_month(mount->setup.view, spending_this_month(), month);
	const cJSON *orders = json_array(month, "orders");

	if (error < 0)
		return error;
	cJSON_AddNumberToObject(
		head, "today_credits", credits_of(orders, json_text(month, "today")));
	cJSON_AddNumberToObject(head, "month_credits", credits_of(orders, NULL));
	caps_add(mount, head);
	return 0;
}

static void add_months(struct mount *mount, cJSON *head)
{
	cJSON *months = cJSON_AddArrayToObject(head, "months");
	const int now = spending_this_month();

	for (int month = spending_first_month(mount->setup.view); month <= now;
		month = spending_month_after(month)) {
		char name[NAME_BYTES];

		name_of(month, name);
		name[strlen(name) - strlen(".js")] = '\0';
		cJSON_AddItemToArray(months, cJSON_CreateString(name));
	}
}

/* Everything of gallery.js but the takes. */
static int write_head(struct script *script, int64_t since_ms)
{
	AUTO_JSON cJSON *head = cJSON_CreateObject();
	AUTO_FREE char *name = strdup(path_last(script->mount->setup.mountpoint));
	int error = script->person ? 0 : add_spending(script->mount, head);

	cJSON_AddStringToObject(head, "mount", name ? name : "");
	cJSON_AddNumberToObject(head, "usd_per_credit", USD_PER_CREDIT);
	cJSON_AddNumberToObject(head, "since", (double)since_ms);
	add_months(script->mount, head);
	quote_json(head);
	(void)fputs("], \"head\": ", script->out);
	return error < 0 ? error : write_json(script->out, head);
}

static int write_script(struct script *script, int month)
{
	struct view *view = script->mount->setup.view;
	int64_t since_ms = 0;
	int error;

	(void)fprintf(script->out, "kinofsGallery({\"month\": \"%04d-%02d\", \"takes\": [",
		month / 100, month % 100);
	if (month) {
		error = gallery_month(view, month, write_take, script);
		(void)fputc(']', script->out);
	} else {
		error = gallery_now(view, write_take, script, &since_ms);
		if (!error)
			error = write_head(script, since_ms);
	}
	(void)fputs("});\n", script->out);
	return error;
}

static int make_script(
	struct mount *mount, const struct person *person, int month, char **text, size_t *bytes)
{
	AUTO_FD int tree = openat(mount->setup.store_fd, "tree", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_FREE char *made = NULL;
	struct script script = {.mount = mount, .person = person, .tree = tree};
	int error = -ENOMEM;

	script.out = open_memstream(&made, bytes);
	if (script.out) {
		error = write_script(&script, month);
		made = stream_text(script.out, &made);
	}
	if (!error && !made)
		error = -ENOMEM;
	*text = error ? NULL : TAKE(made);
	return error;
}

/* ------------------------------------------------------------------ editions */

static struct edition edition_of(struct mount *mount, int month)
{
	return (struct edition){.month = month,
		.version = gallery_version(mount->setup.view),
		.hour = clock_wall_ms() / STALE_MS,
		.changes = mount_generation(mount)};
}

static bool is_same(const struct edition *a, const struct edition *b)
{
	return a->month == b->month && a->version == b->version && a->hour == b->hour &&
	       a->changes == b->changes && a->version >= 0;
}

/* Whether this edition was made already; text (or NULL): where it goes, if it is still kept. */
static bool take_edition(
	struct gallery *gallery, const struct edition *edition, char **text, size_t *bytes)
{
	bool known;

	pthread_mutex_lock(&gallery->lock);
	known = gallery->bytes && is_same(&gallery->edition, edition) && (!text || gallery->text);
	if (known)
		*bytes = gallery->bytes;
	if (known && text)
		*text = edition->month ? TAKE(gallery->text) : copy_bytes(gallery->text, *bytes);
	pthread_mutex_unlock(&gallery->lock);
	return known && (!text || *text);
}

/* Takes text over, which may be NULL. */
static void keep_edition(
	struct gallery *gallery, const struct edition *edition, char *text, size_t bytes)
{
	char *old;

	pthread_mutex_lock(&gallery->lock);
	old = gallery->text;
	gallery->edition = *edition;
	gallery->bytes = bytes;
	gallery->text = text;
	pthread_mutex_unlock(&gallery->lock);
	free(old);
}

/* The month of a script's node; 0: gallery.js; -ENOENT. */
static int node_month(struct mount *mount, struct node *node)
{
	AUTO_FREE char *path = NULL;
	int error;

	if (node->kind == NODE_GALLERY_NOW)
		return 0;
	error = node_path(&mount->nodes, node, NULL, BASE_MOUNT, &path);
	return error < 0 ? error : month_of(mount, path_last(path));
}

/* Of what was opened last, and is open still. 0: nothing is. */
static size_t open_bytes(struct mount *mount, const struct node *node)
{
	size_t bytes = 0;

	pthread_mutex_lock(&mount->nodes.lock);
	if (node->handles)
		bytes = ((const struct open_file *)node->handles)->bytes;
	pthread_mutex_unlock(&mount->nodes.lock);
	return bytes;
}

int gallery_stat(struct mount *mount, struct node *node, struct stat *st)
{
	const int month = node_month(mount, node);
	const struct edition edition = edition_of(mount, month);
	size_t bytes = open_bytes(mount, node);
	char *text = NULL;
	int error;

	if (month < 0)
		return month;
	if (!bytes && !take_edition(mount->gallery, &edition, NULL, &bytes)) {
		error = make_script(mount, NULL, month, &text, &bytes);
		if (error < 0)
			return error;
		keep_edition(mount->gallery, &edition, text, bytes);
	}
	st->st_size = (off_t)bytes;
	clock_gettime(CLOCK_REALTIME, &st->st_mtim);
	return 0;
}

/* Puts the script of somebody else in place of the one that shows all, and as long as that. */
static int narrow(
	struct mount *mount, const struct person *person, int month, struct open_file *file)
{
	AUTO_FREE char *text = NULL;
	size_t bytes = 0;
	int error = make_script(mount, person, month, &text, &bytes);

	if (error < 0)
		return error;
	if (bytes > file->bytes) /* it grew in between: who reads it looks again */
		bytes = file->bytes;
	memcpy(file->text, text, bytes);
	memset(file->text + bytes, ' ', file->bytes - bytes);
	return 0;
}

int gallery_open(struct mount *mount, struct open_file *file)
{
	const struct person *person = sharing_reader(mount, file);
	const int month = node_month(mount, file->handle.node);
	const struct edition edition = edition_of(mount, month);
	int error = 0;

	if (month < 0)
		return month;
	if (!take_edition(mount->gallery, &edition, &file->text, &file->bytes)) {
		error = make_script(mount, NULL, month, &file->text, &file->bytes);
		if (error < 0)
			return error;
		keep_edition(mount->gallery, &edition,
			month ? NULL : copy_bytes(file->text, file->bytes), file->bytes);
	}
	return person ? narrow(mount, person, month, file) : 0;
}
