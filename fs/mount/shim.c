/*
 * shim.c - two features of the kernel that libfuse before 3.17 keeps back.
 *
 * libfuse 3.14's do_init() (lib/fuse_lowlevel.c) takes FUSE_CAP_PARALLEL_DIROPS
 * into `want` and then leaves the flag out of its answer, so lookups and listings of one
 * folder wait for each other in the kernel; commit c9905341, in 3.17.1, mends it. FUSE passthrough
 * (Linux 6.9, Documentation/filesystems/fuse/fuse-passthrough.rst) is in libfuse's API since 3.17.
 *
 * So the answer to INIT is completed on its way to the kernel: fuse_session_custom_io() lets us
 * do the read(2) and writev(2) of the session. Only an answer of the very size and place known is
 * touched, and only flags the kernel offered are set. With libfuse 3.17 and later the same is asked
 * for in the operation init. The answer to OPEN is our own in both cases, by fuse_reply_buf().
 *
 * What the kernel demands of passthrough (fs/fuse/iomode.c): all opens of an inode at
 * one time are passthrough with one backing id, or none is; another open fails with EIO.
 * node_open() sees to that. Registering a file needs CAP_SYS_ADMIN, and a store that is on no
 * stacked filesystem itself (max_stack_depth 1).
 */
#include "fs/mount/shim.h"

#include "fs/base/log.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/fuse.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Newer than Debian 12's <linux/fuse.h>; each is part of the kernel's ABI, and so are these. */
#ifndef FUSE_PASSTHROUGH
#define FUSE_PASSTHROUGH  (1ULL << 37)
#define FOPEN_PASSTHROUGH (1 << 7)
struct fuse_backing_map {
	int32_t fd;
	uint32_t flags;
	uint64_t padding;
};
#define FUSE_DEV_IOC_BACKING_OPEN  _IOW(229, 1, struct fuse_backing_map)
#define FUSE_DEV_IOC_BACKING_CLOSE _IOW(229, 2, uint32_t)
#endif
_Static_assert(sizeof(struct fuse_backing_map) == 16, "see FUSE_DEV_IOC_BACKING_OPEN");

/* struct fuse_init_out, up to the newest member we set. */
struct init_answer {
	char begin[12];
	uint32_t flags;
	char middle[16];
	uint32_t flags2;
	uint32_t max_stack_depth;
	char end[24];
};
_Static_assert(sizeof(struct init_answer) == sizeof(struct fuse_init_out), "");
_Static_assert(offsetof(struct init_answer, flags) == offsetof(struct fuse_init_out, flags), "");
_Static_assert(offsetof(struct init_answer, flags2) == offsetof(struct fuse_init_out, flags2), "");

/* struct fuse_open_out, whose last member was padding. */
struct open_answer {
	uint64_t fh;
	uint32_t open_flags;
	int32_t backing_id;
};
_Static_assert(sizeof(struct open_answer) == sizeof(struct fuse_open_out), "");
_Static_assert(
	offsetof(struct open_answer, open_flags) == offsetof(struct fuse_open_out, open_flags), "");

static bool may_register_files(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &header, data) == 0 &&
	       data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN);
}

void shim_init(struct shim *shim, struct fuse_conn_info *connection)
{
	connection->want |= connection->capable & FUSE_CAP_PARALLEL_DIROPS;
#ifdef FUSE_CAP_PASSTHROUGH
	if (connection->capable & FUSE_CAP_PASSTHROUGH && !shim->plain && may_register_files()) {
		connection->want |= FUSE_CAP_PASSTHROUGH;
		connection->max_backing_stack_depth = 0; /* which it sends as 1 */
		atomic_store(&shim->passthrough, true);
	}
#else
	(void)shim;
#endif
}

