#include "fs/engine/writing.h"

#include "fs/base/cleanup.h"
#include "fs/base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define PLACES 1024 /* files open for writing at once; of more a crash is not noticed */

struct writing {
	pthread_mutex_t lock;
	uint64_t *ino;     /* PLACES of them, in the file; 0: free */
	bool live[PLACES]; /* of this run */
	int end;           /* behind the last one taken */
};

struct writing *writing_open(int journal_fd)
{
	AUTO_FD int fd = openat(journal_fd, "writing", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct writing *writing = calloc(1, sizeof(*writing));
	void *memory = MAP_FAILED;

	/* allocated, for a full disk would be a SIGBUS later */
	if (writing && fd >= 0 && (errno = posix_fallocate(fd, 0, PLACES * sizeof(uint64_t))) == 0)
		memory = mmap(
			NULL, PLACES * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		log_error("cannot write in the store: %s", strerror(errno));
		free(writing);
		return NULL;
	}
	pthread_mutex_init(&writing->lock, NULL);
	writing->ino = memory;
	for (int i = 0; i < PLACES; i++)
		if (writing->ino[i])
			writing->end = i + 1;
	return writing;
}

void writing_close(struct writing *writing)
{
	if (!writing)
		return;
	(void)munmap(writing->ino, PLACES * sizeof(uint64_t));
	pthread_mutex_destroy(&writing->lock);
	free(writing);
}

/* The place of a file that an earlier run left, else a free one, else -1. */
static int find_place(const struct writing *writing, ino_t ino)
{
	int place = -1;

	for (int i = 0; i < writing->end; i++) {
		if (writing->ino[i] == ino && !writing->live[i])
			return i;
		if (!writing->ino[i] && place < 0)
			place = i;
	}
	return place < 0 && writing->end < PLACES ? writing->end : place;
}

int writing_began(struct writing *writing, ino_t ino)
{
	int place;

	pthread_mutex_lock(&writing->lock);
	place = find_place(writing, ino);
	if (place >= 0) {
		writing->ino[place] = ino;
		writing->live[place] = true;
		if (place == writing->end)
			writing->end++;
	}
	pthread_mutex_unlock(&writing->lock);
	return place;
}

void writing_ended(struct writing *writing, int number)
{
	if (number < 0)
		return;
	pthread_mutex_lock(&writing->lock);
	writing->ino[number] = 0;
	writing->live[number] = false;
	while (writing->end && !writing->ino[writing->end - 1])
		writing->end--;
	pthread_mutex_unlock(&writing->lock);
}

bool writing_was_cut_off(struct writing *writing, ino_t ino)
{
	bool found = false;

	pthread_mutex_lock(&writing->lock);
	for (int i = 0; i < writing->end && !found; i++)
		found = writing->ino[i] == ino && !writing->live[i];
	pthread_mutex_unlock(&writing->lock);
	return found;
}
