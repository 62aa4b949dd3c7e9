/* user.c - the user's files: real ones, and what they say. */
#include "fs/base/clock.h"
#include "fs/base/digest.h"
#include "fs/engine/engine.h"
#include "fs/engine/intake.h"
#include "spec/model.h"
#include "tests/sim/sim.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const dir_name[DIRS] = {"", "s", "t"};
static const char *const stem_name[STEMS] = {"a", "b", "c"};
static const char *const suffix[KINDS] = {"json", "txt", "png"};
static const char *const flag_name[MODELS] = {
	"prompt_optimizer", "fast_pretreatment", "nsfw_checker"};
static const char *const prompts[] = {"a fox runs", "a boat sails", "rain at night"};

/* ------------------------------------------------------------------ names */

int place_at(int model, int dir, int stem, enum kind kind)
{
	return ((model * DIRS + dir) * STEMS + stem) * KINDS + (int)kind;
}

int job_at(int place)
{
	return place / KINDS;
}

static char *next_buffer(void)
{
	static char buffer[16][96];
	static unsigned turn;

	return buffer[turn++ % 16];
}

const char *place_name(int place, bool scratch)
{
	char *name = next_buffer();
	int job = place / KINDS, folder = place >= PLACES ? place - PLACES : job / STEMS;
	const char *dir = dir_name[folder % DIRS];

	(void)snprintf(name, 96, "%s%s%s/%s.%s%s", sim.model[folder / DIRS]->id, *dir ? "/" : "",
		dir, place >= PLACES ? "defaults" : stem_name[job % STEMS],
		place >= PLACES ? "json" : suffix[place % KINDS], scratch ? ".part" : "");
	return name;
}

const char *job_name_at(int job, bool out)
{
	char *name = next_buffer();
	const char *dir = dir_name[job / STEMS % DIRS];

	(void)snprintf(name, 96, "%s%s%s%s/%s", sim.model[job / STEMS / DIRS]->id,
		out ? "/out" : "", *dir ? "/" : "", dir, stem_name[job % STEMS]);
	return name;
}

const char *prompt_text(int prompt)
{
	return prompts[prompt];
}

/* ------------------------------------------------------------------ pictures */

const char *picture_bytes(int picture, size_t *count)
{
	static const char head[] =
		"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde";
	static const char end[] = "\0\0\0\0IEND\xae\x42\x60\x82";
	static char bytes[2][80];
	size_t fill = (size_t)picture * 8;
	char *at = bytes[picture];

	memcpy(at, head, sizeof(head) - 1);
	memset(at + sizeof(head) - 1, 0, fill);
	memcpy(at + sizeof(head) - 1 + fill, end, sizeof(end) - 1);
	*count = sizeof(head) + sizeof(end) - 2 + fill;
	return at;
}

const char *picture_digest(int picture)
{
	static char hex[2][DIGEST_HEX_BYTES];
	size_t count;
	const char *bytes = picture_bytes(picture, &count);

	if (!*hex[picture] && digest_bytes(bytes, count, hex[picture]) < 0)
		abort();
	return hex[picture];
}

/* ------------------------------------------------------------------ orders */

static char order[ORDERS][64];
static int orders;

int order_number(const char *text)
{
	int i = 0;

	while (i < orders && strcmp(order[i], text) != 0)
		i++;
	if (i == orders && orders < ORDERS)
		(void)snprintf(order[orders++], sizeof(order[0]), "%s", text);
	return i < ORDERS ? i : ORDERS - 1;
}

const char *order_text(int number)
{
	return order[number];
}

/* ------------------------------------------------------------------ the set of files */

struct file *user_find(int place, bool scratch)
{
	for (int i = 0; i < sim.files; i++)
		if (sim.file[i].place == place && sim.file[i].scratch == scratch)
			return &sim.file[i];
	return NULL;
}

static struct file *make(int place, bool scratch)
{
	struct file *file = user_find(place, scratch);

