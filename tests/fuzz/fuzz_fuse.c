/* Sequences of FUSE requests, as no kernel need send them: any node that was ever answered, names
 * of generated and of users' files alike, each answered or refused. Only what a kernel promises is
 * kept to: a request fits the type of its node; a handle is one that was given, for what it was
 * given, until it is released; no lookup is forgotten twice. The store is a real folder, the
 * engine is left out. */
#include "fs/base/array.h"
#include "fs/config/models_load.h"
#include "fs/engine/control.h"
#include "fs/engine/figures.h"
#include "fs/engine/intake.h"
#include "fs/journal/journal.h"
#include "fs/journal/view_open.h"
#include "fs/mount/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST 64 /* nodes and handles that are kept track of */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* ------------------------------------------------------------------ instead of the engine */

int control_run(
	struct control *control, const char *line, const struct person *asker, char **answer)
{
	(void)control, (void)asker;
	*answer = strdup(line);
	return *line == 'r' ? 0 : -EINVAL;
}

int control_forget(struct control *control, const char *model, const char *dir, const char *stem,
	const struct person *asker)
{
	(void)control, (void)model, (void)dir, (void)asker;
	return *stem == 'a' ? 0 : -EBUSY;
}

int intake_writing(struct intake *intake, ino_t ino)
{
	(void)intake;
	return (int)(ino % 8);
}

void intake_written(struct intake *intake, int number)
{
	(void)intake, (void)number;
}

void intake_changed(struct intake *intake, const char *path, int64_t at_ms)
{
	(void)intake, (void)path, (void)at_ms;
}

void intake_owner(struct intake *intake, const char *path)
{
	(void)intake, (void)path;
}

void intake_removed(struct intake *intake, const char *path, int64_t at_ms)
{
	(void)intake, (void)path, (void)at_ms;
}

void intake_moved(struct intake *intake, const char *from, const char *to, int64_t at_ms)
{
	(void)intake, (void)from, (void)to, (void)at_ms;
}

bool intake_checks(struct intake *intake, const char *path)
{
	(void)intake;
	return strstr(path, ".json") != NULL;
}

int intake_check(struct intake *intake, const char *path, int fd)
{
	(void)intake, (void)path;
	return fd % 2 ? 0 : -EINVAL;
}

/* ------------------------------------------------------------------ the kernel's side */

static char store[] = "/tmp/kinofs-fuzz-XXXXXX";
static int store_fd;
static struct model_set models;
static struct view *view;
static struct figures *figures;
static struct mount *mount;

static struct {
	uint64_t id, lookups;
	mode_t type;
} nodes[MOST];
static size_t nnodes;
static struct {
	uint64_t node, fh;
	bool folder, writable;
} handles[MOST];
static size_t nhandles;

/* The last answer: an error, or its body. */
static struct {
	int error;
	size_t size;
	_Alignas(8) char body[1 << 16];
} answer;

static const uint8_t *input;
static size_t left;

static unsigned next(void)
{
	return left ? left--, *input++ : 0;
}

static ssize_t take_answer(int fd, struct iovec *iov, int count, void *userdata)
{
	const struct fuse_out_header *header = iov[0].iov_base;
	ssize_t all = (ssize_t)iov[0].iov_len;

	(void)fd, (void)userdata;
	answer.error = header->error;
	answer.size = 0;
	for (int i = 1; i < count; i++) {
		if (answer.size + iov[i].iov_len > sizeof(answer.body))
			abort(); /* more than was asked for */
		memcpy(answer.body + answer.size, iov[i].iov_base, iov[i].iov_len);
		answer.size += iov[i].iov_len;
		all += (ssize_t)iov[i].iov_len;
	}
	if (header->len != all)
		abort();
	return all;
}

static ssize_t no_request(int fd, void *bytes, size_t size, void *userdata)
{
	(void)fd, (void)bytes, (void)size, (void)userdata;
	return -EAGAIN;
}

static struct {
	_Alignas(8) char bytes[4096];
	size_t used;
} request;

static void add(const void *bytes, size_t size)
{
	memcpy(request.bytes + request.used, bytes, size);
	request.used += size;
}

static void begin(void)
{
	request.used = sizeof(struct fuse_in_header);
}