#if FUSE_VERSION < FUSE_MAKE_VERSION(3, 17)
/* The kernel's question, the first it asks; the thread that reads it answers it. */
static void note_question(struct shim *shim, const void *bytes, size_t size)
{
	const struct fuse_in_header *header = bytes;
	const struct fuse_init_in *in = (const void *)(header + 1);

	if (size < sizeof(*header) + sizeof(*in))
		return; /* of a kernel before 5.17: nothing to gain */
	shim->offered = in->flags;
	if (in->flags & FUSE_INIT_EXT)
		shim->offered |= (uint64_t)in->flags2 << 32;
	atomic_store(&shim->asked, header->unique);
}

static ssize_t shim_read(int fd, void *bytes, size_t size, void *userdata)
{
	ssize_t got = read(fd, bytes, size);

	if (got >= (ssize_t)sizeof(struct fuse_in_header) &&
		((const struct fuse_in_header *)bytes)->opcode == FUSE_INIT)
		note_question(userdata, bytes, (size_t)got);
	return got;
}

static void complete_answer(struct shim *shim, struct init_answer *answer)
{
	bool passthrough = answer->flags & FUSE_INIT_EXT && shim->offered & FUSE_PASSTHROUGH &&
	                   may_register_files();

	answer->flags |= (uint32_t)shim->offered & FUSE_PARALLEL_DIROPS;
	if (passthrough) {
		answer->flags2 |= (uint32_t)(FUSE_PASSTHROUGH >> 32);
		answer->max_stack_depth = 1;
	}
	atomic_store(&shim->passthrough, passthrough);
	log_debug("parallel directory operations %s, passthrough %s",
		answer->flags & FUSE_PARALLEL_DIROPS ? "on" : "off", passthrough ? "on" : "off");
}

static ssize_t shim_writev(int fd, struct iovec *iov, int count, void *userdata)
{
	const struct fuse_out_header *header = iov[0].iov_base;
	struct shim *shim = userdata;
	uint64_t asked = atomic_load_explicit(&shim->asked, memory_order_relaxed);

	if (asked && header->unique == asked) {
		atomic_store(&shim->asked, 0);
		if (header->error == 0 && count == 2 &&
			iov[1].iov_len == sizeof(struct init_answer))
			complete_answer(shim, iov[1].iov_base);
	}
	return writev(fd, iov, count);
}

void shim_start(struct shim *shim, struct fuse_session *session)
{
	const struct fuse_custom_io io = {.read = shim_read, .writev = shim_writev};

	shim->device = fuse_session_fd(session);
	if (shim->plain || fuse_version() >= FUSE_MAKE_VERSION(3, 17))
		return;
	if (fuse_session_custom_io(session, &io, shim->device) < 0)
		log_debug("no memory for the shim");
}
#else
void shim_start(struct shim *shim, struct fuse_session *session)
{
	shim->device = fuse_session_fd(session);
}
#endif

int shim_backing_open(struct shim *shim, int fd)
{
	struct fuse_backing_map map = {.fd = fd};
	int id;

	if (!atomic_load_explicit(&shim->passthrough, memory_order_relaxed))
		return 0;
	id = ioctl(shim->device, FUSE_DEV_IOC_BACKING_OPEN, &map);
	if (id > 0)
		return id;
	log_debug("passthrough is off: %s", strerror(errno));
	atomic_store(&shim->passthrough, false); /* ELOOP, EPERM: so it would be with the next */
	return 0;
}

void shim_backing_close(struct shim *shim, int id)
{
	uint32_t which = (uint32_t)id;

	/* it can only be unknown, when the kernel has let go of the mount */
	(void)ioctl(shim->device, FUSE_DEV_IOC_BACKING_CLOSE, &which);
}

int shim_reply_open(fuse_req_t req, const struct fuse_file_info *fi, int id)
{
	const struct open_answer answer = {.fh = fi->fh,
		.open_flags = FOPEN_PASSTHROUGH | (fi->noflush ? FOPEN_NOFLUSH : 0),
		.backing_id = id};

	if (!id)
		return fuse_reply_open(req, fi);
	return fuse_reply_buf(req, (const char *)&answer, sizeof(answer));
}