	for (int i = 0; i < sim.files && !file; i++)
		if (sim.file[i].place < 0)
			file = &sim.file[i];
	if (!file && sim.files < FILES)
		file = &sim.file[sim.files++];
	if (!file)
		abort(); /* histories are short */
	*file = (struct file){.place = place, .scratch = scratch, .fd = -1, .writing = -1};
	return file;
}

void user_begin(void)
{
	sim.files = 0;
	memset(sim.open, 0, sizeof(sim.open));
	orders = 0;
}

void user_end(void)
{
	for (int i = 0; i < sim.files; i++)
		if (sim.file[i].place >= 0 && sim.file[i].fd >= 0)
			(void)close(sim.file[i].fd);
	sim.files = 0;
}

static const struct content nothing = {-1, -1, -1, -1, false};

static struct content said(int place)
{
	struct file *file = user_find(place, false);

	return file ? file->content : nothing;
}

bool user_has_files(int job)
{
	for (int kind = 0; kind < KINDS; kind++)
		if (user_find(job * KINDS + kind, false))
			return true;
	return false;
}

bool user_left_half(int job)
{
	for (int kind = 0; kind < KINDS; kind++) {
		const struct file *file = user_find(job * KINDS + kind, false);

		if (file && file->content.half)
			return true;
	}
	return false;
}

/* The defaults.json that counts for a folder. */
static struct file *defaults_of(int folder)
{
	struct file *file = user_find(PLACES + folder, false);

	return file || folder % DIRS == 0 ? file : user_find(PLACES + folder / DIRS * DIRS, false);
}

int user_says(int job, bool *busy, int *takes)
{
	const struct content spec = said(job * KINDS), text = said(job * KINDS + 1),
			     picture = said(job * KINDS + 2);
	struct file *defaults = defaults_of(job / STEMS);
	int prompt = spec.prompt >= 0 ? spec.prompt : text.prompt;
	int model = job / STEMS / DIRS, flag = spec.flag;
	bool half = spec.half || (text.half && spec.prompt < 0) || picture.half ||
	            (defaults && defaults->content.half);
	char key[64];

	*busy = defaults && defaults->fd >= 0;
	*takes = spec.takes > 0 ? spec.takes : 1;
	for (int kind = 0; kind < KINDS; kind++) {
		struct file *file = user_find(job * KINDS + kind, false);

		*busy = *busy || (file && file->fd >= 0);
	}
	if (flag < 0 && defaults)
		flag = defaults->content.flag;
	if (half || prompt < 0 || spec.takes > TAKES_MAX || (model == 2 && picture.picture < 0))
		return -1;
	(void)snprintf(
		key, sizeof(key), "%d|%s|%d|%d", model, prompts[prompt], flag, picture.picture);
	return order_number(key);
}

/* ------------------------------------------------------------------ writing */

static size_t text_of(int place, const struct content *content, char text[256])
{
	int model = place >= PLACES ? (place - PLACES) / DIRS : place / KINDS / STEMS / DIRS;
	size_t count;

	if (place < PLACES && place % KINDS == KIND_PICTURE) {
		memcpy(text, picture_bytes(content->picture, &count), sizeof("x") - 1);
		memcpy(text, picture_bytes(content->picture, &count), count);
		return count;
	}
	if (place < PLACES && place % KINDS == KIND_PROMPT)
		return (size_t)snprintf(text, 256, "%s\n", prompts[content->prompt]);
	count = (size_t)snprintf(text, 256, "{");
	if (content->prompt >= 0)
		count += (size_t)snprintf(
			text + count, 256 - count, "\"prompt\": \"%s\"", prompts[content->prompt]);
	if (content->flag >= 0)
		count += (size_t)snprintf(text + count, 256 - count, "%s\"%s\": %s",
			count > 1 ? ", " : "", flag_name[model], content->flag ? "true" : "false");
	if (content->takes > 0)
		count += (size_t)snprintf(text + count, 256 - count, "%s\"takes\": %d",
			count > 1 ? ", " : "", content->takes);
	return count + (size_t)snprintf(text + count, 256 - count, "}\n");
}