static void send_request(uint32_t opcode, uint64_t node)
{
	static uint64_t unique;
	const bool is_root = ++unique % 3;
	struct fuse_in_header header = {.len = (uint32_t)request.used,
		.opcode = opcode,
		.unique = unique,
		.nodeid = node,
		.uid = is_root ? 0 : 65534,
		.gid = is_root ? 0 : 65534,
		.pid = (uint32_t)getpid()};
	const struct fuse_buf buffer = {.mem = request.bytes, .size = request.used};

	memcpy(request.bytes, &header, sizeof(header));
	answer.error = 1; /* none */
	fuse_session_process_buf(mount->session, &buffer);
}

#define SEND(opcode, node, ...)                                                                    \
	do {                                                                                       \
		begin();                                                                           \
		add(&(__VA_ARGS__), sizeof(__VA_ARGS__));                                          \
		send_request(opcode, node);                                                        \
	} while (0)

/* ------------------------------------------------------------------ requests */

static size_t any_node(mode_t type)
{
	size_t from = next() % nnodes;

	for (size_t i = 0; i < nnodes; i++)
		if (!type || nodes[(from + i) % nnodes].type == type)
			return (from + i) % nnodes;
	return 0;
}

static void add_name(void)
{
	static const char *const names[] = {"a", "b", "a.txt", "b.json", "c.png", "d.jsonl", "d",
		"hailuo", "out", "jobs", "jobs.json", ".kinofs", "ctl", "events.jsonl", "metrics",
		"incoming", "README.txt", "schema.json", "a.json", ".", "..", "note.tmp", "a.mp4",
		"b.mp4", "a.error.txt"};
	static char last[NAME_MAX + 1];
	unsigned which = next() % (COUNT(names) + 1);

	if (which < COUNT(names)) {
		add(names[which], strlen(names[which]) + 1);
		return;
	}
	/* a part of the model's id, or the longest name there is */
	memset(last, 'n', NAME_MAX);
	if (next() % 4)
		snprintf(last, sizeof(last), "%s", strrchr(models.item[0]->id, '/') + 1);
	add(last, strlen(last) + 1);
}

static void note_entry(void)
{
	const struct fuse_entry_out *entry = (const void *)answer.body;

	if (answer.error || !entry->nodeid)
		return;
	for (size_t i = 0; i < nnodes; i++)
		if (nodes[i].id == entry->nodeid) {
			nodes[i].lookups++;
			return;
		}
	if (nnodes == MOST)
		return; /* never forgotten */
	nodes[nnodes].id = entry->nodeid;
	nodes[nnodes].type = entry->attr.mode & S_IFMT;
	nodes[nnodes++].lookups = 1;
}

static void note_open(uint64_t node, size_t offset, bool folder, unsigned flags)
{
	const struct fuse_open_out *opened = (const void *)(answer.body + offset);

	if (answer.error || nhandles == MOST)
		return;
	handles[nhandles].node = node;
	handles[nhandles].folder = folder;
	handles[nhandles].writable = (flags & O_ACCMODE) != O_RDONLY;
	handles[nhandles++].fh = opened->fh;
}

/* The number of an open one of that kind, or MOST. */
static size_t any_handle(bool folder)
{
	size_t from = nhandles ? next() % nhandles : 0;

	for (size_t i = 0; i < nhandles; i++)
		if (handles[(from + i) % nhandles].folder == folder)
			return (from + i) % nhandles;
	return MOST;
}

static mode_t any_mode(void)
{
	static const mode_t type[] = {S_IFREG, S_IFREG, S_IFIFO, S_IFSOCK};

	return type[next() % COUNT(type)] | (next() % 8 * 0111);
}

static void make(uint64_t parent, unsigned kind)
{
	begin();
	if (kind == 0)
		add(&(struct fuse_mknod_in){.mode = any_mode()}, sizeof(struct fuse_mknod_in));
	else if (kind == 1)
		add(&(struct fuse_mkdir_in){.mode = next() % 8 * 0111},
			sizeof(struct fuse_mkdir_in));
	add_name();
	if (kind == 2)
		add_name(); /* the target of a symlink */
	send_request(kind == 0 ? FUSE_MKNOD : kind == 1 ? FUSE_MKDIR : FUSE_SYMLINK, parent);
	note_entry();
}

static void create(uint64_t parent)
{
	const struct fuse_create_in in = {
		.flags = O_CREAT | (next() % 3) | (next() % 2 ? O_TRUNC : O_EXCL), .mode = 0644};
	uint64_t node;

	begin();
	add(&in, sizeof(in));
	add_name();
	send_request(FUSE_CREATE, parent);
	node = ((const struct fuse_entry_out *)(const void *)answer.body)->nodeid;
	note_entry();
	note_open(node, sizeof(struct fuse_entry_out), false, in.flags);
}

