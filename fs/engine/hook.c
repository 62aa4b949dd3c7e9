#include "fs/engine/hook.h"

#include "fs/base/array.h"
#include "fs/base/child.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/limits.h"
#include "fs/base/log.h"
#include "fs/base/quote.h"
#include "fs/engine/jobs.h"
#include "fs/journal/view.h"
#include "spec/text.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>

#define AT_ONCE 4

/* An end that is to be told. */
struct ending {
	char *job;    /* for the log */
	char *record; /* as jobs/NAME.json has it now */
	STAILQ_ENTRY(ending) entry;
};
STAILQ_HEAD(endings, ending);

struct hook {
	char *const *words;
	struct view *view;
	char **variable; /* of its environment */
	int stop_fd;     /* readable: what runs is to end */
	size_t threads;  /* the engine's thread only */
	pthread_t thread[AT_ONCE];
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t more;
	bool stop;
	struct endings wanted;
	int waiting;
	size_t idle; /* threads */
};

/* ------------------------------------------------------------------ telling one */

static void ending_free(struct ending *ending)
{
	if (!ending)
		return;
	free(ending->job);
	free(ending->record);
	free(ending);
}

static void complain(const struct hook *hook, const struct ending *ending, int error,
	const char words[CHILD_WORDS])
{
	AUTO_FREE char *said = text_printable(words, strlen(words), LIMIT_MESSAGE_CHARS);
	const char *program = hook->words[0];

	if (error == -ECANCELED)
		log_warn("the hook %s was ended with kinofs, at %s", program, ending->job);
	else if (error == -ETIMEDOUT)
		log_warn("the hook %s was ended after %d seconds, at %s", program,
			HOOK_LIMIT_MS / 1000, ending->job);
	else if (error == -EBADMSG)
		log_warn("the hook %s failed, at %s: %s", program, ending->job, said ? said : "");
	else
		log_warn("the hook %s could not be run, for %s: %s", program, ending->job,
			strerror(-error));
}

static void tell(const struct hook *hook, const struct ending *ending)
{
	const struct child child = {.words = (const char *const *)hook->words,
		.input = ending->record,
		.variable = (const char *const *)hook->variable,
		.stop_fd = hook->stop_fd,
		.limit_ms = HOOK_LIMIT_MS};
	char words[CHILD_WORDS];
	int error = child_run(&child, words);

	if (error)
		complain(hook, ending, error, words);
}

static struct ending *next_wanted(struct hook *hook)
{
	struct ending *ending;

	pthread_mutex_lock(&hook->lock);
	hook->idle++;
	while (!hook->stop && STAILQ_EMPTY(&hook->wanted))
		pthread_cond_wait(&hook->more, &hook->lock);
	hook->idle--;
	ending = hook->stop ? NULL : STAILQ_FIRST(&hook->wanted);
	if (ending) {
		STAILQ_REMOVE_HEAD(&hook->wanted, entry);
		hook->waiting--;
	}
	pthread_mutex_unlock(&hook->lock);
	return ending;
}

static void *work(void *argument)
{
	struct hook *hook = argument;
	struct ending *ending;

	while ((ending = next_wanted(hook))) {
		tell(hook, ending);
		ending_free(ending);
	}
	return NULL;
}

/* ------------------------------------------------------------------ what is to be told */

/* NULL: no memory, or the journal cannot be read now. */
static struct ending *ending_of(const struct hook *hook, const struct job *job)
{
	struct ending *ending = calloc(1, sizeof(*ending));
	AUTO_FREE char *name = job_name(&job->row), *shown = name ? quote_name(name) : NULL;
	struct record record = {0};

	if (!ending)
		return NULL;
	if (shown && view_take(hook->view, job->row.id, &record) == 0) {
		ending->record =
			format("%.*s", (int)record.bytes, record.text); /* no NUL ends it */
		ending->job = format(
			"%s/%s (%s)", job->row.model_id, shown, job_state_name(job->row.state));
	}
	free(record.text);
	free(record.rights);
	if (!ending->record || !ending->job) {
		ending_free(ending);
		return NULL;
	}
	return ending;
}

