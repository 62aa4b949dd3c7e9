/*
 * render.c - the queue in front of ffmpeg and the two threads that work it off.
 *
 * Each job runs in a directory of its own, which is gone when the results have been moved out. A
 * thread reaps its own child, under the lock, so that a kill at the end never hits a reused pid.
 */
#include "contrib/simulator/render.h"
#include "contrib/simulator/api.h"
#include "contrib/simulator/state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

void source_free(struct source *source)
{
	picture_unref(source->picture);
	free(source->url);
}

void scene_free(struct scene *scene)
{
	source_free(&scene->first);
	source_free(&scene->last);
	free(scene->prompt);
}

static void video_done(struct task *task, bool is_good)
{
	task->video = is_good ? VIDEO_READY : VIDEO_FAILED;
	task->ready = now_seconds();
	state_ready(task);
}

static const char *clip_of(const struct task *task, size_t number)
{
	enum kind kind;

	return result_kind(task->results[number], &kind) ? sim.clips[kind] : NULL;
}

/* Whether all its results are files that are there. */
static bool has_clips(const struct task *task)
{
	for (size_t number = 0; number < task->result_count; number++)
		if (!clip_of(task, number))
			return false;
	return true;
}

void render_submit(struct task *task, struct scene *scene)
{
	bool is_made = has_clips(task);
	struct render *render = is_made ? NULL : calloc(1, sizeof(*render));

	if (!render) {
		video_done(task, is_made);
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

/* In the child, between fork(2) and execvp(3): no lock is taken and nothing allocated. It ends with
 * this program, however that ends, and has no descriptor of ours but stderr. */
static _Noreturn void become(const char *directory, char *const *arguments, pid_t parent)
{
	static const char failure[] = "kinofs-sim: cannot run ffmpeg\n";
	sigset_t none;
	int nowhere;

	(void)sigemptyset(&none); /* these two cannot fail on Linux */
	(void)pthread_sigmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (getppid() == parent && chdir(directory) == 0 && dup2(nowhere, 0) == 0 &&
		dup2(nowhere, 1) == 1 && close_range(3, ~0U, 0) == 0)
		(void)execvp(arguments[0], arguments);
	(void)!write(2, failure, sizeof(failure) - 1); /* nothing can be done about that */
	_exit(127);
}

/* By fork(2): posix_spawn(3) knows no PR_SET_PDEATHSIG. */
static int spawn_in(const char *directory, char *const *arguments, pid_t *ret_child)
{
	pid_t parent = getpid();

	*ret_child = fork();
	if (*ret_child == 0)
		become(directory, arguments, parent);
	return *ret_child < 0 ? -errno : 0;
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
	worker->child = error ? 0 : child;
	pthread_mutex_unlock(&sim.lock);
	if (!error)
		return wait_for(worker, child);
	if (error != -ECANCELED)
		(void)fprintf(stderr, "kinofs-sim: ffmpeg: %s\n", strerror(-error));
	return error;
}

/* With the caption; without it where there is no font. */
static int render_in(
	struct worker *worker, const struct render *render, size_t number, const char *directory)
{
	struct command command;
	int error = -EIO;

	for (int with_text = 1; with_text >= 0 && error == -EIO; with_text--) {
		const struct shot shot = {
			render->task, &render->scene, number, directory, with_text};

		error = command_build(&command, &shot);
		if (error)
			return error;
		error = run(worker, directory, command.arguments);
		command_free(&command);
	}
	return error;
}

static int render_one(
	struct worker *worker, const struct render *render, size_t number, const char *directory)
{
	AUTO_FREE char *result = result_path(render->task, number);
	AUTO_FREE char *part = NULL;
	int error;

	if (!result || asprintf(&part, "%s/part.%s", directory, render->task->results[number]) < 0)
		return -ENOMEM;
	error = render_in(worker, render, number, directory);
	return !error && rename(part, result) < 0 ? -errno : error;
}

/* task->id, ->seconds, ->results and the pictures' names do not change: they are read without the
 * lock. */
static int render_run(struct worker *worker, const struct render *render)
{
	AUTO_FREE char *directory = NULL;
	int error = 0;

	if (asprintf(&directory, "%s/%s", sim.directory, render->task->id) < 0)
		return -ENOMEM;
	if (mkdir(directory, 0700) < 0)
		return -errno;
	for (size_t number = 0; number < render->task->result_count && !error; number++)
		if (!clip_of(render->task, number))
			error = render_one(worker, render, number, directory);
	remove_tree(directory);
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
		if (!error || !is_ending) /* killed at the end: it is made anew */
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