static void stamp(struct file *file, int fd, bool made)
{
	int64_t now = clock_wall_ms();
	const struct timespec time = {now / 1000, now % 1000 * 1000000};
	const struct timespec both[2] = {time, time};
	struct stat info;

	(void)futimens(fd, both);
	(void)fstat(fd, &info);
	file->ino = info.st_ino;
	file->saved_ms = now;
	times_changed(&info, made);
}

static int open_file(struct file *file)
{
	int fd = openat(sim.tree_fd, place_name(file->place, file->scratch),
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		abort();
	return fd;
}

static void learn(int place, int64_t saved_ms)
{
	if (place >= PLACES)
		allowed_learn_all(0);
	else
		allowed_learn(job_at(place), saved_ms);
}

void user_write(int place, const struct content *content, bool scratch)
{
	struct file *file = user_find(place, scratch);
	bool made = !file;
	char text[256];
	int fd;

	if (file && file->fd >= 0)
		return;
	if (made)
		file = make(place, scratch);
	fd = open_file(file);
	(void)!write(fd, text, text_of(place, content, text));
	file->content = *content;
	stamp(file, fd, made);
	(void)close(fd);
	if (!scratch)
		learn(place, file->saved_ms);
	host_tell(TOLD_CHANGED, place_name(place, scratch), NULL, -1);
}

void user_open(int place, const struct content *content)
{
	struct file *file = user_find(place, false);
	bool made = !file;
	char text[256];

	if (!engine || (file && file->fd >= 0))
		return;
	if (made)
		file = make(place, false);
	file->fd = open_file(file);
	(void)!write(file->fd, text, text_of(place, content, text) / 2);
	file->content = *content;
	file->content.half = true;
	stamp(file, file->fd, made);
	file->writing = intake_writing(engine_intake(engine), file->ino);
}

void user_close(struct file *file)
{
	char text[256];
	size_t count;

	if (file->fd < 0)
		return;
	file->content.half = false;
	count = text_of(file->place, &file->content, text);
	(void)!pwrite(file->fd, text, count, 0);
	stamp(file, file->fd, false);
	(void)close(file->fd);
	file->fd = -1;
	if (!file->scratch)
		learn(file->place, file->saved_ms);
	host_tell(TOLD_CHANGED, place_name(file->place, file->scratch), NULL, file->writing);
	file->writing = -1;
}

void user_cut_off(void)
{
	for (int i = 0; i < sim.files; i++) {
		if (sim.file[i].place >= 0 && sim.file[i].fd >= 0)
			(void)close(sim.file[i].fd);
		sim.file[i].fd = sim.file[i].writing = -1;
	}
}

/* ------------------------------------------------------------------ names that change */

/* A file that has got another name has changed. */
static void renamed(const char *path)
{
	struct stat info;

	if (fstatat(sim.tree_fd, path, &info, 0) == 0)
		times_changed(&info, false);
}

static int model_of(int place)
{
	return place >= PLACES ? (place - PLACES) / DIRS : place / KINDS / STEMS / DIRS;
}

/* A field may be another model's. */
static bool fits_model(const struct file *file, int place)
{
	return model_of(file->place) == model_of(place) || file->content.flag < 0;
}

void user_rename(int from, bool scratch, int to)
{
	struct file *file = user_find(from, scratch), *over = user_find(to, false);
	const char *old = place_name(from, scratch), *new = place_name(to, false);

	if (!file || file == over || (from < PLACES) != (to < PLACES) ||
		(from < PLACES && from % KINDS != to % KINDS))
		return;
	if (!fits_model(file, to))
		return;
	if (over && over->fd >= 0) /* its writer goes on, into nowhere */
		return;
	if (renameat(sim.tree_fd, old, sim.tree_fd, new) < 0)
		abort();
	renamed(new);
	if (over)
		over->place = -1;
	file->place = to;
	file->scratch = false;
	if (!scratch)
		learn(from, 0);
	learn(to, file->saved_ms);
	if (file->fd >= 0)
		host_tell(TOLD_REMOVED, old, NULL, -1);
	else
		host_tell(TOLD_MOVED, old, new, -1);
}

void user_exchange(int one, int other)
{
	struct file *a = user_find(one, false), *b = user_find(other, false);
	const char *first = place_name(one, false), *second = place_name(other, false);

	if (!a || !b || a == b || a->fd >= 0 || b->fd >= 0 || one % KINDS != other % KINDS ||
		one >= PLACES || other >= PLACES || !fits_model(a, other) || !fits_model(b, one))
		return;
	if (renameat2(sim.tree_fd, first, sim.tree_fd, second, RENAME_EXCHANGE) < 0)
		abort();
	renamed(first);
	renamed(second);
	a->place = other;
	b->place = one;
	learn(one, b->saved_ms);
	learn(other, a->saved_ms);
	host_tell(TOLD_MOVED, first, second, -1);
	host_tell(TOLD_MOVED, second, first, -1);
}

void user_remove(int place)
{
	struct file *file = user_find(place, false);

	if (!file || file->fd >= 0)
		return;
	(void)unlinkat(sim.tree_fd, place_name(place, false), 0);
	file->place = -1;
	learn(place, 0);
	host_tell(TOLD_REMOVED, place_name(place, false), NULL, -1);
}

static const char *lock_name(int job)
{
	char *name = next_buffer();
	const char *dir = dir_name[job / STEMS % DIRS];

	(void)snprintf(name, 96, "%s%s%s/.%s.txt.swp", sim.model[job / STEMS / DIRS]->id,
		*dir ? "/" : "", dir, stem_name[job % STEMS]);
	return name;
}

void user_edit(int job, bool open)
{
	int fd;

	if (sim.open[job] == open)
		return;
	sim.open[job] = open;
	if (!open) {
		(void)unlinkat(sim.tree_fd, lock_name(job), 0);
		host_tell(TOLD_REMOVED, lock_name(job), NULL, -1);
		return;
	}
	fd = openat(sim.tree_fd, lock_name(job), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		abort();
	(void)close(fd);
}

static bool is_in(const struct file *file, int folder)
{
	return file->place >= 0 && (file->place >= PLACES ? file->place - PLACES == folder
							  : file->place / KINDS / STEMS == folder);
}

void user_move_folder(int model, int from, int to)
{
	char old[96], new[96];
	int64_t newest = 0;

	if (!from || !to || from == to)
		return;
	for (int i = 0; i < sim.files; i++)
		if (is_in(&sim.file[i], model * DIRS + to) ||
			(is_in(&sim.file[i], model * DIRS + from) && sim.file[i].fd >= 0))
			return;
	for (int stem = 0; stem < STEMS; stem++)
		if (sim.open[(model * DIRS + to) * STEMS + stem])
			return;
	(void)snprintf(old, sizeof(old), "%s/%s", sim.model[model]->id, dir_name[from]);
	(void)snprintf(new, sizeof(new), "%s/%s", sim.model[model]->id, dir_name[to]);
	(void)unlinkat(sim.tree_fd, new, AT_REMOVEDIR);
	if (renameat(sim.tree_fd, old, sim.tree_fd, new) < 0)
		abort();
	(void)mkdirat(sim.tree_fd, old, 0755); /* the user makes it again at once */
	for (int i = 0; i < sim.files; i++)
		if (is_in(&sim.file[i], model * DIRS + from)) {
			struct file *file = &sim.file[i];
			int step = to - from;

			file->place += file->place >= PLACES ? step : step * STEMS * KINDS;
			newest = file->saved_ms > newest ? file->saved_ms : newest;
		}
	for (int stem = 0; stem < STEMS; stem++) {
		bool *left = &sim.open[(model * DIRS + from) * STEMS + stem];

		sim.open[(model * DIRS + to) * STEMS + stem] = *left;
		*left = false;
	}
	allowed_learn_all(0);
	for (int stem = 0; stem < STEMS; stem++)
		allowed_learn((model * DIRS + to) * STEMS + stem, newest);
	host_tell(TOLD_MOVED, old, new, -1);
}
