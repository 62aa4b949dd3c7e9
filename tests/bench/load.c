/*
 * load.c - the loads whose time is taken, small enough that the file system is
 * what is measured. Each prints the seconds it took.
 *
 *   load names DIR          readdir(3) to the end
 *   load stat DIR N         lstat(2) of N files f0000000 …, three times
 *   load make DIR N         create, write 512 bytes and close N files
 *   load remove DIR N       unlink them
 *   load read FILE          from begin to end, in pieces of 128 KiB
 *   load random FILE N      N pieces of 4 KiB, the same for every run
 *   load readers FILE N     N threads, each from begin to end
 *   load close DIR N FILE   N drops NAME.json with the content of FILE; prints the median and the
 *                           99th percentile of close(2)
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PIECE       (128 << 10)
#define SMALL_PIECE 4096
#define SMALL_FILE  512

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static const char *file_name(long number)
{
	static char name[32];

	snprintf(name, sizeof(name), "f%07ld", number);
	return name;
}

static void names(char **words, long count)
{
	DIR *folder = opendir(words[0]);

	(void)count;
	if (!folder)
		err(1, "%s", words[0]);
	while (readdir(folder))
		;
	closedir(folder);
}

static void stat_storm(char **words, long count)
{
	int folder = open_or_die(words[0], O_RDONLY | O_DIRECTORY);
	struct stat st;

	for (long i = 0; i < 3 * count; i++)
		if (fstatat(folder, file_name(i % count), &st, AT_SYMLINK_NOFOLLOW) < 0)
			err(1, "%s/%s", words[0], file_name(i % count));
	close(folder);
}

static void make(char **words, long count)
{
	int folder = open_or_die(words[0], O_RDONLY | O_DIRECTORY);
	char content[SMALL_FILE] = "";

	for (long i = 0; i < count; i++) {
		int fd =
			openat(folder, file_name(i), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

		if (fd < 0 || write(fd, content, sizeof(content)) != sizeof(content) ||
			close(fd) < 0)
			err(1, "%s/%s", words[0], file_name(i));
	}
	close(folder);
}

static void remove_all(char **words, long count)
{
	int folder = open_or_die(words[0], O_RDONLY | O_DIRECTORY);

	for (long i = 0; i < count; i++)
		if (unlinkat(folder, file_name(i), 0) < 0)
			err(1, "%s/%s", words[0], file_name(i));
	close(folder);
}

static void *read_through(void *path)
{
	char *piece = malloc(PIECE);
	int fd = open_or_die(path, O_RDONLY);
	ssize_t got;

	while ((got = read(fd, piece, PIECE)) > 0)
		;
	if (got < 0)
		err(1, "%s", (const char *)path);
	close(fd);
	free(piece);
	return NULL;
}

static void read_file(char **words, long count)
{
	(void)count;
	read_through(words[0]);
}

static void readers(char **words, long count)
{
	pthread_t thread[64];

	if (count > 64)
		errx(2, "64 readers at most");
	for (long i = 0; i < count; i++)
		if (pthread_create(&thread[i], NULL, read_through, words[0]))
			errx(1, "no thread");
	for (long i = 0; i < count; i++)
		pthread_join(thread[i], NULL);
}

static void read_random(char **words, long count)
{
	unsigned dice = 1;
	char piece[SMALL_PIECE];
	int fd = open_or_die(words[0], O_RDONLY);
	off_t pieces = lseek(fd, 0, SEEK_END) / SMALL_PIECE;

	for (long i = 0; i < count; i++) {
		dice = dice * 1103515245 + 12345; /* any fixed sequence */
		if (pread(fd, piece, sizeof(piece), dice % pieces * SMALL_PIECE) < 0)
			err(1, "%s", words[0]);
	}
	close(fd);
}

static int by_size(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* Prints seconds, as the others do, but twice. */
static void close_drops(char **words, long count)
{
	double *took = calloc((size_t)count, sizeof(*took));
	static char content[1 << 16];
	int from = open_or_die(words[2], O_RDONLY);
	ssize_t bytes = read(from, content, sizeof(content));

	if (bytes <= 0)
		err(1, "%s", words[2]);
	for (long i = 0; i < count; i++) {
		char path[4096];
		double begin;
		int fd;

		snprintf(path, sizeof(path), "%s/drop%ld.json", words[0], i);
		fd = open_or_die(path, O_WRONLY | O_CREAT | O_EXCL);
		if (write(fd, content, (size_t)bytes) != bytes)
			err(1, "%s", path);
		begin = now();
		if (close(fd) < 0)
			err(1, "%s", path);
		took[i] = now() - begin;
	}
	qsort(took, (size_t)count, sizeof(*took), by_size);
	printf("%.9f %.9f\n", took[count / 2], took[count * 99 / 100]);
	close(from);
	free(took);
}

static const struct {
	const char *name;
	void (*run)(char **words, long count);
	int words;
	bool prints;
} loads[] = {
	{"names", names, 1, false},
	{"stat", stat_storm, 2, false},
	{"make", make, 2, false},
	{"remove", remove_all, 2, false},
	{"read", read_file, 1, false},
	{"random", read_random, 2, false},
	{"readers", readers, 2, false},
	{"close", close_drops, 3, true},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 2 && i < sizeof(loads) / sizeof(*loads); i++) {
		double begin = now();

		if (strcmp(argv[1], loads[i].name) != 0 || argc != 2 + loads[i].words)
			continue;
		loads[i].run(argv + 2, argc > 3 ? strtol(argv[3], NULL, 10) : 0);
		if (!loads[i].prints)
			printf("%.9f\n", now() - begin);
		return 0;
	}
	fputs("usage: see the head of load.c\n", stderr);
	return 2;
}