static void open_node(uint64_t node, bool folder)
{
	const struct fuse_open_in in = {
		.flags = folder ? O_RDONLY : next() % 3 | (next() % 4 ? 0 : O_TRUNC)};

	SEND(folder ? FUSE_OPENDIR : FUSE_OPEN, node, in);
	note_open(node, 0, folder, in.flags);
}

static void rename_to(uint64_t from, uint64_t to)
{
	const struct fuse_rename2_in in = {.newdir = to, .flags = next() % 4};

	begin();
	add(&in, sizeof(in));
	add_name();
	add_name();
	send_request(FUSE_RENAME2, from);
}

static void set_attributes(uint64_t node)
{
	const size_t handle = any_handle(false);
	struct fuse_setattr_in in = {.valid = next() | next() << 8,
		.size = next() * 16,
		.mode = next() * 8,
		.uid = next() % 2 ? 0 : 65534,
		.mtime = next()};

	in.valid &= FATTR_MODE | FATTR_UID | FATTR_GID | FATTR_SIZE | FATTR_ATIME | FATTR_MTIME |
	            FATTR_ATIME_NOW | FATTR_MTIME_NOW;
	if (handle < MOST && next() % 2) {
		in.valid |= FATTR_FH;
		in.fh = handles[handle].fh;
		node = handles[handle].node;
	}
	SEND(FUSE_SETATTR, node, in);
}

/* What kind of node the kernel sends this with. 0: any. */
static mode_t type_for(unsigned what)
{
	if (what == 2)
		return S_IFLNK;
	if (what == 8)
		return S_IFREG;
	return what < 2 || what == 11 || what == 15 ? 0 : S_IFDIR;
}

static void with_node(unsigned what)
{
	const size_t which = any_node(type_for(what));
	const uint64_t node = nodes[which].id;

	if (type_for(what) && nodes[which].type != type_for(what))
		return;

	switch (what) {
	case 0: SEND(FUSE_GETATTR, node, (struct fuse_getattr_in){0}); break;
	case 1: set_attributes(node); break;
	case 2:
		begin();
		send_request(FUSE_READLINK, node);
		break;
	case 3: make(node, next() % 3); break;
	case 4:
	case 5:
		begin();
		add_name();
		send_request(what == 4 ? FUSE_UNLINK : FUSE_RMDIR, node);
		break;
	case 6: rename_to(node, nodes[any_node(S_IFDIR)].id); break;
	case 7:
		begin();
		add(&(struct fuse_link_in){.oldnodeid = nodes[any_node(0)].id},
			sizeof(struct fuse_link_in));
		add_name();
		send_request(FUSE_LINK, node);
		note_entry();
		break;
	case 8: open_node(node, false); break;
	case 9: open_node(node, true); break;
	case 10: create(node); break;
	case 11:
		if (which && nodes[which].lookups) { /* the root is never forgotten */
			SEND(FUSE_FORGET, node, (struct fuse_forget_in){nodes[which].lookups});
			nodes[which].lookups = 0;
		}
		break;
	case 15: SEND(FUSE_ACCESS, node, (struct fuse_access_in){.mask = next() % 8}); break;
	default:
		begin();
		add_name();
		send_request(FUSE_LOOKUP, node);
		note_entry();
		break;
	}
}

static void with_folder(unsigned what)
{
	const size_t which = any_handle(true);
	const uint64_t offset = next() % 4 ? next() : 0;

	if (which == MOST)
		return;
	if (what == 0) {
		SEND(FUSE_RELEASEDIR, handles[which].node,
			(struct fuse_release_in){.fh = handles[which].fh});
		handles[which] = handles[--nhandles];
	} else {
		SEND(what == 1 ? FUSE_READDIR : FUSE_READDIRPLUS, handles[which].node,
			(struct fuse_read_in){
				.fh = handles[which].fh, .offset = offset, .size = 4096});
	}
}

static void write_some(size_t which)
{
	static const char *const texts[] = {"retry a", "a cat", "{\"prompt\":1}", "\n", ""};
	const char *text = texts[next() % COUNT(texts)];
	const struct fuse_write_in in = {
		.fh = handles[which].fh, .offset = next() * 64, .size = (uint32_t)strlen(text)};

	begin();
	add(&in, sizeof(in));
	add(text, in.size);
	send_request(FUSE_WRITE, handles[which].node);
}