/* Another thread, if all there are have something to do. Whether there is any. */
static bool have_thread(struct hook *hook)
{
	size_t idle;

	pthread_mutex_lock(&hook->lock);
	idle = hook->idle;
	pthread_mutex_unlock(&hook->lock);
	if (!idle && hook->threads < AT_ONCE &&
		pthread_create(&hook->thread[hook->threads], NULL, work, hook) == 0)
		hook->threads++;
	return hook->threads > 0;
}

void hook_tell(struct hook *hook, const struct job *job)
{
	struct ending *ending;
	bool taken = false;

	if (!hook)
		return;
	ending =
		hook_waiting(hook) < LIMIT_HOOKS && have_thread(hook) ? ending_of(hook, job) : NULL;
	if (ending) {
		pthread_mutex_lock(&hook->lock);
		taken = !hook->stop;
		if (taken) {
			STAILQ_INSERT_TAIL(&hook->wanted, ending, entry);
			hook->waiting++;
			pthread_cond_signal(&hook->more);
		}
		pthread_mutex_unlock(&hook->lock);
	}
	if (taken)
		return;
	ending_free(ending);
	log_warn("the hook %s was not run for the end of a job: too much is under way",
		hook->words[0]);
}

int hook_waiting(struct hook *hook)
{
	int waiting;

	if (!hook)
		return 0;
	pthread_mutex_lock(&hook->lock);
	waiting = hook->waiting;
	pthread_mutex_unlock(&hook->lock);
	return waiting;
}

/* ------------------------------------------------------------------ life */

/* What a program needs to reach the desktop and its own files; no more, for there may be keys in
 * the rest. 0 or -ENOMEM. */
static int set_variables(struct hook *hook, const char *mountpoint)
{
	static const char *const names[] = {"HOME", "USER", "LOGNAME", "TZ", "TMPDIR", "DISPLAY",
		"WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR",
		"XDG_CURRENT_DESKTOP", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME",
		"XDG_CACHE_HOME"};
	size_t count = 0;

	hook->variable = calloc(COUNT(names) + 2, sizeof(*hook->variable));
	if (!hook->variable ||
		!(hook->variable[count++] = format("KINOFS_MOUNTPOINT=%s", mountpoint)))
		return -ENOMEM;
	for (size_t i = 0; i < COUNT(names); i++) {
		const char *value = getenv(names[i]); /* no thread changes it */

		if (value && !(hook->variable[count++] = format("%s=%s", names[i], value)))
			return -ENOMEM;
	}
	return 0;
}

int hook_new(char *const *words, const char *mountpoint, struct view *view, struct hook **made)
{
	struct hook *hook;
	int error;

	*made = NULL;
	if (!words)
		return 0;
	hook = calloc(1, sizeof(*hook));
	if (!hook)
		return -ENOMEM;
	hook->words = words;
	hook->view = view;
	pthread_mutex_init(&hook->lock, NULL);
	pthread_cond_init(&hook->more, NULL);
	STAILQ_INIT(&hook->wanted);
	hook->stop_fd = eventfd(0, EFD_CLOEXEC);
	error = hook->stop_fd < 0 ? -errno : set_variables(hook, mountpoint);
	if (error)
		hook_free(hook);
	else
		*made = hook;
	return error;
}

void hook_stop(struct hook *hook)
{
	if (!hook)
		return;
	pthread_mutex_lock(&hook->lock);
	hook->stop = true;
	pthread_cond_broadcast(&hook->more);
	pthread_mutex_unlock(&hook->lock);
	if (eventfd_write(hook->stop_fd, 1) < 0)
		log_warn("the hook is waited for: %s", strerror(errno));
	while (hook->threads)
		(void)pthread_join(hook->thread[--hook->threads], NULL); /* it is there */
	if (hook->waiting)
		log_warn("the hook %s was not run for the end of %d jobs: kinofs ended first",
			hook->words[0], hook->waiting);
}

void hook_free(struct hook *hook)
{
	struct ending *ending;

	if (!hook)
		return;
	while ((ending = STAILQ_FIRST(&hook->wanted))) {
		STAILQ_REMOVE_HEAD(&hook->wanted, entry);
		ending_free(ending);
	}
	for (size_t i = 0; hook->variable && hook->variable[i]; i++)
		free(hook->variable[i]);
	free(hook->variable);
	cleanup_fd(&hook->stop_fd);
	pthread_cond_destroy(&hook->more);
	pthread_mutex_destroy(&hook->lock);
	free(hook);
}
