/*
 * render.c - the queue in front of ffmpeg and the two threads that work it off.
 *
 * Each job runs in a directory of its own, which is gone when the video has been moved out. A
 * thread reaps its own child, under the lock, so that a kill at the end never hits a reused pid.
 */
#include "contrib/simulator/render.h"
#include "contrib/simulator/api.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define WORKERS 2 /* ffmpeg at a time */

struct render {
	struct task *task;
	struct scene scene;
	struct render *next;
};

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER; /* with sim.lock, as all of this */
static struct render *head;
static struct render **tail = &head;
static bool is_ending;
static struct worker {
	pthread_t thread;
	pid_t child; /* 0: none */
} workers[WORKERS];
static int started;

extern char **environ;

void scene_free(struct scene *scene)
{
	picture_unref(scene->first.picture);
	picture_unref(scene->last.picture);
	free(scene->first.url);
	free(scene->last.url);
	free(scene->prompt);
}

static void video_done(struct task *task, bool is_good)
{
	task->video = is_good ? VIDEO_READY : VIDEO_FAILED;
	task->ready = now_seconds();
}

void render_submit(struct task *task, struct scene *scene)
{
	struct render *render = sim.clip ? NULL : calloc(1, sizeof(*render));

	if (!render) {
		video_done(task, sim.clip != NULL);
		scene_free(scene);
		return;
	}
	render->task = task;
	render->scene = *scene;
	*tail = render;
	tail = &render->next;
	pthread_cond_signal(&changed);
}

static void render_free(struct render *render)
{
	scene_free(&render->scene);
	free(render);
}

/* The child starts with no signal blocked or ignored and no descriptor of ours but stderr. */
static int spawn_in(const char *directory, char *const *arguments, pid_t *ret_child)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int error;

	(void)sigemptyset(&none); /* these cannot fail on Linux */
	(void)sigfillset(&all);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setsigdefault(&attributes, &all);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawn_file_actions_init(&actions);
	error = posix_spawn_file_actions_addchdir_np(&actions, directory);
	error = error ? error
	              : posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	error = error ? error : posix_spawn_file_actions_adddup2(&actions, 0, 1);
	error = error ? error : posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	if (!error)
		error = posix_spawnp(
			ret_child, arguments[0], &actions, &attributes, arguments, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
	return -error;
}

/* Waits without reaping, so that the pid stays ours until the lock is held. */
static int wait_for(struct worker *worker, pid_t child)
{
	siginfo_t end = {0};

	while (waitid(P_PID, (id_t)child, &end, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&sim.lock);
	(void)waitpid(child, NULL, 0); /* known to have ended */
	worker->child = 0;
	pthread_mutex_unlock(&sim.lock);
	return end.si_code == CLD_EXITED && end.si_status == 0 ? 0 : -EIO;
}

static int run(struct worker *worker, const char *directory, char *const *arguments)
{
	pid_t child = 0;
	int error = -ECANCELED;

	pthread_mutex_lock(&sim.lock);
	if (!is_ending)
		error = spawn_in(directory, arguments, &child);
	worker->child = child;
	pthread_mutex_unlock(&sim.lock);
	if (!error)
		return wait_for(worker, child);
	if (error != -ECANCELED)
		(void)fprintf(stderr, "kinofs-sim: ffmpeg: %s\n", strerror(-error));
	return error;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
	(void)about, (void)kind, (void)where;
	return remove(path);
}

/* With the caption; without it where there is no font. */
static int render_in(struct worker *worker, const struct render *render, const char *directory)
{
	struct command command;
	int error = -EIO;

	for (int with_text = 1; with_text >= 0 && error == -EIO; with_text--) {
		error = command_build(&command, render->task, &render->scene, directory, with_text);
		if (error)
			return error;
		error = run(worker, directory, command.arguments);
		command_free(&command);
	}
	return error;
}

/* task->id, ->seconds and the pictures' names do not change: they are read without the lock. */
static int render_run(struct worker *worker, const struct render *render)
{
	AUTO_FREE char *directory = NULL;
	AUTO_FREE char *part = NULL;
	AUTO_FREE char *video = result_path(render->task);
	int error;

	if (!video || asprintf(&directory, "%s/%s", sim.directory, render->task->id) < 0 ||
		asprintf(&part, "%s/part.mp4", directory) < 0)
		return -ENOMEM;
	if (mkdir(directory, 0700) < 0)
		return -errno;
	error = render_in(worker, render, directory);
	if (!error && rename(part, video) < 0)
		error = -errno;
	(void)nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS); /* goes at the end else */
	return error;
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct render *render;
	int error;

	pthread_mutex_lock(&sim.lock);
	for (;;) {
		while (!head && !is_ending)
			pthread_cond_wait(&changed, &sim.lock);
		if (is_ending)
			break;
		render = head;
		head = render->next;
		if (!head)
			tail = &head;
		pthread_mutex_unlock(&sim.lock);
		error = render_run(worker, render);
		pthread_mutex_lock(&sim.lock);
		video_done(render->task, !error);
		render_free(render);
	}
	pthread_mutex_unlock(&sim.lock);
	return NULL;
}

int render_start(void)
{
	for (started = 0; started < WORKERS; started++) {
		int error = pthread_create(&workers[started].thread, NULL, work, &workers[started]);

		if (error)
			return -error;
	}
	return 0;
}

void render_stop(void)
{
	pthread_mutex_lock(&sim.lock);
	is_ending = true;
	pthread_cond_broadcast(&changed);
	for (int i = 0; i < started; i++)
		if (workers[i].child)
			(void)kill(workers[i].child, SIGKILL); /* ours, not yet reaped */
	pthread_mutex_unlock(&sim.lock);
	for (int i = 0; i < started; i++)
		(void)pthread_join(workers[i].thread, NULL); /* fails only on misuse */
	while (head) {
		struct render *next = head->next;

		render_free(head);
		head = next;
	}
}