static bool is_change(unsigned what)
{
	return what == 2 || what == 4;
}

static void with_file(unsigned what)
{
	const size_t which = any_handle(false), other = any_handle(false);
	uint64_t node, fh;

	if (which == MOST || (is_change(what) && !handles[which].writable) ||
		(what == 9 && !handles[other].writable))
		return;
	node = handles[which].node;
	fh = handles[which].fh;
	switch (what) {
	case 0:
		SEND(FUSE_RELEASE, node, (struct fuse_release_in){.fh = fh});
		handles[which] = handles[--nhandles];
		break;
	case 1:
		SEND(FUSE_READ, node,
			(struct fuse_read_in){.fh = fh, .offset = next() * 64, .size = 4096});
		break;
	case 2: write_some(which); break; /* is_change() */
	case 3: SEND(FUSE_FLUSH, node, (struct fuse_flush_in){.fh = fh}); break;
	case 4:
		SEND(FUSE_FALLOCATE, node,
			(struct fuse_fallocate_in){
				.fh = fh, .offset = next(), .length = next(), .mode = next() % 4});
		break;
	case 5:
		SEND(FUSE_LSEEK, node,
			(struct fuse_lseek_in){
				.fh = fh, .offset = next(), .whence = 3 + next() % 2});
		break;
	case 6:
		SEND(FUSE_POLL, node,
			(struct fuse_poll_in){
				.fh = fh, .kh = next(), .flags = FUSE_POLL_SCHEDULE_NOTIFY});
		break;
	case 7:
		SEND(FUSE_GETATTR, node,
			(struct fuse_getattr_in){.fh = fh, .getattr_flags = FUSE_GETATTR_FH});
		break;
	case 8: mount_events_grew(mount); break;
	default:
		SEND(FUSE_COPY_FILE_RANGE, node,
			(struct fuse_copy_file_range_in){.fh_in = fh,
				.nodeid_out = handles[other].node,
				.fh_out = handles[other].fh,
				.off_out = next() * 64,
				.len = next() * 16});
		break;
	}
}

/* ------------------------------------------------------------------ a mount for each input */

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	(void)info, (void)kind, (void)walk;
	return remove(path);
}

static void remove_below(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", store, name);
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void remove_store(void)
{
	(void)nftw(store, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct journal *journal; /* kept: the view reads it */
	bool fresh;

	(void)argc, (void)argv;
	if (!mkdtemp(store) || models_load(&models) < 0)
		abort();
	(void)atexit(remove_store);
	store_fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	journal = journal_open(store, &models, &fresh);
	figures = figures_new(&models);
	view = journal ? view_open(store, &models) : NULL;
	if (store_fd < 0 || !view || !figures)
		abort();
	return 0;
}

static void mount_begin(void)
{
	static const struct fuse_custom_io io = {.read = no_request, .writev = take_answer};
	static struct model_set one;
	const struct mount_setup setup = {.mountpoint = store,
		.fuse_options = left % 2 ? "allow_other" : NULL,
		.store_fd = store_fd,
		.models = &one,
		.view = view,
		.figures = figures};
	int error, events;

	one = (struct model_set){.item = models.item, .count = 1};
	events = openat(store_fd, "events.jsonl", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (events < 0 || write(events, "{}\n", 3) != 3)
		abort();
	(void)close(events);
	mount = mount_make(&setup, &error);
	if (!mount || fuse_session_custom_io(
			      mount->session, &io, open("/dev/null", O_RDWR | O_CLOEXEC)) != 0)
		abort();
	mount->serving = true;
	nodes[0].id = FUSE_ROOT_ID;
	nodes[0].type = S_IFDIR;
	nnodes = 1;
	nhandles = 0;
	SEND(FUSE_INIT, 0,
		(struct fuse_init_in){.major = FUSE_KERNEL_VERSION,
			.minor = FUSE_KERNEL_MINOR_VERSION,
			.max_readahead = 1 << 17,
			.flags = FUSE_DO_READDIRPLUS | FUSE_EXPORT_SUPPORT | FUSE_BIG_WRITES});
	if (answer.error)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input = data;
	left = size;
	mount_begin();
	while (left) {
		unsigned what = next();

		if (what < 128)
			with_node(what % 16);
		else if (what < 208)
			with_file(what % 10);
		else
			with_folder(what % 3);
	}
	mount_free(mount);
	remove_below("tree");
	remove_below("incoming");
	return 0;
}
